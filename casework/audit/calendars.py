"""The holiday tables against the leaves: every due day is counted by one of them.

The seed is named by the leaf of the genesis, each edit by a leaf of its own. Those of before name
no days: such an edit is told, and the seed is compared with the days that this program ships.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.audit.findings import Finding, What
from casework.calendar import holidays
from casework.calendar.holidays import SEEDED
from casework.calendar.tables import Calendar, Holiday
from casework.keys.vocabulary import GENESIS
from casework.log import leaf as leaves
from casework.log.tables import Leaf
from crypto.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casework.audit.findings import Findings
    from casework.store.unit import UnitOfWork


def compare(uow: UnitOfWork, findings: Findings) -> None:
    """Compare every version with the leaf that tells of it."""
    told = _told(uow, findings)
    there = set(uow.session.scalars(select(Calendar.version)))
    there |= set(uow.session.scalars(select(Holiday.calendar).distinct()))
    for version in sorted(there, key=str):
        leaf, digest = told.pop(version, (None, None))
        if digest is not None:
            if _digest_of(uow, version) != digest:
                findings.add(Finding(What.CALENDAR_CHANGED, leaf=leaf, name=str(version)))
        elif leaf is not None:
            findings.add(Finding(What.CALENDAR_UNTOLD, leaf=leaf, name=str(version)))
        elif version != SEEDED:
            findings.add(Finding(What.CALENDAR_ADDED, name=str(version)))
        elif not holidays.is_seed(uow.session, version):
            findings.add(Finding(What.CALENDAR_UNTOLD, name=str(version)))
    if SEEDED not in there:
        told.setdefault(SEEDED, (None, None))
    for version, (leaf, _) in told.items():
        findings.add(Finding(What.CALENDAR_GONE, leaf=leaf, name=str(version)))


def _told(uow: UnitOfWork, findings: Findings) -> dict[int, tuple[int | None, str | None]]:
    """Return leaf and digest by the version that a leaf names; the first leaf counts.

    Since leaves name days, none may leave them out any more: such a one tells of nothing.
    """
    told: dict[int, tuple[int | None, str | None]] = {}
    named_days = False
    query = select(Leaf.__table__).where(Leaf.event.in_((GENESIS, holidays.EVENT)))
    for row in uow.session.execute(query.order_by(Leaf.number)):
        body = leaves.read(row) or {}  # type: ignore[arg-type]
        version, digest = _said(body)
        if version is None:
            continue
        if version in told:
            findings.add(Finding(What.CALENDAR_GONE, leaf=row.number, name=str(version)))
        elif digest is not None or not named_days:
            told[version] = (row.number, digest)
        named_days = named_days or digest is not None
    return told


def _said(body: Mapping[str, object]) -> tuple[int | None, str | None]:
    """Return version and digest as a leaf names them; of a genesis of before, neither."""
    if body.get("event") == GENESIS:
        digest = body.get(holidays.FACT)
        return (SEEDED, digest) if isinstance(digest, str) else (None, None)
    version, objects = body.get("calendar"), body.get("objects")
    if not isinstance(version, int) or isinstance(version, bool):
        return None, None
    digest = objects[0] if isinstance(objects, list) and len(objects) == 1 else None
    return version, digest if isinstance(digest, str) else None


def _digest_of(uow: UnitOfWork, version: int) -> str | None:
    try:
        return holidays.digest_of(uow.session, version)
    except Malformed:
        return None
