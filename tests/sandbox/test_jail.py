"""Whatever a file does to the confined process, it costs only that process."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.contract import INPUT_LIMIT, Failed, Failure, FileKind, Task
from sandbox.jail import Bounds, Jail
from tests.sandbox.clean import test_clean
from tests.sandbox.clean.planting import Planting
from tests.sandbox.clean.recordings import Studio
from tests.sandbox.intruder import DONE, FILM, REFUSED, TEXT, outcome, taken_over, tries, walled
from tests.sandbox.pictures import jpeg

MIB = 1024 * 1024


@pytest.fixture(params=["bubblewrap", "by itself"])
def jail(request: pytest.FixtureRequest) -> Jail:
    """Both ways in which a process can be confined."""
    return Jail() if request.param == "by itself" else walled()


def test_a_picture_is_drawn_anew(jail: Jail) -> None:
    found = jail.run(Task.DRAW, [jpeg((300, 200))], kind=FileKind.JPEG)
    assert (found.kind, found.pages) == (FileKind.PNG, 1)
    assert found.data.startswith(b"\x89PNG")


def test_a_file_in_pieces_is_the_file(jail: Jail) -> None:
    pieces = [b"satu ", b"", b"dua ", b"tiga"]
    found = jail.run(Task.TEXT, pieces, kind=FileKind.CSV)
    assert (found.kind, found.pages, found.data) == (FileKind.TEXT, 0, b"satu dua tiga")


def test_nothing_at_all_is_a_damaged_picture_and_an_empty_text(jail: Jail) -> None:
    assert jail.run(Task.TEXT, [], kind=FileKind.TEXT).data == b""
    with pytest.raises(Failed) as failed:
        jail.run(Task.DRAW, [], kind=FileKind.PNG)
    assert failed.value.reason is Failure.DAMAGED


def test_what_a_task_may_use_is_enough_for_every_cleaner(jail: Jail) -> None:
    """One file of each family; what else is cleaned needs no more than these."""
    for kind in (FileKind.HEIC, FileKind.PDF, FileKind.XLSX, FileKind.ODT):
        found = jail.run(Task.CLEAN, [test_clean.ORIGINALS[kind]], kind=kind)
        assert found.data
        assert found.pages == 0


@pytest.mark.parametrize("kind", [FileKind.MP4, FileKind.OGG])
def test_a_program_of_its_own_cleans_recordings(jail: Jail, kind: FileKind, tmp_path: Path) -> None:
    recording = Studio(tmp_path).recording(kind, Planting())
    assert jail.run(Task.CLEAN, [recording], kind=kind).kind is kind


def test_no_secret_of_ours_is_in_its_environment(
    jail: Jail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUAKA_SECRET", "kanari")
    code = "say(repr(sorted(os.environ.items())).encode(), kind='text')"
    said = outcome(taken_over(jail, code))
    assert "PATH" in said
    assert "kanari" not in said
    assert "SUAKA" not in said


def test_no_open_file_of_ours_is_handed_on(jail: Jail, tmp_path: Path) -> None:
    code = """
