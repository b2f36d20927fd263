"""The confined process, from inside: bound itself, read the file, do one task, answer, end."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from typing import TYPE_CHECKING, Final

from sandbox.answers import write_failure, write_result
from sandbox.contract import INPUT_LIMIT, Failed, Failure, FileKind, Result, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_NEW_PRIVILEGES: Final = 38
_FILES: Final = 64
_LOWEST: Final = 19


def main(arguments: Sequence[str]) -> None:
    """Do the task that the arguments name, on the file that comes by standard input."""
    memory, processor, output, task, kind, page = arguments
    _bound(int(memory), int(processor), int(output))
    data = sys.stdin.buffer.read(INPUT_LIMIT + 1)
    sys.stdout.buffer.write(_answer(Task(task), data, FileKind(kind), int(page)))
    sys.stdout.buffer.flush()
    # Libraries that hold broken files may crash when they are torn down; the answer is out.
    os._exit(0)


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

        return Result(*_ordered(clean(data, kind)))
    from sandbox import draw  # noqa: PLC0415

    if task is Task.TEXT:
        return Result(FileKind.TEXT, 0, draw.text(data).encode())
    return draw.draw(data, kind, page)


def _ordered(cleaned: tuple[FileKind, bytes]) -> tuple[FileKind, int, bytes]:
    kind, data = cleaned
    return kind, 0, data


def _bound(memory: int, processor: int, output: int) -> None:
    """Give up what is not needed, for this process and all that it starts; cannot be undone."""
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
    ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    os.nice(_LOWEST)
