"""Desks that are not what the grants say: found, and written anew.

The desk is a list in clear, and whoever writes the database can take a case off it. No key is
lost by that, but an officer who does not see a case does not work it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, literal, not_, select, tuple_, union_all

from casework.calendar.tables import RUNNING, DeadlineRow
from casework.case.grants import WHOLE
from casework.case.tables import Case, DeskEntry, Grant
from casework.errors import NotFound
from casework.handling import desk
from casework.keys.tables import Person
from casework.keys.vocabulary import PersonKind
from casework.law.vocabulary import REPORTER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sqlalchemy import Select

    from casework.store.office import Office
    from casework.store.unit import UnitOfWork

BATCH: Final = 100
"""Cases that are mended in one transaction: officers who act meanwhile must not wait long."""


def mend(office: Office) -> int:
    """Write every place anew that differs; return how many cases.

    The search is a reading transaction: while nothing is wrong, nobody waits for it.

    Raises:
        Unavailable: a database is locked, full or unreadable.
    """
    with office.read() as uow:
        cases = astray(uow)
    mended = 0
    for start in range(0, len(cases), BATCH):
        with office.write() as uow:
            mended += sum(_mend(uow, case_id) for case_id in cases[start : start + BATCH])
    return mended


def astray(uow: UnitOfWork) -> list[str]:
    """Return the ids of the cases whose desks are not as :func:`desk.refresh` writes them."""
    wanted = _wanted(uow)
    stored = select(
        DeskEntry.person, DeskEntry.case_id, DeskEntry.due, DeskEntry.state, DeskEntry.category
    )
    # Neither side has a row twice, so that what agrees stands here exactly two times.
    both = union_all(wanted, stored).subquery()
    differing = select(both.c.case_id).group_by(*both.c).having(func.count() == 1)
    return sorted(set(uow.session.scalars(differing)))


def _mend(uow: UnitOfWork, case_id: str) -> bool:
    """Write a case's place anew; a case whose profile nobody knows stays where it is."""
    case = uow.session.get(Case, case_id)
    if case is not None:
        with suppress(NotFound):
            desk.refresh(uow, case)
            return True
    return False


def _wanted(uow: UnitOfWork) -> Select[str, str, date, str, str | None]:
    """Return what should stand on the desks, from grants, cases and running clocks."""
    theirs = tuple_(Case.profile, Case.profile_version, DeadlineRow.rule).in_(
        list(_reporters_rules(uow))
    )
    clocks = (
        select(DeadlineRow.case_id, func.min(DeadlineRow.due).label("due"))
        .join(Case, Case.id == DeadlineRow.case_id)
        .where(DeadlineRow.status == RUNNING, not_(theirs))
        .group_by(DeadlineRow.case_id)
        .subquery()
    )
    # Grouped in the order of the index that has all of this: no grant itself is read.
    held = (
        select(Grant.case_id, Grant.compartment, Grant.holder)
        .where(Grant.share == WHOLE, Grant.compartment.in_(desk.ON_DESK))
        .group_by(Grant.case_id, Grant.compartment, Grant.holder)
        .subquery()
    )
    return (
        select(
            held.c.holder.label("person"),
            Case.id.label("case_id"),
            func.coalesce(clocks.c.due, literal(desk.NEVER)).label("due"),
            Case.state,
            Case.category,
        )
        .join(Case, Case.id == held.c.case_id)
        .join(Person, Person.id == held.c.holder)
        .outerjoin(clocks, clocks.c.case_id == Case.id)
        .where(Person.kind == PersonKind.OFFICER)
        .distinct()
    )


def _reporters_rules(uow: UnitOfWork) -> Iterator[tuple[str, int, str]]:
    """Yield the clocks that wait for the reporter alone, of every profile that a case keeps."""
    for name, version in uow.session.execute(select(Case.profile, Case.profile_version).distinct()):
        with suppress(NotFound):
            for rule in uow.office.catalogue.get(name, version).deadlines:
                if rule.responsible == REPORTER:
                    yield name, version, rule.id