names = [f'/proc/self/fd/{n}' for n in range(64)]
say(repr([os.readlink(name) for name in names if os.path.lexists(name)]).encode(), kind='text')"""
    with (tmp_path / "open").open("w"):
        said = outcome(taken_over(jail, code))
    assert "pipe:" in said
    assert str(tmp_path) not in said


@pytest.mark.parametrize("asked", [TEXT, FILM])
def test_it_cannot_have_more_memory_than_allowed(jail: Jail, asked: tuple[Task, FileKind]) -> None:
    bounds = Bounds(memory=512 * MIB)
    assert outcome(taken_over(jail, tries("bytearray(128 << 20)"), bounds), asked) == DONE
    assert outcome(taken_over(jail, tries("bytearray(1 << 30)"), bounds), asked) == REFUSED


def test_files_in_memory_are_for_those_who_start_programs_and_bounded(jail: Jail) -> None:
    write = tries("f = os.memfd_create('x'); [os.write(f, bytes(1 << 20)) for _ in '1234']")
    assert outcome(taken_over(jail, write), FILM) == DONE
    assert outcome(taken_over(jail, write, Bounds(output=2 * MIB)), FILM) == REFUSED
    assert outcome(taken_over(jail, write)) == REFUSED


def test_the_kernel_ends_it_before_the_portal_when_memory_runs_out(jail: Jail) -> None:
    """Asked from outside, once it reads: it may not even look at itself."""
    scores: list[str] = []

    def pieces() -> Iterator[bytes]:
        yield bytes(MIB)
        scores.extend((folder / "oom_score_adj").read_text().strip() for folder in descendants())

    jail.run(Task.TEXT, pieces(), kind=FileKind.TEXT)
    assert scores[-1] == "1000"


def descendants() -> list[Path]:
    """What this process started, and what that started, by their folders in /proc."""
    found = [os.getpid()]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").iterdir():
            found.extend(map(int, (task / "children").read_text().split()))
    return [Path(f"/proc/{pid}") for pid in found[1:]]


def test_an_endless_loop_ends_with_its_processor_time(jail: Jail) -> None:
    assert outcome(taken_over(jail, "while True: pass", Bounds(processor=1))) == "timeout"


def test_sleeping_for_ever_ends_with_the_clock(jail: Jail) -> None:
    code = "import time; time.sleep(1000)"
    assert outcome(taken_over(jail, code, Bounds(wall=1.0))) == "timeout"


def test_sleeping_after_the_answer_ends_with_the_clock(jail: Jail) -> None:
    code = "say(kind='text'); os.close(1); import time; time.sleep(1000)"
    assert outcome(taken_over(jail, code, Bounds(wall=1.0))) == "timeout"


def test_a_child_that_stays_behind_is_ended_too(jail: Jail) -> None:
    """It holds the pipe open and sleeps: the end of its parent is its own."""
    code = """
import time
if os.fork() == 0:
    works('os.setsid()')
    time.sleep(1000)
say(failure='damaged')"""
    assert outcome(taken_over(jail, code), FILM) == DONE


@pytest.mark.parametrize(
    "end", ["os.kill(os.getpid(), 11)", "os.abort()", "sys.exit(3)", "raise MemoryError", ""]
)
def test_a_crash_costs_only_that_process(jail: Jail, end: str) -> None:
    assert outcome(taken_over(jail, end)) == "crashed"


def test_a_program_that_cannot_be_started_is_a_crash(tmp_path: Path) -> None:
    assert outcome(Jail(str(tmp_path / "bwrap"))) == "crashed"


def test_an_answer_before_the_file_was_read_is_an_answer(jail: Jail) -> None:
    early = taken_over(jail, "say(b'early', kind='text')")
    pieces = (bytes(MIB) for _ in range(64))
    assert early.run(Task.TEXT, pieces, kind=FileKind.TEXT).data == b"early"


def test_a_file_that_nobody_reads_does_not_hold_us(jail: Jail) -> None:
    deaf = taken_over(jail, "import time; time.sleep(1000)", Bounds(wall=1.0))
    with pytest.raises(Failed) as failed:
        deaf.run(Task.TEXT, (bytes(MIB) for _ in range(64)), kind=FileKind.TEXT)
    assert failed.value.reason is Failure.TIMEOUT


def test_a_file_larger_than_it_takes_is_not_even_sent_whole(jail: Jail) -> None:
    sent: list[None] = []

    def pieces() -> Iterator[bytes]:
        for _ in range(1000):
            sent.append(None)
            yield bytes(MIB)

    with pytest.raises(Failed) as failed:
        jail.run(Task.DRAW, pieces(), kind=FileKind.JPEG)
    assert failed.value.reason is Failure.TOO_LARGE
    assert len(sent) == INPUT_LIMIT // MIB + 1


def test_a_file_that_breaks_off_is_no_file(jail: Jail) -> None:
    """What is read may turn out to be forged halfway: then nothing of it was looked at."""

    def pieces() -> Iterator[bytes]:
        yield b"x"
        raise LookupError

    with pytest.raises(LookupError):
        jail.run(Task.TEXT, pieces(), kind=FileKind.TEXT)


@pytest.mark.parametrize("asked", [TEXT, FILM])
def test_an_endless_answer_is_cut_off(jail: Jail, asked: tuple[Task, FileKind]) -> None:
    code = "say(kind='text')\nwhile True: sys.stdout.buffer.write(bytes(1 << 20))"
    assert outcome(taken_over(jail, code, Bounds(output=4 * MIB)), asked) == "too_large"


def test_bubblewrap_that_may_not_be_used_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kernels may forbid it: then the process confines itself alone, and the doctor says so."""
    refusing = tmp_path / "bwrap"
    refusing.write_text("#!/bin/sh\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not Jail.find().confined
