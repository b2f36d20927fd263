"""Every place of the log in order: what the tree holds there, and the leaf's row as it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, select

from casework.log import padding, tree
from casework.log.tables import Leaf, Node, Padding
from crypto import merkle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from casework.store.unit import UnitOfWork

_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Step:
    """One place: ``hash`` in the tree, ``row_hash`` and ``body`` of the leaf's row.

    ``dummy``: the place was filled up, and no row belongs to it.
    """

    number: int
    hash: bytes
    row_hash: bytes | None
    body: str | None
    dummy: bool


def walk(uow: UnitOfWork, since: int = 0) -> Iterator[Step]:
    """Yield every place from a number on, without making an object of each row; gaps stay gaps.

    A place that a run of dummies claims without being what its seed gives is no dummy.
    """
    dummies = _dummies(uow, since)
    number, digest = next(dummies, (-1, b""))
    query = (
        select(Node.position, Node.hash, Leaf.hash, Leaf.body)
        .outerjoin(Leaf, and_(Leaf.number == Node.position))
        .where(Node.level == 0, Node.position >= since)
        .order_by(Node.position)
        .execution_options(yield_per=_AT_ONCE)
    )
    for place, held, row_hash, body in uow.session.execute(query):
        while 0 <= number < place:
            number, digest = next(dummies, (-1, b""))
        dummy = number == place and digest == held and row_hash is None
        yield Step(place, held, row_hash, body, dummy)


def standing(uow: UnitOfWork, numbers: Iterable[int]) -> dict[int, bytes]:
    """Return the hashes of those places whose leaf stands there: as a row, or as a dummy."""
    wanted = list(numbers)
    rows = uow.session.execute(
        select(Leaf.number, Leaf.hash)
        .join(Node, and_(Node.level == 0, Node.position == Leaf.number, Node.hash == Leaf.hash))
        .where(Leaf.number.in_(wanted))
    ).all()
    found = {row.number: row.hash for row in rows}
    for number in set(wanted) - found.keys():
        run = uow.session.scalar(
            select(Padding).where(Padding.first <= number, Padding.first + Padding.count > number)
        )
        if run is not None:
            before = tree.hash_at(uow.session, run.first - 1)
            body = padding.body(uow.office.instance_id, run.seed, number, before)
            digest = merkle.leaf_hash(body)
            if tree.hash_at(uow.session, number) == digest:
                found[number] = digest
    return found


def _dummies(uow: UnitOfWork, since: int) -> Iterator[tuple[int, bytes]]:
    instance = uow.office.instance_id
    run: Padding
    for run in padding.runs(uow, since):
        before = tree.hash_at(uow.session, run.first - 1)
        for place, digest in enumerate(padding.hashes(instance, run, before), start=run.first):
            if place >= since:
                yield place, digest
