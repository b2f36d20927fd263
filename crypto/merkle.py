"""Merkle trees over leaf hashes: roots, and proofs checked without the tree (RFC 9162 §2.1).

A tree is read through its complete subtrees alone: node ``(level, index)`` is the hash of the
leaves from ``index * 2**level`` on, ``2**level`` of them; level 0 are the leaf hashes. Once made
it never changes, so that it can be stored. Every root and proof needs O(log n) of them.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from crypto.errors import Malformed, Tampered

HASH_SIZE: Final = 32
"""Bytes of every hash (SHA-256)."""

LEAF_PREFIX: Final = b"\x00"
NODE_PREFIX: Final = b"\x01"
EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of a tree without leaves."""

MAX_SIZE: Final = 2**63 - 1
"""Leaves of the largest tree that a checkpoint may tell of."""

MAX_PROOF: Final = 63
"""Hashes of the longest proof (c2sp.org/tlog-witness).

One of consistency would have one more where a tree of above ``2**62`` leaves grew.
"""

NodeAt = Callable[[int, int], bytes]
"""Returns the hash of the complete subtree ``(level, index)``."""


def leaf_hash(data: bytes) -> bytes:
    """Return the 32 bytes by which a tree holds a leaf."""
    return sha256(LEAF_PREFIX + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the 32 bytes over two subtrees."""
    return sha256(NODE_PREFIX + left + right).digest()


def completed(index: int, digest: bytes, node_at: NodeAt) -> Iterator[tuple[int, int, bytes]]:
    """Yield level, index and hash of every subtree above level 0 that a new leaf completes.

    ``index`` is the place of the new leaf, ``node_at`` reads the tree before it.
    """
    level = 0
    while index & 1:
        digest = node_hash(node_at(level, index - 1), digest)
        level, index = level + 1, index >> 1
        yield level, index, digest


def root(node_at: NodeAt, size: int) -> bytes:
    """Return the root of the tree of the first ``size`` leaves."""
    return _subtree(node_at, 0, size) if size else EMPTY_ROOT


def prove_inclusion(node_at: NodeAt, index: int, size: int) -> list[bytes]:
    """Return the proof that leaf ``index`` is in the tree of ``size`` leaves (RFC 9162 §2.1.3.1).

    Raises:
        Malformed: there is no such leaf in it.
    """
    if not 0 <= index < size:
        raise Malformed("merkle: no such leaf")
    proof: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(_subtree(node_at, middle, high))
            high = middle
        else:
            proof.append(_subtree(node_at, low, middle))
            low = middle
    return proof[::-1]


def prove_consistency(node_at: NodeAt, old: int, new: int) -> list[bytes]:
    """Return the proof that a tree of ``new`` leaves begins with that of ``old`` (§2.1.4.1).

    Raises:
        Malformed: the new tree is the smaller one.
    """
    if not 0 <= old <= new:
        raise Malformed("merkle: the new tree is smaller")
    if old in (0, new):
        return []
    proof: list[bytes] = []
    low, high, whole = 0, new, True
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            proof.append(_subtree(node_at, middle, high))
            high = middle
        else:
            proof.append(_subtree(node_at, low, middle))
            low, whole = middle, False
    if not whole:
        proof.append(_subtree(node_at, low, high))
    return proof[::-1]


def check_inclusion(
    digest: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes
) -> None:
    """Return if a leaf of this hash is at ``index`` in the tree of this root (RFC 9162 §2.1.3.2).

    Raises:
        Tampered: it is not.
        Malformed: the proof has another number of hashes than this place in this tree takes.
    """
    _check_shape(proof)
    if not 0 <= index < size:
        raise Malformed("merkle: no such leaf")
    found, _ = _climb(index, size - 1, proof, digest, digest)
    if not compare_digest(found, expected):
        raise Tampered("merkle: the leaf is not in this tree")


def check_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Return if the tree of ``new`` leaves begins with that of ``old`` (RFC 9162 §2.1.4.2).

    Every tree begins with the empty one.

    Raises:
        Tampered: it does not.
        Malformed: the proof has another number of hashes than these sizes take.
    """
    _check_shape(proof)
    if not 0 <= old <= new:
        raise Malformed("merkle: the new tree is smaller")
    if old in (0, new):
        if proof:
            raise Malformed("merkle: proof too long")
        # Both, because 0 leaves are the same tree twice, and have one root.
        of_none = old == 0 and not compare_digest(old_root, EMPTY_ROOT)
        if of_none or (old == new and not compare_digest(old_root, new_root)):
            raise Tampered("merkle: two trees of one size")
        return
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        raise Malformed("merkle: proof too short")
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    now, was = _climb(place, last, steps[1:], steps[0], steps[0])
    if not (compare_digest(was, old_root) and compare_digest(now, new_root)):
        raise Tampered("merkle: the tree did not grow from the other one")


def _climb(
    place: int, last: int, proof: Sequence[bytes], found: bytes, left: bytes
) -> tuple[bytes, bytes]:
    """Return what a proof leads to from ``place``, and what its left siblings alone lead to.

    ``last`` is the last place on the same level.

    Raises:
        Malformed: the proof has another number of hashes than the way up has siblings.
    """
    for step in proof:
        if last == 0:
            raise Malformed("merkle: proof too long")
        if place & 1 or place == last:
            found, left = node_hash(step, found), node_hash(step, left)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    if last:
        raise Malformed("merkle: proof too short")
    return found, left


def _subtree(node_at: NodeAt, low: int, high: int) -> bytes:
    """Return the hash over the leaves from ``low`` to before ``high``; at least one."""
    size = high - low
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node_at(level, low >> level)
    middle = low + _split(size)
    return node_hash(_subtree(node_at, low, middle), _subtree(node_at, middle, high))


def _split(size: int) -> int:
    """Return the largest power of two below ``size``, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def _check_shape(proof: Sequence[bytes]) -> None:
    if len(proof) > MAX_PROOF or any(len(step) != HASH_SIZE for step in proof):
        raise Malformed("merkle: a proof is at most 63 hashes of 32 bytes")
