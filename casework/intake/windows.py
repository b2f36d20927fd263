"""Receipt windows: for how long the same form still shows the same receipt.

The exact time of a visit must not reach the database. It stands only here, in an ephemeral
file (tmpfs in production, never in a backup), beside a name that stands nowhere else
(:func:`casework.intake.token.window_of`), and is gone after the window.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from pysqlite3 import dbapi2

from casework.store.engine import Unavailable

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

WINDOW_SECONDS = 30 * 60


class ReceiptWindows:
    """When each unconfirmed receipt was first shown, in seconds of the office's clock."""

    def __init__(self, path: Path) -> None:
        """Open the ephemeral file at ``path`` (mode 0600), creating it if absent."""
        if not path.exists():
            path.touch(mode=0o600)
        self._lock = threading.Lock()
        self._db = dbapi2.connect(
            str(path), timeout=20, check_same_thread=False, isolation_level=None
        )
        # A write-ahead log would keep forgotten times until its next checkpoint.
        for pragma in ("journal_mode=DELETE", "synchronous=OFF", "secure_delete=ON"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS receipt_window"
            " (name BLOB PRIMARY KEY, opened INTEGER NOT NULL) WITHOUT ROWID"
        )

    def close(self) -> None:
        """Close the file; the windows stay."""
        with self._lock:
            self._db.close()

    def is_open(self, name: bytes, now: datetime) -> bool:
        """Return whether the receipt may still be shown; the first call starts the window.

        A window lost with the ephemeral file (a reboot) starts anew: a reporter whose
        connection died must not lose the receipt to our restart.
        """
        moment = int(now.timestamp())
        # One statement, because another process may close the window at any moment.
        rows = self._run(
            "INSERT INTO receipt_window (name, opened) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET opened = opened RETURNING opened",
            (name, moment),
        )
        return moment - int(rows[0][0]) <= WINDOW_SECONDS

    def known(self, now: datetime) -> dict[bytes, bool]:
        """Return the names of all windows, and whether each is still open."""
        oldest = int(now.timestamp()) - WINDOW_SECONDS
        rows = self._run("SELECT name, opened >= ? FROM receipt_window", (oldest,))
        return {bytes(name): bool(still) for name, still in rows}

    def forget(self, name: bytes) -> None:
        """Forget a window: its receipt was confirmed or has expired."""
        self._run("DELETE FROM receipt_window WHERE name = ?", (name,))

    def _run(self, statement: str, values: tuple[bytes | int, ...]) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows. Raises: Unavailable: the file is of no use."""
        try:
            with self._lock:
                return list(self._db.execute(statement, values).fetchall())
        except dbapi2.Error as error:
            raise Unavailable("receipt windows") from error
