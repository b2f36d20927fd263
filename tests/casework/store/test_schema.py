"""The migrations make exactly the tables that the code knows."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from casework.store import schema
from casework.store.base import ID_LENGTH, has_length, new_id, one_of
from casework.store.engine import open_engine
from tests.casework.office import Bench


def test_an_empty_database_is_brought_to_the_newest_schema(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "a.db")
    assert schema.current(engine) is None
    schema.upgrade(engine)
    assert schema.current(engine) == schema.newest() is not None
    tables = set(inspect(engine).get_table_names())
    assert tables == set(schema.TARGET.tables) | {"alembic_version"}
    schema.upgrade(engine)
    engine.dispose()


def test_migrations_and_tables_agree(bench: Bench) -> None:
    with bench.office.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, schema.TARGET) == []


def test_every_table_has_constraints(bench: Bench) -> None:
    """Each table checks at least one value, or refers to rows that must exist."""
    inspector = inspect(bench.office.engine)
    for table in schema.TARGET.tables:
        assert inspector.get_pk_constraint(table)["constrained_columns"]
        bound = inspector.get_check_constraints(table) or inspector.get_foreign_keys(table)
        assert bound, table


def test_identifiers_are_random() -> None:
    made = {new_id() for _ in range(100)}
    assert len(made) == 100
    assert all(len(one) == ID_LENGTH and int(one, 16) >= 0 for one in made)


@pytest.mark.parametrize(
    ("constraint", "said"),
    [(has_length("a", 3), "length(a) = 3"), (one_of("a", ("x", "y")), "a IN ('x', 'y')")],
)
def test_constraints_say_what_they_mean(constraint: object, said: str) -> None:
    assert str(getattr(constraint, "sqltext", "")) == said
