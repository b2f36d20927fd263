"""Where an instance stands: the last entry of its roster and the last leaf of its log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.keys.chain import NO_PREVIOUS
from casework.keys.tables import RosterRow
from casework.log import tree
from casework.log.tables import Leaf

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Point:
    """Roster version and hash of its last entry, size of the tree and hash of its last leaf.

    ``roster_day``, ``roster_reason`` and ``log_day`` are said by the rows themselves; whoever must
    rely on them verifies roster and log.
    """

    roster_version: int
    roster_head: str
    roster_day: date | None
    roster_reason: str
    log_size: int
    log_last: str
    log_day: date | None


def of(session: Session) -> Point:
    """Return where a database stands; all zero before the genesis. Verifies nothing."""
    entry = session.scalar(select(RosterRow).order_by(RosterRow.version.desc()).limit(1))
    leaf = session.scalar(select(Leaf).order_by(Leaf.number.desc()).limit(1))
    size = tree.size(session)
    said = {} if entry is None else json.loads(entry.body)
    return Point(
        roster_version=0 if entry is None else entry.version,
        roster_head=NO_PREVIOUS if entry is None else entry.hash,
        roster_day=None if entry is None else date.fromisoformat(said["day"]),
        roster_reason="" if entry is None else str(said["reason"]),
        log_size=size,
        log_last=hash_before(session, size),
        log_day=None if leaf is None else leaf.day,
    )


def hash_before(session: Session, size: int) -> str:
    """Return the hex hash of the last of the first ``size`` leaves; zeros if there is none."""
    digest = tree.hash_at(session, size - 1) if size else None
    return NO_PREVIOUS if digest is None else digest.hex()
