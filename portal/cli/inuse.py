"""Is somebody else using an instance? SQLite's own locks tell, across processes."""

from __future__ import annotations

import fcntl
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from portal.cli.refusals import Refused
from portal.wiring import Paths

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PENDING_BYTE: Final = 0x40000000
"""Where SQLite's locks on a database file begin (sqlite.org/c3ref, os_unix.c)."""

LOCK_BYTES: Final = 512


@contextmanager
def unused(folder: Path) -> Iterator[None]:
    """Keep everybody out of an instance's databases; a server holds them as long as it runs.

    This process must have none of them open: its own locks would count for nothing, and end here.

    Raises:
        Refused: another process has one of them open.
        OSError: a file cannot be opened.
    """
    paths = Paths(folder)
    with ExitStack() as held:
        for path in (paths.database, paths.keystore):
            if not path.exists():
                continue
            file = held.enter_context(path.open("r+b"))
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, LOCK_BYTES, PENDING_BYTE)
            except (BlockingIOError, PermissionError):  # POSIX allows either
                raise Refused(f"{folder} is in use: stop its servers first") from None
        yield
