"""The schema's version: every table of the main database, made and moved on by migrations."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import casework.calendar.tables
import casework.case.tables
import casework.evidence.tables
import casework.keys.tables
import casework.log.tables  # noqa: F401
from casework.store.base import Base

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

TARGET = Base.metadata
"""Every table, as the code knows it."""


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest schema, in one transaction."""
    with engine.begin() as connection:
        command.upgrade(_config(connection), "head")


def current(engine: Engine) -> str | None:
    """Return the revision that the database is at, or ``None`` for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """Return the newest revision that this program knows."""
    return ScriptDirectory.from_config(_config(None)).get_current_head()


def knows(revision: str) -> bool:
    """Return whether this program knows a revision, and so can bring it up to the newest."""
    script = ScriptDirectory.from_config(_config(None))
    return revision in {known.revision for known in script.walk_revisions()}


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("casework") / "migrations"))
    config.attributes["connection"] = connection
    return config
