"""``suaka doctor`` finds what is wrong: every check here is made bad once."""

import os
import shutil
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import text

from casework.calendar import holidays
from casework.handling import recount
from casework.keys import accounts, enrol
from casework.keys.actor import Actor
from casework.keys.vocabulary import TenureState
from casework.law.vocabulary import DayKind
from casework.log import checkpoints, witnesses
from casework.log.keys import LogKeyFile
from casework.store import engine as storage
from casework.store import schema
from casework.store.engine import open_engine
from casework.store.office import Office
from crypto.note import Kind, NoteSigner, SignedNote
from portal import wiring
from portal.cli import checks_files, checks_log, checks_office, instance
from portal.cli.options import close, opened
from portal.settings import load
from tests.casework.evidence import clamd
from tests.casework.office import FakeClock
from tests.portal.cli.conftest import PASSPHRASE, PRODUCTION, STRICT, Run, files_of, hold


def lines(run: Run, folder: Path, level: str, code: int, **environment: str) -> str:
    """What the doctor says at one level."""
    answer = run("doctor", folder, **environment)
    assert answer.exit_code == code, answer.output
    return "\n".join(line for line in answer.stdout.splitlines() if line.startswith(level))


def execute(folder: Path, *statements: str, database: str = "data/suaka.db") -> None:
    engine = open_engine(folder / database)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.commit()
        for statement in statements:
            assert connection.execute(text(statement)).rowcount != 0, "the attack changed nothing"
        connection.commit()
    engine.dispose()


def test_a_sound_instance_passes_and_is_not_changed(run: Run, founded: Path) -> None:
    before = files_of(founded / "data")
    assert lines(run, founded, "bad", 0) == ""
    said = lines(run, founded, "ok", 0)
    for what in (
        *("configuration", "file modes", "keys", "disk", "SQLite", "schema", "database file"),
        *("keystore file", "ceremony", "clock", "roster", "guardian", "Operator", "keystore"),
        *("log", "desks", "holidays"),
    ):
        assert f"ok   {what}" in said
    assert files_of(founded / "data") == before


@pytest.mark.parametrize("path", ["suaka.toml", "keys/pepper", "data", "run/sessions.db"])
@pytest.mark.parametrize("mode", [0o004, 0o020])
def test_what_others_can_reach_is_bad(run: Run, founded: Path, path: str, mode: int) -> None:
    (founded / path).chmod(0o600 | mode)
    assert f"file mode: {path} is open to other users" in lines(run, founded, "bad", 1)


def test_a_pepper_of_another_size_is_bad(run: Run, founded: Path) -> None:
    (founded / "keys" / "pepper").write_bytes(b"")
    assert "keys/pepper has not 32 bytes" in lines(run, founded, "bad", 1)


@pytest.mark.parametrize("name", ["keystore.db", "pepper"])
def test_keys_beside_the_database_are_bad(run: Run, founded: Path, name: str) -> None:
    shutil.copyfile(founded / "keys" / name, founded / "data" / name)
    (founded / "data" / name).chmod(0o600)
    assert f"{name} lies in data/" in lines(run, founded, "bad", 1)


def test_a_keys_folder_that_leads_into_data_is_bad(run: Run, founded: Path) -> None:
    (founded / "keys").rename(founded / "data" / "keys")
    (founded / "keys").symlink_to("data/keys")
    said = lines(run, founded, "bad", 1)
    assert "keystore.db lies in data/" in said
    assert "pepper lies in data/" in said


def test_a_disk_that_is_nearly_full_is_told(founded: Path) -> None:
    settings = load(founded, {})

    def levels(needed: int, wanted: int) -> list[str]:
        return [one.level for one in checks_files.space(founded, settings, needed, wanted)]

    huge = 1 << 62
    assert levels(huge, huge) == ["bad"]
    assert levels(1, huge) == ["warn"]
    assert levels(1, 1) == ["ok"]


def test_cheap_stretching_is_bad_in_production_and_told_elsewhere(run: Run, founded: Path) -> None:
    assert "costs.passphrase" in lines(run, founded, "warn", 0)
    production = {"SUAKA_INSTANCE_MODE": "production", **STRICT}
    said = lines(run, founded, "bad", 1, **production)
    assert "costs.passphrase: argon2id:m=8,t=1,p=1 is below" in said
    assert "costs.secret_key" in said


def test_production_without_tls_is_bad(run: Run, founded: Path) -> None:
    assert "web.tls is off" in lines(run, founded, "bad", 1, **PRODUCTION)
    secured = {"SUAKA_WEB_TLS": "true", "SUAKA_WEB_ORIGINS": "https://lapor.contoh.go.id"}
    said = run("doctor", founded, **PRODUCTION, **secured).stdout
    assert "web.tls" not in said
    assert "web.origins" not in said


