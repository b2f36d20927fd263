"""``suaka log``: keys and their hand-over, checkpoints, and a witness that is reached by file."""

from pathlib import Path

import pytest

from crypto.checkpoint import Checkpoint
from crypto.note import NoteKey, SignedNote
from portal.cli.options import opened
from tests.portal.cli.conftest import Run
from tests.portal.cli.test_doctor import execute
from witness.keeper import Keeper

NAME = "saksi.example"


class Desk:
    """An admin's desk: an instance, and a witness in another folder of the same machine."""

    def __init__(self, run: Run, folder: Path) -> None:
        self.run, self.folder = run, folder
        self.base = folder.parent
        self.keeper = Keeper.make(self.base / "saksi", NAME)
        self.known = {"SUAKA_LOG_WITNESSES": self.keeper.key.to_text()}

    def ok(self, *args: object, **environment: str) -> str:
        answer = self.run(*args, **{**self.known, **environment})
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    def refused(self, *args: object, **environment: str) -> str:
        answer = self.run(*args, **{**self.known, **environment})
        assert (answer.exit_code, answer.stdout) == (1, "")
        return answer.stderr

    def keys(self) -> list[str]:
        return self.ok("log", "keys", self.folder).splitlines()

    def publish(self) -> None:
        """Let the next period begin: what was published belongs to an older one."""
        with opened(self.folder) as (office, _):
            moved = "UPDATE checkpoint SET hour = hour - 6"
            with office.write() as uow:
                uow.session.connection().exec_driver_sql(moved)
        self.ok("tick", self.folder)

    def request(self, name: str) -> Path:
        out = self.base / name
        self.ok("log", "request", self.folder, NAME, "-o", out)
        return out

    def signed(self, request: Path) -> Path:
        out = request.with_suffix(".jawab")
        self.ok("witness", "sign", self.base / "saksi", request, "-o", out)
        return out


@pytest.fixture
def desk(run: Run, founded: Path) -> Desk:
    return Desk(run, founded)


def test_a_witness_by_file(desk: Desk) -> None:
    status = desk.ok("log", "status", desk.folder)
    assert "nothing is published yet" in status
    assert "run suaka tick" in desk.refused("log", "checkpoint", desk.folder)
    out = desk.base / "a"
    assert "suaka tick" in desk.refused("log", "request", desk.folder, NAME, "-o", out)
    desk.keeper.trust(desk.keys()[0])
    for size in (256, 512):
        desk.publish()
        assert f"size: {size}\n" in desk.ok("log", "status", desk.folder)
        answer = desk.signed(desk.request(f"minta{size}"))
        assert desk.ok("log", "accept", desk.folder, answer) == f"accepted for size {size}\n"
        note = SignedNote.from_text(desk.ok("log", "checkpoint", desk.folder))
        assert Checkpoint.from_text(note.text).size == size
        assert len(note.verify([NoteKey.from_text(desk.keys()[0]), desk.keeper.key])) == 2
        row = desk.ok("log", "status", desk.folder).splitlines()[-1].split()
        assert row[:3] == [NAME, "file", str(size)]
        assert row[-1] == "current"
    assert "has signed" in desk.refused("log", "request", desk.folder, NAME, "-o", out)
    assert not out.exists()


def test_what_a_file_must_be(desk: Desk) -> None:
    desk.publish()
    stray = desk.base / "surat"
    for content in ("", "surat\n", "x" * 70_000):
        stray.write_text(content)
        assert "no answer" in desk.refused("log", "accept", desk.folder, stray)
    note = desk.ok("log", "checkpoint", desk.folder)
    stray.write_text(note.split("\n\n")[1])
    assert "no configured witness" in desk.refused("log", "accept", desk.folder, stray)
    bare = {"SUAKA_LOG_WITNESSES": ""}
    assert "log.witnesses" in desk.refused("log", "accept", desk.folder, stray, **bare)
    assert "witnesses: none" in desk.ok("log", "status", desk.folder, **bare)


