"""What somebody has seen of the log, and whether the log only went on since (RFC 9162 §2.1.4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from casework.log import checkpoints, keys, tree
from casework.log.checkpoints import CheckpointDamaged
from casework.log.keys import LogKeysBroken
from casework.log.tree import TreeDamaged
from casework.log.walk import standing
from crypto import merkle
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from casework.store.unit import UnitOfWork

NOTHING: Final = "0" * 64
"""Stands for a hash that was not seen."""


class Contradiction(StrEnum):
    """How the log contradicts what somebody has seen of it."""

    SHORTER = "log_shorter"
    DIFFERS = "log_differs"
    KEY = "log_key_differs"
    FORGED = "checkpoint_forged"


@dataclass(frozen=True)
class Seen:
    """A tree: its size, the hash of its last leaf and its root in hex, and the key in force.

    An empty ``key`` and zeros were not seen.
    """

    size: int = 0
    last: str = NOTHING
    root: str = NOTHING
    key: str = ""


def now(uow: UnitOfWork, size: int | None = None) -> Seen:
    """Return what there is to see: the whole tree, or that of the first ``size`` leaves.

    Raises:
        TreeDamaged, LogKeysBroken: it cannot be told.
    """
    if size is None:
        leaves, last = tree.end(uow.session)
    else:
        leaves, last = size, tree.hash_at(uow.session, size - 1)
    if not leaves:
        return Seen()
    return Seen(
        size=leaves,
        last=NOTHING if last is None else last.hex(),
        root=tree.root(uow.session, leaves).hex(),
        key=keys.load(uow).in_force.to_text(),
    )


def contradiction(uow: UnitOfWork, seen: Seen) -> Contradiction | None:
    """Return how the log contradicts what was seen, or ``None`` if it merely went on.

    The checkpoint that is published must be of the same tree, and signed by a key that counts at
    its size: if it is larger than what was seen, by the key that was seen or one that follows it.
    """
    size = tree.size(uow.session)
    if size < seen.size:
        return Contradiction.SHORTER
    try:
        if not _went_on(uow, seen, size):
            return Contradiction.DIFFERS
    except (CryptoError, TreeDamaged):
        return Contradiction.DIFFERS
    if not size:
        return None
    try:
        known = keys.load(uow)
        if seen.key:
            known.since(seen.key)
    except (CryptoError, LogKeysBroken):
        return Contradiction.KEY
    try:
        checkpoints.checked(uow, known)
    except (CryptoError, TreeDamaged, CheckpointDamaged):
        return Contradiction.FORGED
    return None


def _went_on(uow: UnitOfWork, seen: Seen, size: int) -> bool:
    """Check what was seen against the tree. Raises: CryptoError, TreeDamaged."""
    if not seen.size:
        return True
    if seen.root != NOTHING:
        merkle.check_consistency(
            seen.size,
            size,
            tree.prove_consistency(uow.session, seen.size, size),
            bytes.fromhex(seen.root),
            tree.root(uow.session, size),
        )
    last = standing(uow, [seen.size - 1]).get(seen.size - 1)
    return seen.last == NOTHING or (last is not None and last.hex() == seen.last)