def test_a_scanner_that_is_configured_must_answer(run: Run, founded: Path, tmp_path: Path) -> None:
    """Silent while none is configured; a dead one would leave every file unscanned unnoticed."""
    assert "scan:" not in run("doctor", founded).stdout
    (tmp_path / "clamd").mkdir()
    with clamd.running(tmp_path / "clamd") as daemon:
        configured = {"SUAKA_SCAN_SOCKET": daemon.address}
        assert "scan: ClamAV " in lines(run, founded, "ok", 0, **configured)
    said = lines(run, founded, "bad", 1, **configured)
    assert f"scan: no clamd answers at {daemon.address}" in said


def test_an_old_sqlite_is_bad(run: Run, founded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "sqlite_version", lambda: (3, 40, 1))
    assert "is too old: 3.51.3 is needed" in lines(run, founded, "bad", 1)


def test_a_pending_migration_is_bad_and_ends_the_look_inside(run: Run, founded: Path) -> None:
    execute(founded, "UPDATE alembic_version SET version_num = '0000'")
    answer = run("doctor", founded)
    assert answer.exit_code == 1
    wanted = schema.newest()
    assert f"bad  schema: 0000, this program wants {wanted}: run suaka migrate" in answer.stdout
    assert "roster" not in answer.stdout


def test_an_empty_database_is_bad(run: Run, founded: Path) -> None:
    (founded / "data" / "suaka.db").write_bytes(b"")
    assert "schema: empty" in lines(run, founded, "bad", 1)


def test_a_damaged_database_is_bad(run: Run, founded: Path) -> None:
    database = founded / "data" / "suaka.db"
    content = bytearray(database.read_bytes())
    for page in range(8, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = os.urandom(64)
    database.write_bytes(content)
    assert "database" in lines(run, founded, "bad", 1)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE roster SET body = replace(body, 'Contoh tim', 'Contoh tam')", "stored hash"),
        ("UPDATE roster SET signature = zeroblob(65)", "the signature is wrong"),
        ("DELETE FROM roster", "there is no entry"),
    ],
)
def test_a_roster_that_somebody_wrote_to_is_bad(
    run: Run, founded: Path, statement: str, told: str
) -> None:
    execute(founded, statement)
    said = lines(run, founded, "bad", 1)
    assert "the roster is refused at entry 1" in said
    assert told in said


def test_another_genesis_than_the_pinned_one_is_bad(run: Run, founded: Path) -> None:
    said = lines(run, founded, "bad", 1, SUAKA_INSTANCE_GENESIS="0" * 64)
    assert "not the genesis that the configuration pins" in said


def test_before_the_ceremony_it_is_bad(run: Run, enrolled: Path) -> None:
    assert "the key ceremony is missing" in lines(run, enrolled, "bad", 1)


def test_a_role_that_an_act_needs_and_nobody_holds_is_bad(run: Run, enrolled: Path) -> None:
    instance.install(enrolled, hold(enrolled, ("inspektur", "irban")))
    said = lines(run, enrolled, "bad", 1)
    assert "Operator: nobody holds it" in said
    assert "reports cannot be received now" in said
    assert "Pengawas: nobody holds it" in lines(run, enrolled, "warn", 1)


@pytest.mark.parametrize(
    ("days", "told"),
    [(-2, "but the log was written to on"), (-9000, "is in the past: set the clock")],
)
def test_a_clock_that_is_behind_is_bad(founded: Path, days: int, told: str) -> None:
    office, settings = wiring.load(founded, lambda: wiring.utc_now() + timedelta(days=days))
    try:
        (found,) = checks_office.clock(office, settings)
    finally:
        close(office)
    assert found.level == "bad"
    assert told in found.text


def test_a_guardian_who_left_is_bad(run: Run, founded: Path) -> None:
    leave(founded, "inspektur")
    said = lines(run, founded, "bad", 1)
    assert "guardian: not in office" in said
    assert "reports cannot be received now" in said


def leave(folder: Path, username: str) -> None:
    """End an officer's tenure, signed by another Inspektur who was approved before."""
    applicant = enrol.Applicant(
        "kedua", "Contoh Kedua", "Inspektur", ("inspektur",), PASSPHRASE.format("kedua")
    )
    with opened(folder) as (office, _):
        part = enrol.enrol(office, applicant)
        first = signed_in(office, "inspektur")
        with office.write() as uow:
            enrol.approve(uow, first, [part.record(uow.today())], "SK")
        second = signed_in(office, "kedua")
        with office.write() as uow:
            gone = next(one for one in enrol.enrolled(uow) if one.handle == username)
            record = gone.record(uow.today(), state=TenureState.LEFT)
            enrol.approve(uow, second, [record], "Mutasi")


