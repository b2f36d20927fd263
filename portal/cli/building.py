"""Make a folder whole or not at all: it is built under another name and moved into place."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from portal import wiring
from portal.cli.inuse import unused
from portal.cli.refusals import Refused
from portal.settings import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

PRIVATE: Final = 0o700


@contextmanager
def built(folder: Path, aside: Path | None = None) -> Iterator[Path]:
    """Yield a folder to build an instance in; it becomes ``folder`` if the block ends well.

    If the block fails or is interrupted, nothing is left. What a killed process left is removed
    by the next one. A folder that exists must be empty, but for ``run`` (where a tmpfs may be
    mounted); it is filled with the settings file last, since that file makes it an instance.

    With ``aside``, an instance that is in the way is moved there, whole, when the new one is
    ready. A process that is killed between the two moves leaves both, each whole.

    Raises:
        Refused: there is an instance, or something else, in the folder; with ``aside``: somebody
            uses the instance.
        OSError: the folder cannot be written.
    """
    folder = folder.resolve()
    if aside is None:
        _refuse_occupied(folder)
    parent = folder if folder.exists() and aside is None else folder.parent
    parent.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    _sweep(parent, folder.name)
    building = parent / f"{_prefix(folder.name)}{secrets.token_hex(4)}"
    building.mkdir(mode=PRIVATE)
    with _held(building), _terminable():
        try:
            yield building
            if aside is not None:
                _swap(building, folder, aside)
            elif parent == folder:
                _fill(folder, building)
            else:
                _put(building, folder)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise


def _prefix(name: str) -> str:
    return f".{name}.making-"


def _refuse_occupied(folder: Path) -> None:
    if (folder / FILE_NAME).exists():
        raise Refused(f"there is an instance in {folder} already")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise Refused(f"{folder} is not a folder")
    others = [
        entry.name
        for entry in folder.iterdir()
        if entry.name != wiring.RUN and not entry.name.startswith(_prefix(folder.name))
    ]
    if others:
        raise Refused(f"{folder} is not empty: an instance needs a folder of its own")


def _sweep(parent: Path, name: str) -> None:
    """Remove what interrupted attempts left; one that still runs holds a lock and is kept."""
    for left in parent.glob(f"{_prefix(name)}*"):
        with suppress(OSError), _held(left):
            shutil.rmtree(left)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder, which the end of the process gives back. Raises: OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _terminable() -> Iterator[None]:
    """Let a polite end of the process (SIGTERM) unwind like Ctrl-C."""

    def unwind(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, unwind)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _put(building: Path, folder: Path) -> None:
    try:
        building.rename(folder)
    except OSError:
        raise Refused(f"somebody else made {folder} meanwhile") from None


def _swap(building: Path, folder: Path, aside: Path) -> None:
    with unused(folder):
        folder.rename(aside)
        try:
            building.rename(folder)
        except OSError:
            aside.rename(folder)
            raise


def _fill(folder: Path, building: Path) -> None:
    folder.chmod(PRIVATE)
    # Ephemeral, made anew by whoever opens the instance; and a mounted folder cannot be moved.
    shutil.rmtree(building / wiring.RUN)
    parts = sorted(building.iterdir(), key=lambda part: part.name == FILE_NAME)
    for part in parts:
        part.rename(folder / part.name)
    building.rmdir()
