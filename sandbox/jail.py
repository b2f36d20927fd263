"""The confined process, from outside: start it, feed it, and believe nothing that it says.

It is a process of its own for each task, behind bubblewrap where that works: no network, no
capability, nothing writable, and of the disk only what Python needs to run. Everywhere it shuts
itself in before it reads a byte (:mod:`sandbox.worker`): bounds on memory, time and files, and
what the kernel lets it give up. Here it is ended when it takes too long. The file goes in by a
pipe; no name and no content is an argument.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from sandbox import calls, landlock, places
from sandbox.answers import HEADER_MOST, MOST, PREFIX, read_answer
from sandbox.contract import INPUT_LIMIT, Failed, Failure, FileKind, Result, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PROGRAM: Final = "from sandbox.worker import main; main(sys.argv[1:])"
_PIPE: Final = 64 * 1024
_PATIENCE: Final = 60.0
"""Seconds for a first try: a busy machine must not pass for one without bubblewrap."""

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
        path = shutil.which("bwrap")
        return cls(path if path is not None and _works(path) else None)

    @property
    def confined(self) -> bool:
        """Whether bubblewrap keeps network and files out of the process's reach."""
        return self.bwrap is not None

    @property
    def guarded(self) -> bool:
        """Whether the process also shuts itself off from sockets, files and other processes.

        That is what is left where there is no bubblewrap: Landlock and seccomp.
        """
        return landlock.version() > 0 and calls.supported()

    def run(self, task: Task, pieces: Iterable[bytes], *, kind: FileKind, page: int = 1) -> Result:
        """Let a fresh process do a task on a file that comes in pieces; ``page`` counts from 1.

        Raises:
            Failed: there is no result; the process is gone in any case. A page that the file
                does not have is ``DAMAGED``.
            What ``pieces`` raises.
        """
        try:
            process = subprocess.Popen(  # noqa: S603 - our own program; no argument is of a file
                self._command(task, kind, page),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                cwd="/",
                start_new_session=True,
            )
        except OSError:
            raise Failed(Failure.CRASHED) from None
        try:
            most = min(self.bounds.output, MOST[task]) + HEADER_MOST + PREFIX
            answer = _talk(process, pieces, self.bounds.wall, most)
        finally:
            _end(process)
        if process.returncode in _TIME_SPENT:
            raise Failed(Failure.TIMEOUT)
        if process.returncode != 0:
            raise Failed(Failure.CRASHED)
        return read_answer(answer, task, kind, page)

    def _command(self, task: Task, kind: FileKind, page: int) -> list[str]:
        start = f"import sys; sys.path[:0] = {list(places.packages())!r}; {self.program}"
        bounds = (str(self.bounds.memory), str(self.bounds.processor), str(self.bounds.output))
        # Isolated, and without what packages have run when Python starts.
        python = [places.interpreter(), "-I", "-S", "-B", "-c", start]
        inner = [*python, *bounds, task, kind, str(page)]
        return inner if self.bwrap is None else [self.bwrap, *_walls(), "--", *inner]


def _walls() -> list[str]:
    """Return the arguments of bubblewrap: everything closed, and read-only what Python needs."""
    walls = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    walls += ["--clearenv"]
    for name, value in _ENVIRONMENT.items():
        walls += ["--setenv", name, value]
    walls += ["--proc", "/proc", "--dev", "/dev"]
    for path in places.readable():
        walls += ["--ro-bind", path, path]
    for name in ("/bin", "/lib", "/lib64"):
        if Path(name).is_symlink():
            walls += ["--symlink", str(Path(name).readlink()), name]
    # What lies in memory is no disk, but it is not counted as the process's memory either.
    return [*walls, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]


@cache
def _works(path: str) -> bool:
    """Return whether Python can be started behind this bubblewrap: kernels may forbid it."""
    python = [places.interpreter(), "-I", "-S", "-B", "-c", "pass"]
    try:
        tried = subprocess.run(  # noqa: S603 - a fixed command
            [path, *_walls(), "--", *python],
            stdin=subprocess.DEVNULL, capture_output=True, env=_ENVIRONMENT, cwd="/",
            timeout=_PATIENCE, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return False
    return tried.returncode == 0


def _talk(
    process: subprocess.Popen[bytes], pieces: Iterable[bytes], wall: float, most: int
) -> bytes:
    """Write the file and read the answer at the same time, so that neither waits for the other.

    Returns the answer when the process has ended, all that it started has been ended, and nothing
    more can come.

    Raises:
        Failed: the file or the answer is too large, or it takes too long.
        What ``pieces`` raises.
    """
    assert process.stdin is not None  # noqa: S101 - both are pipes, see above
    assert process.stdout is not None  # noqa: S101
    deadline = time.monotonic() + wall
    feed, answer = _Feed(process.stdin.fileno(), pieces), bytearray()
    with selectors.DefaultSelector() as ready, _watched(process.pid) as end:
        os.set_blocking(process.stdin.fileno(), False)
        ready.register(process.stdin, selectors.EVENT_WRITE)
        ready.register(process.stdout, selectors.EVENT_READ)
        ready.register(end, selectors.EVENT_READ)
        waiting = {process.stdout.fileno(), end}
        while waiting:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Failed(Failure.TIMEOUT)
            for key, _ in ready.select(left):
                if key.fileobj is process.stdin:
                    more = feed.step()
                elif key.fd == end:
                    _kill(process)
                    more = False
                else:
                    piece = os.read(key.fd, _PIPE)
                    answer += piece
                    more = bool(piece)
                if len(answer) > most:
                    raise Failed(Failure.TOO_LARGE)
                if not more:
                    ready.unregister(key.fileobj)
                    waiting.discard(key.fd)
                    if key.fileobj is process.stdin:
                        _close(process.stdin)
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


@contextlib.contextmanager
def _watched(pid: int) -> Iterator[int]:
    """Lend a descriptor that can be read when the process has ended, before it is forgotten."""
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and its group; only before it is waited for: then the number is its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and all its children, whatever they do; nothing of it is left."""
    _kill(process)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            _close(pipe)
    process.wait()


def _close(pipe: IO[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError):
        pipe.close()
