"""The database itself refuses rows that can mean nothing."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.casework.cases import Filed

CHANGES = [
    ('"case"', "ticket = 'WBS-1'"),
    ('"case"', "submission = x'00'"),
    ('"case"', "profile_version = 0"),
    ('"case"', "shred_version = 0"),
    ('"case"', "revision = 0"),
    ('"case"', "reporter = 'x'"),
    ("compartment", "kind = 'notes'"),
    ('"grant"', "compartment = 'notes'"),
    ('"grant"', "share = 'c'"),
    ('"grant"', "holder = 'x'"),
    ('"grant"', "granter = 'x'"),
    ('"grant"', "roster_version = 0"),
    ('"grant"', "compartment = 'content', share = 'whole', holder = case_id"),
    ("item", "compartment = 'notes'"),
    ("item", "kind = ''"),
    ("item", "version = 0"),
    ("item", "digest = x'00'"),
    ("item", "leaf = 9999"),
    ("item", "author = case_id"),
    ("part", "number = 0"),
    ("part", "number = 2"),
    ("part", "digest = x'00'"),
]


@pytest.mark.parametrize(("table", "change"), CHANGES)
def test_a_senseless_row_is_refused(filed: Filed, table: str, change: str) -> None:
    engine = filed.bench.office.engine
    with engine.connect() as connection, pytest.raises(IntegrityError):
        connection.execute(text(f"UPDATE {table} SET {change}"))


def test_a_case_cannot_be_deleted_from_under_its_rows(filed: Filed) -> None:
    with filed.bench.office.engine.connect() as connection, pytest.raises(IntegrityError):
        connection.execute(text('DELETE FROM "case"'))


def test_rows_that_a_reporter_writes_keep_no_order(filed: Filed) -> None:
    """Their tables have no rowid, so that the order of visits is not on the disk."""
    ordered = []
    for table in ("case", "item", "part", "grant", "compartment", "person", "wrap", "deadline"):
        sql = filed.scalar("SELECT sql FROM sqlite_master WHERE name = :t", t=table)
        if "WITHOUT ROWID" not in sql:
            ordered.append(table)
    assert ordered == []
