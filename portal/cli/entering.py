"""Officers at the terminal: signing in for one command, and what a newcomer chooses and notes.

Passphrases, codes and secrets come from the terminal or a pipe and never stand in arguments.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from casework.keys import passphrases
from crypto import words
from portal.cli import factors as terminal
from portal.cli.options import FORGET_SCREEN, ask_passphrase
from portal.cli.refusals import Refused

if TYPE_CHECKING:
    from casework.keys.actor import Actor
    from casework.keys.factors import NewFactor
    from casework.store.office import Office


def ask_line(prompt: str) -> str:
    """Read one line from the terminal, or from a pipe."""
    if sys.stdin.isatty():
        return str(click.prompt(prompt))
    return sys.stdin.readline().rstrip("\n")


def sign_in(office: Office, username: str) -> Actor:
    """Return an officer who types passphrase and, where the office has one, the second factor.

    Raises:
        Denied: name or passphrase is wrong, or the officer is not in office today.
        WrongCode: the code is.
        Untrustworthy: roster or log are not what this officer has seen before.
    """
    passphrase = ask_passphrase(f"Passphrase of {username}", confirm=False)
    actor = terminal.signed_in(office, username, passphrase)
    terminal.ask_code(office, actor)
    return actor


def new_passphrase(office: Office, roles: tuple[str, ...]) -> str:
    """Return the passphrase of a newcomer: chosen, or drawn where the profile says so.

    Raises:
        Refused: it would be drawn, and there is no terminal to show it on.
    """
    if not passphrases.is_drawn(office.profile, roles):
        return ask_passphrase("Passphrase", confirm=True)
    need_terminal("the passphrase of this role is drawn and shown once")
    drawn = words.generate(passphrases.DRAWN_WORDS)
    click.echo(f"The passphrase, in this order:\n\n    {drawn}\n")
    _wait("Write it down, keep it locked away, then press Enter.")
    click.echo(FORGET_SCREEN, nl=False)
    while " ".join(ask_passphrase("Type it back", confirm=False).casefold().split()) != drawn:
        click.echo("This is not the passphrase that was shown. Start again if the note is wrong.")
    return drawn


def new_factor(office: Office, username: str) -> tuple[NewFactor, int] | None:
    """Return a newcomer's confirmed second factor, or None where the office has none.

    Raises:
        Refused: there is no terminal to show it on.
        WrongCode: the codes typed are none of the secret just shown.
    """
    if not office.second_factor:
        return None
    need_terminal("the second factor is shown once")
    made, step = terminal.ask_new(office, username)
    terminal.show_codes(made.codes)
    return made, step


def need_terminal(why: str) -> None:
    """Refuse a file or a pipe, where a secret would stay. Raises: Refused."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refused(f"{why}: this needs a terminal")


def _wait(text: str) -> None:
    """Wait for Enter: a line, because a single key is too easily pressed by accident."""
    click.prompt(text, default="", show_default=False, prompt_suffix=" ")
