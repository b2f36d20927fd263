"""Numbers for those who watch over the work: sums of all cases, never a case.

Whoever monitors (pengawas) holds no case, and the sums are of all cases of this instance: also of
those about the inspectorate's leaders. Whoever audits (Inspektur) sees sums of the cases alone
whose contents they hold: otherwise the sum, less what they can count by themselves, would be the
number of reports about them. What sort of result a case had stands only in its sealed contents, so
that it is not counted here.
"""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select, true

from casework.calendar.holidays import calendar_for
from casework.case import custody
from casework.case.past import SUBMIT
from casework.case.tables import Case, DeskEntry
from casework.errors import Denied, NotFound
from casework.handling.desk import NEVER
from casework.handling.disclosure import THRESHOLD, Count, protect
from casework.keys import accounts, roster
from casework.law.workdays import working_days_between
from casework.log.leaf import SYSTEM
from casework.log.tables import Leaf
from casework.log.trail import held

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement

    from casework.keys.actor import Actor
    from casework.store.unit import UnitOfWork

MONTHS: Final = 12


@dataclass(frozen=True)
class Table:
    """Labelled numbers and their sum, as they may be shown."""

    rows: tuple[tuple[Any, Count], ...]
    total: Count


@dataclass(frozen=True)
class Numbers:
    """What the page shows. ``everything``: of all cases, or of those that the viewer holds.

    ``received`` has a row for the first day of each month; ``states`` for each label; ``clocks``
    for ``late`` and ``in_time``, of cases on which a clock of the office runs.
    ``reaction`` is the median of working days until an officer first acted or wrote, over the
    reports of those months; ``None`` where too few had one.
    """

    everything: bool
    received: Table
    states: Table
    clocks: Table
    reaction: float | None


def read(uow: UnitOfWork, actor: Actor) -> Numbers:
    """Return the numbers for somebody who monitors or audits.

    Raises:
        Denied: the actor is not in office today, or in no such role.
        RosterBroken, KeysSwapped: see :func:`casework.keys.accounts.vouched`.
    """
    record = accounts.vouched(roster.load(uow), actor, uow.today())
    roles = [uow.office.profile.role(role) for role in record.roles]
    everything = any(role.monitors for role in roles)
    if not everything and not any(role.audits for role in roles):
        raise Denied("no role that monitors")
    scope = true() if everything else held(actor, Case.id)
    months = _months(uow.today())
    return Numbers(
        everything=everything,
        received=_received(uow, scope, months),
        states=_states(uow, scope),
        clocks=_clocks(uow, scope),
        reaction=_reaction(uow, scope, months[0]),
    )


def _months(today: date) -> list[date]:
    """Return the first days of the last months, this one the last."""
    found = [today.replace(day=1)]
    while len(found) < MONTHS:
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return found[::-1]


def _received(uow: UnitOfWork, scope: ColumnElement[bool], months: Sequence[date]) -> Table:
    days = uow.session.execute(
        select(Case.received, func.count())
        .where(Case.received >= months[0], scope)
        .group_by(Case.received)
    )
    counts: Counter[date] = Counter()
    for day, count in days:
        counts[day.replace(day=1)] += count
    return _table([(month, counts[month]) for month in months])


def _states(uow: UnitOfWork, scope: ColumnElement[bool]) -> Table:
    """Count cases by the label that their own profile has for their state."""
    counts = Counter({state.label: 0 for state in uow.office.profile.states})
    query = (
        select(Case.profile, Case.profile_version, Case.state, func.count())
        .where(scope)
        .group_by(Case.profile, Case.profile_version, Case.state)
    )
    for profile, version, state, count in uow.session.execute(query):
        try:
            label = uow.office.catalogue.get(profile, version).state(state).label
        except NotFound:
            label = ""
        counts[label] += count
    return _table(list(counts.items()))


def _clocks(uow: UnitOfWork, scope: ColumnElement[bool]) -> Table:
    on_desks = (
        select(DeskEntry.case_id, func.min(DeskEntry.due).label("due"))
        .join(Case, Case.id == DeskEntry.case_id)
        .where(DeskEntry.due != NEVER, scope)
        .group_by(DeskEntry.case_id)
        .subquery()
    )
    count = select(func.count()).select_from(on_desks)
    running = uow.session.scalar(count) or 0
    late = uow.session.scalar(count.where(on_desks.c.due < uow.today())) or 0
    return _table([("late", late), ("in_time", running - late)])


def _reaction(uow: UnitOfWork, scope: ColumnElement[bool], since: date) -> float | None:
    first = (
        select(Case.received, func.min(Leaf.day).label("reacted"))
        .join(Leaf, Leaf.case_id == Case.id)
        .where(
            Case.received >= since,
            scope,
            Leaf.event.not_in([SUBMIT, *sorted(custody.EVENTS)]),
            Leaf.actor.not_in([Case.reporter, SYSTEM]),
        )
        .group_by(Case.id, Case.received)
    )
    spans = Counter((row.received, row.reacted) for row in uow.session.execute(first))
    if spans.total() < THRESHOLD:
        return None
    calendar = calendar_for(uow.session, uow.office.profile)
    days = {span: working_days_between(calendar, *span) for span in spans}
    return float(statistics.median(days[span] for span in spans.elements()))


def _table(numbers: Sequence[tuple[Any, int]]) -> Table:
    shown = protect([count for _, count in numbers])
    labels = [label for label, _ in numbers]
    return Table(tuple(zip(labels, shown.cells, strict=True)), shown.total)
