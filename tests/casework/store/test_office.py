"""One transaction per act: a full disk, a locked file or a race leave no half of anything."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pysqlite3 import dbapi2
from sqlalchemy import Engine, event, text

from casework.case.keyring import Keyring
from casework.errors import Conflict
from casework.handling import acts
from casework.handling.acts import open_case
from casework.intake import submit
from casework.store.engine import Unavailable
from casework.store.office import Office
from tests.casework.cases import (
    Filed,
    all_verified,
    count,
    file_report,
    report_of,
    together,
)
from tests.casework.office import Bench

TABLES = (
    "case",
    "item",
    "part",
    "grant",
    "compartment",
    "deadline",
    "leaf",
    "person",
    "wrap",
    "desk_entry",
    "case_flag",
    "assignment",
)


def counts(office: Office) -> dict[str, int]:
    return {table: count(office, table) for table in TABLES}


@contextmanager
def pragma(engine: Engine, setting: str, after: str) -> Iterator[None]:
    """Give every connection of an engine a setting, and take it back at the end."""

    def apply(connection: Any, _record: object, _proxy: object) -> None:
        connection.execute(f"PRAGMA {setting}")

    engine.dispose()
    event.listen(engine, "checkout", apply)
    try:
        yield
    finally:
        event.remove(engine, "checkout", apply)
        engine.dispose()
    with engine.connect() as connection:
        connection.execute(text(f"PRAGMA {after}"))


@contextmanager
def full(engine: Engine, spare: int) -> Iterator[None]:
    """A disk on which the database may grow by ``spare`` pages and no more."""
    with engine.connect() as connection:
        pages = int(connection.scalar(text("PRAGMA page_count")) or 0) + spare
    with pragma(engine, f"max_page_count={pages}", "max_page_count=1073741823"):
        yield


@contextmanager
def locked(engine: Engine, path: str) -> Iterator[None]:
    """Somebody else holds the write lock, and we wait only a moment."""
    other = dbapi2.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pragma(engine, "busy_timeout=30", "busy_timeout=20000"):
            yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@pytest.mark.parametrize("spare", [0, 3, 9, 14])
def test_a_full_disk_stores_no_half_case(filed: Filed, spare: int) -> None:
    """Refused cleanly wherever it stops; the same form succeeds when there is space."""
    office, form = filed.bench.office, submit.new_token()
    report = report_of(office, "cerita panjang " * 3000)
    before = counts(office)
    with full(office.engine, spare):
        with pytest.raises(Unavailable) as error:
            submit.submit(office, form, report)
        assert "cerita" not in str(error.value)
        assert counts(office) == before
        assert all_verified(filed.mailbox().pieces)
    assert submit.submit(office, form, report).ticket
    assert counts(office)["case"] == before["case"] + 1


def test_a_full_keystore_stores_no_half_act(filed: Filed) -> None:
    office = filed.bench.office
    keystore = office.keystore.engine
    with full(keystore, 0):
        before, stored = counts(office)["case"], 0
        refused = False
        while not refused:
            try:
                file_report(filed.bench)
                stored += 1
            except Unavailable:
                refused = True
        assert counts(office)["case"] == before + stored
    with office.write() as uow:
        rows = uow.session.execute(text('SELECT id, shred_version FROM "case"'))
        office.keystore.sweep({row[0]: row[1] for row in rows})
    filed.do("operator", "accept")
    assert all_verified(filed.file("verifikator").pieces)


@pytest.mark.parametrize("which", ["main", "keystore"])
def test_a_locked_database_is_a_clean_refusal(filed: Filed, which: str) -> None:
    """Reports and acts are refused whole, reading goes on, and all works afterwards."""
    bench, form = filed.bench, submit.new_token()
    office = bench.office
    engine, name = {
        "main": (office.engine, "suaka.db"),
        "keystore": (office.keystore.engine, "keystore.db"),
    }[which]
    before = counts(office)
    with locked(engine, str(bench.folder / name)):
        with pytest.raises(Unavailable):
            submit.submit(office, form, report_of(office))
        with pytest.raises(Unavailable):
            filed.do("operator", "accept")
        assert counts(office) == before
        assert all_verified(filed.file("operator").pieces)
    filed.do("operator", "accept")
    assert submit.submit(office, form, report_of(office)).ticket


def test_a_keystore_locked_after_the_commit_does_not_undo_the_act(filed: Filed) -> None:
    """The act is done and says so; the old key waits for the sweep."""
    bench, keystore = filed.bench, filed.bench.office.keystore
    with pragma(keystore.engine, "busy_timeout=30", "busy_timeout=20000"):
        with bench.office.write() as uow:
            acts.perform(uow, bench["operator"], filed.case_id, 1, "accept", filed.facts("accept"))
            other = dbapi2.connect(str(bench.folder / "keystore.db"), isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
        other.close()
    assert filed.state() == "terkirim"
    assert keystore.shred_key(filed.case_id, 1)
    assert keystore.sweep({filed.case_id: 2}) == 1
    assert all_verified(filed.file("verifikator").pieces)


def test_a_page_read_while_the_case_moves_on_asks_to_look_again(filed: Filed) -> None:
    """A reader whose snapshot is older than the shred key gets a conflict, not an alarm."""
    bench = filed.bench
    with bench.office.read() as uow:
        keyring, _ = open_case(uow, bench["operator"], filed.case_id)
        assert isinstance(keyring, Keyring)
        filed.do("operator", "accept")
        with pytest.raises(Conflict):
            keyring.identity("content")


def test_readers_see_one_consistent_picture(filed: Filed) -> None:
    office = filed.bench.office
    with office.read() as uow:
        query = text('SELECT revision FROM "case" WHERE id = :id')
        first = uow.session.scalar(query, {"id": filed.case_id})
        filed.say("reporter", "tambahan")
        assert uow.session.scalar(query, {"id": filed.case_id}) == first
    assert filed.revision() == int(first or 0) + 1


def test_writers_wait_for_each_other(filed: Filed) -> None:
    """Many messages at once: every one is stored, and every leaf has its own number."""
    results = together(8, lambda number: filed.say("reporter", f"pesan {number}"))
    assert results == [None] * 8
    said = {piece.body.get("text") for piece in filed.mailbox().pieces}
    assert {f"pesan {number}" for number in range(8)} <= said


def test_a_damaged_file_is_a_clean_refusal(bench: Bench) -> None:
    bench.office.engine.dispose()
    (bench.folder / "suaka.db").write_bytes(b"bukan basis data" * 4096)
    for suffix in ("-wal", "-shm"):
        (bench.folder / f"suaka.db{suffix}").unlink(missing_ok=True)
    with pytest.raises(Unavailable), bench.office.read() as uow:
        uow.session.execute(text('SELECT * FROM "case"'))


def test_the_clock_is_the_offices(bench: Bench) -> None:
    with bench.office.read() as uow:
        assert uow.now() == bench.clock.now
        assert uow.today().isoformat() == "2026-11-23"
        bench.clock.advance(hours=14, minutes=1)
        assert uow.today().isoformat() == "2026-11-24"


def test_secrets_of_the_office_are_not_shown(bench: Bench) -> None:
    assert repr(bench.office.pepper) not in repr(bench.office)
    assert bench.office.pepper.hex() not in repr(bench.office)
