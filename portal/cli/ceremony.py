"""``suaka ceremony``: runs on an offline machine, in front of the share holders.

Makes the recovery key, signs the genesis that names the officers, splits the key into shares and
asks for the shares back before it ends. Only public parts are written to a file.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from casework.keys import ceremony as ceremonies
from casework.keys.parts import PublicParts
from casework.law.catalogue import ProfileCatalogue
from portal.wiring import utc_now

if TYPE_CHECKING:
    from casework.keys.ceremony import CeremonyResult
    from casework.keys.parts import PublicPart


@click.command()
@click.argument("officers", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--guardian", help="Username of the guardian; else the only holder of that role.")
@click.option("--reason", required=True, help="On what it rests, for instance a decree.")
@click.option("--needed", default=2, show_default=True, help="Shares that recover the key.")
@click.option("--shares", "made", default=3, show_default=True, help="Shares that are made.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Day of the ceremony, else today.")
def ceremony(
    officers: Path,
    out: Path,
    guardian: str | None,
    reason: str,
    needed: int,
    made: int,
    day: datetime | None,
) -> None:
    """Hold the key ceremony over OFFICERS, the file that ``suaka enrol --export`` wrote."""
    parts = PublicParts.from_bytes(officers.read_bytes())
    profile = ProfileCatalogue.from_package().get(parts.profile, parts.profile_version)
    for one in parts.officers:
        click.echo(f"{one.name}, {one.position} ({', '.join(one.roles)})")
        click.echo(f"    {' '.join(one.fingerprint)}")
        click.confirm("    Does the officer confirm these eight words?", abort=True)
    may_guard = {role.id for role in profile.roles if role.may_guard}
    chosen = choose_guardian(parts.officers, may_guard, guardian)
    today = (day or utc_now().astimezone(ZoneInfo(profile.tz))).date()
    result = ceremonies.hold(
        ceremonies.CeremonyRequest(parts, chosen, reason),
        ceremonies.Shares(needed, made),
        today,
        profile,
    )
    _hand_out(result)
    out.write_bytes(result.genesis)
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
        raise click.UsageError("name the guardian with --guardian")
    return found[0].person_id


def _hand_out(result: CeremonyResult) -> None:
    """Show each share to its holder alone, then ask for every share back."""
    count = len(result.mnemonics)
    for number, mnemonic in enumerate(result.mnemonics, start=1):
        click.clear()
        click.echo(f"Share {number} of {count}. Only its holder looks at the screen now.")
        click.echo("Copy every word onto paper. Nobody may hold two shares; no admin may hold one.")
        click.echo()
        words = mnemonic.split()
        for start in range(0, len(words), 4):
            row = enumerate(words[start : start + 4], start=start + 1)
            click.echo("    " + "  ".join(f"{place:2}. {word:<10}" for place, word in row))
        click.pause("\nPress any key when it is written down.")
    click.clear()
    typed = []
    for number in range(1, count + 1):
        typed.append(click.prompt(f"Type share {number} from the paper", hide_input=True))
        click.clear()
    ceremonies.check_shares(typed, result.recovery)
    click.echo("All shares are right.")
