"""Tiles of the published tree (c2sp.org/tlog-tiles): never a hash beyond the newest checkpoint.

Between two ticks the tree grows with every act; a node from there would tell of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from casework.errors import NotFound
from casework.log import checkpoints, tree
from casework.log.clock import BLOCK
from casework.log.tree import TreeDamaged
from crypto import checkpoint

if TYPE_CHECKING:
    from casework.store.unit import UnitOfWork

HEIGHT: Final = 8
"""Levels of the tree that a tile spans."""


def tile(uow: UnitOfWork, level: int, number: int, width: int = BLOCK) -> bytes:
    """Return ``width`` neighbouring hashes of 32 bytes, at level ``8 * level`` of the tree.

    A narrower tile than there is now is served, too: it was the right one for an older
    checkpoint, and its hashes never change.

    Raises:
        NotFound: the tree that is published last has no such tile, or nothing is published yet.
        TreeDamaged: a node of it is gone.
    """
    note = checkpoints.newest(uow)
    size = 0 if note is None else checkpoint.Checkpoint.from_text(note.text).size
    first = number * BLOCK
    if not 0 < width <= min(BLOCK, (size >> (HEIGHT * level)) - first):
        raise NotFound("tile")
    found = tree.row_of(uow.session, HEIGHT * level, first, width)
    if len(found) != width:
        raise TreeDamaged("tile")
    return b"".join(found)
