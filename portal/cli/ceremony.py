"""``suaka ceremony``: runs on an offline machine, in front of the share holders.

Makes the recovery key, signs the genesis that names the officers, splits the key into shares and
asks for every share back before it ends. Only public parts are written to a file; the shares
stand on the screen, one at a time, and nowhere else.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from casework.keys import ceremony as ceremonies
from casework.keys.parts import PublicParts
from casework.law.catalogue import ProfileCatalogue
from portal.cli import sheets
from portal.cli.options import DAY, FILE_IN
from portal.cli.refusals import Refused
from portal.wiring import utc_now

if TYPE_CHECKING:
    from casework.keys.parts import PublicPart


@click.command()
@click.argument("officers", type=FILE_IN)
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--guardian", help="Username of the guardian; else the only holder of that role.")
@click.option("--reason", required=True, help="On what it rests, for instance a decree.")
@click.option("--needed", default=2, show_default=True, help="Shares that recover the key.")
@click.option("--shares", "made", default=3, show_default=True, help="Shares that are made.")
@click.option("--day", type=DAY, help="Day of the ceremony, else today.")
@sheets.PRINTER
def ceremony(
    *,
    officers: Path,
    out: Path,
    guardian: str | None,
    reason: str,
    needed: int,
    made: int,
    day: datetime | None,
    printer: str | None,
) -> None:
    """Hold the key ceremony over OFFICERS, the file that ``suaka enrol --export`` wrote.

    On a machine without network, in a terminal that nobody records. Every officer compares the
    eight words; every share holder copies one share onto paper, or takes it from the printer
    (--printer), and types it back.
    """
    refuse_unfit(out)
    shares = ceremonies.Shares(needed, made)
    parts = PublicParts.from_bytes(officers.read_bytes())
    profile = ProfileCatalogue.from_package().get(parts.profile, parts.profile_version)
    today = day.date() if day else utc_now().astimezone(ZoneInfo(profile.tz)).date()
    pages = sheets.Sheets(parts.office, shares, today, printer)
    may_guard = {role.id for role in profile.roles if role.may_guard}
    chosen = choose_guardian(parts.officers, may_guard, guardian)
    for one in parts.officers:
        guards = ", guardian" if one.person_id == chosen else ""
        click.echo(f"{one.name}, {one.position} ({', '.join(one.roles)}{guards})")
        click.echo(f"    {' '.join(one.fingerprint)}")
        click.confirm("    Does the officer confirm these eight words?", abort=True)
    request = ceremonies.CeremonyRequest(parts, chosen, reason)
    result = ceremonies.hold(request, shares, today, profile)
    pages.hand_out(result.mnemonics, result.recovery)
    write(out, result.genesis)
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


def refuse_unfit(out: Path) -> None:
    """Refuse before anything is made. Raises: Refused."""
    if out.exists():
        raise Refused(f"{out} exists: a ceremony writes over nothing")
    if not out.absolute().parent.is_dir():
        raise Refused(f"{out.parent} is not a folder")
    sheets.require_terminal()


def write(out: Path, public: bytes) -> None:
    """Write a public file, whole, where nothing stands. Raises: OSError."""
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(public)
        file.flush()
        os.fsync(file.fileno())
