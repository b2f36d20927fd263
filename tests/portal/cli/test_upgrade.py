"""``suaka migrate`` of an instance that version 3 of the schema made: its log gets its first key.

``older/version-3.tar.gz`` is such an instance, made by the program of that time: five officers who
had signed in, and one reporter, whose ticket and words lie beside it.
"""

import json
import shutil
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from casework.intake import mailbox, report, submit
from casework.keys import accounts, memory
from casework.keys.actor import Actor
from casework.keys.memory import Rollback, RolledBack
from casework.log import adoption, keys, leaf, tree
from casework.log.keys import LogKeysBroken
from casework.log.tables import Leaf, LogKeyRow
from casework.store.office import Office
from casework.tick import tick
from crypto import words as secret_words
from portal import wiring
from portal.cli import checks_log, checks_office
from portal.cli.options import close
from tests.portal.cli.archives import act_as
from tests.portal.cli.conftest import ROLES, Run
from tests.portal.cli.test_doctor import execute, lines

OLDER = Path(__file__).parent / "older" / "version-3.tar.gz"
LATER = datetime(2026, 11, 28, 3, tzinfo=UTC)
"""Two days after that instance was made."""


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("older")
    with tarfile.open(OLDER) as archive:
        archive.extractall(base, filter="data")
    for path in base.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return base


@pytest.fixture
def older(untouched: Path, tmp_path: Path) -> Path:
    """The instance as it was, for one test."""
    made = Path(shutil.copytree(untouched / "version-3", tmp_path / "instance"))
    made.chmod(0o700)
    return made


@pytest.fixture
def office(run: Run, older: Path) -> Iterator[Office]:
    """The instance after the upgrade."""
    answer = run("migrate", older)
    assert answer.exit_code == 0, answer.output
    opened, _ = wiring.load(older, lambda: LATER)
    yield opened
    close(opened)


@pytest.fixture
def words(untouched: Path) -> tuple[str, str]:
    told = json.loads((untouched / "reporter.json").read_text())
    return told["ticket"], " ".join(told["words"])


def reporter(office: Office, words: tuple[str, str]) -> Actor:
    ticket, typed = words
    cost = office.secret_key_kdf
    found = accounts.reporter_keys(office.instance_id, ticket, secret_words.decode(typed), cost)
    with office.read() as uow:
        actor = accounts.locate_and_unwrap(uow, found)
    assert actor is not None
    return actor


def visit(office: Office, actor: Actor) -> int:
    with office.read() as uow:
        return mailbox.read(uow, actor).watched.size


def test_the_log_gets_its_first_key_once_and_a_leaf_names_it(run: Run, older: Path) -> None:
    first = run("migrate", older)
    assert "schema 0003 -> 0004" in first.stdout
    assert "keep a copy of keys/log.key" in first.stdout
    key = older / "keys/log.key"
    assert key.stat().st_mode & 0o777 == 0o600
    secret = key.read_bytes()
    for _ in range(2):
        again = run("migrate", older)
        assert "first key" not in again.stdout
    assert key.read_bytes() == secret
    office, settings = wiring.load(older, lambda: LATER)
    try:
        with office.read() as uow:
            number = adoption.adopted_at(uow)
            assert number == tree.size(uow.session) - 1 == 2
            body = leaf.read(uow.session.get_one(Leaf, number)) or {}
            assert body["event"] == keys.CHANGED
            assert body[keys.FACT] == keys.load(uow).in_force.to_text()
        wiring.require_ready(office)
        assert tick(office).checkpoints == 1
        for check in (checks_office.log, checks_log.key, checks_log.published):
            assert {one.level for one in check(office, settings)} == {"ok"}
    finally:
        close(office)


@pytest.mark.parametrize("written", [False, True])
def test_cut_short_before_the_key_is_stored_it_serves_nobody_and_is_finished_later(
    run: Run, older: Path, *, written: bool
) -> None:
    """Whether or not the file was written: if it was, that key becomes the first one."""
    run("migrate", older)
    execute(older, "DELETE FROM log_key")
    execute(older, "DELETE FROM tree_node WHERE level = 0 AND position = 2")
    execute(older, "DELETE FROM leaf WHERE number = 2")
    key = older / "keys/log.key"
    before = key.read_bytes()
    if not written:
        key.unlink()
    assert "log has no key: run suaka migrate" in run("tick", older).stderr
    assert "this log has none yet: run suaka migrate" in lines(run, older, "bad", 1)
    assert "first key" in run("migrate", older).stdout
    assert (key.read_bytes() == before) is written
    assert run("tick", older).exit_code == 0


