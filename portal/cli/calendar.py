"""``suaka holidays``: see and edit the holiday table; every edit is a new version."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from casework.calendar import holidays as table
from casework.handling.recount import change
from casework.law.vocabulary import DayKind
from portal.cli.options import DAY, FOLDER, opened

if TYPE_CHECKING:
    from casework.store.office import Office

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
    changing = bool(add or remove)
    if changing and not source.strip():
        raise click.UsageError("--source is needed for a change")
    if any(not name.strip() for _, _, name in add):
        raise click.UsageError("a day to add needs a name")
    with opened(folder) as (office, _):
        if not changing:
            _show(office)
            return
        gained = [(day.date(), DayKind(kind), name) for day, kind, name in add]
        lost = [(day.date(), DayKind(kind)) for day, kind in remove]
        with office.write() as uow:
            version, moved = change(uow, gained, lost, source)
    click.echo(f"version {version}: the deadlines of {moved} cases moved")


def _show(office: Office) -> None:
    with office.read() as uow:
        version = table.latest_version(uow.session)
        rows = table.rows_of(uow.session, version)
    click.echo(f"version {version}")
    for day, kind, name in rows:
        click.echo(f"{day}  {kind.value:<22} {name}")
