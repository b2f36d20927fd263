"""Holidays change: a new table, every running clock counted by it, desks sorted anew, a leaf."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.calendar import deadlines, holidays
from casework.calendar.tables import RUNNING, DeadlineRow
from casework.case.tables import Case
from casework.handling import desk
from casework.log import leaf

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from casework.calendar.holidays import Row
    from casework.law.vocabulary import DayKind
    from casework.store.unit import UnitOfWork


def change(
    uow: UnitOfWork, add: Collection[Row], remove: Collection[tuple[date, DayKind]], source: str
) -> tuple[int, int]:
    """Change the holidays; return the number of the new version, and how many cases moved.

    The leaf names the version and the digest of its days, so that they cannot be changed unseen.

    Raises:
        NotFound: a day to remove is not in the table.
    """
    version = holidays.edit(uow, add, remove, source)
    moved = recount(uow)
    objects = (holidays.digest_of(uow.session, version),)
    facts = {"calendar": version, "moved": moved}
    leaf.append(uow, leaf.Draft(holidays.EVENT, leaf.SYSTEM, objects=objects, facts=facts))
    return version, moved


def recount(uow: UnitOfWork) -> int:
    """Apply the newest holiday table to every case; return how many cases moved."""
    cases = uow.session.scalars(
        select(Case)
        .join(DeadlineRow, DeadlineRow.case_id == Case.id)
        .where(DeadlineRow.status == RUNNING)
        .distinct()
    ).all()
    profiles = {
        case.id: uow.office.catalogue.get(case.profile, case.profile_version) for case in cases
    }
    moved = deadlines.recompute(uow, profiles)
    for case in cases:
        if case.id in moved:
            desk.refresh(uow, case)
    return len(moved)
