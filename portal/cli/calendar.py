"""``suaka holidays``: see and edit the holiday table; every edit is a new version."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click
from sqlalchemy import select

from casework.calendar import deadlines, holidays as table
from casework.case.tables import Case
from casework.law.vocabulary import DayKind
from casework.log.leaf import SYSTEM, Draft, append
from portal import wiring
from portal.cli.options import FOLDER

DAY = click.DateTime(["%Y-%m-%d"])
KIND = click.Choice([kind.value for kind in DayKind])


@click.command()
@FOLDER
@click.option("--add", nargs=3, type=(DAY, KIND, str), multiple=True, help="DAY KIND NAME")
@click.option("--remove", nargs=2, type=(DAY, KIND), multiple=True, help="DAY KIND")
@click.option("--source", default="", help="Legal basis of the change; needed for a change.")
def holidays(
    folder: Path,
    add: tuple[tuple[datetime, str, str], ...],
    remove: tuple[tuple[datetime, str], ...],
    source: str,
) -> None:
    """Show the holiday table of FOLDER, or change it and count running deadlines again."""
    office, _ = wiring.load(folder)
    if not add and not remove:
        with office.read() as uow:
            version = table.latest_version(uow.session)
            click.echo(f"version {version}")
            for day, kind, name in table.rows_of(uow.session, version):
                click.echo(f"{day}  {kind.value:<22} {name}")
        return
    if not source:
        raise click.UsageError("--source is needed for a change")
    gained = [(_day(day), DayKind(kind), name) for day, kind, name in add]
    lost = [(_day(day), DayKind(kind)) for day, kind in remove]
    with office.write() as uow:
        version = table.edit(uow, gained, lost, source)
        profiles = {
            case_id: office.catalogue.get(profile, number)
            for case_id, profile, number in uow.session.execute(
                select(Case.id, Case.profile, Case.profile_version)
            )
        }
        moved = deadlines.recompute(uow, profiles)
        facts = {"calendar": version, "moved": moved}
        append(uow, Draft("holidays", SYSTEM, facts=facts))
    click.echo(f"version {version}: {moved} running deadlines moved")


def _day(moment: datetime) -> date:
    return moment.date()
