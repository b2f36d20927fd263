"""Leaves as rows of the trail: whose act, on which case, and whether the leaf is what was written.

Of a reporter there is the word and the day, and nothing by which two could be told apart.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from casework.case.past import keys_digest
from casework.case.tables import Case
from casework.errors import NotFound
from casework.keys.tables import Person
from casework.log import erase
from casework.log import leaf as leaves
from casework.log.tables import Leaf
from casework.log.walk import standing
from crypto.errors import CryptoError, Tampered
from crypto.persons import PublicKeys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from casework.keys.members import Roster
    from casework.store.unit import UnitOfWork

_CONCERNED: Final = ("person", "leaver", "successor")
"""Facts of a leaf that name whom an act concerned."""


class Who(StrEnum):
    """Whose act a row is; only officers are named."""

    OFFICER = "officer"
    REPORTER = "reporter"
    SYSTEM = "system"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Row:
    """One leaf. ``name`` is empty for all but officers, ``label`` for all but acts of a profile.

    ``sound``: its body is what its hash names, its actor signed it, and the columns that it was
    found by say the same. ``gap``: the leaf before it is gone or is not the one it followed.
    ``erased``: the guardian erased what it said, and of the rest its columns tell. ``case_gone``:
    it tells of a case of which nothing else is left. ``concerned`` are names.
    """

    number: int
    day: date
    event: str
    label: str
    who: Who
    name: str
    case_id: str
    ticket: str
    concerned: tuple[str, ...]
    sound: bool
    gap: bool
    erased: bool
    case_gone: bool


@dataclass(frozen=True)
class _Known:
    """What the rows of one page are judged by; ``hashes`` are those of the leaves before them."""

    chain: Roster
    cases: Mapping[str, Case]
    hashes: Mapping[int, bytes]
    reporters: Mapping[str, PublicKeys]
    erased: frozenset[int]


def rows_of(uow: UnitOfWork, chain: Roster, found: Sequence[Leaf]) -> tuple[Row, ...]:
    """Return what leaves tell, each judged: one hash and one signature apiece."""
    ids = {row.case_id for row in found if row.case_id is not None}
    cases = {
        case.id: case for case in uow.session.scalars(select(Case).where(Case.id.in_(list(ids))))
    }
    hashes = standing(uow, [row.number - 1 for row in found])
    wrote = {row.actor for row in found}
    known = _Known(
        chain,
        cases,
        hashes,
        _reporters_keys(uow, [c for c in cases.values() if c.reporter in wrote]),
        erase.erased(uow, chain, [row.number for row in found if row.body is None]),
    )
    return tuple(_row(uow, known, row) for row in found)


def _row(uow: UnitOfWork, known: _Known, row: Leaf) -> Row:
    chain = known.chain
    body = leaves.read(row)
    case = known.cases.get(row.case_id) if row.case_id is not None else None
    who = _who(chain, row, case)
    sound = body is not None and leaves.is_searchable(row, body) and _is_signed(known, row, who)
    before = known.hashes.get(row.number - 1)
    follows = before.hex() if before is not None else None
    said = body if sound and body is not None else {}
    return Row(
        number=row.number,
        day=row.day,
        event=row.event,
        label=_label(uow, row, case),
        who=who,
        name=chain.person(row.actor).name if who is Who.OFFICER else "",
        case_id=case.id if case is not None else "",
        ticket=case.ticket if case is not None else "",
        concerned=tuple(
            chain.person(said[fact]).name for fact in _CONCERNED if said.get(fact) in chain.people
        ),
        sound=sound,
        gap=(body is not None and body.get("log") != follows)
        or (body is None and row.number > 0 and before is None),
        erased=row.number in known.erased,
        case_gone=row.case_id is not None and case is None,
    )


def _who(chain: Roster, row: Leaf, case: Case | None) -> Who:
    if row.actor == leaves.SYSTEM:
        return Who.SYSTEM
    if row.actor in chain.people:
        return Who.OFFICER
    if case is not None and row.actor == case.reporter:
        return Who.REPORTER
    return Who.UNKNOWN


def _is_signed(known: _Known, row: Leaf, who: Who) -> bool:
    """Return whether whoever a row names signed it."""
    if who is Who.REPORTER:
        keys = known.reporters.get(row.case_id or "")
        return keys is not None and leaves.is_signed(row, row.actor, lambda _: keys.verify_key)
    return who is not Who.UNKNOWN and leaves.is_signed(
        row, row.actor, lambda one: _officers_key(known.chain, one)
    )


def _officers_key(chain: Roster, person_id: str) -> bytes:
    try:
        return chain.verify_key_of(person_id)
    except NotFound as error:
        raise Tampered("nobody vouches for a signer") from error


def _reporters_keys(uow: UnitOfWork, cases: Sequence[Case]) -> dict[str, PublicKeys]:
    """Return the keys of each case's reporter, where the first leaf of the case names them."""
    people = select(Person).where(Person.id.in_([case.reporter for case in cases]))
    claimed = {person.id: person for person in uow.session.scalars(people)}
    firsts = (
        select(func.min(Leaf.number))
        .where(Leaf.case_id.in_([case.id for case in cases]))
        .group_by(Leaf.case_id)
    )
    rows = uow.session.scalars(select(Leaf).where(Leaf.number.in_(firsts)))
    told = {row.case_id: leaves.read(row) or {} for row in rows}
    found = {}
    for case in cases:
        person = claimed.get(case.reporter)
        if person is None:
            continue
        with suppress(CryptoError):
            keys = PublicKeys(person.recipient, person.verify_key)
            if told.get(case.id, {}).get("reporter") == keys_digest(keys):
                found[case.id] = keys
    return found


def _label(uow: UnitOfWork, row: Leaf, case: Case | None) -> str:
    """Return what the case's own profile calls an act, or an empty text."""
    if case is None:
        return ""
    try:
        profile = uow.office.catalogue.get(case.profile, case.profile_version)
        return profile.transition(row.event).label
    except NotFound:
        return ""
