"""Who did what, for those who oversee: leaf by leaf, the newest first, never what was said.

Nothing is decrypted. A row of a case is there only for who holds the case's contents: of a case
that an overseer is excluded from there is no row and no count. A row whose leaf is not what was
written shows, marked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import exists, literal, not_, or_, select, tuple_

from casework.case.grants import WHOLE
from casework.case.tables import Case, Grant
from casework.errors import Denied, NotFound
from casework.keys import accounts, roster
from casework.law.vocabulary import Compartment as Kind
from casework.log.leaf import SYSTEM
from casework.log.rows import rows_of
from casework.log.tables import Leaf
from crypto import ticket as tickets
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import ColumnElement, Select

    from casework.keys.actor import Actor
    from casework.keys.members import Roster
    from casework.log.rows import Row
    from casework.store.unit import UnitOfWork

PAGE_SIZE: Final = 50


@dataclass(frozen=True)
class Filters:
    """What somebody wants to see: an officer's id or ``system``, a case's id, an event, days.

    ``since`` and ``until`` are both inclusive.
    """

    person: str | None = None
    case_id: str | None = None
    event: str | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: just after this row (or, going back, just before it)."""

    day: date
    number: int


@dataclass(frozen=True)
class Page:
    """One page, where its neighbours begin, and everybody by whom can be filtered, by name."""

    rows: tuple[Row, ...]
    older: Cursor | None
    newer: Cursor | None
    people: tuple[tuple[str, str], ...]


def may_audit(uow: UnitOfWork, actor: Actor) -> Roster:
    """Return the roster, for somebody who holds a role that oversees.

    Raises:
        Denied: the actor is not in office today, or in no such role.
        RosterBroken, KeysSwapped: the roster cannot be trusted, or knows the actor by other keys.
    """
    chain = roster.load(uow)
    record = accounts.vouched(chain, actor, uow.today())
    if not any(uow.office.profile.role(role).audits for role in record.roles):
        raise Denied("no role that audits")
    return chain


def read(
    uow: UnitOfWork,
    actor: Actor,
    filters: Filters,
    after: Cursor | None = None,
    before: Cursor | None = None,
) -> Page:
    """Return one page of the trail; at most one cursor is given.

    Raises:
        Denied, RosterBroken, KeysSwapped: see :func:`may_audit`.
    """
    chain = may_audit(uow, actor)
    backwards = before is not None
    query = _cut(_wanted(actor, filters, chain), before or after, backwards=backwards)
    found = list(uow.session.scalars(query))
    more = len(found) > PAGE_SIZE
    found = found[:PAGE_SIZE]
    if backwards:
        found.reverse()
    first = Cursor(found[0].day, found[0].number) if found else None
    last = Cursor(found[-1].day, found[-1].number) if found else None
    return Page(
        rows=rows_of(uow, chain, found),
        older=last if backwards or more else None,
        newer=first if (more if backwards else after is not None) else None,
        people=_people(chain),
    )


def case_of(uow: UnitOfWork, actor: Actor, typed: str) -> str:
    """Return the id of a case by its ticket as somebody typed it.

    Raises:
        NotFound: no such ticket, or none of a case whose contents the actor holds; the two are
            not told apart.
        Denied, RosterBroken, KeysSwapped: see :func:`may_audit`.
    """
    may_audit(uow, actor)
    try:
        ticket = tickets.parse(typed)
    except CryptoError:
        raise NotFound("ticket") from None
    mine = select(Case.id).where(Case.ticket == ticket, held(actor, Case.id))
    case_id = uow.session.scalar(mine)
    if case_id is None:
        raise NotFound("ticket")
    return case_id


def ticket_of(uow: UnitOfWork, actor: Actor, case_id: str) -> str:
    """Return the ticket of a case whose contents the actor holds, or an empty text."""
    mine = select(Case.ticket).where(Case.id == case_id, held(actor, Case.id))
    return uow.session.scalar(mine) or ""


def held(actor: Actor, case_id: Any) -> ColumnElement[bool]:
    """Return the condition that somebody holds the contents of the case in a column."""
    return exists().where(
        Grant.case_id == case_id,
        Grant.compartment == Kind.CONTENT,
        Grant.holder == actor.person_id,
        Grant.share == WHOLE,
    )


def _wanted(actor: Actor, filters: Filters, chain: Roster) -> Select[Leaf]:
    """Return the leaves that somebody may see and wants to.

    A case that somebody removed from the database still shows by its leaves.
    """
    query = select(Leaf).where(
        or_(
            Leaf.case_id.is_(None),
            held(actor, Leaf.case_id),
            not_(exists().where(Case.id == Leaf.case_id)),
        )
    )
    if filters.person is not None:
        # Asked for by id, a reporter would be told from other reporters.
        known = filters.person == SYSTEM or filters.person in chain.people
        query = query.where(Leaf.actor == filters.person if known else literal(value=False))
    if filters.case_id is not None:
        query = query.where(Leaf.case_id == filters.case_id)
    if filters.event is not None:
        query = query.where(Leaf.event == filters.event)
    if filters.since is not None:
        query = query.where(Leaf.day >= filters.since)
    if filters.until is not None:
        query = query.where(Leaf.day <= filters.until)
    return query


def _cut(query: Select[Leaf], cursor: Cursor | None, *, backwards: bool) -> Select[Leaf]:
    """Return the query cut to one page, and one row more that tells whether it goes on."""
    place = tuple_(Leaf.day, Leaf.number)
    if cursor is not None:
        here = tuple_(literal(cursor.day), literal(cursor.number))
        query = query.where(place > here if backwards else place < here)
    order = [Leaf.day, Leaf.number]
    ordered = query.order_by(*(order if backwards else [one.desc() for one in order]))
    return ordered.limit(PAGE_SIZE + 1)


def _people(chain: Roster) -> tuple[tuple[str, str], ...]:
    named = ((person_id, chain.person(person_id).name) for person_id in chain.people)
    return tuple(sorted(named, key=lambda one: (one[1], one[0])))
