"""``suaka init`` and ``suaka migrate``: whole or not at all, and for the instance's user alone."""

import fcntl
import os
import shutil
import signal
from pathlib import Path

import pytest
from sqlalchemy import text

from casework.store import schema
from casework.store.engine import open_engine
from portal import settings
from portal.cli import instance
from portal.cli.building import built
from portal.cli.options import opened
from portal.cli.refusals import Refused
from tests.portal.cli.conftest import Run, files_of, hold


def modes(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))}


@pytest.mark.parametrize("exists", [False, True])
def test_everything_is_for_its_own_user_alone_whatever_the_umask(
    run: Run, tmp_path: Path, *, exists: bool
) -> None:
    folder = tmp_path / "instance"
    before = os.umask(0)
    try:
        if exists:
            folder.mkdir(0o777)
            (folder / "run").mkdir(0o700)
        assert run("init", folder, "--name", "Inspektorat Contoh").exit_code == 0
        assert run("holidays", folder).exit_code == 0
    finally:
        os.umask(before)
    assert modes(folder) <= {0o600, 0o700}
    assert {"suaka.toml", "data/suaka.db", "keys/pepper", "keys/keystore.db"} <= set(
        files_of(folder)
    )


def test_the_files_that_sqlite_makes_while_open_are_private_too(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    before = os.umask(0)
    try:
        run("init", folder, "--name", "Inspektorat Contoh")
        with opened(folder) as (office, _), office.write():
            assert (folder / "data" / "suaka.db-wal").exists()
            assert modes(folder) <= {0o600, 0o700}
    finally:
        os.umask(before)


def test_a_new_instance_is_production_at_full_cost(run: Run, tmp_path: Path) -> None:
    run("init", tmp_path / "i", "--name", "Inspektorat Contoh", SUAKA_WEB_PORT="9999")
    made = settings.load(tmp_path / "i", {})
    assert made.production
    assert made.costs == settings.CostSection()
    assert made.web.port == 8000


def test_an_existing_instance_is_never_touched(run: Run, founded: Path) -> None:
    before = files_of(founded)
    answer = run("init", founded, "--name", "Lain")
    assert answer.exit_code == 1
    assert "an instance" in answer.stderr
    assert files_of(founded) == before


def test_a_folder_with_other_files_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "catatan.txt").write_text("x")
    answer = run("init", tmp_path, "--name", "Lain")
    assert "not empty" in answer.stderr
    assert set(files_of(tmp_path)) == {"catatan.txt"}


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--name", "Lain", "--profile", "tiada"), "not found: profile tiada"),
        (("--name", ""), "$.instance.name"),
    ],
)
def test_what_cannot_be_made_leaves_nothing(
    run: Run, tmp_path: Path, args: tuple[str, ...], told: str
) -> None:
    answer = run("init", tmp_path / "i", *args)
    assert answer.exit_code == 1
    assert told in answer.stderr
    assert list(tmp_path.iterdir()) == []


