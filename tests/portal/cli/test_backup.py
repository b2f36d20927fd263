"""``suaka backup``: two private archives, or none; the old keys go."""

from __future__ import annotations

import re
import resource
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from casework.store.backup.make import Order, make
from crypto import age
from crypto.age import HybridIdentity, HybridRecipient, X25519Identity
from portal.cli.options import opened
from tests.portal.cli.archives import MIB, Vault, big_file, kill_when
from tests.portal.cli.conftest import Run, files_of
from tests.portal.cli.terminal import SUAKA


@pytest.fixture
def vault(founded: Path, tmp_path: Path, run: Run) -> Vault:
    made = Vault(run, founded, tmp_path)
    made.make_key()
    return made


class TestKey:
    def test_the_identity_opens_what_the_recipient_seals(self, vault: Vault) -> None:
        lines = vault.identity.read_text("ascii").splitlines()
        assert lines[0] == f"# public key: {vault.recipient}"
        assert lines[1].startswith("AGE-SECRET-KEY-PQ-1")
        sealed = age.encrypt(b"x", [HybridRecipient.from_string(vault.recipient)])
        assert age.decrypt(sealed, [HybridIdentity.from_string(lines[1])]) == b"x"
        assert vault.identity.stat().st_mode & 0o777 == 0o600

    def test_the_secret_part_is_not_printed(self, vault: Vault, tmp_path: Path) -> None:
        answer = vault.run("backup", "key", "--out", tmp_path / "other")
        assert "SECRET" not in answer.output
        assert "another machine" in answer.stderr
        assert answer.stdout.count("\n") == 1

    def test_no_key_is_written_over(self, vault: Vault) -> None:
        before = vault.identity.read_bytes()
        answer = vault.run("backup", "key", "--out", vault.identity)
        assert answer.exit_code == 1
        assert "exists" in answer.stderr
        assert vault.identity.read_bytes() == before


class TestArchives:
    def test_both_are_made_private_and_named(self, vault: Vault) -> None:
        data, keys = vault.back_up()
        named = re.fullmatch(r"suaka-data-01234567-(\d{8}T\d{6}Z-[0-9a-f]{8})\.tar\.age", data.name)
        assert named is not None
        assert re.fullmatch(rf"suaka-keys-01234567-{named[1]}-until-\d{{8}}\.tar\.age", keys.name)
        assert [path.stat().st_mode & 0o777 for path in (data, keys)] == [0o600, 0o600]

    def test_it_says_what_it_made_and_until_when(self, vault: Vault) -> None:
        answer = vault.run(*vault.arguments("--days", 7))
        (data,), (keys,) = vault.to.iterdir(), vault.keys_to.iterdir()
        for part in (str(data), str(keys), "roster version 1", "2 leaves", "Keep the two apart"):
            assert part in answer.stdout
        last = re.search(r"until-(\d{4})(\d\d)(\d\d)", keys.name)
        assert last is not None
        assert "-".join(last.groups()) in answer.stdout

    def test_the_word_make_may_be_written(self, vault: Vault) -> None:
        first, *rest = vault.arguments()
        assert vault.run(first, "make", *rest).exit_code == 0

    def test_several_recipients_can_open_it(self, vault: Vault) -> None:
        other = HybridIdentity.generate()
        data, _ = vault.back_up("--recipient", str(other.recipient))
        assert age.decrypt(data.read_bytes(), [other])

    def test_the_instance_is_as_it_was(self, vault: Vault) -> None:
        before = {name: body for name, body in files_of(vault.folder).items() if "run/" not in name}
        vault.back_up()
        after = {name: body for name, body in files_of(vault.folder).items() if "run/" not in name}
        assert after == before


