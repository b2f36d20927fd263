"""The confined process, from outside: start it, feed it, and believe nothing that it says.

It is a process of its own for each task, behind bubblewrap where that works: no network, no
capability, nothing writable, and of the disk only what Python needs to run. Everywhere it bounds
its own memory, time and files before it reads a byte (:mod:`sandbox.worker`), and here it is
ended when it takes too long. The file goes in by a pipe; no name and no content is an argument.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sandbox.answers import HEADER_MOST, PREFIX, read_answer
from sandbox.contract import INPUT_LIMIT, Failed, Failure, FileKind, Result, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PROGRAM: Final = "from sandbox.worker import main; main(sys.argv[1:])"
_PIPE: Final = 64 * 1024
_TIME_SPENT: Final = frozenset({-signal.SIGXCPU, 128 + signal.SIGXCPU})
_ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True)
class Bounds:
    """What one task may use: bytes of memory and of its answer, seconds of processor and wall."""

    memory: int = 2 * 1024**3
    processor: int = 60
    wall: float = 120.0
    output: int = 2 * INPUT_LIMIT


@dataclass(frozen=True)
class Jail:
    """Runs tasks, each in a confined process.

    ``bwrap``: path of bubblewrap, or ``None``. ``program``: what the process runs; tests put
    there what a file that has taken it over could do.
    """

    bwrap: str | None = None
    bounds: Bounds = Bounds()
    program: str = PROGRAM

    @classmethod
    def find(cls) -> Jail:
        """Return a jail behind bubblewrap if it is installed and may be used here."""
        return cls(_working_bwrap())

    @property
    def confined(self) -> bool:
        """Whether network and files are out of the process's reach, not only bounded in use."""
        return self.bwrap is not None

    def run(self, task: Task, pieces: Iterable[bytes], *, kind: FileKind, page: int = 1) -> Result:
        """Let a fresh process do a task on a file that comes in pieces; ``page`` counts from 1.

        Raises:
            Failed: there is no result; the process is gone in any case.
            What ``pieces`` raises.
        """
        process = subprocess.Popen(  # noqa: S603 - our own program; no argument comes from a file
            self._command(task, kind, page),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
        try:
            answer = _talk(process, pieces, self.bounds)
        finally:
            _end(process)
        if process.returncode in _TIME_SPENT:
            raise Failed(Failure.TIMEOUT)
        if process.returncode != 0:
            raise Failed(Failure.CRASHED)
        return read_answer(answer, task)

    def _command(self, task: Task, kind: FileKind, page: int) -> list[str]:
        root = str(Path(__file__).resolve().parents[1])
        start = f"import sys; sys.path.insert(0, {root!r}); {self.program}"
        bounds = (str(self.bounds.memory), str(self.bounds.processor), str(self.bounds.output))
        inner = [sys.executable, "-I", "-c", start, *bounds, task, kind, str(page)]
        return inner if self.bwrap is None else [self.bwrap, *_walls(), "--", *inner]


def _walls() -> list[str]:
    """Return the arguments of bubblewrap: everything closed, and read-only what Python needs."""
    walls = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    walls += ["--clearenv"]
    for name, value in _ENVIRONMENT.items():
        walls += ["--setenv", name, value]
    walls += ["--proc", "/proc", "--dev", "/dev"]
    for path in _needed():
        walls += ["--ro-bind", path, path]
    for name in ("/bin", "/lib", "/lib64"):
        if Path(name).is_symlink():
            walls += ["--symlink", str(Path(name).readlink()), name]
        elif Path(name).is_dir():
            walls += ["--ro-bind", name, name]
    return [*walls, "--remount-ro", "/", "--chdir", "/"]


@cache
def _needed() -> tuple[str, ...]:
    """Return what of the disk the process sees: system libraries, Python, and this package."""
    wanted = [
        Path("/usr"),
        *(Path(name) for name in ("/etc/alternatives", "/etc/ld.so.cache")),
        Path(sys.base_prefix).resolve(),
        Path(sys.prefix).absolute(),
        Path(sys.prefix).resolve(),
        Path(__file__).resolve().parent,
    ]
    found: list[Path] = []
    for path in wanted:
        if path.exists() and not any(path.is_relative_to(other) for other in found):
            found.append(path)
    return tuple(str(path) for path in found)


@cache
def _working_bwrap() -> str | None:
    """Return the path of bubblewrap if a process can be started behind it: kernels may forbid."""
    path = shutil.which("bwrap")
    if path is None:
        return None
    try:
        tried = subprocess.run(  # noqa: S603 - a fixed command
            [path, *_walls(), "--", "/usr/bin/true"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return path if tried.returncode == 0 else None


def _talk(process: subprocess.Popen[bytes], pieces: Iterable[bytes], bounds: Bounds) -> bytes:
    """Write the file and read the answer at the same time, so that neither waits for the other.

    Raises:
        Failed: the file or the answer is too large, or it takes too long.
        What ``pieces`` raises.
    """
    assert process.stdin is not None  # noqa: S101 - both are pipes, see above
    assert process.stdout is not None  # noqa: S101
    deadline = time.monotonic() + bounds.wall
    feed, answer = _Feed(process.stdin.fileno(), pieces), bytearray()
    with selectors.DefaultSelector() as ready:
        os.set_blocking(process.stdin.fileno(), False)
        ready.register(process.stdin, selectors.EVENT_WRITE)
        ready.register(process.stdout, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Failed(Failure.TIMEOUT)
            for key, _ in ready.select(left):
                if key.fileobj is process.stdin:
                    if not feed.step():
                        ready.unregister(process.stdin)
                        with contextlib.suppress(BrokenPipeError):
                            process.stdin.close()
                    continue
                piece = os.read(process.stdout.fileno(), _PIPE)
                if not piece:
                    return _finish(process, answer, deadline)
                answer += piece
                if len(answer) > bounds.output + HEADER_MOST + PREFIX:
                    raise Failed(Failure.TOO_LARGE)


def _finish(process: subprocess.Popen[bytes], answer: bytearray, deadline: float) -> bytes:
    """Wait for the end of a process that has closed its output. Raises: Failed."""
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise Failed(Failure.TIMEOUT) from None
    return bytes(answer)


class _Feed:
    """Writes a file into a pipe, as much at a time as fits."""

    def __init__(self, descriptor: int, pieces: Iterable[bytes]) -> None:
        self._descriptor = descriptor
        self._pieces: Iterator[bytes] = iter(pieces)
        self._rest = memoryview(b"")
        self._size = 0

    def step(self) -> bool:
        """Write some of it; say whether there is more. Raises: Failed: it is too large."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self._size += len(piece)
            if self._size > INPUT_LIMIT:
                raise Failed(Failure.TOO_LARGE)
            self._rest = memoryview(piece)
        try:
            self._rest = self._rest[os.write(self._descriptor, self._rest) :]
        except BlockingIOError:
            return True
        except BrokenPipeError:
            # It has answered without reading on, or died; what it said is read either way.
            return False
        return True


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and all its children, whatever they do; nothing of it is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
    process.wait()
