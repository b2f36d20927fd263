"""SQLite is opened the durable way, or not at all."""

from pathlib import Path

import pytest
from sqlalchemy import text

from casework.store import engine as engines
from casework.store.engine import StorageUnfit, open_engine, sqlite_version, truncate_wal

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
