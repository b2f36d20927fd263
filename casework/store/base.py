"""The declarative base of every table, and the shape of identifiers."""

import secrets
from typing import Any

from sqlalchemy import CheckConstraint, MetaData
from sqlalchemy.orm import DeclarativeBase

ID_LENGTH = 32
"""Length of an identifier in characters: 128 random bits in lower-case hex."""

WITHOUT_ROWID: dict[str, Any] = {"sqlite_with_rowid": False}
"""Table option for rows that a reporter's visit writes: no insertion order is kept on disk."""


class Base(DeclarativeBase):
    """Base of all tables of the main database; constraints get predictable names."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def new_id() -> str:
    """Return a fresh random identifier: 128 bits as 32 hex characters."""
    return secrets.token_hex(ID_LENGTH // 2)


def has_length(column: str, length: int) -> CheckConstraint:
    """Return a constraint that a column holds exactly ``length`` characters or bytes."""
    return CheckConstraint(f"length({column}) = {length}", name=f"{column}_length")


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """Return a constraint that a column holds one of the given constants."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")
