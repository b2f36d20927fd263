"""What time alone brings about: a tick forgets what is over, and nothing else."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from casework.case.tables import Case
from casework.errors import Expired, Untrustworthy
from casework.intake import submit
from casework.intake.windows import ReceiptWindows
from casework.keys.sessions import Kind
from casework.log import checkpoints
from casework.log.asking import Outcome
from casework.log.keys import LogKeyMissing
from casework.log.witnesses import Witness
from casework.store.engine import Unavailable, truncate_wal
from casework.store.keystore import Keystore
from casework.tick import Done, check_keys, tick
from tests.casework.cases import Filed, file_report, inbox, reopened, report_of, together
from tests.casework.log.panel import (
    Panel,
    dead,
    honest,
    keeper_of,
    standing,
    stranger,
    witnessed_by,
)
from tests.casework.office import Bench, bare_office, sign_in

NOTHING = Done(receipts=0, sessions=0, shred_keys=0, desks=0, devices=0, parts=0)
UNKNOWN_CASE = "f" * 32


def key_of(bench: Bench, case_id: str, version: int) -> bytes | None:
    return bench.office.keystore.shred_key(case_id, version)


def test_a_tick_with_nothing_due_does_nothing(filed: Filed) -> None:
    assert tick(filed.bench.office) == NOTHING
    assert filed.scalar('SELECT receipt_open FROM "case" WHERE id = :case')


def test_a_receipt_closes_when_its_window_is_over_and_once(filed: Filed) -> None:
    bench = filed.bench
    bench.clock.advance(minutes=29)
    assert tick(bench.office) == NOTHING
    bench.clock.advance(minutes=2)
    assert tick(bench.office).receipts == 1
    assert not filed.scalar('SELECT receipt_open FROM "case" WHERE id = :case')
    with pytest.raises(Expired):
        submit.submit(bench.office, filed.token, report_of(bench.office))
    assert tick(bench.office) == NOTHING


def test_sessions_that_are_over_are_swept(bench: Bench) -> None:
    sessions, person = bench.office.sessions, bench["operator"]
    now = int(bench.clock().timestamp())
    sessions.open(Kind.STAFF, person.person_id, person.person.seed, now)
    bench.clock.advance(minutes=10)
    later = int(bench.clock().timestamp())
    cookie = sessions.open(Kind.STAFF, person.person_id, person.person.seed, later)
    bench.clock.advance(minutes=6)
    assert tick(bench.office).sessions == 1
    assert sessions.resume(cookie, int(bench.clock().timestamp())) is not None
    assert tick(bench.office) == NOTHING


def test_a_replaced_shred_key_is_forgotten_beside_the_one_in_force(filed: Filed) -> None:
    """The process died after the commit and before the old key was dropped."""
    bench = filed.bench
    old = key_of(bench, filed.case_id, 1)
    filed.bring_to("terkirim")
    version = int(filed.scalar('SELECT shred_version FROM "case" WHERE id = :case'))
    assert version > 1
    put_back(bench.office.keystore, filed.case_id, 1, old)
    assert tick(bench.office).shred_keys == 1
    assert key_of(bench, filed.case_id, 1) is None
    assert key_of(bench, filed.case_id, version) is not None
    assert filed.offered("verifikator")
    assert tick(bench.office) == NOTHING


def test_a_new_key_of_an_act_that_never_committed_is_forgotten(filed: Filed) -> None:
    bench = filed.bench
    bench.office.keystore.new_shred_key(filed.case_id, 2)
    bench.office.keystore.forget_pending()
    assert tick(bench.office).shred_keys == 1
    assert key_of(bench, filed.case_id, 2) is None
    assert key_of(bench, filed.case_id, 1) is not None


def test_a_case_that_was_taken_off_the_desks_comes_back(filed: Filed) -> None:
    """Whoever writes the database hides a case until the next tick, and not for ever."""
    filed.tamper("DELETE FROM desk_entry")
    assert inbox(filed.bench, "inspektur") == []
    assert tick(filed.bench.office).desks == 1
    assert inbox(filed.bench, "inspektur") == [filed.case_id]
    assert tick(filed.bench.office) == NOTHING


def test_a_receipt_whose_window_a_reboot_lost_closes_the_day_after(filed: Filed) -> None:
    """Nothing keeps the words readable from a form that was left somewhere."""
    bench = filed.bench
    office = replace(bench.office, windows=ReceiptWindows(bench.folder / "rebooted.db"))
    assert tick(office) == NOTHING
    bench.clock.advance(days=1)
    assert tick(office).receipts == 1
    with pytest.raises(Expired):
        submit.again(office, filed.token)
    assert tick(office) == NOTHING


def test_a_log_that_cannot_be_emptied_is_told(filed: Filed) -> None:
    """A tick does not claim that what was deleted has left the disk while it has not."""
    engine = filed.bench.office.engine
    with engine.connect() as reader:
        reader.execute(select(Case.id)).all()
        filed.say("reporter", "sesudah itu")
        with pytest.raises(Unavailable):
            tick(filed.bench.office)
    assert tick(filed.bench.office) == NOTHING


def put_back(keystore: Keystore, case_id: str, version: int, key: bytes | None) -> None:
    with keystore.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO shred_key VALUES (?, ?, ?)", (case_id, version, key)
        )


def restored(bench: Bench, backup: Path) -> None:
    """Put yesterday's database in the place of today's."""
    bench.office.engine.dispose()
    shutil.copyfile(backup, bench.folder / "suaka.db")


def test_a_tick_over_an_old_database_destroys_no_key_of_todays(
    filed: Filed, tmp_path: Path
) -> None:
    """Whoever puts back a wrong backup can still put back the right one."""
    bench, today, yesterday = filed.bench, tmp_path / "today.db", tmp_path / "yesterday.db"
    truncate_wal(bench.office.engine)
    shutil.copyfile(bench.folder / "suaka.db", yesterday)
    filed.bring_to("terkirim")
    newer = file_report(bench, "Laporan sesudah cadangan dibuat.")
    truncate_wal(bench.office.engine)
    shutil.copyfile(bench.folder / "suaka.db", today)

    restored(bench, yesterday)
    assert tick(bench.office).shred_keys == 0
    with bench.office.read() as uow:
        found = check_keys(uow)
    assert found.ahead == {filed.case_id}
    assert found.unnamed == {newer.case_id}

    restored(bench, today)
    assert filed.offered("verifikator")
    assert newer.offered("operator")
    with bench.office.read() as uow:
        assert not any(vars(check_keys(uow)).values())


def test_a_case_without_any_key_is_told(filed: Filed) -> None:
    filed.bench.office.keystore.shred(filed.case_id)
    with filed.bench.office.read() as uow:
        assert check_keys(uow).lost == {filed.case_id}


def test_what_was_deleted_leaves_the_write_ahead_logs(filed: Filed) -> None:
    bench = filed.bench
    key = bench.office.keystore.new_shred_key(UNKNOWN_CASE, 1)
    bench.office.keystore.forget_pending()
    secret = b"kanari-di-basis-data"
    with bench.office.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE canary (value BLOB)")
        connection.exec_driver_sql("INSERT INTO canary VALUES (?)", (secret,))
    assert any(secret in part.read_bytes() for part in bench.folder.glob("suaka.db*"))
    assert any(key in part.read_bytes() for part in bench.folder.glob("keystore.db*"))
    with bench.office.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM canary")
    with bench.office.keystore.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM shred_key WHERE case_id = ?", (UNKNOWN_CASE,))
    assert secret in (bench.folder / "suaka.db-wal").read_bytes()
    assert key in (bench.folder / "keystore.db-wal").read_bytes()

    tick(bench.office)
    for part in bench.folder.iterdir():
        assert secret not in part.read_bytes()
        assert key not in part.read_bytes()


def test_two_processes_tick_at_once(filed: Filed) -> None:
    """Nothing is counted twice, nobody fails."""
    bench = filed.bench
    bench.clock.advance(minutes=31)
    offices = [bench.office, reopened(replace(bench.office), bench.folder)]
    done = together(2, lambda number: tick(offices[number]))
    assert all(isinstance(one, Done) for one in done)
    assert sum(one.receipts for one in done if isinstance(one, Done)) == 1


def published(bench: Bench) -> list[int]:
    with bench.office.read() as uow:
        return [row.size for row in checkpoints.rows(uow)]


def test_a_tick_publishes_once_a_period_and_asks_the_witnesses(bench: Bench) -> None:
    keeper, panel = keeper_of(bench, "saksi.example"), Panel()
    panel.replies["https://saksi.example"] = honest(keeper, bench)
    office = witnessed_by(bench, panel, Witness(keeper.key, "https://saksi.example"))
    for expected in ([256], [256, 512]):
        assert tick(office).checkpoints == 1
        assert tick(office).checkpoints == 0
        assert published(bench) == expected
        assert standing(bench).cosigned == 1
        bench.clock.advance(hours=6)
    assert panel.olds() == [0, 256]


def test_a_witness_that_is_away_fails_no_tick_and_is_asked_again(bench: Bench) -> None:
    keeper, panel = keeper_of(bench, "saksi.example"), Panel()
    panel.replies["https://saksi.example"] = dead
    office = witnessed_by(bench, panel, Witness(keeper.key, "https://saksi.example"))
    assert tick(office).checkpoints == 1
    panel.replies["https://saksi.example"] = honest(keeper, bench)
    assert standing(bench).cosigned == 0
    assert tick(office).checkpoints == 0
    assert standing(bench).cosigned == 1


def test_before_the_log_begins_nothing_is_published(tmp_path: Path) -> None:
    bench = bare_office(tmp_path / "bare")
    assert tick(bench.office) == NOTHING
    assert published(bench) == []
    bench.office.engine.dispose()
    bench.office.keystore.engine.dispose()


def test_what_witnesses_refuse_is_told_of_each(bench: Bench) -> None:
    """One is away, the other has signed what an old copy, put back since, does not know."""
    keeper, panel = keeper_of(bench, "saksi.example"), Panel()
    panel.replies = {
        "https://saksi.example": honest(keeper, bench),
        "https://jauh.example": dead,
    }
    known = (
        Witness(keeper.key, "https://saksi.example"),
        Witness(stranger("jauh.example").key, "https://jauh.example"),
    )
    office = witnessed_by(bench, panel, *known)
    assert tick(office).asked == {
        "saksi.example": Outcome.SIGNED,
        "jauh.example": Outcome.UNREACHABLE,
    }
    with office.write() as uow:
        connection = uow.session.connection()
        for table in ("checkpoint", "padding"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        connection.exec_driver_sql(
            "DELETE FROM tree_node WHERE position >= (SELECT count(*) FROM leaf) >> level"
        )
    bench.clock.advance(hours=6)
    for _ in range(2):
        assert tick(office).asked["saksi.example"] is Outcome.FORKED


def test_without_the_logs_key_everything_else_goes_on(filed: Filed) -> None:
    """The tick says so, after it has done the rest; reports are still received, and opened."""
    bench = filed.bench
    keeper, panel = keeper_of(bench, "saksi.example"), Panel()
    panel.replies["https://saksi.example"] = honest(keeper, bench)
    office = witnessed_by(bench, panel, Witness(keeper.key, "https://saksi.example"))
    assert tick(replace(office, ask=None)).checkpoints == 1
    key = office.log_key.path.read_bytes()
    office.log_key.path.unlink()
    bench.clock.advance(hours=6)
    with pytest.raises(LogKeyMissing):
        tick(office)
    assert not filed.scalar('SELECT receipt_open FROM "case" WHERE id = :case')
    assert standing(bench).cosigned == 1
    other = file_report(bench, "Kunci catatan hilang, laporan tetap diterima.")
    assert other.offered("operator")
    assert other.mailbox().watched.size == 256
    sign_in(bench.office, "operator")
    office.log_key.path.write_bytes(key)
    assert tick(office).checkpoints == 1
    assert published(bench) == [256, 512]


def test_two_processes_publish_one_checkpoint(bench: Bench) -> None:
    """The server's own tick, and a timer's ``suaka tick``."""
    offices = [bench.office, reopened(replace(bench.office), bench.folder)]
    done = together(2, lambda number: tick(offices[number]))
    assert sorted(one.checkpoints for one in done if isinstance(one, Done)) == [0, 1]
    assert published(bench) == [256]


def test_a_damaged_log_is_told_after_the_rest_is_done(filed: Filed) -> None:
    bench = filed.bench
    filed.tamper("DELETE FROM tree_node WHERE level = 1")
    bench.clock.advance(minutes=31)
    with pytest.raises(Untrustworthy):
        tick(bench.office)
    assert not filed.scalar('SELECT receipt_open FROM "case" WHERE id = :case')
