"""After a change of holidays: count every running clock again, and sort the desks anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.calendar import deadlines
from casework.calendar.tables import RUNNING, DeadlineRow
from casework.case.tables import Case
from casework.handling import desk

if TYPE_CHECKING:
    from casework.store.unit import UnitOfWork


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
