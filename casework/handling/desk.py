"""Each officer's desk: the cases that they hold keys to, in the order of what is due first.

The desk is derived. :func:`refresh` is called in the transaction of every act and message, and
decrypts nothing; lists are read from it page by page. Who may see a case is asked of the grants
themselves, and :mod:`casework.handling.astray` mends what somebody did to the lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, literal, select, tuple_

from casework.calendar.deadlines import running
from casework.case.grants import WHOLE
from casework.case.tables import Case, CaseFlag, DeskEntry, Grant
from casework.keys.tables import Person
from casework.keys.vocabulary import PersonKind
from casework.law.vocabulary import REPORTER
from casework.law.vocabulary import Compartment as Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Select

    from casework.store.unit import UnitOfWork

NEVER: Final = date.max
"""Due day of a case on which no clock runs for the office: it comes last."""

PAGE_SIZE: Final = 25
ON_DESK: Final = (Kind.CONTENT, Kind.HANDLING, Kind.INVESTIGATION, Kind.APH)
"""Compartments that put a case on a desk; shares of an identity do not."""

NEW_MESSAGE: Final = "new_message"
"""Flag of a case: the reporter has written and no officer has answered or acted since."""


@dataclass(frozen=True)
class Row:
    """One line of an inbox; nothing in it was decrypted. ``due`` is ``None`` if nothing runs."""

    case_id: str
    ticket: str
    state: str
    category: str | None
    due: date | None
    flags: frozenset[str]


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: just after this row (or, going back, just before it)."""

    due: date
    case_id: str


@dataclass(frozen=True)
class Filters:
    """What an officer wants to see. ``attention`` keeps only these states, or what is overdue."""

    state: str | None = None
    category: str | None = None
    attention: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Page:
    """One page of an inbox, and where the pages before and after it begin."""

    rows: tuple[Row, ...]
    older: Cursor | None
    newer: Cursor | None


def refresh(uow: UnitOfWork, case: Case) -> None:
    """Write a case's place on every desk anew, from its grants, state and running clocks."""
    session = uow.session
    session.flush()
    profile = uow.office.catalogue.get(case.profile, case.profile_version)
    due = min(
        (
            row.due
            for row in running(session, case.id)
            if profile.deadline(row.rule).responsible != REPORTER
        ),
        default=NEVER,
    )
    holders = session.scalars(
        select(Grant.holder)
        .join(Person, Person.id == Grant.holder)
        .where(
            Grant.case_id == case.id,
            Grant.share == WHOLE,
            Grant.compartment.in_(ON_DESK),
            Person.kind == PersonKind.OFFICER,
        )
        .distinct()
    ).all()
    session.execute(delete(DeskEntry).where(DeskEntry.case_id == case.id))
    if holders:
        session.execute(
            insert(DeskEntry),
            [
                {
                    "person": holder,
                    "case_id": case.id,
                    "due": due,
                    "state": case.state,
                    "category": case.category,
                }
                for holder in holders
            ],
        )


def page(
    uow: UnitOfWork,
    person_id: str,
    filters: Filters,
    after: Cursor | None = None,
    before: Cursor | None = None,
) -> Page:
    """Return one page of an officer's inbox, sorted by due day; at most one cursor is given."""
    backwards = before is not None
    rows = {
        row.case_id: row
        for query in _queries(person_id, filters, uow.today())
        for row in uow.session.execute(_cut(query, before or after, backwards=backwards))
    }
    found = sorted(rows.values(), key=lambda row: (row.due, row.case_id), reverse=backwards)
    more = len(found) > PAGE_SIZE
    found = found[:PAGE_SIZE]
    if backwards:
        found.reverse()
    first = Cursor(found[0].due, found[0].case_id) if found else None
    last = Cursor(found[-1].due, found[-1].case_id) if found else None
    has_newer = more if before is not None else after is not None
    has_older = more if before is None else True
    flags = _flags(uow, [row.case_id for row in found])
    return Page(
        rows=tuple(
            Row(
                case_id=row.case_id,
                ticket=row.ticket,
                state=row.state,
                category=row.category,
                due=None if row.due == NEVER else row.due,
                flags=flags.get(row.case_id, frozenset()),
            )
            for row in found
        ),
        older=last if has_older else None,
        newer=first if has_newer else None,
    )


def may_see(uow: UnitOfWork, person_id: str, case_id: str) -> bool:
    """Return whether a person holds a case: by the grants, which the stored desk only lists."""
    held = select(Grant.id).where(
        Grant.case_id == case_id,
        Grant.holder == person_id,
        Grant.share == WHOLE,
        Grant.compartment.in_(ON_DESK),
    )
    return uow.session.scalar(held.limit(1)) is not None


def _queries(
    person_id: str, filters: Filters, today: date
) -> Iterator[Select[date, str, str, str | None, str]]:
    """Yield queries that together find what is wanted, each in order of due days by one index."""
    query = (
        select(DeskEntry.due, DeskEntry.case_id, DeskEntry.state, DeskEntry.category, Case.ticket)
        .join(Case, Case.id == DeskEntry.case_id)
        .where(DeskEntry.person == person_id)
    )
    if filters.state is not None:
        query = query.where(DeskEntry.state == filters.state)
    if filters.category is not None:
        query = query.where(DeskEntry.category == filters.category)
    if filters.attention is None:
        yield query
        return
    # Joined by "or" in one query, they would make SQLite look at every row of the desk.
    yield query.where(DeskEntry.due < today)
    for state in filters.attention:
        yield query.where(DeskEntry.state == state)


def _cut(
    query: Select[date, str, str, str | None, str], cursor: Cursor | None, *, backwards: bool
) -> Select[date, str, str, str | None, str]:
    """Return the query cut to one page, and one row more that tells whether it goes on."""
    place = tuple_(DeskEntry.due, DeskEntry.case_id)
    if cursor is not None:
        here = tuple_(literal(cursor.due), literal(cursor.case_id))
        query = query.where(place < here if backwards else place > here)
    order = [DeskEntry.due, DeskEntry.case_id]
    ordered = query.order_by(*([one.desc() for one in order] if backwards else order))
    return ordered.limit(PAGE_SIZE + 1)


def _flags(uow: UnitOfWork, case_ids: Sequence[str]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for row in uow.session.scalars(select(CaseFlag).where(CaseFlag.case_id.in_(case_ids))):
        found.setdefault(row.case_id, set()).add(row.flag)
    return {case_id: frozenset(flags) for case_id, flags in found.items()}
