"""What the processes of one instance share out: places to work at once, and budgets.

Both lie in the runtime directory (tmpfs in production, never in a backup), and neither names
anybody.

A *place* is a lock file. Whoever works there holds the kernel's lock on it, so that a process that
ends in whatever way gives its places back. The files are made when an instance opens, stay empty
and are never written to: nothing of a visit is in them or in their times.

A *budget* is a bucket of tokens that fills up by the minute. Its row holds a name of the program's
or one derived from a secret, how many tokens are gone, and two whole minutes; it is deleted as soon
as the bucket would be full again. So a quiet report leaves for two minutes (until the next tick, if
nobody else comes) that there was one in that minute. That is less than the receipt windows beside
it hold; like theirs, the times of the file itself say when it was last written to.
"""

from __future__ import annotations

import fcntl
import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pysqlite3 import dbapi2

from casework.store.engine import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_NAME: Final = "budgets.db"
BUSY_SECONDS: Final = 10
MINUTE: Final = 60
_AHEAD: Final = 2
"""By how many minutes a row may be ahead: one as written, one by a process that was quicker."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS budget (
    name   TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
    used   INTEGER NOT NULL CHECK (used > 0),
    since  INTEGER NOT NULL,
    until  INTEGER NOT NULL
) WITHOUT ROWID
"""


@dataclass(frozen=True)
class Place:
    """A place that somebody holds until they leave it, or until their process ends."""

    _descriptor: int

    def leave(self) -> None:
        """Give the place back; to be called once."""
        os.close(self._descriptor)


class Places:
    """Some places of one name, for all processes together."""

    def __init__(self, folder: Path, name: str, count: int) -> None:
        """Make the lock files (mode 0600) of `count` places.

        Raises:
            ValueError: there would be none.
            Unavailable: the folder is of no use.
        """
        if count < 1:
            raise ValueError("a lane needs room for one")
        self.count = count
        self._paths = [folder / f"{name}.{number}.lock" for number in range(count)]
        for path in self._paths:
            os.close(_open(path))

    def take(self) -> Place | None:
        """Take a free place, or return None at once; costs a few system calls and never waits.

        Raises:
            Unavailable: the files cannot be opened or locked.
        """
        for path in self._paths:
            # Opened anew each time: a lock belongs to the opening, so that this process, too,
            # is kept out of a place that it holds already.
            descriptor = _open(path)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
            except OSError as error:
                os.close(descriptor)
                raise Unavailable("places") from error
            else:
                return Place(descriptor)
        return None


@dataclass(frozen=True)
class Allowance:
    """What a budget grants: `burst` at once, `per_minute` in the long run.

    Raises:
        ValueError: it would never let anything through.
    """

    burst: int
    per_minute: int

    def __post_init__(self) -> None:
        """Refuse what lets nothing through."""
        if self.burst < 1 or self.per_minute < 1:
            raise ValueError("a bucket needs a positive rate and room for one token")


class Rations:
    """Places and budgets in one folder; safe to use from many threads and several processes."""

    def __init__(self, folder: Path) -> None:
        """Open the file of budgets in `folder`, making it (mode 0600) if there is none.

        Raises:
            Unavailable: if the file cannot be made.
            pysqlite3.dbapi2.Error: if it is no database.
        """
        self._folder = folder
        path = folder / FILE_NAME
        # Made here and not by SQLite, so that at no moment anybody else can open it.
        os.close(_open(path))
        self._lock = threading.Lock()
        self._db = dbapi2.connect(
            str(path), isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS
        )
        # A write-ahead log would keep what was deleted; nothing here outlives the machine.
        for pragma in ("journal_mode=DELETE", "synchronous=OFF", "secure_delete=ON"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute(_SCHEMA)

    def close(self) -> None:
        """Close the file; budgets stay as they are."""
        with self._lock:
            self._db.close()

    def places(self, name: str, count: int) -> Places:
        """Return `count` places of a name that the program gives.

        Raises:
            ValueError: there would be none.
            Unavailable: the folder is of no use.
        """
        return Places(self._folder, name, count)

    def take(self, name: str, allowance: Allowance, now: int) -> int:
        """Take a token and return 0, or return in how many seconds (at least 1) there is one.

        `now` is in seconds since the epoch.

        Raises:
            Unavailable: the file is locked, full or unreadable.
        """
        with self._transaction() as db:
            _forget(db, now // MINUTE)
            used, since = _state(db, name, allowance, now // MINUTE)
            if used >= allowance.burst:
                return _seconds(used, allowance, since, now)
            until = since + _minutes(used + 1, allowance)
            db.execute(
                "INSERT OR REPLACE INTO budget VALUES (?, ?, ?, ?)", (name, used + 1, since, until)
            )
            return 0

    def wait(self, name: str, allowance: Allowance, now: int) -> int:
        """Return what `take` would return, and take nothing.

        Raises:
            Unavailable: the file is locked, full or unreadable.
        """
        with self._transaction() as db:
            used, since = _state(db, name, allowance, now // MINUTE)
            return _seconds(used, allowance, since, now) if used >= allowance.burst else 0

    def give_back(self, name: str) -> None:
        """Put a token back that was taken for nothing.

        Raises:
            Unavailable: the file is locked, full or unreadable.
        """
        with self._transaction() as db:
            db.execute("DELETE FROM budget WHERE name = ? AND used = 1", (name,))
            db.execute("UPDATE budget SET used = used - 1 WHERE name = ?", (name,))

    def sweep(self, now: int) -> int:
        """Forget every bucket that is full again; return how many.

        Raises:
            Unavailable: the file is locked, full or unreadable.
        """
        with self._transaction() as db:
            return _forget(db, now // MINUTE)

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        """Run one transaction. Raises: Unavailable: the file is locked, full or unreadable."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except dbapi2.IntegrityError:
                raise  # a mistake of ours
            except dbapi2.Error as error:
                raise Unavailable("budgets") from error
            finally:
                # Left open by a failure, it would refuse every transaction to come.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Unavailable(path.name) from error


def _forget(db: Any, minute: int) -> int:
    # A row from the future was written before the clock was set back: it must not lock anybody
    # out until the clock has caught up.
    ahead = minute + _AHEAD
    deleted = db.execute("DELETE FROM budget WHERE until <= ? OR since > ?", (minute, ahead))
    return int(deleted.rowcount)


def _state(db: Any, name: str, allowance: Allowance, minute: int) -> tuple[int, int]:
    """Return how many tokens are gone, and since which minute the bucket has been filling up.

    The first to take a token begins some way into a minute, and nobody may know how far: what
    comes back counts from the next full minute on, and so never too early.
    """
    row = db.execute("SELECT used, since FROM budget WHERE name = ?", (name,)).fetchone()
    if row is None or row[1] > minute + _AHEAD:
        return 0, minute + 1
    filled = max(0, minute - row[1]) * allowance.per_minute
    return max(0, row[0] - filled), max(minute, row[1])


def _seconds(used: int, allowance: Allowance, since: int, now: int) -> int:
    """Return in how many seconds a token comes, when there is none."""
    minutes = _minutes(used + 1 - allowance.burst, allowance)
    return max(1, (since + minutes) * MINUTE - now)


def _minutes(tokens: int, allowance: Allowance) -> int:
    """Return in how many whole minutes so many tokens come back."""
    return -(-tokens // allowance.per_minute)