def test_nothing_is_written_over(desk: Desk) -> None:
    desk.publish()
    out = desk.base / "surat"
    out.write_text("surat")
    before = desk.keys()
    for args in (("request", desk.folder, NAME), ("rotate", desk.folder, "--yes")):
        assert "nothing is written over" in desk.refused("log", *args, "-o", out)
        missing = desk.base / "none" / "out"
        assert "is not a folder" in desk.refused("log", *args, "-o", missing)
    assert out.read_text() == "surat"
    assert desk.keys() == before
    named = desk.refused("log", "request", desk.folder, "lain", "-o", desk.base / "b")
    assert f"no witness of this name is configured (log.witnesses): {NAME}" in named


def test_a_rotation_takes_the_witness_along(desk: Desk) -> None:
    """It refuses the new key until it was shown that the old one hands over to it."""
    (old,) = desk.keys()
    desk.keeper.trust(old)
    desk.publish()
    desk.ok("log", "accept", desk.folder, desk.signed(desk.request("satu")))
    secret = (desk.folder / "keys/log.key").read_text()
    note = desk.base / "serah"
    answer = desk.run("log", "rotate", desk.folder, "-o", note, "--yes")
    assert answer.exit_code == 0
    new = answer.stdout.strip()
    assert desk.keys() == [old, new]
    assert "witness trust --handover" in answer.stderr
    assert desk.ok("log", "keys", desk.folder, "--handovers").endswith(note.read_text())
    key = desk.folder / "keys/log.key"
    assert key.read_text() != secret
    assert key.stat().st_mode & 0o777 == 0o600
    assert not key.with_name("log.key.new").exists()
    desk.publish()
    request = desk.request("dua")
    out = desk.base / "dua.jawab"
    answer = desk.run("witness", "sign", desk.base / "saksi", request, "-o", out)
    assert "no trusted key" in answer.stderr
    trusted = desk.ok("witness", "trust", desk.base / "saksi", "--handover", note)
    assert trusted.endswith("2 in all\n")
    desk.ok("log", "accept", desk.folder, desk.signed(request))
    assert "current" in desk.ok("log", "status", desk.folder)


def test_a_rotation_asks_first(desk: Desk) -> None:
    before = desk.keys()
    answer = desk.run("log", "rotate", desk.folder, "-o", desk.base / "a", text="n\n")
    assert answer.exit_code == 1
    assert desk.keys() == before
    assert not (desk.base / "a").exists()


def test_without_the_key_in_force_nothing_is_handed_over(desk: Desk) -> None:
    (desk.folder / "keys/log.key").unlink()
    args = ("log", "rotate", desk.folder, "-o", desk.base / "a", "--yes")
    assert "keys/log.key is missing" in desk.refused(*args)
    assert len(desk.keys()) == 1
    assert not (desk.base / "a").exists()
    assert "keys/log.key is missing" in desk.refused("tick", desk.folder)


def test_an_outgrown_period_is_told(desk: Desk) -> None:
    desk.publish()
    assert "outgrown" not in desk.ok("log", "status", desk.folder)
    desk.publish()
    assert "outgrown" not in desk.ok("log", "status", desk.folder)
    execute(desk.folder, "UPDATE checkpoint SET size = 255 WHERE size = 256")
    assert "outgrown" in desk.ok("log", "status", desk.folder)


def test_a_checkpoint_that_was_written_to_is_not_printed(desk: Desk) -> None:
    desk.publish()
    execute(desk.folder, "UPDATE checkpoint SET signed = replace(signed, '256', '255')")
    desk.refused("log", "checkpoint", desk.folder)
    desk.refused("log", "request", desk.folder, NAME, "-o", desk.base / "a")


def test_keys_that_were_written_to_are_refused(desk: Desk) -> None:
    desk.publish()
    execute(desk.folder, "UPDATE log_key SET handover = replace(handover, 'v1', 'v2')")
    for command in ("keys", "checkpoint"):
        assert "public key of the log" in desk.refused("log", command, desk.folder)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"SUAKA_LOG_WITNESSES": "kunci"}, "log.witnesses: entry 1"),
        ({"SUAKA_LOG_PROXY": "socks5://127.0.0.1:9050"}, "log.proxy"),
    ],
)
def test_settings_that_cannot_be_used_are_named(
    desk: Desk, settings: dict[str, str], said: str
) -> None:
    assert said in desk.refused("log", "status", desk.folder, **settings)
