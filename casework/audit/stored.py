"""Whether the database is the one that the program made: its schema, the types of its values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Boolean, Date, DateTime, Integer, LargeBinary, String, func, or_, select

from casework.audit.findings import Finding, What
from casework.store import schema

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement

    from casework.audit.findings import Findings
    from casework.store.unit import UnitOfWork

_TYPES: Final = (
    ((Integer, Boolean), "integer"),
    ((String, Date, DateTime), "text"),
    ((LargeBinary,), "blob"),
)
"""As what SQLite keeps the values of each sort of column."""


def compare_schema(uow: UnitOfWork, findings: Findings) -> bool:
    """Tell what the schema lacks, has changed, and has besides; return whether it is ours."""
    gone, changed, added = schema.differences(uow.session.connection())
    for what, names in (
        (What.SCHEMA_GONE, gone),
        (What.SCHEMA_CHANGED, changed),
        (What.SCHEMA_ADDED, added),
    ):
        for name in names:
            findings.add(Finding(what, name=name))
    return not (gone or changed or added)


def compare_types(uow: UnitOfWork, findings: Findings) -> None:
    """Tell of columns with values of another type; SQLite takes any in any column."""
    if uow.session.connection().dialect.name != "sqlite":
        return
    for table in schema.TARGET.sorted_tables:
        wrong = {column.name: _is_wrong(column) for column in table.columns}
        if not _count(uow, table, or_(*wrong.values())):
            continue
        for name, condition in wrong.items():
            if number := _count(uow, table, condition):
                where = f"{table.name}.{name}, {number} rows"
                findings.add(Finding(What.UNREADABLE, name=where))


def _count(uow: UnitOfWork, table: Any, condition: ColumnElement[bool]) -> int:
    counted = select(func.count()).select_from(table).where(condition)
    return int(uow.session.scalar(counted) or 0)


def _is_wrong(column: Column[Any]) -> ColumnElement[bool]:
    expected = next(kept for kinds, kept in _TYPES if isinstance(column.type, kinds))
    allowed = (expected, "null") if column.nullable else (expected,)
    return func.typeof(column).not_in(allowed)
