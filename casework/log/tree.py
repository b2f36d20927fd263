"""The tree over the leaves (RFC 9162), stored node by node: appending and proofs take O(log n).

The tree is what was promised, the rows of leaves are what it is made of: when a row is gone or
changed, its place in the tree still says what stood there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar, cast

from sqlalchemy import bindparam, insert, select, text, tuple_

from casework.errors import Untrustworthy
from casework.log.tables import Node
from casework.store.engine import StorageUnfit
from crypto import merkle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

T = TypeVar("T")

WRITER_LOCK: Final = 0x5375616B61
"""Key of the advisory lock that lets one transaction at a time append, on PostgreSQL."""

_LEVEL: Final = "read committed"
# Of the table and not of the mapped class, which costs each query twice the time.
_NODES: Final = cast("Table", Node.__table__)
_NODE: Final = _NODES.c
_END: Final = (
    select(_NODE.position, _NODE.hash)
    .where(_NODE.level == 0)
    .order_by(_NODE.position.desc())
    .limit(1)
)
_WANTED: Final = select(_NODE.level, _NODE.position, _NODE.hash).where(
    tuple_(_NODE.level, _NODE.position).in_(bindparam("wanted", expanding=True))
)
_LOCK: Final = text(
    "SELECT current_setting('transaction_isolation') FROM pg_advisory_xact_lock(:key)"
)


class TreeDamaged(Untrustworthy):
    """A node of the stored tree is gone; somebody wrote behind the portal's back."""


def one_writer(session: Session) -> None:
    """Let nobody else append before this transaction ends.

    On SQLite a writing transaction holds the only write lock from its beginning. On PostgreSQL
    each statement after this one must see what the writer before committed. A snapshot that was
    taken before the wait would still show the tree as it was, hence READ COMMITTED alone.

    Raises:
        StorageUnfit: the transaction is at another isolation level.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    level = session.scalar(_LOCK, {"key": WRITER_LOCK})
    if level != _LEVEL:
        raise StorageUnfit(f"the log is appended to under READ COMMITTED, not {level}")


def size(session: Session) -> int:
    """Return how many leaves the tree has, dummies included."""
    return end(session)[0]


def end(session: Session) -> tuple[int, bytes | None]:
    """Return how many leaves the tree has, dummies included, and the hash of the last."""
    last = session.execute(_END).first()
    return (0, None) if last is None else (last.position + 1, last.hash)


def hash_at(session: Session, number: int) -> bytes | None:
    """Return the hash at a leaf's place, or ``None`` if there is no such place."""
    return session.scalar(select(_NODE.hash).where(_NODE.level == 0, _NODE.position == number))


def add(session: Session, first: int, digests: Iterable[bytes]) -> None:
    """Append leaf hashes from place ``first`` on, which is the tree's size.

    Raises:
        TreeDamaged: a node that they build on is gone.
    """
    added = list(digests)

    def grown(known: merkle.NodeAt) -> dict[tuple[int, int], bytes]:
        fresh: dict[tuple[int, int], bytes] = {}

        def node_at(level: int, index: int) -> bytes:
            made = fresh.get((level, index))
            return known(level, index) if made is None else made

        for number, digest in enumerate(added, start=first):
            made = merkle.completed(number, digest, node_at)
            fresh[0, number] = digest
            fresh.update({(level, index): one for level, index, one in made})
        return fresh

    session.execute(
        insert(_NODES),
        [
            {"level": level, "position": index, "hash": one}
            for (level, index), one in _with_nodes(session, grown).items()
        ],
    )


def root(session: Session, leaves: int) -> bytes:
    """Return the root of the tree of the first ``leaves`` leaves. Raises: TreeDamaged."""
    return _with_nodes(session, lambda node_at: merkle.root(node_at, leaves))


def prove_inclusion(session: Session, number: int, leaves: int) -> list[bytes]:
    """Return the proof that a leaf is in the tree of ``leaves`` leaves.

    Raises:
        TreeDamaged: a node is gone.
        Malformed: there is no such leaf in it.
    """
    return _with_nodes(session, lambda node_at: merkle.prove_inclusion(node_at, number, leaves))


def prove_consistency(session: Session, old: int, new: int) -> list[bytes]:
    """Return the proof that the tree of ``new`` leaves begins with that of ``old``.

    Raises:
        TreeDamaged: a node is gone.
        Malformed: the new tree is the smaller one.
    """
    return _with_nodes(session, lambda node_at: merkle.prove_consistency(node_at, old, new))


def row_of(session: Session, level: int, first: int, count: int) -> list[bytes]:
    """Return neighbouring nodes of one level, as many as there are."""
    found = session.scalars(
        select(_NODE.hash)
        .where(_NODE.level == level, _NODE.position >= first, _NODE.position < first + count)
        .order_by(_NODE.position)
    )
    return list(found)


def _with_nodes(session: Session, work: Callable[[merkle.NodeAt], T]) -> T:
    """Return what is worked out from nodes, which are read by one query.

    Which nodes that takes, places and sizes alone decide: the work is done once to learn them,
    and once more with what they hold.

    Raises:
        TreeDamaged: one of them is gone.
    """
    wanted: set[tuple[int, int]] = set()

    def note(level: int, index: int) -> bytes:
        wanted.add((level, index))
        return bytes(merkle.HASH_SIZE)

    made = work(note)
    if not wanted:
        return made
    rows = session.execute(_WANTED, {"wanted": list(wanted)})
    found = {(level, position): digest for level, position, digest in rows}
    if found.keys() != wanted:
        raise TreeDamaged("node")
    return work(lambda level, index: found[level, index])