def signed_in(office: Office, username: str) -> Actor:
    keys = accounts.officer_keys(office, username, PASSPHRASE.format(username))
    with office.read() as uow:
        actor = accounts.locate_and_unwrap(uow, keys)
    assert actor is not None
    return actor


def test_a_case_without_its_key_is_bad(run: Run, founded: Path) -> None:
    execute(founded, "DELETE FROM shred_key", database="keys/keystore.db")
    assert "1 cases have no key" in lines(run, founded, "bad", 1)


def test_a_key_of_another_version_is_bad(run: Run, founded: Path) -> None:
    execute(founded, "UPDATE shred_key SET version = 7", database="keys/keystore.db")
    assert "an old copy" in lines(run, founded, "bad", 1)


def test_a_key_of_no_case_is_told(run: Run, founded: Path) -> None:
    added = f"INSERT INTO shred_key VALUES ('{'e' * 32}', 1, zeroblob(32))"
    execute(founded, added, database="keys/keystore.db")
    assert "1 keys belong to no case" in lines(run, founded, "warn", 0)


def test_a_case_that_was_taken_off_the_desks_is_bad(run: Run, founded: Path) -> None:
    execute(founded, "DELETE FROM desk_entry")
    assert "desks: 1 cases are not listed as their keys are held" in lines(run, founded, "bad", 1)
    assert run("tick", founded).exit_code == 0
    assert lines(run, founded, "bad", 0) == ""


def test_ephemeral_files_on_a_disk_are_bad_in_production_and_told_elsewhere(
    run: Run, founded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exact times of visits must not outlive the machine's power."""
    monkeypatch.setattr(checks_files, "_is_tmpfs", lambda _path: False)
    assert "run/ is on a disk" in lines(run, founded, "warn", 0)
    assert "run/ is on a disk" in lines(run, founded, "bad", 1, **PRODUCTION)


def test_missing_collective_leave_is_bad(run: Run, founded: Path) -> None:
    execute(founded, "DELETE FROM holiday WHERE kind = 'cuti_bersama'")
    assert "no cuti bersama for" in lines(run, founded, "bad", 1)


def test_collective_leave_of_this_year_alone_is_told(run: Run, founded: Path) -> None:
    with opened(founded) as (office, _), office.write() as uow:
        year = uow.today().year
        later = [
            (day, kind)
            for day, kind, _ in holidays.rows_of(uow.session, holidays.SEEDED)
            if kind is DayKind.CUTI_BERSAMA and day.year > year
        ]
        recount.change(uow, [], later, "SKB")
    assert f"no cuti bersama entered after {year}" in lines(run, founded, "warn", 0)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM leaf WHERE number = 0", "missing: 1; the first: leaf 0"),
        ("UPDATE leaf SET body = '{}' WHERE number = 0", "changed: 1; the first: leaf 0"),
        ("UPDATE leaf SET actor = 'f' WHERE number = 0", "changed: 1; the first: leaf 0"),
    ],
)
def test_a_log_that_was_written_to_is_bad(
    run: Run, founded: Path, statement: str, said: str
) -> None:
    execute(founded, statement)
    assert said in lines(run, founded, "bad", 1)


def ticked(folder: Path, periods: int = 1) -> None:
    """Publish so many checkpoints, the last one in this period."""
    with opened(folder) as (office, _):
        for back in reversed(range(periods)):
            then = FakeClock(wiring.utc_now() - timedelta(hours=6 * back))
            with replace(office, clock=then).write() as uow:
                assert checkpoints.publish_due(uow) is not None


def of_log(folder: Path, **later: float) -> dict[str, str]:
    """What is said of checkpoints and witnesses so much later, by level."""
    office, settings = wiring.load(folder, lambda: wiring.utc_now() + timedelta(**later))
    try:
        checks = (checks_log.published, checks_log.watched)
        return {one.text: one.level for check in checks for one in check(office, settings)}
    finally:
        close(office)


def level(found: dict[str, str], said: str) -> str:
    (text,) = [text for text in found if said in text]
    return found[text]


