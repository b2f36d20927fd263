"""Whatever a file does to the confined process, it stays there and cannot lie its way out."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.answers import read_answer, write_failure, write_result
from sandbox.contract import INPUT_LIMIT, Failed, Failure, FileKind, Result, Task
from sandbox.jail import Bounds, Jail
from tests.sandbox.pictures import jpeg, png

BOUND = "from sandbox.worker import _bound; _bound(*map(int, sys.argv[1:4]));"
SAY = """
import json
def say(data=b'', **header):
    head = json.dumps(header).encode()
    sys.stdout.buffer.write(len(head).to_bytes(4, 'big') + head + data)
    sys.stdout.buffer.flush()
"""


@pytest.fixture(params=["bubblewrap", "bounds alone"])
def jail(request: pytest.FixtureRequest) -> Jail:
    """Both ways in which a process can be confined."""
    if request.param == "bounds alone":
        return Jail()
    return walled()


def walled() -> Jail:
    found = Jail.find()
    if not found.confined:
        pytest.skip(
            "bubblewrap is not installed or may not be used (Debian: apt install bubblewrap)"
        )
    return found


def taken_over(jail: Jail, code: str, bounds: Bounds | None = None) -> Jail:
    """A jail whose process does what the file's author wants."""
    return Jail(jail.bwrap, bounds or jail.bounds, f"{BOUND}\nimport sys{SAY}\n{code}")


def outcome(jail: Jail, pieces: Iterator[bytes] | list[bytes] | None = None) -> str:
    """What such a process could tell: its text, or why there is none."""
    try:
        found = jail.run(Task.TEXT, pieces or [b"x"], kind=FileKind.TEXT)
    except Failed as failed:
        return failed.reason.value
    return found.data.decode()


def tells(expression: str) -> str:
    """Code that tries something and says how that went."""
    return f"""
try:
    {expression}
    say(b'done', kind='text')
except BaseException as refused:
    say(type(refused).__name__.encode(), kind='text')
"""


def test_a_picture_is_drawn_anew(jail: Jail) -> None:
    found = jail.run(Task.DRAW, [jpeg((300, 200))], kind=FileKind.JPEG)
    assert (found.kind, found.pages) == (FileKind.PNG, 1)
    assert found.data.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "reach",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9), 1)",
        "open('/etc/passwd').read()",
        "open('/tmp/left behind', 'w').write('x')",
        "open('/usr/left behind', 'w').write('x')",
        "open('/left behind', 'w').write('x')",
        f"open({str(Path(__file__))!r}).read()",
        "import os; os.kill(1, 0) if os.getppid() > 2 else (_ for _ in ()).throw(OSError)",
    ],
)
def test_behind_the_walls_nothing_can_be_reached(reach: str) -> None:
    said = outcome(taken_over(walled(), tells(reach)))
    assert said.endswith(("Error", "OSError")), said


def test_behind_the_walls_there_is_no_network_but_its_own() -> None:
    code = "import socket; say(str([n for _, n in socket.if_nameindex()]).encode(), kind='text')"
    assert outcome(taken_over(walled(), code)) == "['lo']"


