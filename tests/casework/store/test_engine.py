"""SQLite is opened the durable way, or not at all."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from casework.store import engine as engines
from casework.store.engine import (
    StorageUnfit,
    Unavailable,
    open_engine,
    sqlite_version,
    truncate_wal,
)

PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "secure_delete": 1,
    "temp_store": 2,
    "trusted_schema": 0,
}


def test_every_connection_is_durable_and_wiping(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "a.db")
    with engine.connect() as one, engine.connect() as two:
        for connection in (one, two):
            found = {name: connection.scalar(text(f"PRAGMA {name}")) for name in PRAGMAS}
            assert found == PRAGMAS
    engine.dispose()


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    open_engine(tmp_path / "a.db").dispose()
    assert (tmp_path / "a.db").stat().st_mode & 0o777 == 0o600


def test_the_library_is_new_enough() -> None:
    assert sqlite_version() >= engines.MINIMUM_SQLITE


def test_an_old_library_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is real: were it higher than the library, nothing would open."""
    monkeypatch.setattr(engines, "MINIMUM_SQLITE", (99,))
    with pytest.raises(StorageUnfit):
        open_engine(tmp_path / "a.db")
    assert not (tmp_path / "a.db").exists()


def test_errors_name_no_values(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "a.db")
    with engine.connect() as connection, pytest.raises(Exception, match="no such table") as error:
        connection.execute(text("INSERT INTO a VALUES (:x)"), {"x": "rahasia sekali"})
    assert "rahasia" not in str(error.value)
    engine.dispose()


def test_a_deleted_row_leaves_the_disk_with_the_log(tmp_path: Path) -> None:
    """secure_delete wipes pages, and truncating the write-ahead log wipes the rest."""
    engine = open_engine(tmp_path / "a.db")
    secret = "kalimat-yang-dihapus"
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE a (x TEXT)"))
        connection.execute(text("INSERT INTO a VALUES (:x)"), {"x": secret})

    def on_disk() -> bool:
        return any(secret.encode() in path.read_bytes() for path in tmp_path.iterdir())

    assert on_disk()
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM a"))
    truncate_wal(engine)
    assert not on_disk()
    engine.dispose()


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[tuple[Engine, Connection]]:
    """A database with something in its log, and a reader who still needs what was before."""
    engine = open_engine(tmp_path / "a.db")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE a (x TEXT)"))
    with engine.connect() as reader:
        reader.execute(text("SELECT * FROM a")).all()
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO a VALUES ('satu')"))
        yield engine, reader
    engine.dispose()


def test_a_log_that_a_reader_holds_is_not_called_emptied(
    busy: tuple[Engine, Connection], tmp_path: Path
) -> None:
    """Deleted rows may still be on the disk: whoever asked for the opposite learns of it."""
    engine, reader = busy
    with pytest.raises(Unavailable):
        truncate_wal(engine)
    assert (tmp_path / "a.db-wal").stat().st_size
    reader.rollback()
    truncate_wal(engine)
    assert not (tmp_path / "a.db-wal").stat().st_size


def test_a_reader_who_ends_meanwhile_is_waited_for(
    busy: tuple[Engine, Connection], tmp_path: Path
) -> None:
    """One try is not all: the readers of a moment do not keep deleted rows on the disk."""
    engine, reader = busy
    later = threading.Timer(engines.TRUNCATE_MS * 1.5 / 1000, reader.rollback)
    later.start()
    truncate_wal(engine)
    later.join()
    assert not (tmp_path / "a.db-wal").stat().st_size


def test_a_writer_waits_as_long_as_before_after_a_log_was_emptied(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "a.db")
    truncate_wal(engine)
    with engine.connect() as connection:
        waits = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
    assert waits == engines.BUSY_SECONDS * 1000
    engine.dispose()