class TestTheLog:
    def test_before_the_ceremony_there_is_none_to_look_at(self, enrolled: Path) -> None:
        assert of_log(enrolled) == {}

    def test_a_key_that_is_gone_or_another_is_bad(self, run: Run, founded: Path) -> None:
        assert "log key: " in lines(run, founded, "ok", 0)
        path = founded / "keys/log.key"
        path.rename(founded / "keys/log.key.new")
        assert "log key: " in lines(run, founded, "ok", 0)
        (founded / "keys/log.key.new").unlink()
        assert "keys/log.key is missing" in lines(run, founded, "bad", 1)
        LogKeyFile(path).make("0123456789abcdef0123456789abcdef", bytes(32))
        assert "keys/log.key is missing or holds another" in lines(run, founded, "bad", 1)

    def test_a_table_of_keys_that_was_written_to_is_bad(self, run: Run, founded: Path) -> None:
        execute(founded, "UPDATE log_key SET vkey = replace(vkey, 'catatan', 'catatan2')")
        assert "a public key of the log is stored" in lines(run, founded, "bad", 1)
        execute(founded, "DELETE FROM log_key")
        assert "a public key of the log is stored" in lines(run, founded, "bad", 1)

    def test_a_log_key_beside_the_database_is_bad(self, run: Run, founded: Path) -> None:
        shutil.copyfile(founded / "keys/log.key", founded / "data/log.key")
        (founded / "data/log.key").chmod(0o600)
        assert "log.key lies in data/" in lines(run, founded, "bad", 1)

    def test_a_checkpoint_that_is_late_is_told(self, founded: Path) -> None:
        assert level(of_log(founded), "none is published yet") == "warn"
        ticked(founded)
        assert level(of_log(founded), "size 256, one every 6 hours") == "ok"
        assert level(of_log(founded, hours=14), "late: is suaka tick running?") == "warn"

    def test_a_clock_behind_the_newest_checkpoint_is_bad(self, founded: Path) -> None:
        ticked(founded)
        assert level(of_log(founded, hours=-6), "behind the newest checkpoint") == "bad"

    def test_a_period_with_more_acts_than_it_hides_is_told(self, founded: Path) -> None:
        ticked(founded, 3)
        assert not any("raise log.leaves" in text for text in of_log(founded))
        execute(founded, "UPDATE checkpoint SET size = 511 WHERE size = 512")
        assert level(of_log(founded), "1 periods of the last 30 days had more acts") == "warn"

    def test_a_checkpoint_of_another_log_is_bad(self, founded: Path) -> None:
        ticked(founded)
        execute(founded, "UPDATE checkpoint SET signed = replace(signed, '256', '255')")
        assert level(of_log(founded), "is not of this log") == "bad"

    def test_witnesses(self, founded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """None, one that never signed, one that has, and one that went silent."""
        ticked(founded)
        assert level(of_log(founded), "none is configured") == "warn"
        signer = NoteSigner("saksi.example", Kind.WITNESS, bytes(32))
        known = f"{signer.key.to_text()} https://saksi.example"
        monkeypatch.setenv("SUAKA_LOG_WITNESSES", known)
        never = of_log(founded)
        assert level(never, "saksi.example has never signed anything: was it given") == "warn"
        assert not any("nothing since" in text or "1 have signed" in text for text in never)
        with opened(founded) as (office, _), office.write() as uow:
            (row,) = checkpoints.rows(uow)
            text = SignedNote.from_text(row.signed).text
            now = int(wiring.utc_now().timestamp())
            witnesses.accept(uow, signer.sign(text, now).to_line().encode())
        found = of_log(founded)
        assert level(found, "1 of 1 have signed the newest checkpoint") == "ok"
        assert not any("has never signed" in text for text in found)
        assert level(of_log(founded, days=3), "has signed nothing since 20") == "warn"

    def test_a_witness_that_counts_milliseconds(
        self, founded: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Such a line may be kept already: the look does not break, and it does not count."""
        ticked(founded)
        signer = NoteSigner("saksi.example", Kind.WITNESS, bytes(32))
        monkeypatch.setenv("SUAKA_LOG_WITNESSES", f"{signer.key.to_text()} https://saksi.example")
        with opened(founded) as (office, _), office.write() as uow:
            (row,) = checkpoints.rows(uow)
            now = int(wiring.utc_now().timestamp() * 1000)
            row.signed += signer.sign(SignedNote.from_text(row.signed).text, now).to_line()
        assert level(of_log(founded), "saksi.example has never signed anything") == "warn"

    def test_a_tick_names_a_witness_that_signed_another_log(self, run: Run, founded: Path) -> None:
        """The doctor cannot: what a witness refuses is stored nowhere."""

        class Refusing(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(422)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        key = NoteSigner("saksi.example", Kind.WITNESS, bytes(32)).key.to_text()
        with HTTPServer(("127.0.0.1", 0), Refusing) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            known = f"{key} http://127.0.0.1:{server.server_port}"
            answer = run("tick", founded, SUAKA_LOG_WITNESSES=known)
            server.shutdown()
        assert answer.exit_code == 0
        assert "the witness saksi.example has signed a log that this one does not continue" in (
            answer.stderr
        )
        assert "saksi.example" not in answer.stdout
