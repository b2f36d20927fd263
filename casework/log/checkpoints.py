"""Checkpoints of the log: published on a fixed clock, news or not, and signed ones for receipts.

Whoever polls what is published learns nothing about visits: the clock stands still between two
ticks, and the tree is filled up with dummies, so that it always grows by the same number of
leaves. What a receipt carries is signed at the moment and never published.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.errors import Untrustworthy
from casework.log import keys, padding, tree
from casework.log.clock import BLOCK
from casework.log.tables import CheckpointRow
from crypto import checkpoint
from crypto.checkpoint import Checkpoint
from crypto.errors import CryptoError, Tampered
from crypto.note import SignedNote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casework.log.clock import Clock
    from casework.log.keys import LogKeys
    from casework.store.unit import UnitOfWork


class CheckpointDamaged(Untrustworthy):
    """What is stored as published last is no checkpoint, or of another tree: it was written to."""


@dataclass(frozen=True)
class Published:
    """A published checkpoint. ``outgrown``: its period had more acts than it hides."""

    note: SignedNote
    tree: Checkpoint
    outgrown: bool


def publish_due(uow: UnitOfWork) -> Published | None:
    """Publish the checkpoint of this period, if there is none yet; fills the tree up.

    A clock that was set back publishes nothing before it has caught up again. No key is lent to a
    tree that contradicts what was published last.

    Raises:
        LogKeysBroken, LogKeyMissing, TreeDamaged: it cannot be signed.
        CheckpointDamaged: the one before it is forged, or of another tree than is stored.
    """
    clock = uow.office.checkpoints
    hour = clock.beginning(uow.now().timestamp())
    last = _row(uow)
    if last is not None and last.hour >= hour:
        return None
    tree.one_writer(uow.session)
    try:
        checked(uow, keys.load(uow))
    except CryptoError as error:
        raise CheckpointDamaged(str(error)) from None
    signing = keys.signer(uow)
    before = 0 if last is None else last.size
    size = max(before + clock.leaves, _up(tree.size(uow.session)))
    padding.fill(uow, size)
    made = Checkpoint(signing.key.name, size, tree.root(uow.session, size))
    note = made.sign([signing])
    uow.session.add(CheckpointRow(hour=hour, size=size, signed=note.to_text()))
    uow.session.flush()
    return Published(note, made, outgrown=size - before > clock.leaves)


def sign_now(uow: UnitOfWork) -> SignedNote:
    """Return a signed checkpoint of the tree as it stands, for one receipt; it is kept nowhere.

    Raises:
        LogKeysBroken, LogKeyMissing, TreeDamaged: it cannot be signed.
    """
    # The size first: where each query sees what was committed last, the key that is found then
    # counts at this size. The one that was in force before may not count at a later size.
    size = tree.size(uow.session)
    signing = keys.signer(uow)
    return Checkpoint(signing.key.name, size, tree.root(uow.session, size)).sign([signing])


def newest(uow: UnitOfWork) -> SignedNote | None:
    """Return the checkpoint published last, with the lines of its witnesses; nothing is verified.

    Raises:
        CheckpointDamaged: what is stored in its place is none.
    """
    row = _row(uow)
    return None if row is None else note_of(row)


def note_of(row: CheckpointRow) -> SignedNote:
    """Return the note of a published checkpoint. Raises: CheckpointDamaged: it is none."""
    try:
        note = SignedNote.from_text(row.signed)
        Checkpoint.from_text(note.text)
    except CryptoError:
        raise CheckpointDamaged("checkpoint") from None
    return note


def checked(uow: UnitOfWork, known: LogKeys) -> Checkpoint | None:
    """Return the checkpoint published last, once tree and a key that counts have vouched for it.

    Raises:
        Tampered, Malformed: it is forged, or the tree that is stored is another one.
        TreeDamaged, CheckpointDamaged: a node is gone, or the note cannot be read.
    """
    row = _row(uow)
    if row is None:
        return None
    note = note_of(row)
    found = checkpoint.of(note, known.of_size(Checkpoint.from_text(note.text).size))
    if found.size != row.size:
        raise Tampered("the published checkpoint is of another size")
    if found.size > tree.size(uow.session) or tree.root(uow.session, found.size) != found.root:
        raise Tampered("the published checkpoint is of another tree")
    return found


def rows(uow: UnitOfWork) -> list[CheckpointRow]:
    """Return every published checkpoint, the oldest first."""
    return list(uow.session.scalars(select(CheckpointRow).order_by(CheckpointRow.hour)))


def outgrown(clock: Clock, sizes: Sequence[int]) -> int:
    """Return between how many of these sizes, in order, the tree grew by more than it hides."""
    return sum(after - before > clock.leaves for before, after in pairwise(sizes))


def _row(uow: UnitOfWork) -> CheckpointRow | None:
    return uow.session.scalar(select(CheckpointRow).order_by(CheckpointRow.hour.desc()).limit(1))


def _up(size: int) -> int:
    """Return the next multiple of a tile's leaves."""
    return -(-size // BLOCK) * BLOCK
