"""On every visit: is the log that the reporter sees now the one they have seen before?

What a reporter has seen lies in the keystore, sealed to them and signed by them, from the moment
of the report on. It moves on with the published checkpoints alone, so that it tells of no visit
more exactly than their clock does.

It names the day on which it was written, and a restore confirmed on an earlier day explains
nothing that contradicts it: whoever hides an old confirmation while somebody comes by cannot use it
against them later. Two limits come with that, since no visit reads the whole log as an officer's
sign-in does. A confirmation of the very day (or dated later, by a clock that ran ahead), hidden
while the memory is written, still explains what comes later. And a memory written while the clock
ran ahead is alarmed by an honest restore until that day; an officer's has no such bound.

Who reported before the log had a key (:mod:`casework.log.adoption`) has no memory from that moment;
it begins at their first visit. Until then nothing tells them of an older copy, and whoever deletes
such a memory later goes unnoticed: to them it looks like a first visit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.case.past import SUBMIT
from casework.errors import Untrustworthy
from casework.keys import confirmations, memory, roster
from casework.keys.memory import Memory, RolledBack
from casework.log import adoption, checkpoints, tree
from casework.log import leaf as leaves
from casework.log.tables import Leaf
from casework.log.tree import TreeDamaged
from crypto import checkpoint, merkle
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from datetime import date

    from casework.case.keyring import Keyring
    from casework.case.tables import Case
    from casework.keys.actor import Actor
    from casework.keys.members import Roster
    from casework.store.unit import UnitOfWork


class NotInLog(Untrustworthy):
    """The submission is not where the log's tree should hold it."""


@dataclass(frozen=True)
class Watched:
    """What a visit has shown.

    ``size``: leaves of the checkpoint published last, 0 before the first.
    ``restored``: the day on which the guardian confirmed that an older copy was put back, where
    only that explains what is there.
    """

    size: int
    restored: date | None


def first_memory(uow: UnitOfWork, actor: Actor, chain: Roster) -> Memory:
    """Return what a reporter has seen at the moment of the report: everything so far."""
    nothing = Memory(instance=uow.office.instance_id, person=actor.person_id)
    return _seen(uow, nothing, chain)


def check(keyring: Keyring) -> Watched:
    """Compare log and roster with what the reporter has seen, and find the submission in the tree.

    Raises:
        RolledBack: something is older, different or missing, and no confirmed restore explains it.
        NotInLog: the submission is not in the tree.
    """
    return _check(keyring)[1]


def check_and_update(keyring: Keyring) -> Watched:
    """Do as :func:`check`, and remember the checkpoint published last. Call it outside of acts."""
    uow, actor = keyring.uow, keyring.actor
    kept, watched = _check(keyring)
    if watched.restored or watched.size > kept.log_size:
        memory.remember(uow, actor, _seen(uow, kept, keyring.roster, watched.size))
    return watched


def _seen(uow: UnitOfWork, kept: Memory, chain: Roster, size: int | None = None) -> Memory:
    """Return what a reporter is to remember: the log up to ``size``, or all of it, and the day."""
    today = uow.today()
    confirmed = confirmations.known(uow, chain, today)
    return memory.seen(uow, kept, chain, confirmed, size=size, written=today)


def _check(keyring: Keyring) -> tuple[Memory, Watched]:
    uow, chain = keyring.uow, keyring.roster
    kept = _recall(keyring)
    reason = memory.contradiction(uow, kept, chain)
    restored = None
    if reason is not None:
        # Another visit of the same reporter may have moved the memory on since this snapshot.
        with uow.office.read() as fresh:
            restored = _explained(fresh, kept, keyring.actor)
    _find(uow, keyring.case)
    note = checkpoints.newest(uow)
    size = checkpoint.Checkpoint.from_text(note.text).size if note is not None else 0
    return kept, Watched(size, restored)


def _recall(keyring: Keyring) -> Memory:
    """Return what a reporter remembers: nothing yet, if they reported before the log had a key.

    Raises:
        RolledBack: their memory is gone, or is not theirs.
    """
    uow, actor = keyring.uow, keyring.actor
    try:
        return memory.recall(uow, actor)
    except RolledBack as lost:
        missing = lost.reason is memory.Rollback.MEMORY_MISSING
        if not missing or not adoption.is_older(uow, keyring.case.id):
            raise
        return Memory(instance=uow.office.instance_id, person=actor.person_id)


def _explained(uow: UnitOfWork, kept: Memory, actor: Actor) -> date | None:
    """Return when the guardian confirmed what contradicts a memory, or None if nothing does.

    Raises:
        RolledBack: nobody did.
    """
    chain = roster.load(uow)
    reason = memory.contradiction(uow, kept, chain)
    if reason is None:
        return None
    signers = memory.signers(kept, actor)
    found = confirmations.explaining(uow, chain, signers, kept.confirmed, since=kept.written)
    if found is None:
        raise RolledBack(reason)
    return found.day


def _find(uow: UnitOfWork, case: Case) -> None:
    """Prove that the submission is in the tree at its place. Raises: NotInLog.

    Who signed it is not asked here: what nobody vouches for shows as such.
    """
    row = uow.session.scalar(
        select(Leaf).where(Leaf.case_id == case.id).order_by(Leaf.number).limit(1)
    )
    if row is None or (leaves.read(row) or {}).get("event") != SUBMIT:
        raise NotInLog("submission")
    size = tree.size(uow.session)
    try:
        merkle.check_inclusion(
            row.hash,
            row.number,
            size,
            tree.prove_inclusion(uow.session, row.number, size),
            tree.root(uow.session, size),
        )
    except (CryptoError, TreeDamaged):
        raise NotInLog("submission") from None
