"""The whole log looked over, for ``suaka doctor``: numbers, hashes, signatures, and every case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.case import past
from casework.case.tables import Case
from casework.errors import NotFound
from casework.log import leaf as leaves
from casework.log.tables import Leaf
from crypto.errors import Tampered

if TYPE_CHECKING:
    from casework.keys.members import Roster
    from casework.store.unit import UnitOfWork


@dataclass(frozen=True)
class Audit:
    """What is wrong with the log: how many leaves, and the ids of cases.

    ``missing``: numbers that no leaf has, ``first`` being the lowest. ``changed``: leaves whose
    body is not what their hash names, or that followed another leaf than the one before them.
    ``unsigned``: leaves of no case that their actor did not sign. ``cases``: those whose leaves
    lack something or whose row says otherwise, and those of which only leaves are left.
    """

    missing: int
    first: int | None
    changed: int
    unsigned: int
    cases: frozenset[str]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.missing or self.changed or self.unsigned or self.cases)


def audit(uow: UnitOfWork, roster: Roster) -> Audit:
    """Check every leaf: one hash and one signature each. Decrypts nothing.

    The newest leaves may be gone without a trace here; officers' keyrings remember them.
    """
    missing = changed = unsigned = expected = 0
    first: int | None = None
    before: str | None = None
    named: set[str] = set()
    for row in uow.session.scalars(select(Leaf).order_by(Leaf.number)):
        if row.number > expected:
            missing += row.number - expected
            first = expected if first is None else first
            before = None
        expected = row.number + 1
        body = leaves.read(row)
        # Whoever fills the place of a leaf with another cannot change what the next one signed.
        changed += body is None or not leaves.is_searchable(row, body)
        changed += body is not None and before is not None and body.get("log") != before
        before = row.hash.hex()
        if row.case_id is not None:
            named.add(row.case_id)
        elif body is not None:
            signed = body.get("actor") == row.actor and body.get("case") is None
            unsigned += not (
                signed and leaves.is_signed(row, row.actor, lambda one: _key(roster, one))
            )
    cases = uow.session.scalars(select(Case)).all()
    damaged = {case.id for case in cases if _is_damaged(uow, case, roster)}
    orphaned = named - {case.id for case in cases}
    return Audit(missing, first, changed, unsigned, frozenset(damaged | orphaned))


def _is_damaged(uow: UnitOfWork, case: Case, roster: Roster) -> bool:
    found = past.of(uow, case, roster)
    return not found.whole or bool(found.doubts(case))


def _key(roster: Roster, person_id: str) -> bytes:
    try:
        return roster.verify_key_of(person_id)
    except NotFound as error:
        raise Tampered("nobody vouches for a signer") from error
