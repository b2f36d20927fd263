"""The roster: who may hold keys, as vouched for by the whole chain from the key ceremony on.

Nobody seals to a key that does not come from here. A person keeps their keys for life: new keys
are a new person, so that no approver can quietly put another key under a colleague's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.keys.chain import RosterBroken, StoredEntry
from casework.keys.judge import extend, verify
from casework.keys.members import Roster, RosterPerson
from casework.keys.tables import RosterRow
from casework.keys.vocabulary import RECOVERY, Flaw

if TYPE_CHECKING:
    from casework.store.unit import UnitOfWork

__all__ = [
    "RECOVERY",
    "Roster",
    "RosterBroken",
    "RosterPerson",
    "entries_of",
    "extend",
    "load",
    "store",
    "verify",
]


def entries_of(uow: UnitOfWork) -> list[StoredEntry]:
    """Return the stored entries in order; not verified.

    Raises:
        RosterBroken: a row's version or hash is not that of its body.
    """
    entries = []
    for number, row in enumerate(
        uow.session.scalars(select(RosterRow).order_by(RosterRow.version)), start=1
    ):
        entry = StoredEntry(row.body.encode(), row.signer, row.signature)
        if row.version != number:
            raise RosterBroken(number, Flaw.VERSION)
        if row.hash != entry.hash:
            raise RosterBroken(number, Flaw.HASH)
        entries.append(entry)
    return entries


def load(uow: UnitOfWork) -> Roster:
    """Return the roster of this instance, with every entry verified against the pinned genesis.

    Called anew for every act that grants: what is not verified now is not trusted.

    Raises:
        RosterBroken: the chain is missing or broken, or the configuration pins no genesis.
    """
    if uow.office.genesis is None:
        raise RosterBroken(1, Flaw.PINNED)
    return verify(entries_of(uow), uow.office.instance_id, uow.office.profile, uow.office.genesis)


def store(uow: UnitOfWork, version: int, entry: StoredEntry) -> None:
    """Add a verified entry to the open transaction."""
    uow.session.add(
        RosterRow(
            version=version,
            body=entry.body.decode(),
            signer=entry.signer,
            signature=entry.signature,
            hash=entry.hash,
        )
    )
    uow.session.flush()
