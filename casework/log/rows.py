"""Leaves as rows of the trail: whose act, on which case, and whether the leaf is what was written.

Of a reporter there is the word and the day, and nothing by which two could be told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from casework.case.past import keys_digest
from casework.case.tables import Case
from casework.errors import NotFound
from casework.keys.tables import Person
from casework.log import leaf as leaves
from casework.log.tables import Leaf
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
    ``case_gone``: it tells of a case of which nothing else is left. ``concerned`` are names.
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
    case_gone: bool


def rows_of(uow: UnitOfWork, chain: Roster, found: Sequence[Leaf]) -> tuple[Row, ...]:
    """Return what leaves tell, each judged: one hash and one signature apiece."""
    ids = {row.case_id for row in found if row.case_id is not None}
    cases = {
        case.id: case for case in uow.session.scalars(select(Case).where(Case.id.in_(list(ids))))
    }
    hashes = dict(
        uow.session.execute(
            select(Leaf.number, Leaf.hash).where(Leaf.number.in_([row.number - 1 for row in found]))
        ).all()
    )
    return tuple(_row(uow, chain, row, cases, hashes) for row in found)


def _row(
    uow: UnitOfWork,
    chain: Roster,
    row: Leaf,
    cases: Mapping[str, Case],
    hashes: Mapping[int, bytes],
) -> Row:
    body = leaves.read(row)
    case = cases.get(row.case_id) if row.case_id is not None else None
    who = _who(chain, row, case)
    sound = (
        body is not None
        and leaves.is_searchable(row, body)
        and _is_signed(uow, chain, row, case, who)
    )
    before = hashes.get(row.number - 1)
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


def _is_signed(uow: UnitOfWork, chain: Roster, row: Leaf, case: Case | None, who: Who) -> bool:
    """Return whether whoever a row names signed it."""
    if who is Who.REPORTER and case is not None:
        keys = _reporter_keys(uow, case)
        return keys is not None and leaves.is_signed(row, row.actor, lambda _: keys.verify_key)
    return who is not Who.UNKNOWN and leaves.is_signed(
        row, row.actor, lambda one: _officers_key(chain, one)
    )


def _officers_key(chain: Roster, person_id: str) -> bytes:
    try:
        return chain.verify_key_of(person_id)
    except NotFound as error:
        raise Tampered("nobody vouches for a signer") from error


def _reporter_keys(uow: UnitOfWork, case: Case) -> PublicKeys | None:
    """Return a reporter's keys if the first leaf of the case names them."""
    person = uow.session.get(Person, case.reporter)
    first = uow.session.scalar(
        select(Leaf).where(Leaf.case_id == case.id).order_by(Leaf.number).limit(1)
    )
    body = leaves.read(first) if first is not None else None
    if person is None or body is None:
        return None
    try:
        keys = PublicKeys(person.recipient, person.verify_key)
    except CryptoError:
        return None
    return keys if body.get("reporter") == keys_digest(keys) else None


def _label(uow: UnitOfWork, row: Leaf, case: Case | None) -> str:
    """Return what the case's own profile calls an act, or an empty text."""
    if case is None:
        return ""
    try:
        profile = uow.office.catalogue.get(case.profile, case.profile_version)
        return profile.transition(row.event).label
    except NotFound:
        return ""
