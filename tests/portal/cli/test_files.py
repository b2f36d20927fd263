"""Files of cases by the commands: what ``doctor`` finds and sweeps, what ``restore`` brings."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from casework.handling import desk
from portal.cli.options import opened
from tests.casework.evidence.arrivals import Sender
from tests.portal.cli.archives import Vault, act_as
from tests.portal.cli.conftest import Run, files_of

WHOLE = "ok   files: every part is there"


@contextmanager
def operator_of(folder: Path) -> Iterator[Sender]:
    """The operator, who sends files into the only case of an instance."""
    with opened(folder, ready=True) as (office, _):
        actor = act_as(office, "operator")
        with office.read() as uow:
            (row,) = desk.page(uow, actor.person_id, desk.Filters()).rows
        yield Sender(office, actor, row.case_id)


@pytest.fixture
def sent(founded: Path) -> str:
    """The item of a file in the instance ``founded``, in which another is unfinished, too."""
    with operator_of(founded) as one:
        item_id = one.send("foto.jpg", b"isi foto")
        begun = one.begin("rekaman.mp4", 10)
        one.take(begun.id, 1, bytes(10))
    assert item_id is not None
    return item_id


def orphan(folder: Path, name: str = "a" * 32) -> Path:
    path = folder / "data/blobs" / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(b"x")
    path.chmod(0o600)
    return path


def lines(run: Run, folder: Path, *more: str, code: int = 0) -> list[str]:
    answer = run("doctor", folder, *more)
    assert answer.exit_code == code, answer.output
    return [line for line in answer.stdout.splitlines() if "files:" in line or "blobs" in line]


@pytest.mark.usefixtures("sent")
class TestDoctor:
    def test_files_that_are_whole(self, run: Run, founded: Path) -> None:
        before = files_of(founded / "data")
        assert lines(run, founded) == [WHOLE]
        assert files_of(founded / "data") == before

    def test_a_missing_part_is_bad(self, run: Run, founded: Path) -> None:
        for path in (founded / "data/blobs").iterdir():
            path.unlink()
        (said,) = lines(run, founded, code=1)
        assert said.startswith("bad  files: 2 of them lack a part: put data/blobs back")

    def test_a_folder_that_is_gone_is_bad(self, run: Run, founded: Path) -> None:
        (founded / "data/blobs").rename(founded / "blobs")
        assert "bad  files: 2 of them" in lines(run, founded, code=1)[0]

    def test_an_orphan_is_told_and_stays(self, run: Run, founded: Path) -> None:
        path = orphan(founded)
        (said,) = lines(run, founded)
        assert said.startswith("warn files: 1 blobs that no row names")
        assert path.exists()


@pytest.mark.usefixtures("sent")
class TestSweep:
    def test_it_asks_and_no_is_no(self, run: Run, founded: Path) -> None:
        path = orphan(founded)
        answer = run("doctor", founded, "--sweep", text="n\n")
        assert answer.exit_code == 1
        assert "Remove 1 blobs that this database does not name?" in answer.stdout
        assert "older database" in answer.stdout
        assert path.exists()

    @pytest.mark.parametrize(("more", "typed"), [((), "y\n"), (("--yes",), "")])
    def test_orphans_go_and_named_blobs_stay(
        self, run: Run, founded: Path, sent: str, more: tuple[str, ...], typed: str
    ) -> None:
        """An unfinished file's parts are named, too."""
        named = {path.name for path in (founded / "data/blobs").iterdir()}
        orphan(founded)
        orphan(founded, "b" * 32)
        answer = run("doctor", founded, "--sweep", *more, text=typed)
        assert answer.exit_code == 0, answer.output
        assert "removed 2 blobs" in answer.stdout
        assert WHOLE in answer.stdout
        assert {path.name for path in (founded / "data/blobs").iterdir()} == named
        with operator_of(founded) as one:
            assert one.read(sent) == b"isi foto"

    def test_nothing_to_sweep_asks_nothing(self, run: Run, founded: Path) -> None:
        answer = run("doctor", founded, "--sweep")
        assert answer.exit_code == 0, answer.output
        assert "removed 0 blobs" in answer.stdout

    def test_a_folder_without_an_instance_is_refused(self, run: Run, tmp_path: Path) -> None:
        answer = run("doctor", tmp_path / "nowhere", "--sweep", "--yes")
        assert answer.exit_code == 1
        assert not (tmp_path / "nowhere").exists()

    def test_a_lost_database_is_not_taken_for_an_empty_one(self, run: Run, founded: Path) -> None:
        """Every blob would look like an orphan."""
        before = {path.name for path in (founded / "data/blobs").iterdir()}
        for path in (founded / "data").glob("suaka.db*"):
            path.unlink()
        answer = run("doctor", founded, "--sweep", "--yes")
        assert answer.exit_code == 1
        assert {path.name for path in (founded / "data/blobs").iterdir()} == before
        assert not (founded / "data/suaka.db").exists()

    def test_an_empty_database_is_refused(self, run: Run, founded: Path) -> None:
        before = {path.name for path in (founded / "data/blobs").iterdir()}
        for path in (founded / "data").glob("suaka.db*"):
            path.unlink()
        (founded / "data/suaka.db").touch(mode=0o600)
        answer = run("doctor", founded, "--sweep", "--yes")
        assert answer.exit_code == 1
        assert {path.name for path in (founded / "data/blobs").iterdir()} == before


def test_a_restore_brings_files_and_forgets_what_was_arriving(
    run: Run, founded: Path, sent: str, tmp_path: Path
) -> None:
    vault = Vault(run, founded, tmp_path)
    vault.make_key()
    elsewhere = tmp_path / "elsewhere"
    answer = run(*vault.restoring(vault.back_up(), elsewhere))
    assert answer.exit_code == 0, answer.output
    assert lines(run, elsewhere) == [WHOLE]
    assert "ok   file modes" in run("doctor", elsewhere).stdout
    with operator_of(elsewhere) as one:
        assert one.read(sent) == b"isi foto"
        assert one.unfinished() == []
        with one.office.read() as uow:
            assert uow.session.scalar(text("SELECT count(*) FROM upload_part")) == 0


def test_a_backup_of_an_instance_that_lost_a_part_is_refused(
    run: Run, founded: Path, sent: str, tmp_path: Path
) -> None:
    vault = Vault(run, founded, tmp_path)
    vault.make_key()
    with operator_of(founded) as one, one.office.read() as uow:
        query = text("SELECT blob FROM file_part WHERE item_id = :id")
        blob = uow.session.scalar(query, {"id": sent})
    (founded / "data/blobs" / str(blob)).unlink()
    answer = run(*vault.arguments())
    assert answer.exit_code == 1
    assert f"data/blobs/{blob} is gone" in answer.stderr
    assert [*vault.to.iterdir(), *vault.keys_to.iterdir()] == []
