"""Arguments that several commands share."""

from __future__ import annotations

import sys
from pathlib import Path

import click

FOLDER = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
"""The folder of one instance."""


def ask_passphrase(prompt: str, *, confirm: bool) -> str:
    """Read a passphrase from the terminal without showing it, or one line of a pipe."""
    if sys.stdin.isatty():
        return str(click.prompt(prompt, hide_input=True, confirmation_prompt=confirm))
    return sys.stdin.readline().rstrip("\n")