def half(folder: Path) -> None:
    with built(folder) as building:
        (building / "data").mkdir()
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_terminated_init_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        half(tmp_path / "i")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_init_left_is_removed_and_what_runs_is_kept(run: Run, tmp_path: Path) -> None:
    dead, running = tmp_path / ".i.making-00000000", tmp_path / ".i.making-11111111"
    for left in (dead, running):
        (left / "keys").mkdir(parents=True)
    descriptor = os.open(running, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        assert run("init", tmp_path / "i", "--name", "Inspektorat Contoh").exit_code == 0
    finally:
        os.close(descriptor)
    assert {path.name for path in tmp_path.iterdir()} == {"i", running.name}


def test_the_genesis_is_pinned_and_the_admins_lines_stay(
    run: Run, enrolled: Path, tmp_path: Path
) -> None:
    file = tmp_path / "genesis.json"
    file.write_bytes(hold(enrolled))
    toml = enrolled / "suaka.toml"
    toml.write_text("# catatan admin\n" + toml.read_text("utf-8"), "utf-8")
    answer = run("init", enrolled, "--genesis", file, SUAKA_WEB_PORT="9999")
    assert answer.exit_code == 0
    pinned = settings.load(enrolled, {})
    assert pinned.instance.genesis is not None
    assert pinned.instance.genesis in answer.stdout
    assert pinned.web.port == 8000
    assert toml.read_text("utf-8").startswith("# catatan admin\n[instance]\n")
    assert toml.stat().st_mode & 0o777 == 0o600
    assert run("tick", enrolled).exit_code == 0


def test_there_is_never_a_second_genesis(run: Run, enrolled: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    first.write_bytes(hold(enrolled))
    second.write_bytes(hold(enrolled))
    run("init", enrolled, "--genesis", first)
    before = (enrolled / "suaka.toml").read_bytes()
    for file in (second, first):
        answer = run("init", enrolled, "--genesis", file)
        assert answer.exit_code == 1
        assert "never a second one" in answer.stderr
    assert (enrolled / "suaka.toml").read_bytes() == before


def test_a_genesis_stored_but_not_pinned_is_completed_by_the_same_file_only(
    run: Run, enrolled: Path, tmp_path: Path
) -> None:
    """The process died between the commit and the settings."""
    same, other = tmp_path / "same.json", tmp_path / "other.json"
    same.write_bytes(hold(enrolled))
    other.write_bytes(hold(enrolled))
    unpinned = (enrolled / "suaka.toml").read_bytes()
    head = instance.install(enrolled, same.read_bytes())
    (enrolled / "suaka.toml").write_bytes(unpinned)
    assert "ceremony is missing" in run("tick", enrolled).stderr
    assert run("init", enrolled, "--genesis", other).exit_code == 1
    assert settings.load(enrolled, {}).instance.genesis is None
    assert run("init", enrolled, "--genesis", same).exit_code == 0
    assert settings.load(enrolled, {}).instance.genesis == head
    assert run("tick", enrolled).exit_code == 0


def test_the_genesis_of_another_instance_is_refused(
    run: Run, enrolled: Path, tmp_path: Path
) -> None:
    file, foreign = tmp_path / "genesis.json", tmp_path / "foreign"
    shutil.copytree(enrolled, foreign)
    toml = foreign / "suaka.toml"
    toml.write_text(toml.read_text("utf-8").replace("0123456789abcdef", "fedcba9876543210"))
    file.write_bytes(hold(foreign))
    answer = run("init", enrolled, "--genesis", file)
    assert answer.exit_code == 1
    assert "another instance" in answer.stderr


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\x00", b'{"v":1}'])
def test_another_file_than_a_genesis_is_refused(
    run: Run, enrolled: Path, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "genesis.json"
    file.write_bytes(content)
    answer = run("init", enrolled, "--genesis", file)
    assert answer.exit_code == 1
    assert "not the one expected" in answer.stderr


def test_settings_that_cannot_be_edited_safely_are_left_alone(enrolled: Path) -> None:
    toml = enrolled / "suaka.toml"
    lines = [line for line in toml.read_text("utf-8").splitlines() if " = " in line][:4]
    toml.write_text("\n".join(f"instance.{line}" for line in lines), "utf-8")
    before = toml.read_bytes()
    with pytest.raises(Refused, match=r'genesis = "[0-9a-f]{64}"'):
        instance.install(enrolled, hold(enrolled))
    assert toml.read_bytes() == before


def stamp(folder: Path, revision: str) -> None:
    engine = open_engine(folder / "data" / "suaka.db")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})
    engine.dispose()


def test_migrate_says_from_where_to_where(run: Run, founded: Path) -> None:
    answer = run("migrate", founded)
    assert answer.exit_code == 0
    newest = schema.newest()
    assert f"schema {newest} -> {newest}" in answer.stdout


def test_a_database_of_a_newer_program_is_left_alone(run: Run, founded: Path) -> None:
    stamp(founded, "9999")
    answer = run("migrate", founded)
    assert answer.exit_code == 1
    assert "newer program" in answer.stderr
    for command in ("serve", "tick", "holidays"):
        assert "another schema: run suaka migrate" in run(command, founded).stderr


@pytest.mark.parametrize("lost", ["data/suaka.db", "keys/keystore.db", "keys/pepper"])
@pytest.mark.parametrize("command", ["migrate", "serve", "tick", "holidays", "doctor"])
def test_a_lost_file_is_named_and_not_replaced_by_an_empty_one(
    run: Run, founded: Path, command: str, lost: str
) -> None:
    (founded / lost).unlink()
    answer = run(command, founded)
    assert answer.exit_code == 1
    assert f"{lost} is missing" in answer.output
    assert not (founded / lost).exists()


def test_a_file_that_is_no_database_is_one_clear_line(run: Run, founded: Path) -> None:
    (founded / "data" / "suaka.db").write_bytes(b"bukan basis data " * 300)
    for command in ("serve", "tick", "migrate", "holidays", "doctor"):
        answer = run(command, founded)
        assert answer.exit_code == 1
        assert "database" in answer.output


def test_another_users_instance_is_refused(run: Run, founded: Path) -> None:
    os.chown(founded / "data" / "suaka.db", 65534, 65534)
    answer = run("tick", founded)
    assert answer.exit_code == 1
    assert "run suaka as that user" in answer.stderr
