"""What time alone brings about: ``suaka tick``, run by a timer or by the server itself.

Deadlines need nothing here: whether one has lapsed follows from its due day. What is left is
forgetting: receipt windows, ended sessions, shred keys that no case names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.case.tables import Case
from casework.intake import receipt
from casework.store.engine import truncate_wal

if TYPE_CHECKING:
    from casework.store.office import Office


@dataclass(frozen=True)
class Done:
    """How much a tick forgot."""

    receipts: int
    sessions: int
    shred_keys: int


def tick(office: Office) -> Done:
    """Do everything that is due; safe to run at any time, by several processes at once."""
    with office.write() as uow:
        receipts = receipt.expire(uow)
        # Under the write lock no act is half-way between the two databases.
        in_force = dict(uow.session.execute(select(Case.id, Case.shred_version)).tuples().all())
        shred_keys = uow.keystore.sweep(in_force)
    sessions = office.sessions.sweep(int(office.clock().timestamp()))
    truncate_wal(office.engine)
    truncate_wal(office.keystore.engine)
    return Done(receipts, sessions, shred_keys)
