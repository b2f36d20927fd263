"""The confined process, from inside: shut itself in, read the file, do one task, answer, end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sandbox import calls, landlock, places
from sandbox.answers import write_failure, write_result
from sandbox.contract import AUDIO, INPUT_LIMIT, VIDEO, Failed, Failure, FileKind, Result, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

_DIE_WITH_PARENT: Final = 1
_NO_NEW_PRIVILEGES: Final = 38
_FILES: Final = 64
_PROCESSES: Final = 512
"""Of the user, threads included, those of the portal, too."""

_LOWEST: Final = 19
_FIRST_TO_DIE: Final = "1000"


def main(arguments: Sequence[str]) -> None:
    """Do the task that the arguments name, on the file that comes by standard input."""
    task, kind, page = shut_in(arguments)
    data = sys.stdin.buffer.read(INPUT_LIMIT + 1)
    sys.stdout.buffer.write(_answer(task, data, kind, page))
    sys.stdout.buffer.flush()
    # Libraries that hold broken files may crash when they are torn down; the answer is out.
    os._exit(0)


def shut_in(arguments: Sequence[str]) -> tuple[Task, FileKind, int]:
    """Give up all that the task does not need, before a byte of the file is read; return the task.

    Cannot be undone, and holds for all that this process starts.
    """
    memory, processor, output, *asked = arguments
    task, kind, page = Task(asked[0]), FileKind(asked[1]), int(asked[2])
    # Only recordings are cleaned by a program of its own, with files in memory.
    programs = task is Task.CLEAN and kind in AUDIO | VIDEO
    _bound(int(memory), int(processor), int(output) if programs else 0)
    landlock.give_up(places.readable())
    calls.give_up(programs=programs)
    return task, kind, page


def _answer(task: Task, data: bytes, kind: FileKind, page: int) -> bytes:
    try:
        return write_result(perform(task, data, kind, page))
    except Failed as failed:
        return write_failure(failed.reason)
    except (MemoryError, RecursionError):
        return write_failure(Failure.TOO_LARGE)
    except Exception:  # noqa: BLE001 - whatever a parser raises about a hostile file
        return write_failure(Failure.DAMAGED)


def perform(task: Task, data: bytes, kind: FileKind, page: int) -> Result:
    """Do a task in this process. Raises: Failed, or what a parser raises."""
    # Imported here: a task loads only the parsers that it needs.
    if len(data) > INPUT_LIMIT:
        raise Failed(Failure.TOO_LARGE)
    if task is Task.CLEAN:
        from sandbox.clean import clean  # noqa: PLC0415

        becomes, cleaned = clean(data, kind)
        return Result(becomes, 0, cleaned)
    from sandbox import draw  # noqa: PLC0415

    if task is Task.TEXT:
        return Result(FileKind.TEXT, 0, draw.text(data).encode())
    return draw.draw(data, kind, page)


def _bound(memory: int, processor: int, output: int) -> None:
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_FSIZE: output,
        resource.RLIMIT_NOFILE: _FILES,
        resource.RLIMIT_CORE: 0,
    }
    for name, most in limits.items():
        resource.setrlimit(name, (most, most))
    # One second between: the first limit ends it by a signal that tells why.
    resource.setrlimit(resource.RLIMIT_CPU, (processor, processor + 1))
    with contextlib.suppress(ValueError):  # fewer are allowed already
        resource.setrlimit(resource.RLIMIT_NPROC, (_PROCESSES, _PROCESSES))
    prctl = ctypes.CDLL(None).prctl
    prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    prctl(_DIE_WITH_PARENT, int(signal.SIGKILL), 0, 0, 0)
    os.nice(_LOWEST)
    # When the machine runs out of memory, the kernel ends this process before the portal.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_DIE, "ascii")
