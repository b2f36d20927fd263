"""A Merkle tree in memory, and RFC 6962 §2.1 written down as it stands, to compare with."""

from functools import cache
from hashlib import sha256

from crypto import merkle


class Tree:
    """The complete subtrees of a tree that grew leaf by leaf, as a store keeps them."""

    def __init__(self, *leaves: bytes) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.size = 0
        for leaf in leaves:
            self.append(leaf)

    def append(self, leaf: bytes) -> None:
        digest = merkle.leaf_hash(leaf)
        new = list(merkle.completed(self.size, digest, self.at))
        self.nodes[0, self.size] = digest
        self.nodes.update({(level, index): found for level, index, found in new})
        self.size += 1

    def at(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]

    def root(self, size: int | None = None) -> bytes:
        return merkle.root(self.at, self.size if size is None else size)


def entry(index: int) -> bytes:
    """Return the entry at a place of the tree that the functions below speak of."""
    return b"entry %d" % index


@cache
def reference_root(low: int, high: int) -> bytes:
    """MTH of the entries from ``low`` to before ``high``."""
    if high == low:
        return sha256(b"").digest()
    if high - low == 1:
        return sha256(b"\x00" + entry(low)).digest()
    middle = low + _largest_power_below(high - low)
    return sha256(b"\x01" + reference_root(low, middle) + reference_root(middle, high)).digest()


def reference_path(index: int, low: int, high: int) -> list[bytes]:
    """PATH of the entry ``index`` among those from ``low`` to before ``high``."""
    if high - low == 1:
        return []
    middle = low + _largest_power_below(high - low)
    if index < middle:
        return [*reference_path(index, low, middle), reference_root(middle, high)]
    return [*reference_path(index, middle, high), reference_root(low, middle)]


def reference_proof(old: int, low: int, high: int, *, known: bool = True) -> list[bytes]:
    """SUBPROOF that the tree up to ``high`` begins with that up to ``old``."""
    if old == high:
        return [] if known else [reference_root(low, high)]
    middle = low + _largest_power_below(high - low)
    if old <= middle:
        return [*reference_proof(old, low, middle, known=known), reference_root(middle, high)]
    return [*reference_proof(old, middle, high, known=False), reference_root(low, middle)]


def _largest_power_below(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power
