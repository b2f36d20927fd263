"""Grow a log to millions of leaves that an audit finds nothing wrong with.

Every case is a real report, submitted through the use case with cheap key stretching. Nearly all
other leaves are looks of an operator and the guardian at those cases, on one day after another:
the one act that leaves nothing but its leaf. The first look is the use case's own; the others are
filled into its canonical text and written by SQL, each with its links and its signature. Every
other case has few leaves, as most have in an office; the rest of the log is looks at large ones,
since reports take far longer to make.
"""

from __future__ import annotations

import json
import secrets
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pysqlite3 import dbapi2
from sqlalchemy import select

from casework.case import custody
from casework.case.past import SUBMIT
from casework.handling import opening
from casework.intake import submit
from casework.log import checkpoints, tree
from casework.log.leaf import SALT_SIZE
from casework.log.tables import Leaf
from crypto import canonical, merkle
from crypto.labels import Purpose
from tests.casework.cases import copy_of, report_of
from tests.casework.office import Bench, FakeClock, bare_office, make_office

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from casework.keys.actor import Actor
    from casework.store.office import Office

LEAVES_OF_A_CASE: Final = 2000
LEAVES_OF_A_SMALL_CASE: Final = 20
LOOKING: Final = ("operator", "inspektur")
"""Who holds a new report, and so can look at it."""

_AT_ONCE: Final = 20_000
_CHECKED: Final = 1009
"""Of so many leaves that are written by SQL, one is compared with what the log would write."""

_VARYING: Final = ("actor", "case", "day", "first", "log", "prev", "salt", "seq")
_LEAF: Final = (
    "INSERT INTO leaf (number, hash, body, case_id, actor, event, day, signature)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_NODE: Final = "INSERT INTO tree_node (level, position, hash) VALUES (?, ?, ?)"


@dataclass
class Chain:
    """Where the leaves of a case end: what the next one has to name; ``small``: it has few."""

    case_id: str
    seq: int
    prev: str
    first: str
    small: bool

    @property
    def is_full(self) -> bool:
        """Whether it is to have no further leaf."""
        return self.small and self.seq + 1 >= LEAVES_OF_A_SMALL_CASE


class Log:
    """An office whose log grows; its clock goes on by a day whenever everything was looked at."""

    def __init__(self, folder: Path) -> None:
        """Found the office in a new folder."""
        self.bench = make_office(folder)
        self.office = self.bench.office
        self.chains: list[Chain] = []

    def grow(self, leaves: int) -> None:
        """Let the log have this many leaves at least, and publish a checkpoint over them."""
        said = report_of(self.office)
        large = -(-leaves // (LEAVES_OF_A_CASE + LEAVES_OF_A_SMALL_CASE))
        for _ in range(2 * large - len(self.chains)):
            submit.submit(self.office, submit.new_token(), said)
        self.bench.clock.advance(days=1)
        self.chains = list(self._ends())
        layout = self._first_look()
        self._fill(layout, leaves)
        self.bench.clock.advance(days=1)
        with self.office.write() as uow:
            assert checkpoints.publish_due(uow) is not None

    def copy(self, folder: Path) -> Bench:
        """Return the same office, as it is now, on copies of its files."""
        return copy_of(self.bench, folder)

    def _ends(self) -> Iterator[Chain]:
        """Yield the chain of each case as it stands."""
        with self.office.read() as uow:
            firsts = select(Leaf.case_id, Leaf.hash).where(Leaf.event == SUBMIT)
            rows = uow.session.execute(firsts.order_by(Leaf.number)).all()
            for at, (case_id, first) in enumerate(rows):
                mine = select(Leaf).where(Leaf.case_id == case_id).order_by(Leaf.number.desc())
                last = uow.session.scalars(mine.limit(1)).one()
                seq = json.loads(str(last.body))["seq"]
                yield Chain(str(case_id), seq, last.hash.hex(), first.hex(), small=at % 2 == 1)

    def _first_look(self) -> str:
        """Let an officer look at the newest case; return the text of such leaves to fill in."""
        chain, looking = self.chains[-1], self.bench[LOOKING[0]]
        with self.office.write() as uow:
            assert opening.note(uow, looking, chain.case_id)
            row = uow.session.get_one(Leaf, tree.size(uow.session) - 1)
            chain.seq, chain.prev = chain.seq + 1, row.hash.hex()
            said: dict[str, Any] = json.loads(str(row.body))
        text = canonical.encode(said | {name: f"@{name}@" for name in _VARYING}).decode()
        text = text.replace("%", "%%").replace('"@seq@"', "%(seq)d")
        for name in _VARYING:
            text = text.replace(f"@{name}@", f"%({name})s")
        return text

    def _looks(self) -> Iterator[tuple[str, Chain, Actor]]:
        """Yield day, case and officer, one day after another, without an end."""
        while True:
            self.bench.clock.advance(days=1)
            day = self.bench.clock.now.astimezone(self.office.tz).date().isoformat()
            for chain in self.chains:
                for username in LOOKING:
                    if not chain.is_full:
                        yield day, chain, self.bench[username]

    def _fill(self, layout: str, leaves: int) -> None:
        """Write looks by SQL until there are `leaves` leaves, and the nodes of the tree."""
        with closing(dbapi2.connect(str(self.bench.folder / "suaka.db"))) as connection:
            for pragma in ("synchronous = OFF", "cache_size = -262144"):
                connection.execute(f"PRAGMA {pragma}")
            edge = {
                level: digest
                for level, _, digest in connection.execute(
                    "SELECT level, max(position), hash FROM tree_node GROUP BY level"
                )
            }
            rows: list[tuple[Any, ...]] = []
            nodes: list[tuple[int, int, bytes]] = []
            (size,) = connection.execute(
                "SELECT max(position) + 1 FROM tree_node WHERE level = 0"
            ).fetchone()
            for number, (day, chain, actor) in zip(
                range(size, leaves), self._looks(), strict=False
            ):
                row = _look(layout, number, day, chain, actor, log=edge[0].hex())
                digest = row[1]
                made = [
                    (0, number, digest),
                    *merkle.completed(number, digest, lambda level, _: edge[level]),
                ]
                edge.update({level: one for level, _, one in made})
                rows.append(row)
                nodes += made
                if len(rows) == _AT_ONCE or number == leaves - 1:
                    connection.executemany(_LEAF, rows)
                    connection.executemany(_NODE, nodes)
                    connection.commit()
                    rows, nodes = [], []
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def opened(folder: Path, genesis: str | None, now: datetime) -> Office:
    """Open such an office in another process."""
    return replace(bare_office(folder).office, genesis=genesis, clock=FakeClock(now))


def _look(
    layout: str, number: int, day: str, chain: Chain, actor: Actor, *, log: str
) -> tuple[Any, ...]:
    """Return the row of an officer's look, which the chain of its case goes on by."""
    chain.seq += 1
    body = layout % {
        "actor": actor.person_id,
        "case": chain.case_id,
        "day": day,
        "first": chain.first,
        "log": log,
        "prev": chain.prev,
        "salt": secrets.token_hex(SALT_SIZE),
        "seq": chain.seq,
    }
    raw = body.encode()
    if number % _CHECKED == 0:
        assert canonical.encode(json.loads(body)) == raw
    digest = merkle.leaf_hash(raw)
    chain.prev = digest.hex()
    signature = actor.person.signing.sign(Purpose.LEAF, {"hash": chain.prev, "number": number})
    return (
        number, digest, body, chain.case_id, actor.person_id, custody.OPENED, day, signature,
    )  # fmt: skip
