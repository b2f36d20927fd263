"""The clocks of a case: opened, met and stopped by acts; recomputed when holidays change."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.calendar.holidays import calendar_for
from casework.calendar.tables import MET, RUNNING, STOPPED, DeadlineRow
from casework.law.vocabulary import REPORTER, Basis
from casework.law.workdays import due as compute_due
from casework.store.base import new_id

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date

    from sqlalchemy.orm import Session

    from casework.law.profile import Profile
    from casework.law.workdays import HolidayCalendar
    from casework.store.unit import UnitOfWork


PAST, FUTURE = timedelta(days=5 * 366), timedelta(days=366)
"""How far before and after today the date of a document may lie."""


def is_plausible(day: date, today: date) -> bool:
    """Return whether a document's date may start a clock: five years back to one year ahead."""
    return today - PAST <= day <= today + FUTURE


def running(session: Session, case_id: str) -> list[DeadlineRow]:
    """Return the running deadlines of a case, the earliest first."""
    rows = session.scalars(
        select(DeadlineRow).where(DeadlineRow.case_id == case_id, DeadlineRow.status == RUNNING)
    )
    # Sorted here: asked for an order, SQLite would walk through the clocks of all cases by it.
    return sorted(rows, key=lambda row: (row.due, row.rule))


def lapsed(session: Session, case_id: str, today: date) -> frozenset[str]:
    """Return the rules whose due day has passed unmet."""
    return frozenset(row.rule for row in running(session, case_id) if row.due < today)


def open_all(
    uow: UnitOfWork,
    profile: Profile,
    case_id: str,
    rules: Collection[str],
    documents: Mapping[str, date] | None = None,
) -> None:
    """Open deadlines that start today, or on the date of the document that starts them.

    A rule that already runs starts anew: the earlier clock is stopped.
    """
    if not rules:
        return
    calendar = calendar_for(uow.session, profile)
    close(uow, case_id, rules, STOPPED)
    for rule_id in rules:
        rule = profile.deadline(rule_id)
        start: date = (documents or {}).get(rule.starts_at) or uow.today()
        moment = uow.now() if rule.basis is Basis.HOURS else start
        due = compute_due(rule, calendar, uow.office.tz, moment)
        uow.session.add(
            DeadlineRow(
                id=new_id(),
                case_id=case_id,
                rule=rule_id,
                start=start,
                due=due.day,
                due_at=due.instant.replace(tzinfo=None) if rule.basis is Basis.HOURS else None,
                warn=due.warn_day,
                calendar=calendar.version,
                status=RUNNING,
                closed=None,
            )
        )
    uow.session.flush()


def close(uow: UnitOfWork, case_id: str, rules: Collection[str], status: str) -> None:
    """End the named deadlines as far as they run; ``status`` is ``met`` or ``stopped``."""
    if status not in (MET, STOPPED):
        msg = "a deadline ends met or stopped"
        raise ValueError(msg)
    for row in running(uow.session, case_id):
        if row.rule in rules:
            row.status = status
            row.closed = uow.today()
    uow.session.flush()


def recompute(uow: UnitOfWork, profiles: Mapping[str, Profile]) -> frozenset[str]:
    """Count every running day-deadline again with the newest calendar; return whose moved.

    ``profiles`` maps case ids to the profile each case keeps. A reporter's window may grow but
    never shrinks (extraction §f.0 rule 10).
    """
    moved: set[str] = set()
    calendars: dict[str, HolidayCalendar] = {}
    rows = uow.session.scalars(select(DeadlineRow).where(DeadlineRow.status == RUNNING)).all()
    for row in rows:
        profile = profiles[row.case_id]
        rule = profile.deadline(row.rule)
        if rule.basis is Basis.HOURS:
            continue
        key = f"{profile.id}:{profile.version}"
        calendar = calendars.setdefault(key, calendar_for(uow.session, profile))
        due = compute_due(rule, calendar, uow.office.tz, row.start)
        day = max(row.due, due.day) if rule.responsible == REPORTER else due.day
        if day != row.due or due.warn_day != row.warn:
            moved.add(row.case_id)
        row.due, row.warn, row.calendar = day, due.warn_day, calendar.version
    uow.session.flush()
    return frozenset(moved)
