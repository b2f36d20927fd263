"""``suaka restore``: everything is checked before anything is replaced; then people must know."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, text

from casework.handling import acts, casefile, desk
from casework.intake import report, submit
from casework.keys import confirmations, enrol, factors
from casework.keys.memory import RolledBack
from casework.keys.vocabulary import TenureState
from casework.law.engine import Facts
from casework.log.tables import Leaf
from casework.store.backup.make import Order, make
from casework.store.keystore import SHRED_KEYS
from casework.store.office import Office
from crypto.age import HybridIdentity, HybridRecipient
from portal.cli import instance
from portal.cli.options import opened
from portal.settings import CostSection, InstanceSection
from tests.e2e.server import Server
from tests.portal.cli.archives import ALONE, Vault, act_as, big_file, kill_when, sign_in
from tests.portal.cli.conftest import CHEAP, PASSPHRASE, ROLES, STRICT, Run, files_of, hold

Pair = tuple[Path, Path]


@pytest.fixture
def vault(founded: Path, tmp_path: Path, run: Run) -> Vault:
    made = Vault(run, founded, tmp_path)
    made.make_key()
    return made


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere"


def file_report(folder: Path) -> None:
    with opened(folder, ready=True) as (office, _):
        fields = {"position": "asn", "narrative": "Satu lagi yang dibawa pulang."}
        submit.submit(office, submit.new_token(), report.parse(office.profile, fields))


def reject(folder: Path) -> None:
    """Let the operator act on every case: its shred key is replaced."""
    with opened(folder, ready=True) as (office, _):
        operator = act_as(office, "operator")
        with office.read() as uow:
            rows = desk.page(uow, operator.person_id, desk.Filters()).rows
            revisions = [casefile.read(uow, operator, row.case_id).revision for row in rows]
        for row, revision in zip(rows, revisions, strict=True):
            with office.write() as uow:
                facts = Facts(reason="bukan kewenangan")
                acts.perform(uow, operator, row.case_id, revision, "reject", facts)


def join(folder: Path, username: str) -> None:
    with opened(folder, ready=True) as (office, _):
        applicant = enrol.Applicant(
            username, f"Contoh {username}", "Jabatan", ("operator",), PASSPHRASE.format(username)
        )
        part = enrol.enrol(office, applicant)
        inspektur = act_as(office, "inspektur")
        with office.write() as uow:
            enrol.approve(uow, inspektur, [part.record(uow.today())], "SK masuk")


def leave(folder: Path, username: str) -> None:
    with opened(folder, ready=True) as (office, _):
        inspektur = act_as(office, "inspektur")
        with office.write() as uow:
            part = next(one for one in enrol.enrolled(uow) if one.handle == username)
            left = part.record(uow.today(), state=TenureState.LEFT)
            enrol.approve(uow, inspektur, [left], "SK keluar")


def events(folder: Path) -> list[str]:
    with opened(folder, ready=True) as (office, _), office.read() as uow:
        return list(uow.session.scalars(text("SELECT event FROM leaf ORDER BY number")))


def restored(vault: Vault, pair: Pair, folder: Path, *more: object) -> str:
    answer = vault.run(*vault.restoring(pair, folder, *more))
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def refused(vault: Vault, args: list[object], folder: Path) -> str:
    """Refused in words; nothing is there that was not there before."""
    beside = sorted(path.name for path in folder.parent.iterdir())
    answer = vault.run(*args)
    assert answer.exit_code == 1, answer.output
    assert sorted(path.name for path in folder.parent.iterdir()) == beside
    return answer.stderr


def foreign(folder: Path) -> Path:
    """Another instance, after its own ceremony."""
    section = InstanceSection(id="f" * 32, name="Kantor Lain", profile="badung", mode="demo")
    folder.mkdir(0o700)
    instance.create(folder, section, CostSection(passphrase=CHEAP, secret_key=CHEAP))
    with opened(folder) as (office, _):
        for role in ROLES:
            enrol.enrol(
                office,
                enrol.Applicant(
                    role, f"Contoh {role}", "Jabatan", (role,), PASSPHRASE.format(role)
                ),
            )
    instance.install(folder, hold(folder))
    return folder


def with_schema(vault: Vault, revision: str) -> Pair:
    """A backup that another version of the program made."""
    with opened(vault.folder) as (office, _):
        with office.engine.begin() as connection:
            change = text("UPDATE alembic_version SET version_num = :revision")
            connection.execute(change, {"revision": revision})
        return backed_up(vault, office)


def backed_up(vault: Vault, office: Office) -> Pair:
    recipient = HybridRecipient.from_string(vault.recipient)
    made = make(office, Order(vault.folder, vault.to, vault.keys_to, [recipient], "0.1.0"))
    return made.data, made.keys


class TestElsewhere:
    def test_the_restored_instance_is_sound_and_whole(self, vault: Vault, elsewhere: Path) -> None:
        restored(vault, vault.back_up(), elsewhere)
        assert list((elsewhere / "run").iterdir()) == []
        examined = vault.run("doctor", elsewhere)
        found = [line for line in examined.stdout.splitlines() if line.startswith("bad")]
        assert found == []
        assert elsewhere.stat().st_mode & 0o777 == 0o700
        assert {path.name for path in elsewhere.iterdir()} == {"suaka.toml", "data", "keys", "run"}
        for username in ("operator", "inspektur"):
            assert sign_in(elsewhere, username).explained is None

    def test_it_says_where_it_went_back_to(self, vault: Vault, elsewhere: Path) -> None:
        told = restored(vault, vault.back_up(), elsewhere)
        with opened(vault.folder) as (office, _), office.read() as uow:
            today = uow.today()
        assert f"roster version 1 of {today} (SK contoh)" in told
        assert f"2 leaves of the log, the last of {today}" in told
        with opened(vault.folder) as (office, settings):
            assert f"genesis {settings.instance.genesis}" in told
            assert office.instance_id in told

    def test_the_log_says_so_too(self, vault: Vault, elsewhere: Path) -> None:
        restored(vault, vault.back_up(), elsewhere)
        assert events(elsewhere) == [*events(vault.folder), "restored"]
        with opened(elsewhere) as (office, _), office.read() as uow:
            leaf = uow.session.get(Leaf, 2)
            assert leaf is not None
            assert leaf.actor == "system"
            assert '"roster":1' in (leaf.body or "")
            assert '"size":2' in (leaf.body or "")

    def test_an_empty_folder_may_be_there_already(self, vault: Vault, elsewhere: Path) -> None:
        (elsewhere / "run").mkdir(parents=True)
        restored(vault, vault.back_up(), elsewhere)
        sign_in(elsewhere, "operator")

    def test_a_folder_with_something_in_it_is_refused(self, vault: Vault, elsewhere: Path) -> None:
        elsewhere.mkdir()
        (elsewhere / "surat.txt").write_text("penting")
        told = refused(vault, vault.restoring(vault.back_up(), elsewhere), elsewhere)
        assert "not empty" in told
        assert [path.name for path in elsewhere.iterdir()] == ["surat.txt"]


class TestWhatDoesNotFit:
    def test_another_identity(self, vault: Vault, elsewhere: Path) -> None:
        pair = vault.back_up()
        vault.identity.write_text(HybridIdentity.generate().to_string() + "\n")
        told = refused(vault, vault.restoring(pair, elsewhere), elsewhere)
        assert "not for this identity" in told

    @pytest.mark.parametrize("content", ["", "# nothing\n", "AGE-SECRET-KEY-1ABC\n", "\x80\n"])
    def test_no_identity_at_all(self, vault: Vault, elsewhere: Path, content: str) -> None:
        vault.identity.write_text(content, "latin-1")
        told = refused(vault, vault.restoring(vault.back_up(), elsewhere), elsewhere)
        assert "holds no identity" in told

    @pytest.mark.parametrize("which", [0, 1])
    @pytest.mark.parametrize("how", ["flipped", "cut"])
    def test_a_damaged_archive(self, vault: Vault, elsewhere: Path, which: int, how: str) -> None:
        pair = vault.back_up()
        content = bytearray(pair[which].read_bytes())
        content[-5000] ^= 1
        pair[which].write_bytes(content if how == "flipped" else content[:-20])
        told = refused(vault, vault.restoring(pair, elsewhere), elsewhere)
        assert "changed or cut short" in told

    def test_the_two_exchanged(self, vault: Vault, elsewhere: Path) -> None:
        data, keys = vault.back_up()
        told = refused(vault, vault.restoring((keys, data), elsewhere), elsewhere)
        assert "not an archive of keys" in told

    def test_keys_older_than_a_report(self, vault: Vault, elsewhere: Path) -> None:
        _, old = vault.back_up()
        file_report(vault.folder)
        data, right = vault.back_up()
        told = refused(vault, vault.restoring((data, old), elsewhere), elsewhere)
        assert "1 cases could not be opened" in told
        assert right.name in told

    def test_keys_older_than_an_act(self, vault: Vault, elsewhere: Path) -> None:
        _, old = vault.back_up()
        reject(vault.folder)
        data, right = vault.back_up()
        told = refused(vault, vault.restoring((data, old), elsewhere), elsewhere)
        assert "1 cases could not be opened" in told
        assert right.name in told

    def test_keys_newer_than_an_act(self, vault: Vault, elsewhere: Path) -> None:
        """The old key is gone with the act: what crypto-shredding is for."""
        data, right = vault.back_up()
        reject(vault.folder)
        _, new = vault.back_up()
        told = refused(vault, vault.restoring((data, new), elsewhere), elsewhere)
        assert right.name in told

    def test_keys_older_than_an_officer(self, vault: Vault, elsewhere: Path) -> None:
        _, old = vault.back_up()
        join(vault.folder, "baru")
        data, _ = vault.back_up()
        told = refused(vault, vault.restoring((data, old), elsewhere), elsewhere)
        assert "1 officers could not sign in" in told

    def test_keys_of_another_instance(self, vault: Vault, elsewhere: Path, tmp_path: Path) -> None:
        data, _ = vault.back_up()
        other = foreign(tmp_path / "other")
        (tmp_path / "second").mkdir()
        second = Vault(vault.run, other, tmp_path / "second")
        second.make_key()
        second.recipient = vault.recipient
        _, keys = second.back_up()
        told = refused(vault, vault.restoring((data, keys), elsewhere), elsewhere)
        assert "keys are those of another instance" in told

    def test_expired_keys(self, vault: Vault, elsewhere: Path) -> None:
        with opened(vault.folder, ready=True) as (office, _):
            past = replace(office, clock=lambda: office.clock() - timedelta(days=31))
            pair = backed_up(vault, past)
        told = refused(vault, vault.restoring(pair, elsewhere), elsewhere)
        assert "expired on" in told
        assert "--expired" in told
        restored(vault, pair, elsewhere, "--expired")

    def test_a_log_with_a_hole(self, vault: Vault, elsewhere: Path) -> None:
        file_report(vault.folder)
        with opened(vault.folder) as (office, _), office.engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.execute(text("UPDATE leaf SET body = body || ' ' WHERE number = 1"))
        told = refused(vault, vault.restoring(vault.back_up(), elsewhere), elsewhere)
        assert "log in the archive is not whole" in told

    def test_a_roster_with_another_signature(self, vault: Vault, elsewhere: Path) -> None:
        with opened(vault.folder) as (office, _), office.engine.begin() as connection:
            connection.execute(text("UPDATE roster SET signature = randomblob(65)"))
        told = refused(vault, vault.restoring(vault.back_up(), elsewhere), elsewhere)
        assert "roster is refused at entry 1" in told

    def test_another_genesis_than_the_settings_pin(self, vault: Vault, elsewhere: Path) -> None:
        pair = vault.back_up()
        answer = vault.run(*vault.restoring(pair, elsewhere), SUAKA_INSTANCE_GENESIS="0" * 64)
        assert answer.exit_code == 1
        assert "another instance" in answer.stderr
        assert not elsewhere.exists()

    def test_a_key_that_is_gone_from_the_instance_itself(
        self, vault: Vault, elsewhere: Path
    ) -> None:
        with opened(vault.folder) as (office, _), office.keystore.engine.begin() as connection:
            connection.execute(delete(SHRED_KEYS))
        told = refused(vault, vault.restoring(vault.back_up(), elsewhere), elsewhere)
        assert "the instance was damaged then" in told

    def test_a_database_with_a_trigger(self, vault: Vault, elsewhere: Path) -> None:
        with opened(vault.folder) as (office, _), office.engine.begin() as connection:
            connection.execute(
                text("CREATE TRIGGER t AFTER INSERT ON leaf BEGIN DELETE FROM wrap; END")
            )
        told = refused(vault, vault.restoring(vault.back_up(), elsewhere), elsewhere)
        assert "triggers" in told

    def test_a_schema_of_a_newer_program(self, vault: Vault, elsewhere: Path) -> None:
        pair = with_schema(vault, "0099")
        told = refused(vault, vault.restoring(pair, elsewhere), elsewhere)
        assert "install that version" in told


class TestOverAnInstance:
    def test_it_is_refused_without_the_word(self, vault: Vault) -> None:
        pair = vault.back_up()
        before = files_of(vault.folder)
        told = refused(vault, vault.restoring(pair, vault.folder), vault.folder)
        assert "there is an instance" in told
        assert files_of(vault.folder) == before

    def test_it_asks_before_it_replaces(self, vault: Vault) -> None:
        pair = vault.back_up()
        before = files_of(vault.folder)
        answer = vault.run(*vault.restoring(pair, vault.folder, "--replace"), text="n\n")
        assert answer.exit_code == 1
        assert "before-restore" in answer.stdout
        assert files_of(vault.folder).keys() == before.keys()
        assert events(vault.folder) == ["genesis", "submit"]

    def test_the_old_one_is_moved_aside_whole(self, vault: Vault) -> None:
        pair = vault.back_up()
        file_report(vault.folder)
        before = events(vault.folder)
        told = restored(vault, pair, vault.folder, "--replace", "--yes")
        (aside,) = vault.base.glob("instance.before-restore-*")
        assert events(aside) == before
        assert events(vault.folder) == ["genesis", "submit", "restored"]
        assert str(aside) in told
        assert "Lost with it: 1 reports and 1 leaves" in told

    def test_what_the_roster_loses_is_told(self, vault: Vault) -> None:
        pair = vault.back_up()
        join(vault.folder, "baru")
        told = restored(vault, pair, vault.folder, "--replace", "--yes")
        assert "entries 2 of the roster" in told

    def test_another_history_is_told(self, vault: Vault) -> None:
        pair = vault.back_up()
        file_report(vault.folder)
        later = vault.back_up()
        restored(vault, pair, vault.folder, "--replace", "--yes")
        told = restored(vault, later, vault.folder, "--replace", "--yes")
        assert "different histories" in told

    def test_while_a_server_runs_it_is_refused(self, vault: Vault, tmp_path: Path) -> None:
        pair = vault.back_up()
        with Server(vault.folder, tmp_path / "log"):
            told = refused(
                vault, vault.restoring(pair, vault.folder, "--replace", "--yes"), vault.folder
            )
        assert "in use" in told
        restored(vault, pair, vault.folder, "--replace", "--yes")

    def test_another_instance_in_the_way_stays(self, vault: Vault, tmp_path: Path) -> None:
        other = foreign(tmp_path / "other")
        before = files_of(other)
        args = vault.restoring(vault.back_up(), other, "--replace", "--yes")
        assert "another instance" in refused(vault, args, other)
        assert files_of(other) == before

    def test_a_damaged_instance_in_the_way_can_be_replaced(self, vault: Vault) -> None:
        pair = vault.back_up()
        (vault.folder / "data/suaka.db").write_bytes(b"x" * 8192)
        told = restored(vault, pair, vault.folder, "--replace", "--yes")
        assert "cannot be read" in told
        sign_in(vault.folder, "operator")


class TestKilled:
    """A power failure in the middle: the old instance stays, and nothing new is half there."""

    def test_beside_nothing(self, vault: Vault, elsewhere: Path) -> None:
        with big_file(vault.folder, 200):
            pair = vault.back_up()

        def begun() -> bool:
            return any(vault.base.glob(".elsewhere.making-*/data/blobs/besar"))

        kill_when(vault.restoring(pair, elsewhere), begun)
        assert not elsewhere.exists()
        restored(vault, pair, elsewhere)
        assert not any(vault.base.glob(".elsewhere.making-*"))

    def test_over_an_instance(self, vault: Vault) -> None:
        with big_file(vault.folder, 200):
            pair = vault.back_up()
        before = files_of(vault.folder)

        def begun() -> bool:
            return any(vault.base.glob(".instance.making-*/data/blobs/besar"))

        kill_when(vault.restoring(pair, vault.folder, "--replace", "--yes"), begun)
        assert files_of(vault.folder) == before
        assert not any(vault.base.glob("instance.before-restore-*"))
        restored(vault, pair, vault.folder, "--replace", "--yes")
        assert not any(vault.base.glob(".instance.making-*"))


class TestLivingWithIt:
    """Yesterday's archive over today's instance: nobody works on it unawares."""

    @pytest.fixture
    def yesterday(self, vault: Vault) -> Vault:
        """Restored to a day on which somebody was in office who has left since."""
        join(vault.folder, "lama")
        pair = vault.back_up()
        leave(vault.folder, "lama")
        for username in ("operator", "verifikator", "irban", "inspektur"):
            sign_in(vault.folder, username)
        restored(vault, pair, vault.folder, "--replace", "--yes")
        return vault

    def confirm(self, vault: Vault, *more: object) -> str:
        secret = PASSPHRASE.format("inspektur")
        answer = vault.run(*vault.confirming(vault.folder, *more), text=f"{secret}\n", **ALONE)
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    def test_every_officer_is_stopped_until_the_guardian_confirms(self, yesterday: Vault) -> None:
        officers = ("operator", "verifikator", "irban", "inspektur")
        for username in officers:
            with pytest.raises(RolledBack):
                sign_in(yesterday.folder, username)
        self.confirm(yesterday)
        for username in officers:
            sign_in(yesterday.folder, username)
            assert sign_in(yesterday.folder, username).explained is None

    def test_who_is_let_in_learns_why(self, yesterday: Vault) -> None:
        self.confirm(yesterday)
        explained = sign_in(yesterday.folder, "irban").explained
        assert explained is not None
        assert explained.reason == "Cakram rusak"
        assert (explained.roster_version, explained.seen.roster) == (2, 3)

    def test_the_guardian_is_told_what_is_lost_and_who_is_back(self, yesterday: Vault) -> None:
        told = self.confirm(yesterday)
        assert "You had seen: roster version 3" in told
        assert "There is now: roster version 2" in told
        assert "entries 3 of the roster" in told
        assert "Contoh lama, Jabatan (operator)" in told

    def test_the_leaver_who_is_back_is_given_nothing_before(self, yesterday: Vault) -> None:
        """No officer can work, so nobody grants anything; a report goes to the roster as it is."""
        with pytest.raises(RolledBack):
            sign_in(yesterday.folder, "operator")
        with opened(yesterday.folder, ready=True) as (office, _):
            leaver = act_as(office, "lama")
            with office.read() as uow:
                assert desk.page(uow, leaver.person_id, desk.Filters()).rows == ()
                held = text('SELECT count(*) FROM "grant" WHERE holder = :holder')
                assert uow.session.scalar(held, {"holder": leaver.person_id}) == 0

    def test_it_asks(self, yesterday: Vault) -> None:
        args = [one for one in yesterday.confirming(yesterday.folder) if one != "--yes"]
        secret = PASSPHRASE.format("inspektur")
        answer = yesterday.run(*args, text=f"{secret}\nn\n", **ALONE)
        assert answer.exit_code == 1
        assert "put back on purpose" in answer.stdout
        assert events(yesterday.folder)[-1] == "restored"

    @pytest.mark.parametrize("username", ["irban", "operator", "lama"])
    def test_nobody_but_the_guardian_confirms(self, yesterday: Vault, username: str) -> None:
        secret = PASSPHRASE.format(username)
        args = yesterday.confirming(yesterday.folder, by=username)
        answer = yesterday.run(*args, text=f"{secret}\n", **ALONE)
        assert answer.exit_code == 1
        assert "only the guardian" in answer.stderr
        assert events(yesterday.folder)[-1] == "restored"

    def test_a_wrong_passphrase_confirms_nothing(self, yesterday: Vault) -> None:
        answer = yesterday.run(
            *yesterday.confirming(yesterday.folder), text="salah sekali\n", **ALONE
        )
        assert "name or the passphrase is wrong" in answer.stderr
        assert events(yesterday.folder)[-1] == "restored"

    def test_the_second_factor_is_asked_for(self, vault: Vault) -> None:
        made = factors.new()
        with opened(vault.folder, ready=True) as (office, _):
            guardian = act_as(office, "inspektur")
            with office.write() as uow:
                factors.store(uow, guardian, made, 0)
        secret = PASSPHRASE.format("inspektur")
        args = vault.confirming(vault.folder)
        wrong = vault.run(*args, text=f"{secret}\n000-wrong\n", **STRICT)
        assert wrong.exit_code == 1
        assert "code is wrong" in wrong.stderr
        assert confirmations.EVENT not in events(vault.folder)
        right = vault.run(*args, text=f"{secret}\n{made.codes[0]}\n", **STRICT)
        assert right.exit_code == 0, right.output
        again = vault.run(*args, text=f"{secret}\n{made.codes[0]}\n", **STRICT)
        assert again.exit_code == 1

    def test_a_confirmation_does_not_serve_twice(self, yesterday: Vault) -> None:
        """An admin who later puts back what the guardian once confirmed is found out."""
        self.confirm(yesterday)
        confirmed = yesterday.back_up()
        file_report(yesterday.folder)
        for username in ("operator", "irban", "inspektur"):
            sign_in(yesterday.folder, username)
        restored(yesterday, confirmed, yesterday.folder, "--replace", "--yes")
        for username in ("operator", "irban", "inspektur"):
            with pytest.raises(RolledBack):
                sign_in(yesterday.folder, username)
        self.confirm(yesterday)
        sign_in(yesterday.folder, "operator")

    def test_the_doctor_finds_a_confirmed_log_whole(self, yesterday: Vault) -> None:
        self.confirm(yesterday)
        examined = yesterday.run("doctor", yesterday.folder)
        assert "ok   log: whole" in examined.stdout
        assert not [line for line in examined.stdout.splitlines() if line.startswith("bad")]