def test_no_secret_of_ours_is_in_its_environment(
    jail: Jail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUAKA_SECRET", "kanari")
    code = "import os; say(repr(sorted(os.environ)).encode(), kind='text')"
    said = outcome(taken_over(jail, code))
    assert "SUAKA" not in said
    assert "PATH" in said


def test_no_open_file_of_ours_is_handed_on(jail: Jail, tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as file:
        file.write("kanari")
        file.flush()
        code = """
import os
say(' '.join(os.readlink(f'/proc/self/fd/{n}') for n in range(3, 30)
    if os.path.exists(f'/proc/self/fd/{n}')).encode(), kind='text')"""
        assert str(tmp_path) not in outcome(taken_over(jail, code))


def test_it_cannot_have_more_memory_than_allowed(jail: Jail) -> None:
    greedy = taken_over(jail, tells("bytearray(1 << 30)"), Bounds(memory=512 * 1024**2))
    assert outcome(greedy) == "MemoryError"


def test_it_cannot_write_a_large_file(jail: Jail) -> None:
    code = tells(
        "import os; f = os.memfd_create('x'); [os.write(f, bytes(1 << 20)) for _ in '1234']"
    )
    assert outcome(taken_over(jail, code, Bounds(output=2 * 1024**2))) in {"OSError", "crashed"}


def test_an_endless_loop_ends_with_its_processor_time(jail: Jail) -> None:
    assert outcome(taken_over(jail, "while True: pass", Bounds(processor=1))) == "timeout"


def test_sleeping_for_ever_ends_with_the_clock(jail: Jail) -> None:
    code = "import time; time.sleep(1000)"
    assert outcome(taken_over(jail, code, Bounds(wall=1.0))) == "timeout"


def test_a_child_that_stays_behind_is_ended_too(jail: Jail) -> None:
    """It holds the pipe open: nobody waits for it longer than allowed, if it lives at all."""
    code = "import os, time\nif os.fork() == 0: time.sleep(1000)\nelse: say(b'x', kind='text')"
    assert outcome(taken_over(jail, code, Bounds(wall=1.5))) == ("x" if jail.bwrap else "timeout")


@pytest.mark.parametrize("end", ["import os; os.kill(os.getpid(), 11)", "sys.exit(3)", ""])
def test_a_crash_costs_only_that_process(jail: Jail, end: str) -> None:
    assert outcome(taken_over(jail, end)) == "crashed"


def test_a_file_that_nobody_reads_does_not_hold_us(jail: Jail) -> None:
    pieces = (bytes(1024 * 1024) for _ in range(64))
    assert outcome(taken_over(jail, "say(b'early', kind='text')"), pieces) == "early"


def test_a_file_larger_than_it_takes_is_not_even_sent_whole(jail: Jail) -> None:
    sent: list[None] = []

    def pieces() -> Iterator[bytes]:
        for _ in range(1000):
            sent.append(None)
            yield bytes(1024 * 1024)

    with pytest.raises(Failed) as failed:
        jail.run(Task.DRAW, pieces(), kind=FileKind.JPEG)
    assert failed.value.reason is Failure.TOO_LARGE
    assert len(sent) == INPUT_LIMIT // 1024**2 + 1


def test_an_endless_answer_is_cut_off(jail: Jail) -> None:
    code = "say(kind='text')\nwhile True: sys.stdout.buffer.write(bytes(1 << 20))"
    assert outcome(taken_over(jail, code, Bounds(output=4 * 1024**2))) == "too_large"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\x00",
        b"\xff\xff\xff\xff{}",
        b"\x00\x00\x00\x02{}",
        b"\x00\x00\x00\x04null",
        write_result(Result(FileKind.JPEG, 1, jpeg((2, 2)))),
        write_result(Result(FileKind.PNG, 0, png((2, 2)))),
        write_result(Result(FileKind.PNG, 1, b"<svg onload=alert(1)>")),
        write_result(Result(FileKind.PNG, 1, png((2, 2))[:20])),
        write_result(Result(FileKind.PNG, 1, png((5000, 1)))),
    ],
)
def test_what_cannot_be_a_drawing_is_not_believed(answer: bytes) -> None:
    with pytest.raises(Failed) as failed:
        read_answer(answer, Task.DRAW)
    assert failed.value.reason is Failure.CRASHED


def test_a_text_is_cleaned_again_outside() -> None:
    hidden = "a\x1b[2Jb\u202ec\r\nd".encode()
    found = read_answer(write_result(Result(FileKind.TEXT, 0, hidden)), Task.TEXT)
    assert found.data.decode() == "a[2Jbc\nd"
    with pytest.raises(Failed):
        read_answer(write_result(Result(FileKind.TEXT, 0, b"\xff")), Task.TEXT)


def test_a_failure_is_told_as_it_is() -> None:
    with pytest.raises(Failed) as failed:
        read_answer(write_failure(Failure.UNSUPPORTED), Task.CLEAN)
    assert failed.value.reason is Failure.UNSUPPORTED


def test_bubblewrap_that_may_not_be_used_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kernels may forbid it: then the bounds stand alone, and the doctor says so."""
    refusing = tmp_path / "bwrap"
    refusing.write_text("#!/bin/sh\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("bwrap") == str(refusing)
    from sandbox import jail as module  # noqa: PLC0415

    module._working_bwrap.cache_clear()
    try:
        assert not Jail.find().confined
    finally:
        module._working_bwrap.cache_clear()
