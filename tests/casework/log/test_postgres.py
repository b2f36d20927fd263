"""The log on a real PostgreSQL: one writer at a time, whoever else writes at the same moment.

The embedded database gives its one write lock to whoever begins to write; a server lets many
write at once, and the log has to bring its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from casework.intake import report, submit
from casework.log import checkpoints, keys, leaf, padding, tree
from casework.log.leaf import SYSTEM, Draft
from casework.log.tables import Leaf, Node
from casework.log.walk import walk
from casework.store.engine import StorageUnfit
from casework.store.office import Office
from casework.store.unit import UnitOfWork
from crypto import merkle
from crypto.checkpoint import Checkpoint
from crypto.errors import Malformed
from tests.casework.cases import together
from tests.casework.log import postgres
from tests.casework.log.postgres import Server
from tests.casework.office import Bench, bare_office, make_office
from tests.crypto.trees import Tree

THREADS = 6
EACH = 20
CASE = "c" * 32


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres.running() as running:
        yield running


@pytest.fixture
def bench(server: Server, tmp_path: Path) -> Iterator[Bench]:
    """An office whose log has a key and nothing else, on a database of its own."""
    engine = server.create()
    made = bare_office(tmp_path / "office", engine=engine)
    with made.office.write() as uow:
        keys.found(uow)
    yield made
    engine.dispose()
    made.office.keystore.engine.dispose()


@contextmanager
def bare(office: Office, engine: Engine | None = None) -> Iterator[UnitOfWork]:
    """A writing transaction that took no lock at its beginning."""
    with Session(engine or office.engine) as session, session.begin():
        yield UnitOfWork(office, session, office.keystore)


def say(uow: UnitOfWork, event: str = "noted", case: str | None = None) -> int:
    return leaf.append(uow, Draft(event, SYSTEM, case))


class Thrown(Exception):
    """A transaction of a test breaks off."""


@dataclass(frozen=True)
class Stored:
    """What the tables of the log hold."""

    leaves: dict[int, Leaf]
    nodes: dict[tuple[int, int], bytes]


def stored(office: Office) -> Stored:
    with office.read() as uow:
        leaves = {row.number: row for row in uow.session.scalars(select(Leaf))}
        uow.session.expunge_all()
        rows = uow.session.execute(select(Node.level, Node.position, Node.hash))
        return Stored(leaves, {(level, position): digest for level, position, digest in rows})


def naive(office: Office) -> Tree:
    """The tree over every body that stands in the log, dummies included."""
    bodies = {row.number: str(row.body).encode() for row in stored(office).leaves.values()}
    with office.read() as uow:
        for run in padding.runs(uow):
            for number in range(run.first, run.first + run.count):
                assert number not in bodies
                before = None if not run.first else merkle.leaf_hash(bodies[run.first - 1])
                bodies[number] = padding.body(office.instance_id, run.seed, number, before)
    assert sorted(bodies) == list(range(len(bodies)))
    return Tree(*(bodies[number] for number in sorted(bodies)))


def test_threads_append_without_a_gap_or_a_double(bench: Bench) -> None:
    """Every fifth transaction breaks off after its leaf, and all write to one case besides."""
    office = bench.office

    def act(thread: int) -> list[int]:
        numbers = []
        for turn in range(EACH):
            with bare(office) as uow:
                pair = [say(uow), say(uow, case=CASE)]
                if (thread + turn) % 5 == 0:
                    uow.session.rollback()
                    continue
            numbers += pair
        return numbers

    done = together(THREADS, act)
    numbers = sorted(number for one in done if isinstance(one, list) for number in one)
    size = THREADS * EACH * 2 * 4 // 5
    assert numbers == list(range(size)), done
    found, wanted = stored(office), naive(office)
    assert found.nodes == wanted.nodes
    said = {number: leaf.read(row) or {} for number, row in found.leaves.items()}
    assert said[0]["log"] is None
    for one, other in pairwise(range(size)):
        assert said[other]["log"] == found.leaves[one].hash.hex()
    chain = [number for number in range(size) if said[number]["case"] == CASE]
    assert [said[number]["seq"] for number in chain] == list(range(size // 2))
    for one, other in pairwise(chain):
        assert said[other]["prev"] == found.leaves[one].hash.hex()


def test_proofs_from_the_server_verify(bench: Bench) -> None:
    office, size = bench.office, 37
    with office.write() as uow:
        for _ in range(size):
            say(uow)
    wanted = naive(office)
    with office.read() as uow:
        root = tree.root(uow.session, size)
        assert root == wanted.root()
        for number in range(size):
            proof = tree.prove_inclusion(uow.session, number, size)
            merkle.check_inclusion(wanted.at(0, number), number, size, proof, root)
        for old in range(1, size):
            proof = tree.prove_consistency(uow.session, old, size)
            merkle.check_consistency(old, size, proof, tree.root(uow.session, old), root)
        with pytest.raises(Malformed):
            tree.prove_inclusion(uow.session, size, size)


def test_a_proof_is_one_question_to_the_server(bench: Bench) -> None:
    """However high the tree: a server may be far away, and each question is a way there."""
    office, size = bench.office, 1000
    with office.write() as uow:
        padding.fill(uow, size)
    asked: list[str] = []
    event.listen(office.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    with office.read() as uow:
        tree.root(uow.session, size)
        tree.prove_inclusion(uow.session, 5, size)
        tree.prove_consistency(uow.session, 5, size)
    assert len(asked) == 3


def test_a_transaction_that_breaks_off_leaves_no_trace(bench: Bench) -> None:
    office = bench.office
    with office.write() as uow:
        say(uow)
    before = stored(office)

    def broken() -> None:
        with office.write() as uow:
            assert say(uow) == 1
            assert padding.fill(uow, 9) == 7
            raise Thrown

    with pytest.raises(Thrown):
        broken()
    after = stored(office)
    assert after.nodes == before.nodes
    assert after.leaves.keys() == before.leaves.keys()
    with office.read() as uow:
        assert padding.runs(uow) == []
    with office.write() as uow:
        assert say(uow) == 1


def test_whoever_looked_before_others_wrote_still_appends_after_them(bench: Bench) -> None:
    office = bench.office
    with bare(office) as slow:
        assert leaf.next_number(slow) == 0
        with office.write() as quick:
            assert say(quick) == 0
        assert say(slow) == 1
    assert stored(office).nodes == naive(office).nodes


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_a_snapshot_that_can_be_older_than_the_lock_is_refused(bench: Bench, level: str) -> None:
    engine = bench.office.engine.execution_options(isolation_level=level)
    with pytest.raises(StorageUnfit, match=level.lower()), bare(bench.office, engine) as uow:
        say(uow)
    assert stored(bench.office).nodes == {}


def test_checkpoints_are_published_once_while_others_append(bench: Bench) -> None:
    """Three publish and three append at each tick; the tree grows by whole tiles all the same."""
    office, published = bench.office, []

    def act(thread: int) -> checkpoints.Published | None:
        if thread % 2:
            with office.write() as uow:
                return checkpoints.publish_due(uow)
        for _ in range(EACH):
            with office.write() as uow:
                say(uow)
        return None

    for _ in range(3):
        bench.clock.advance(hours=office.checkpoints.hours)
        done = together(THREADS, act)
        assert not [one for one in done if isinstance(one, BaseException)], done
        published += [one for one in done if isinstance(one, checkpoints.Published)]
    assert [one.tree.size for one in published] == [256, 512, 768]
    wanted = naive(office)
    assert stored(office).nodes == wanted.nodes
    with office.read() as uow:
        known = keys.load(uow)
        for one in published:
            assert one.note.verify(list(known.all))
            assert Checkpoint.from_text(one.note.text).root == wanted.root(one.tree.size)
        assert checkpoints.checked(uow, known) is not None
        for step in walk(uow):
            assert step.dummy or step.row_hash == step.hash
        acts = uow.session.scalar(select(func.count()).select_from(Leaf))
    assert acts == 3 * (THREADS // 2) * EACH


def test_a_hand_over_names_the_place_of_its_own_leaf(bench: Bench) -> None:
    """Two change the log's key at once, while others append: one key follows the other."""
    office = bench.office

    def act(thread: int) -> None:
        with office.write() as uow:
            if thread < 2:
                keys.rotate(uow, bytes([thread]) * keys.SEED_SIZE)
            else:
                say(uow)

    done = together(THREADS, act)
    assert not [one for one in done if isinstance(one, BaseException)], done
    rows = stored(office).leaves.values()
    places = sorted(row.number for row in rows if row.event == keys.CHANGED)
    with office.read() as uow:
        assert len(keys.load(uow).all) == 3
        sizes = [int(note.text.split("\n")[-2]) for note in keys.handovers(uow)]
        assert checkpoints.sign_now(uow).verify([keys.load(uow).in_force])
    assert sizes == [0, *places]


def test_reports_at_once_are_each_in_the_log(server: Server, tmp_path: Path) -> None:
    """A whole office on PostgreSQL: its ceremony, and reports that come in at one moment."""
    engine = server.create()
    bench = make_office(tmp_path / "office", engine=engine)
    office = bench.office
    said = report.parse(office.profile, {"position": "asn", "narrative": "Contoh."})
    done = together(THREADS, lambda _: submit.submit(office, submit.new_token(), said))
    assert not [one for one in done if isinstance(one, BaseException)], done
    rows = stored(office).leaves.values()
    assert sum(row.event == "submit" for row in rows) == THREADS
    assert stored(office).nodes == naive(office).nodes
    engine.dispose()
    office.keystore.engine.dispose()