@pytest.mark.parametrize("event", [keys.CHANGED, "x"])
def test_a_log_that_had_a_key_gets_no_other_by_losing_it(run: Run, older: Path, event: str) -> None:
    """Neither by the rows nor by the file: whoever wants another one forges the whole log.

    What the leaf says that names the key decides, not the column that it is listed by.
    """
    run("migrate", older)
    (older / "keys/log.key").unlink()
    assert run("migrate", older).exit_code == 0
    assert not (older / "keys/log.key").exists()
    execute(older, "DELETE FROM log_key")
    execute(older, f"UPDATE leaf SET event = '{event}' WHERE number = 2")
    answer = run("migrate", older)
    assert answer.exit_code == 1
    assert "public key of the log" in answer.stderr
    assert not (older / "keys/log.key").exists()


def test_officers_memories_go_on_and_then_hold_the_key(office: Office) -> None:
    for role in ROLES:
        actor = act_as(office, role)
        with office.read() as uow:
            assert memory.recall(uow, actor).log_key == ""
            memory.check_and_update(uow, actor)
        with office.read() as uow:
            assert memory.recall(uow, actor).log_key == keys.load(uow).in_force.to_text()


def test_a_reporter_from_before_begins_a_memory_at_the_first_visit(
    office: Office, words: tuple[str, str]
) -> None:
    actor = reporter(office, words)
    assert visit(office, actor) == 0
    tick(office)
    assert visit(office, actor) == 256
    with office.read() as uow:
        kept = memory.recall(uow, actor)
        assert (kept.log_size, kept.log_key) == (256, keys.load(uow).in_force.to_text())
    with office.write() as uow:
        uow.session.connection().exec_driver_sql("DELETE FROM tree_node WHERE position > 100")
        uow.session.connection().exec_driver_sql("DELETE FROM checkpoint")
    with pytest.raises(RolledBack) as noticed:
        visit(office, actor)
    assert noticed.value.reason is Rollback.LOG_SHORTER


COLUMNS = {
    "as it is": "UPDATE leaf SET event = event",
    "the leaf of the first key under another event": "UPDATE leaf SET event = 'x' WHERE number = 2",
    "an older leaf under the case": "UPDATE leaf SET case_id ="
    " (SELECT case_id FROM leaf ORDER BY case_id IS NULL, number DESC LIMIT 1) WHERE number = 0",
}
"""What somebody writes into the columns that leaves are found by."""


@pytest.mark.parametrize("columns", COLUMNS)
def test_a_reporter_from_after_has_one_from_the_first_moment(
    office: Office, words: tuple[str, str], columns: str
) -> None:
    """Of who reported later, a memory that is gone is an alarm, as everywhere."""
    fields = {"position": "asn", "narrative": "Sesudah pembaruan."}
    token = submit.new_token()
    submit.submit(office, token, report.parse(office.profile, fields))
    with office.keystore.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM keyring_memory")
    assert visit(office, reporter(office, words)) == 0
    receipt = submit.again(office, token)
    assert receipt is not None
    later = reporter(office, (receipt.ticket, " ".join(receipt.words)))
    with office.write() as uow:
        keys.rotate(uow, bytes(range(32)))
        uow.session.connection().exec_driver_sql(COLUMNS[columns])
    with pytest.raises(RolledBack) as noticed:
        visit(office, later)
    assert noticed.value.reason is Rollback.MEMORY_MISSING


def test_in_a_log_that_began_with_a_key_no_later_leaf_excuses_a_lost_memory(
    founded: Path,
) -> None:
    office, _ = wiring.load(founded)
    try:
        with office.write() as uow:
            keys.rotate(uow, bytes(range(32)))
        with office.read() as uow:
            assert adoption.adopted_at(uow) is None
        with office.write() as uow:
            uow.session.delete(uow.session.get_one(Leaf, 0))
            uow.session.connection().exec_driver_sql("DELETE FROM log_key")
        with office.read() as uow:
            assert adoption.adopted_at(uow) is None
            with pytest.raises(LogKeysBroken):
                adoption.is_due(uow)
    finally:
        close(office)


def test_an_upgraded_log_is_sound(run: Run, older: Path, office: Office) -> None:
    """The audit knows the leaf by which an older log got its key, also after later changes."""
    with office.write() as uow:
        assert adoption.adopted_at(uow) is not None
        keys.rotate(uow, bytes(range(32)))
    answer = run("audit", "verify", older)
    assert answer.exit_code == 0, answer.output
    assert "SOUND" in answer.output
    with office.write() as uow:
        uow.session.execute(
            update(LogKeyRow).where(LogKeyRow.number == 1).values(handover=LogKeyRow.vkey)
        )
    assert run("audit", "verify", older).exit_code == 1
