"""The tree counted again from its leaf hashes, and every stored node compared with that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import BigInteger, literal, or_, select

from casework.audit.findings import Finding, What
from casework.audit.places import as_bytes
from casework.log.tables import Node
from crypto.merkle import EMPTY_ROOT, node_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from casework.audit.findings import Findings

_LEVELS: Final = 63


class Tree:
    """A tree that grows by leaf hashes, in order; it holds one hash for each level.

    Where a hash at level 0 is not known, the stored node above it stands for it, so that one gap
    spoils no other comparison.
    """

    def __init__(self, session: Session, findings: Findings) -> None:
        """Compare with the nodes of a database."""
        self.size = 0
        self._session = session
        self._findings = findings
        self._open: dict[int, bytes | None] = {}
        self._made: dict[int, tuple[int, list[bytes | None]]] = {}

    def grow(self, digests: Sequence[bytes | None]) -> None:
        """Add leaf hashes at the end."""
        first, row = self.size, list(digests)
        self.size += len(row)
        for level in range(_LEVELS):
            if first & 1:
                row.insert(0, self._open.pop(level))
                first -= 1
            if len(row) & 1:
                self._open[level] = row.pop()
            if not row:
                return
            first >>= 1
            pairs = list(zip(row[::2], row[1::2], strict=True))
            known = self._stored(level + 1, first, len(pairs)) if None in row else {}
            row = [
                known.get(at) if left is None or right is None else node_hash(left, right)
                for at, (left, right) in enumerate(pairs, start=first)
            ]
            made = self._made.setdefault(level + 1, (first, []))
            made[1].extend(row)

    def compare(self) -> None:
        """Compare what was made since the last time with what is stored; one query a level."""
        for level, (first, row) in self._made.items():
            stored = self._stored(level, first, len(row))
            for position, digest in enumerate(row, start=first):
                held = stored.get(position)
                if held is None:
                    self._tell(What.NODE_GONE, level, position)
                elif digest is not None and held != digest:
                    self._tell(What.NODE_CHANGED, level, position)
        self._made = {}

    def root(self) -> bytes | None:
        """Return the root of the tree as it stands, or ``None`` where too much is gone."""
        if not self.size:
            return EMPTY_ROOT
        found: bytes | None = None
        for number, level in enumerate(sorted(self._open)):
            left = self._open[level]
            if left is None or (number and found is None):
                return None
            found = left if found is None else node_hash(left, found)
        return found

    def beyond(self) -> None:
        """Name the nodes that a tree of this size does not have, on whatever level."""
        many = literal(self.size, BigInteger).bitwise_rshift(Node.level)
        query = select(Node.level, Node.position).where(
            or_(~Node.level.between(0, _LEVELS - 1), Node.position < 0, Node.position >= many)
        )
        for level, position in self._session.execute(query.execution_options(yield_per=1000)):
            self._tell(What.NODE_BEYOND, level, position)

    def _stored(self, level: int, first: int, count: int) -> dict[int, bytes]:
        rows = self._session.execute(
            select(Node.position, Node.hash).where(
                Node.level == level, Node.position >= first, Node.position < first + count
            )
        )
        return {row.position: as_bytes(row.hash) for row in rows}

    def _tell(self, what: What, level: object, position: object) -> None:
        self._findings.add(Finding(what, name=f"level {level}, position {position}"))
