"""``suaka ceremony``: runs on an offline machine, in front of the share holders.

Makes the recovery key, signs the genesis that names the officers, splits the key into shares and
asks for every share back before it ends. Only public parts are written to a file; the shares
stand on the screen, one at a time, and nowhere else.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import click

from casework.keys import ceremony as ceremonies
from casework.keys.parts import PublicParts
from casework.law.catalogue import ProfileCatalogue
from portal.cli.options import DAY, FILE_IN
from portal.cli.refusals import Refused
from portal.wiring import utc_now

if TYPE_CHECKING:
    from casework.keys.ceremony import CeremonyResult
    from casework.keys.parts import PublicPart

FORGET_SCREEN: Final = "\x1b[H\x1b[2J\x1b[3J"
"""Clears the screen and what could be scrolled back to (ECMA-48 ED 2, xterm ED 3)."""

WORDS_A_ROW: Final = 4


@click.command()
@click.argument("officers", type=FILE_IN)
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--guardian", help="Username of the guardian; else the only holder of that role.")
@click.option("--reason", required=True, help="On what it rests, for instance a decree.")
@click.option("--needed", default=2, show_default=True, help="Shares that recover the key.")
@click.option("--shares", "made", default=3, show_default=True, help="Shares that are made.")
@click.option("--day", type=DAY, help="Day of the ceremony, else today.")
def ceremony(
    *,
    officers: Path,
    out: Path,
    guardian: str | None,
    reason: str,
    needed: int,
    made: int,
    day: datetime | None,
) -> None:
    """Hold the key ceremony over OFFICERS, the file that ``suaka enrol --export`` wrote.

    On a machine without network, in a terminal that nobody records. Every officer compares the
    eight words; every share holder copies one share onto paper and types it back.
    """
    _refuse_unfit(out)
    shares = ceremonies.Shares(needed, made)
    parts = PublicParts.from_bytes(officers.read_bytes())
    profile = ProfileCatalogue.from_package().get(parts.profile, parts.profile_version)
    may_guard = {role.id for role in profile.roles if role.may_guard}
    chosen = choose_guardian(parts.officers, may_guard, guardian)
    for one in parts.officers:
        guards = ", guardian" if one.person_id == chosen else ""
        click.echo(f"{one.name}, {one.position} ({', '.join(one.roles)}{guards})")
        click.echo(f"    {' '.join(one.fingerprint)}")
        click.confirm("    Does the officer confirm these eight words?", abort=True)
    today = day.date() if day else utc_now().astimezone(ZoneInfo(profile.tz)).date()
    request = ceremonies.CeremonyRequest(parts, chosen, reason)
    result = ceremonies.hold(request, shares, today, profile)
    _hand_out(result)
    _write(out, result.genesis)
    click.echo(f"Genesis written to {out}. Print this fingerprint and keep it with the minutes:")
    click.echo(f"    {result.fingerprint}")


def choose_guardian(
    officers: tuple[PublicPart, ...], may_guard: set[str], username: str | None
) -> str:
    """Return the person id of the guardian.

    Raises:
        click.UsageError: nobody, or more than one person, could be meant.
    """
    found = [
        one
        for one in officers
        if may_guard.intersection(one.roles) and username in (None, one.handle)
    ]
    if len(found) != 1:
        roles = ", ".join(sorted(may_guard))
        raise click.UsageError(f"name one holder of {roles} as the guardian with --guardian")
    return found[0].person_id


def _refuse_unfit(out: Path) -> None:
    """Refuse before anything is made. Raises: Refused."""
    if out.exists():
        raise Refused(f"{out} exists: a ceremony writes over nothing")
    if not out.absolute().parent.is_dir():
        raise Refused(f"{out.parent} is not a folder")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refused("the ceremony needs a terminal: shares must never run into a file or pipe")


def _hand_out(result: CeremonyResult) -> None:
    """Show each share to its holder alone, then ask for every share back."""
    count = len(result.mnemonics)
    try:
        for number, mnemonic in enumerate(result.mnemonics, start=1):
            _show(number, count, mnemonic)
        typed = [
            _ask_back(number, count, mnemonic)
            for number, mnemonic in enumerate(result.mnemonics, start=1)
        ]
    finally:
        click.echo(FORGET_SCREEN, nl=False)
    ceremonies.check_shares(typed, result.recovery)
    click.echo("All shares are right.")


def _show(number: int, count: int, mnemonic: str) -> None:
    click.echo(FORGET_SCREEN, nl=False)
    _wait(f"Share {number} of {count}: only its holder looks at the screen; press Enter.")
    click.echo("Copy every word onto paper. Nobody may hold two shares; no admin may hold one.\n")
    words = mnemonic.split()
    for start in range(0, len(words), WORDS_A_ROW):
        row = enumerate(words[start : start + WORDS_A_ROW], start=start + 1)
        click.echo("    " + "  ".join(f"{place:2}. {word:<10}" for place, word in row))
    _wait("\nPress Enter when it is written down.")


def _wait(text: str) -> None:
    """Wait for Enter: a line, because a single key is too easily pressed by accident."""
    click.prompt(text, default="", show_default=False, prompt_suffix=" ")


def _ask_back(number: int, count: int, mnemonic: str) -> str:
    """Return a share as typed from the paper, asking until it is the one that was shown."""
    click.echo(FORGET_SCREEN, nl=False)
    while True:
        typed = " ".join(click.prompt(f"Type share {number} from the paper").lower().split())
        click.echo(FORGET_SCREEN, nl=False)
        if typed == mnemonic:
            return typed
        click.echo("This is not the share that was shown. Correct the paper only if it is wrong.")
        if click.confirm(f"Show share {number} once more to its holder?"):
            _show(number, count, mnemonic)
            click.echo(FORGET_SCREEN, nl=False)


def _write(out: Path, genesis: bytes) -> None:
    """Write the public genesis, whole, where nothing stands. Raises: OSError."""
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(genesis)
        file.flush()
        os.fsync(file.fileno())