class TestRefusals:
    def refused(self, vault: Vault, args: list[object], code: int = 1) -> str:
        answer = vault.run(*args)
        assert answer.exit_code == code
        assert list(vault.to.iterdir()) == []
        assert list(vault.keys_to.iterdir()) == []
        return answer.stderr

    @pytest.mark.parametrize(
        "recipient",
        ["", "age1", "age1pq1xyz", str(X25519Identity.generate().recipient), "../x"],
        ids=["empty", "short", "broken", "x25519", "path"],
    )
    def test_only_a_hybrid_recipient_will_do(self, vault: Vault, recipient: str) -> None:
        vault.recipient = recipient
        assert "age1pq1" in self.refused(vault, vault.arguments())

    def test_a_secret_key_instead_of_a_recipient_is_not_repeated(self, vault: Vault) -> None:
        vault.recipient = HybridIdentity.generate().to_string()
        assert "SECRET" not in self.refused(vault, vault.arguments())

    def test_one_folder_for_both_is_refused(self, vault: Vault) -> None:
        args = vault.arguments()
        args[args.index(vault.keys_to)] = vault.to
        assert "different folders" in self.refused(vault, args)

    @pytest.mark.parametrize("days", ["0", "31", "x"])
    def test_keys_live_for_thirty_days_at_most(self, vault: Vault, days: str) -> None:
        self.refused(vault, vault.arguments("--days", days), code=2)

    def test_an_instance_before_its_ceremony_has_nothing_to_restore(
        self, enrolled: Path, tmp_path: Path, run: Run
    ) -> None:
        vault = Vault(run, enrolled, tmp_path)
        vault.make_key()
        assert "ceremony" in self.refused(vault, vault.arguments())

    def test_a_pepper_among_the_data_is_refused(self, vault: Vault) -> None:
        (vault.folder / "data/pepper").write_bytes(b"x" * 32)
        assert "data/pepper is secret" in self.refused(vault, vault.arguments())

    def test_the_password_of_the_mail_server_is_refused(self, vault: Vault) -> None:
        (vault.folder / "data/sandi").write_text("rahasia")
        answer = vault.run(*vault.arguments(), SUAKA_MAIL_PASSWORD_FILE="data/sandi")
        assert answer.exit_code == 1
        assert "data/sandi is secret" in answer.stderr

    def test_a_missing_folder_is_named(self, vault: Vault) -> None:
        vault.to.rmdir()
        answer = vault.run(*vault.arguments())
        assert answer.exit_code == 2
        assert str(vault.to) in answer.stderr


def test_expired_keys_are_removed_and_named(vault: Vault) -> None:
    with opened(vault.folder, ready=True) as (office, _):
        for days in (40, 20):
            past = replace(office, clock=lambda days=days: office.clock() - timedelta(days=days))  # type: ignore[misc]
            order = Order(
                vault.folder,
                vault.to,
                vault.keys_to,
                [HybridRecipient.from_string(vault.recipient)],
                "0.1.0",
            )
            make(past, order)
    old, kept = sorted(vault.keys_to.iterdir())
    foreign = vault.keys_to / old.name.replace("01234567", "76543210")
    foreign.write_bytes(b"x")
    answer = vault.run(*vault.arguments())
    assert f"expired and removed: {old}" in answer.stdout
    assert answer.stdout.count("expired and removed") == 1
    assert not old.exists()
    assert kept.exists()
    assert foreign.exists()
    assert len(list(vault.to.iterdir())) == 3


def test_a_disk_that_is_full_leaves_nothing(vault: Vault) -> None:
    """No file may grow beyond a megabyte: what a full disk does to a write."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))

    with big_file(vault.folder, 8):
        before = files_of(vault.folder)
        answer = subprocess.run(
            [SUAKA, *(str(arg) for arg in vault.arguments())],
            preexec_fn=limited,
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 1
        assert answer.stderr.startswith("suaka: ")
        assert "too large" in answer.stderr
        assert list(vault.to.iterdir()) == []
        assert list(vault.keys_to.iterdir()) == []
        assert files_of(vault.folder) == before


def test_a_database_that_cannot_be_copied_leaves_nothing(vault: Vault) -> None:
    """The copy beside the database finds no room."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, 64 * 1024))

    answer = subprocess.run(
        [SUAKA, *(str(arg) for arg in vault.arguments())],
        preexec_fn=limited,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "full" in answer.stderr
    assert list(vault.to.iterdir()) == []
    assert list(vault.keys_to.iterdir()) == []
    assert list((vault.folder / "data").glob(".backup-*")) == []


@pytest.mark.parametrize("where", ["keys", "data"])
def test_a_killed_backup_leaves_nothing_under_its_name(vault: Vault, where: str) -> None:
    folder = vault.keys_to if where == "keys" else vault.to

    def begun() -> bool:
        return any(folder.glob(".suaka-*.part"))

    with big_file(vault.folder, 300):
        kill_when(vault.arguments(), begun)
        assert list(vault.to.glob("suaka-*")) == []
        assert list(vault.keys_to.glob("suaka-*")) == []
    data, keys = vault.back_up()
    assert list(vault.to.iterdir()) == [data]
    assert list(vault.keys_to.iterdir()) == [keys]
    assert not list(vault.folder.rglob(".backup-*"))
