"""The stored tree: what was appended is proven, and nothing else."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete
from sqlalchemy.orm import Session

from casework.log import tree
from casework.log.tables import Node
from casework.log.tree import TreeDamaged
from casework.store.base import Base
from casework.store.engine import open_engine
from crypto import merkle
from crypto.errors import Malformed
from tests.crypto import trees


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    made = open_engine(tmp_path_factory.mktemp("tree") / "suaka.db")
    Base.metadata.create_all(made)
    return made


def digest(number: int) -> bytes:
    return merkle.leaf_hash(trees.entry(number))


@given(steps=st.lists(st.integers(1, 40), min_size=1, max_size=8), data=st.data())
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_stored_tree_is_that_of_the_rfc(
    engine: Engine, steps: list[int], data: st.DataObject
) -> None:
    """Appended in whatever portions: roots, inclusion and consistency as RFC 6962 defines them."""
    with Session(engine) as session:
        size = 0
        for count in steps:
            assert tree.size(session) == size
            tree.add(session, size, [digest(size + at) for at in range(count)])
            size += count
        old = data.draw(st.integers(1, size))
        new = data.draw(st.integers(old, size))
        number = data.draw(st.integers(0, new - 1))
        assert tree.root(session, new) == trees.reference_root(0, new)
        assert tree.prove_inclusion(session, number, new) == trees.reference_path(number, 0, new)
        assert tree.prove_consistency(session, old, new) == trees.reference_proof(old, 0, new)
        assert tree.hash_at(session, number) == digest(number)
        assert tree.hash_at(session, size) is None
        assert tree.row_of(session, 0, number, 3) == [
            digest(at) for at in range(number, min(number + 3, size))
        ]


def test_an_empty_tree_has_no_leaf(engine: Engine) -> None:
    with Session(engine) as session:
        assert tree.size(session) == 0
        with pytest.raises(Malformed):
            tree.prove_inclusion(session, 0, 0)


def test_appending_reads_as_many_nodes_as_the_tree_is_high(engine: Engine) -> None:
    """O(log n): of a tree of 1,023 leaves, the leaf that completes it reads ten nodes."""
    with Session(engine) as session:
        tree.add(session, 0, [digest(number) for number in range(1023)])
        session.execute(
            delete(Node).where(Node.level == 0, Node.position < 1022),
        )
        session.execute(delete(Node).where(Node.level == 1, Node.position != 510))
        tree.add(session, 1023, [digest(1023)])
        assert tree.root(session, 1024) == trees.reference_root(0, 1024)


def test_a_node_that_is_gone_is_named_and_never_guessed(engine: Engine) -> None:
    with Session(engine) as session:
        tree.add(session, 0, [digest(number) for number in range(3)])
        session.execute(delete(Node).where(Node.level == 1))
        with pytest.raises(TreeDamaged):
            tree.root(session, 3)
        with pytest.raises(TreeDamaged):
            tree.add(session, 3, [digest(3)])
        with pytest.raises(TreeDamaged):
            tree.prove_inclusion(session, 2, 3)
