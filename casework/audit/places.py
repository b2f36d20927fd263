"""Every place of the log, read in chunks: what the tree holds there, a leaf's row, or a dummy."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import func, select, type_coerce
from sqlalchemy.types import NullType

from casework.audit.findings import Finding, What
from casework.log import padding
from casework.log.tables import Leaf, Node, Padding
from crypto import merkle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from casework.audit.findings import Findings
    from casework.store.unit import UnitOfWork

CHUNK: Final = 4096
"""Places that are read at once."""

_COLUMNS: Final = (
    Leaf.number,
    type_coerce(Leaf.hash, NullType()).label("hash"),
    type_coerce(Leaf.body, NullType()).label("body"),
    Leaf.case_id,
    Leaf.actor,
    Leaf.event,
    type_coerce(Leaf.day, NullType()).label("day"),
    type_coerce(Leaf.signature, NullType()).label("signature"),
)
"""Everything of a leaf as the database holds it: SQLite keeps values of any type in any column."""


@dataclass(frozen=True, slots=True)
class Place:
    """``held`` is the hash in the tree, ``row`` the leaf's; ``dummy``: no row belongs here."""

    number: int
    held: bytes | None
    row: Leaf | None
    dummy: bool


@dataclass(frozen=True, slots=True)
class _Row:
    """The columns of a leaf, by the names that it has in the database's own class."""

    number: int
    hash: bytes
    body: str | None
    case_id: str | None
    actor: str
    event: str
    day: date
    signature: bytes | None


@dataclass(frozen=True)
class _Run:
    first: int
    count: int
    seed: bytes

    @property
    def end(self) -> int:
        return self.first + self.count


@dataclass
class Places:
    """The places of the tree of ``size`` leaves."""

    uow: UnitOfWork
    findings: Findings
    size: int
    _wrong: set[int] = field(default_factory=set)

    def chunks(self) -> Iterator[list[Place]]:
        """Yield all places in order; runs of dummies that claim too much are told on the way."""
        runs = self._runs()
        run = next(runs, None)
        for first in range(0, self.size, CHUNK):
            end = min(first + CHUNK, self.size)
            dummies: dict[int, tuple[bytes, _Run]] = {}
            while run is not None and run.first < end:
                dummies |= self._dummies(run, first, end)
                if run.end > end:
                    break
                run = next(runs, None)
            yield self._chunk(first, end, dummies)
        if run is not None:
            self._tell(What.PADDING_BEYOND, run)
        for left in runs:
            self._tell(What.PADDING_BEYOND, left)

    def _chunk(self, first: int, end: int, dummies: dict[int, tuple[bytes, _Run]]) -> list[Place]:
        session = self.uow.session
        inside = select(*_COLUMNS).where(Leaf.number >= first, Leaf.number < end)
        rows = {row.number: _row(row) for row in session.execute(inside)}
        nodes = select(Node.position, Node.hash).where(
            Node.level == 0, Node.position >= first, Node.position < end
        )
        held = {row.position: as_bytes(row.hash) for row in session.execute(nodes)}
        found = []
        for number in range(first, end):
            row, digest = rows.get(number), held.get(number)
            claimed, run = dummies.get(number, (None, None))
            if digest is None:
                self.findings.add(Finding(What.NODE_GONE, name=f"level 0, position {number}"))
                digest = claimed if row is None else row.hash
            dummy = row is None and claimed is not None and claimed == digest
            if run is not None and not dummy:
                self._claims(run)
            found.append(Place(number, digest, row, dummy))
        return found

    def _claims(self, run: _Run) -> None:
        """Tell of a run that claims a place that is not its own; once for each run."""
        if run.first not in self._wrong:
            self._wrong.add(run.first)
            self._tell(What.PADDING_CHANGED, run)

    def _runs(self) -> Iterator[_Run]:
        """Yield the runs in order, and tell of those that overlap; a thousand make a megabyte."""
        end = 0
        query = select(Padding.first, Padding.count, Padding.seed).order_by(Padding.first)
        rows: Sequence[Any] = self.uow.session.execute(query).all()
        for first, count, seed in rows:
            if not (isinstance(first, int) and isinstance(count, int) and first >= 0 < count):
                self.findings.add(Finding(What.PADDING_CHANGED, name=str(first)))
                continue
            run = _Run(first, count, as_bytes(seed))
            if run.first < end:
                self._claims(run)
            end = max(end, run.end)
            yield run

    def _dummies(self, run: _Run, first: int, end: int) -> dict[int, tuple[bytes, _Run]]:
        instance, before = self.uow.office.instance_id, self._held(run.first - 1)
        return {
            number: (merkle.leaf_hash(padding.body(instance, run.seed, number, before)), run)
            for number in range(max(run.first, first), min(run.end, end))
        }

    def _held(self, number: int) -> bytes | None:
        """Return the hash at a place; where its node is gone, what its row says."""
        for query in (
            select(Node.hash).where(Node.level == 0, Node.position == number),
            select(Leaf.hash).where(Leaf.number == number),
        ):
            found = self.uow.session.scalar(query)
            if found is not None:
                return as_bytes(found)
        return None

    def _tell(self, what: What, run: _Run) -> None:
        self.findings.add(Finding(what, name=f"{run.first} to {run.end - 1}"))


def _row(raw: Any) -> Leaf:
    """Return a row as the program writes one; what has another type becomes what fits nothing."""
    try:
        day = date.fromisoformat(str(raw.day))
    except ValueError:
        day = date.min
    return cast(
        "Leaf",
        _Row(
            raw.number,
            as_bytes(raw.hash),
            raw.body if raw.body is None or isinstance(raw.body, str) else "",
            raw.case_id,
            raw.actor,
            raw.event,
            day,
            raw.signature if raw.signature is None else as_bytes(raw.signature),
        ),
    )


def as_bytes(value: object) -> bytes:
    """Return a column's bytes; of another type, bytes that are the hash of nothing."""
    return value if isinstance(value, bytes) else b""


def size_of(uow: UnitOfWork) -> int:
    """Return how many places the stored tree has; a node far beyond all others is none of them.

    Were one row believed that stands at an immense position, nothing would be looked at but the
    emptiness before it.
    """
    base, session = select(Node).where(Node.level == 0).subquery(), uow.session
    count = max(
        session.scalar(select(func.count()).select_from(of)) or 0 for of in (base, Leaf.__table__)
    )
    # Between two numbers: SQLite takes a text for larger than any.
    plausible = Node.position.between(0, 2 * count + CHUNK - 1)
    last = session.scalar(select(func.max(Node.position)).where(Node.level == 0, plausible))
    return 0 if last is None else int(last) + 1
