"""Dummies: they fill the tree, say nothing, and are told from acts by nobody without the seed."""

import pytest
from sqlalchemy import select, text

from casework.log import padding, tree
from casework.log.tables import Leaf, Padding
from casework.log.walk import standing, walk
from crypto import canonical, merkle
from tests.casework.cases import Filed, file_report
from tests.casework.office import Bench


def fill(bench: Bench, upto: int) -> int:
    with bench.office.write() as uow:
        return padding.fill(uow, upto)


def test_they_fill_the_tree_up_to_a_size_and_never_beyond(filed: Filed) -> None:
    bench = filed.bench
    with bench.office.read() as uow:
        leaves = tree.size(uow.session)
    assert fill(bench, 10) == 10 - leaves
    assert fill(bench, 10) == 0
    assert fill(bench, 3) == 0
    file_report(bench)
    with bench.office.read() as uow:
        assert tree.size(uow.session) == 11
        assert [run.first for run in padding.runs(uow)] == [leaves]
        assert padding.runs(uow, 10) == []
        assert len(padding.runs(uow, 9)) == 1


def test_what_a_dummy_says_follows_from_seed_and_place_and_the_leaf_before(filed: Filed) -> None:
    fill(filed.bench, 8)
    with filed.bench.office.read() as uow:
        run = uow.session.scalars(select(Padding)).one()
        found = [tree.hash_at(uow.session, run.first + at) for at in range(run.count)]
        before = tree.hash_at(uow.session, run.first - 1)
        assert list(padding.hashes(uow.office.instance_id, run, before)) == found
        assert len(set(found)) == run.count
        body = padding.body(uow.office.instance_id, run.seed, run.first, before)
        assert padding.body(uow.office.instance_id, run.seed, run.first, bytes(32)) != body
    said = canonical.decode(body)
    assert isinstance(said, dict)
    assert set(said) == {"v", "instance", "event", "nonce"}
    assert merkle.leaf_hash(body) == found[0]


def test_no_two_runs_have_one_seed(bench: Bench) -> None:
    fill(bench, 4)
    fill(bench, 8)
    with bench.office.read() as uow:
        assert len({run.seed for run in padding.runs(uow)}) == 2


def test_walking_meets_every_place_once_and_knows_the_dummies(filed: Filed) -> None:
    bench = filed.bench
    fill(bench, 6)
    file_report(bench)
    fill(bench, 9)
    with bench.office.read() as uow:
        steps = list(walk(uow))
        numbers = set(uow.session.scalars(select(Leaf.number)))
        assert [step.number for step in steps] == list(range(9))
        assert {step.number for step in steps if not step.dummy} == numbers
        assert [step.number for step in walk(uow, 5)] == [5, 6, 7, 8]
        assert [step.dummy for step in walk(uow, 5)] == [step.dummy for step in steps[5:]]
        assert standing(uow, range(12)) == {step.number: step.hash for step in steps}


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE padding SET seed = zeroblob(32)",
        "UPDATE padding SET count = 1",
        "DELETE FROM padding",
        "UPDATE tree_node SET hash = zeroblob(32) WHERE level = 0 AND position = 4",
    ],
)
def test_a_place_that_its_seed_does_not_give_is_no_dummy(filed: Filed, attack: str) -> None:
    fill(filed.bench, 6)
    with filed.bench.office.write() as uow:
        uow.session.execute(text(attack))
    with filed.bench.office.read() as uow:
        fifth = next(step for step in walk(uow) if step.number == 4)
        assert not fifth.dummy
        assert fifth.row_hash is None
        assert 4 not in standing(uow, [4])


def test_a_dummy_put_over_an_act_hides_nothing(filed: Filed) -> None:
    """A run that claims the place of a leaf whose row is gone does not give its hash."""
    with filed.bench.office.write() as uow:
        number = tree.size(uow.session) - 1
        uow.session.execute(text("PRAGMA defer_foreign_keys=ON"))
        uow.session.execute(text("DELETE FROM part"))
        uow.session.execute(text("DELETE FROM item"))
        uow.session.execute(text("DELETE FROM leaf WHERE number = :n"), {"n": number})
        uow.session.add(Padding(first=number, count=1, seed=bytes(32)))
    with filed.bench.office.read() as uow:
        last = list(walk(uow))[-1]
        assert (last.number, last.dummy, last.row_hash) == (number, False, None)
