"""``suaka receipt``: check what a reporter took along, on any machine, without an instance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from casework.log import proof
from crypto import tlog_proof
from portal.cli.options import FILE_IN, ask_passphrase
from portal.cli.writing import printable

if TYPE_CHECKING:
    from casework.log.proof import Receipt
    from crypto.note import NoteKey

ASK: Final = "-"
"""As ``--key``: ask for it."""


@click.group("receipt")
def receipt() -> None:
    """Check a receipt (bukti lapor); needs no instance, no network and no account."""


@receipt.command("verify")
@click.argument("file", type=FILE_IN)
@click.option(
    "--log-key", "log_keys", required=True, metavar="VKEY|FILE",
    help="Public key of the log (name+id+key), or a file of them, one a line; # begins a comment. "
    "Take it from where you trust it, not from whoever gave you the receipt.",
)  # fmt: skip
@click.option("--text", "text_file", type=FILE_IN, help="The report, as its mailbox handed it out.")
@click.option(
    "--key", "typed", metavar="KEY",
    help="Key of the report: 64 hex digits. Left out, or -: asks for it. On the command line, "
    "other users of this machine and the shell's history see it.",
)  # fmt: skip
def verify(*, file: Path, log_keys: str, text_file: Path | None, typed: str | None) -> None:
    """Say what a receipt proves: ticket and day, and with --text what was reported."""
    if typed is not None and text_file is None:
        raise click.UsageError("--key belongs to --text")
    keys = _log_keys(log_keys)
    found = proof.read(proof.text_of(_start_of(file)), keys)
    if text_file is not None:
        text = text_file.read_bytes()
        asked = (
            ask_passphrase("Key of the report", confirm=False) if typed in {None, ASK} else typed
        )
        proof.check_text(found, text, proof.key_of(asked or ""))
    for line in _told(found, text_file):
        click.echo(line)


def _start_of(file: Path) -> bytes:
    """Return a file's bytes, and of a larger one enough to refuse it."""
    with file.open("rb") as opened:
        return opened.read(tlog_proof.MAX_SIZE + 1)


def _log_keys(given: str) -> tuple[NoteKey, ...]:
    """Return the keys that an option names. Raises: BadLogKeys."""
    path = Path(given)
    try:
        return proof.log_keys_of(given)
    except proof.BadLogKeys:
        if "\n" in given or not path.is_file():
            raise
    try:
        with path.open("rb") as opened:
            return proof.log_keys_of(opened.read(4 * proof.MAX_KEYS_SIZE).decode())
    except UnicodeDecodeError:
        raise proof.BadLogKeys("log keys: not UTF-8") from None


def _told(found: Receipt, text_file: Path | None) -> list[str]:
    lines = [
        "VERIFIED",
        f"A report with ticket {found.ticket} was received on {found.day.isoformat()}.",
        f"It is record {found.index + 1} of {found.size} in the log {found.origin}.",
        "A given key of that log signed this.",
    ]
    if text_file is not None:
        lines.append(f"It said exactly what is in {printable(text_file.name)}, byte for byte.")
    lines += ["", "NOT PROVEN", "Who reported, and whether it is true."]
    if text_file is None:
        lines.append("What the report said: for that, --text and the key of the report.")
    lines.append("Whose the public key is: that rests on where you took it from.")
    return lines
