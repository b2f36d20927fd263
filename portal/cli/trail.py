"""``suaka trail`` and ``suaka bursts``: who did what, without a browser and without contents."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from casework.handling import bursts
from casework.log import trail
from casework.log.leaf import SYSTEM
from casework.log.rows import Who
from casework.log.trail import Filters
from portal.cli import entering
from portal.cli.options import DAY, FOLDER, USERNAME, day_of, opened
from portal.cli.people import on_roster
from portal.cli.writing import printable, table

if TYPE_CHECKING:
    from casework.handling.bursts import Burst
    from casework.keys.actor import Actor
    from casework.keys.members import Roster
    from casework.log.rows import Row
    from casework.log.trail import Cursor
    from casework.store.unit import UnitOfWork

HEAD: Final = ("DAY", "WHO", "EVENT", "CASE", "RECORD", "")
SOUND: Final = "whole"
UNSOUND: Final = "CHANGED OR NOT SIGNED"
ERASED: Final = "erased by the guardian"
GAP: Final = "THE ONE BEFORE IS GONE OR REPLACED"
CASE_GONE: Final = "GONE"


@click.command("trail")
@FOLDER
@USERNAME
@click.option("--person", help=f"Username of who acted; {SYSTEM}: nobody, time alone.")
@click.option("--case", "ticket", metavar="TICKET", help="Of this case.")
@click.option("--event", help="Of this kind, as the column EVENT names it.")
@click.option("--since", type=DAY, help="From this day on.")
@click.option("--until", type=DAY, help="To this day.")
@click.option(
    "--rows", "most", type=click.IntRange(1), default=trail.PAGE_SIZE, show_default=True,
    help="At most so many, the newest.",
)  # fmt: skip
def trail_command(
    *,
    folder: Path,
    username: str,
    person: str | None,
    ticket: str | None,
    event: str | None,
    since: datetime | None,
    until: datetime | None,
    most: int,
) -> None:
    """Show an officer who audits who did what, the newest first; never what was said.

    Asks for the passphrase, and a code where officers have a second factor. Only cases whose
    contents the officer holds are there. RECORD says whether body and signature agree.
    """
    with opened(folder, ready=True) as (office, _):
        actor = entering.sign_in(office, username)
        with office.read() as uow:
            chain = trail.may_audit(uow, actor)
            filters = Filters(
                person=_acted(chain, person),
                case_id=trail.case_of(uow, actor, ticket) if ticket is not None else None,
                event=event,
                since=day_of(since),
                until=day_of(until),
            )
            told = bursts.recent(uow, actor)
            rows, more = _newest(uow, actor, filters, most)
    for one in told:
        click.echo(_burst(one, actor))
    if not rows:
        click.echo("no record matches")
        return
    for line in table([HEAD, *(_cells(row) for row in rows)]):
        click.echo(line)
    if more:
        click.echo("there are older ones: --rows, or --until")


@click.command("bursts")
@FOLDER
@USERNAME
def bursts_command(*, folder: Path, username: str) -> None:
    """Show the guardian, or who audits, which officers opened very many cases on one day.

    Asks for the passphrase, and a code where officers have a second factor.
    """
    with opened(folder, ready=True) as (office, _):
        actor = entering.sign_in(office, username)
        with office.read() as uow:
            told = bursts.recent(uow, actor)
        if not told:
            click.echo(
                f"nobody opened more than {office.many_cases} cases on one day, "
                f"in {bursts.DAYS} days"
            )
    for one in told:
        click.echo(_burst(one, actor))


def _acted(chain: Roster, person: str | None) -> str | None:
    """Return by whom to filter. Raises: NotFound."""
    return person if person is None or person == SYSTEM else on_roster(chain, person)


def _newest(uow: UnitOfWork, actor: Actor, filters: Filters, most: int) -> tuple[list[Row], bool]:
    """Return at most so many rows, and whether there are older ones."""
    rows: list[Row] = []
    place: Cursor | None = None
    while len(rows) < most:
        page = trail.read(uow, actor, filters, after=place)
        rows += page.rows
        place = page.older
        if place is None:
            break
    return rows[:most], place is not None or len(rows) > most


def _cells(row: Row) -> tuple[str, ...]:
    record = ERASED if row.erased else SOUND if row.sound else UNSOUND
    concerned = f"({', '.join(row.concerned)})" if row.concerned else ""
    return (
        row.day.isoformat(),
        row.name if row.who is Who.OFFICER else row.who.value,
        row.event,
        CASE_GONE if row.case_gone else row.ticket,
        f"{record}, {GAP}" if row.gap else record,
        " ".join(part for part in (row.label, concerned) if part),
    )


def _burst(one: Burst, actor: Actor) -> str:
    who = "you yourself" if one.person_id == actor.person_id else printable(one.name) or "unknown"
    return f"MANY CASES IN ONE DAY: {one.day}, {who} opened {one.cases} different ones"
