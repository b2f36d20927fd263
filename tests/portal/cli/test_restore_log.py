"""Backups and restores keep the log's key: the log goes on, or its reader is told why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from casework.intake import mailbox, report, submit
from casework.keys import accounts
from casework.keys.memory import Rollback, RolledBack
from casework.log import checkpoints, keys
from portal.cli import log
from portal.cli.options import opened
from tests.portal.cli.archives import ALONE, Vault, sign_in
from tests.portal.cli.conftest import PASSPHRASE, ROLES, Run
from tests.portal.cli.test_doctor import execute

KEY = "keys/log.key"


@pytest.fixture
def vault(founded: Path, tmp_path: Path, run: Run) -> Vault:
    made = Vault(run, founded, tmp_path)
    made.make_key()
    return made


def restored(vault: Vault, pair: tuple[Path, Path], folder: Path, *more: object) -> str:
    answer = vault.run(*vault.restoring(pair, folder, *more))
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def tick(vault: Vault, folder: Path) -> None:
    answer = vault.run("tick", folder)
    assert answer.exit_code == 0, answer.output


def signed_by(folder: Path) -> str:
    """The key that signed the newest checkpoint."""
    with opened(folder) as (office, _), office.read() as uow:
        known, note = keys.load(uow), checkpoints.newest(uow)
        assert checkpoints.checked(uow, known) is not None
        assert note is not None
        return note.verify(known.all)[0].key.to_text()


def test_a_restored_log_goes_on_with_its_key_and_contradicts_nobody(
    vault: Vault, tmp_path: Path
) -> None:
    token = submit.new_token()
    with opened(vault.folder, ready=True) as (office, _):
        fields = {"position": "asn", "narrative": "Sebelum cadangan."}
        ticket = submit.submit(office, token, report.parse(office.profile, fields)).ticket
    for username in ROLES:
        sign_in(vault.folder, username)
    pair = vault.back_up()
    elsewhere = tmp_path / "elsewhere"
    assert "key of the log" not in restored(vault, pair, elsewhere)
    assert (elsewhere / KEY).read_bytes() == (vault.folder / KEY).read_bytes()
    assert (elsewhere / KEY).stat().st_mode & 0o777 == 0o600
    tick(vault, elsewhere)
    assert signed_by(elsewhere)
    for username in ROLES:
        assert sign_in(elsewhere, username).explained is None
    with opened(elsewhere, ready=True) as (office, _):
        entropy = submit.entropy_of(token, pepper=office.pepper)
        found = accounts.reporter_keys(office.instance_id, ticket, entropy, office.secret_key_kdf)
        with office.read() as uow:
            reporter = accounts.locate_and_unwrap(uow, found)
            assert reporter is not None
            watched = mailbox.read(uow, reporter).watched
    assert (watched.size, watched.restored) == (256, None)


def test_a_copy_from_before_a_rotation_signs_with_the_older_key_again(vault: Vault) -> None:
    """Who has seen the newer one is stopped until the guardian vouches for the restore."""
    tick(vault, vault.folder)
    execute(vault.folder, "UPDATE checkpoint SET hour = hour - 6")
    older = signed_by(vault.folder)
    pair = vault.back_up()
    with opened(vault.folder) as (office, _):
        newer = log.rotate(office)[0].in_force.to_text()
    for username in ("operator", "inspektur"):
        sign_in(vault.folder, username)
    restored(vault, pair, vault.folder, "--replace", "--yes")
    tick(vault, vault.folder)
    assert signed_by(vault.folder) == older != newer
    with pytest.raises(RolledBack) as noticed:
        sign_in(vault.folder, "operator")
    # More leaves than before by now, but others; the key would be noticed just so.
    assert noticed.value.reason in {Rollback.LOG_DIFFERS, Rollback.LOG_KEY_DIFFERS}
    secret = PASSPHRASE.format("inspektur")
    answer = vault.run(*vault.confirming(vault.folder), text=f"{secret}\n", **ALONE)
    assert answer.exit_code == 0, answer.output
    explained = sign_in(vault.folder, "operator").explained
    assert explained is not None
    assert sign_in(vault.folder, "operator").explained is None


def test_a_backup_in_the_middle_of_a_rotation_holds_the_key_in_force(
    vault: Vault, tmp_path: Path
) -> None:
    with opened(vault.folder) as (office, _):
        with office.write() as uow:
            newer = keys.rotate(uow, bytes(range(32))).in_force.to_text()
        assert office.log_key.first().key.to_text() != newer
    pair = vault.back_up()
    elsewhere = tmp_path / "elsewhere"
    restored(vault, pair, elsewhere)
    assert not (elsewhere / f"{KEY}.new").exists()
    tick(vault, elsewhere)
    assert signed_by(elsewhere) == newer


def test_an_instance_whose_key_is_lost_is_backed_up_and_restored_and_says_so(
    vault: Vault, tmp_path: Path
) -> None:
    secret = (vault.folder / KEY).read_bytes()
    (vault.folder / KEY).unlink()
    answer = vault.run(*vault.arguments())
    assert answer.exit_code == 0
    assert "keys/log.key is missing" in answer.stderr
    (data,), (kept,) = vault.to.iterdir(), vault.keys_to.iterdir()
    elsewhere = tmp_path / "elsewhere"
    assert "lacks the key of the log" in restored(vault, (data, kept), elsewhere)
    assert not (elsewhere / KEY).exists()
    assert sign_in(elsewhere, "operator").explained is None
    assert "keys/log.key is missing" in vault.run("tick", elsewhere).stderr
    (elsewhere / KEY).write_bytes(secret)
    tick(vault, elsewhere)


def test_a_key_of_the_log_among_the_data_is_refused(vault: Vault) -> None:
    (vault.folder / "data/log.key").write_bytes(b"x")
    answer = vault.run(*vault.arguments())
    assert answer.exit_code == 1
    assert "data/log.key is secret" in answer.stderr


def test_an_instance_that_was_not_migrated_is_not_replaced_unread(vault: Vault) -> None:
    """Otherwise what its officers had seen would be lost, and a rollback go unnoticed."""
    pair = vault.back_up()
    execute(vault.folder, "UPDATE alembic_version SET version_num = '0003'")
    answer = vault.run(*vault.restoring(pair, vault.folder, "--replace", "--yes"))
    assert answer.exit_code == 1
    assert "run suaka migrate on it first" in answer.stderr
    assert (vault.folder / KEY).exists()
