"""Erasing what leaves say, for good: a signed leaf names them, and their hashes stay in the tree.

Only the guardian erases, and only a case of which nothing else is left. The reason is one line
that anybody who reads the database can read.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Final, Literal, cast

import msgspec
from sqlalchemy import select, type_coerce, update
from sqlalchemy.types import NullType

from casework.calendar.tables import DeadlineRow
from casework.case.tables import (
    Assignment,
    Case,
    CaseFlag,
    Compartment,
    DeskEntry,
    Grant,
    Item,
)
from casework.errors import Conflict, Denied, InvalidInput, NotFound
from casework.evidence.tables import Upload
from casework.keys import accounts, roster, stated
from casework.keys.chain import Hash, Instance, Line, PersonId
from casework.keys.tables import Person
from casework.keys.vocabulary import ROSTER_CHANGED, PersonKind
from casework.log import leaf as leaves
from casework.log.tables import Leaf
from crypto.errors import Tampered

if TYPE_CHECKING:
    from collections.abc import Collection

    from casework.keys.actor import Actor
    from casework.keys.members import Roster
    from casework.store.unit import UnitOfWork

EVENT: Final = "erase"
NOT_GUARDIAN: Final = "only the guardian erases"

_Number = Annotated[int, msgspec.Meta(ge=0)]


class Erasure(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What such a leaf says. ``leaves`` are the numbers of those whose bodies are gone, sorted."""

    v: Literal[1]
    instance: Instance
    event: Literal["erase"]
    actor: PersonId
    case: None
    day: date
    log: Hash
    objects: tuple[()]
    salt: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
    leaves: Annotated[tuple[_Number, ...], msgspec.Meta(min_length=1)]
    reason: Line


def erase(uow: UnitOfWork, actor: Actor, case_id: str, reason: str) -> int:
    """Empty every leaf of a case of which nothing else is left; return the number of the new leaf.

    Raises:
        Denied: the actor is not the guardian in office.
        InvalidInput: the reason is no line of text.
        Conflict: something of the case is still there, or there is nothing to erase.
        RosterBroken, KeysSwapped, TreeDamaged: what is stored cannot be trusted.
    """
    chain = roster.load(uow)
    accounts.vouched(chain, actor, uow.today())
    if actor.person_id != chain.guardian_id:
        raise Denied(NOT_GUARDIAN)
    if errors := stated.line_error("reason", reason):
        raise InvalidInput(errors)
    mine = select(Leaf.number, Leaf.actor).where(Leaf.case_id == case_id)
    rows = uow.session.execute(mine.where(Leaf.body.is_not(None)).order_by(Leaf.number)).all()
    if not rows or _is_left(uow, case_id, {row.actor for row in rows}):
        raise Conflict("case")
    facts = {"leaves": [row.number for row in rows], "reason": reason}
    draft = leaves.Draft(EVENT, actor.person_id, facts=facts)
    number = leaves.append(uow, draft, actor.person.signing)
    uow.session.execute(update(Leaf).where(Leaf.case_id == case_id).values(body=None))
    return number


def read(row: Leaf, instance: str) -> Erasure | None:
    """Return what a leaf erases, or ``None`` if it is no erasure; its signature is not read.

    It names only leaves before itself, in order, each once.
    """
    try:
        found = msgspec.convert(leaves.read(row), Erasure, strict=True)
    except msgspec.ValidationError:
        return None
    named = found.leaves
    in_order = all(one < after for one, after in pairwise(named))
    if found.instance != instance or not in_order or named[-1] >= row.number:
        return None
    return found


def is_entitled(uow: UnitOfWork, row: Leaf, found: Erasure, chain: Roster) -> bool:
    """Return whether whoever was the guardian at a leaf's place signed an erasure.

    The place decides and not the day that the leaf names: a former guardian could date one back.
    """
    return (
        found.actor == _guardian_at(uow, row.number, chain)
        and bool(chain.roles_on(found.actor, found.day))
        and leaves.is_signed(row, found.actor, lambda person: _key(chain, person))
    )


def erased(uow: UnitOfWork, chain: Roster, numbers: Collection[int]) -> frozenset[int]:
    """Return which of some leaves were rightly erased; reads every erasure if there are any."""
    wanted = set(numbers)
    found: set[int] = set()
    if wanted:
        for row in uow.session.scalars(select(Leaf).where(Leaf.event == EVENT)):
            said = read(row, uow.office.instance_id)
            if said is not None and is_entitled(uow, row, said, chain):
                found |= wanted.intersection(said.leaves)
    return frozenset(found)


def _is_left(uow: UnitOfWork, case_id: str, actors: set[str]) -> bool:
    """Return whether any row of a case is left, or that of its reporter."""
    session = uow.session
    owned = (Grant, Compartment, Assignment, CaseFlag, Item, DeskEntry, DeadlineRow, Upload)
    return (
        session.get(Case, case_id) is not None
        or any(
            session.scalar(select(table.case_id).where(table.case_id == case_id).limit(1))
            is not None
            for table in owned
        )
        or session.scalar(
            select(Person.id)
            .where(Person.id.in_(actors), Person.kind == PersonKind.REPORTER.value)
            .limit(1)
        )
        is not None
    )


def _guardian_at(uow: UnitOfWork, number: int, chain: Roster) -> str | None:
    """Return the guardian as the roster had named one before a place, if known.

    The highest version counts: the roster only grows, and whoever writes the database could put
    a leaf of the system between that names an older one again.
    """
    changes = select(
        type_coerce(Leaf.hash, NullType()).label("hash"),
        type_coerce(Leaf.body, NullType()).label("body"),
    ).where(Leaf.event == ROSTER_CHANGED, Leaf.number < number)
    named = 1  # what the genesis says
    for row in uow.session.execute(changes):
        said = (leaves.read(cast("Leaf", row)) or {}).get("roster")
        if isinstance(said, int):
            named = max(named, said)
    version: Roster | None = chain
    while version is not None and version.version != named:
        version = version.before
    return None if version is None else version.guardian_id


def _key(chain: Roster, person_id: str) -> bytes:
    try:
        return chain.verify_key_of(person_id)
    except NotFound as error:
        raise Tampered("nobody vouches for a signer") from error
