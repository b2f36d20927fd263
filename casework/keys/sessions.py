"""Sessions: a cookie of 256 random bits, and a small file that is useless without it.

The file (in the runtime directory, tmpfs in production, never in a backup) keeps of each session
an identifier derived from the cookie, and the person with their seed sealed under a key derived
from the cookie. Whoever reads or steals the file opens nothing, and does not learn whose a session
is: an officer's sessions share a name derived from a key of the office, so that they can be ended
by others than their owner; a reporter's share nothing. Whoever writes to it can end sessions, but
not make one, move one to another person, or outlast its absolute end.
"""

from __future__ import annotations

import os
import secrets
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from pysqlite3 import dbapi2

from casework.store.engine import Unavailable
from crypto.labels import Label, derive

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

COOKIE_BYTES: Final = 32
IDLE: Final = 15 * 60
"""Seconds without a request after which a session ends."""

BUSY_SECONDS: Final = 10
_COOKIE_LENGTH: Final = 43
_PERSON_LENGTH: Final = 32
_SEAL_CONTEXT: Final = b"seed"
_CSRF_CONTEXT: Final = b"csrf"
# Safe because the sealing key is derived from a cookie that seals exactly once.
_NONCE: Final = bytes(12)
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS session (
    id      BLOB PRIMARY KEY CHECK (length(id) = 32),
    kind    TEXT NOT NULL CHECK (kind IN ('reporter', 'staff')),
    owner   BLOB CHECK (length(owner) = 32),
    created INTEGER NOT NULL,
    seen    INTEGER NOT NULL,
    ends    INTEGER NOT NULL,
    proved  INTEGER NOT NULL,
    sealed  BLOB NOT NULL CHECK (length(sealed) = 80)
) WITHOUT ROWID
"""


class Kind(StrEnum):
    """Whose session it is; neither opens the pages of the other."""

    REPORTER = "reporter"
    STAFF = "staff"


LIFETIMES: Final[Mapping[Kind, int]] = {Kind.REPORTER: 2 * 3600, Kind.STAFF: 8 * 3600}
"""Seconds after which a session ends, however busy it was."""


@dataclass(frozen=True, slots=True)
class Session:
    """An open session: whose it is, and the secrets that live as long as it does.

    ``name`` tells a person's sessions apart and opens nothing. ``proved`` is when the second
    factor was last shown (seconds since the epoch; 0: never).
    """

    person: str
    kind: Kind
    name: str
    proved: int
    seed: bytes = field(repr=False)
    csrf_secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One line of a person's list of open sessions; times in seconds since the epoch."""

    name: str
    created: int
    seen: int


class SessionStore:
    """The file of sessions; safe to use from many threads and from several processes."""

    def __init__(
        self,
        path: Path,
        owners: bytes,
        *,
        idle: int = IDLE,
        lifetimes: Mapping[Kind, int] = LIFETIMES,
    ) -> None:
        """Open the file at `path`, making it (mode 0600) if there is none.

        `owners` is the 32-byte key of the names under which officers' sessions are found.

        Raises:
            OSError: if the file cannot be made.
            pysqlite3.dbapi2.Error: if it is no database.
        """
        # Made here and not by SQLite, so that at no moment anybody else can open it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._owners = owners
        self._idle = idle
        self._lifetimes = dict(lifetimes)
        self._lock = threading.Lock()
        self._db = dbapi2.connect(
            str(path), isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS
        )
        self._db.execute("PRAGMA secure_delete = ON")
        # A write-ahead log would keep ended sessions until its next checkpoint.
        self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.execute("PRAGMA synchronous = FULL")
        # Nothing is kept over a change of format: everybody signs in again.
        columns = {row[1] for row in self._db.execute("PRAGMA table_info(session)")}
        if columns and "proved" not in columns:
            self._db.execute("DROP TABLE session")
        self._db.execute(_SCHEMA)

    def close(self) -> None:
        """Close the file; the sessions stay."""
        with self._lock:
            self._db.close()

    def open(
        self,
        kind: Kind,
        person: str,
        seed: bytes,
        now: int,
        *,
        replacing: str | None = None,
        proved: bool = False,
    ) -> str:
        """Start a session and return its cookie; end the session that it replaces.

        The cookie is always a new one, so that nobody can plant one before a sign-in. `proved`:
        the second factor was shown with it.

        Raises:
            ValueError: if `seed` is not 32 bytes, or `person` not 32 characters of ASCII.
        """
        if len(seed) != COOKIE_BYTES:
            msg = "a person's seed has 32 bytes"
            raise ValueError(msg)
        if len(person) != _PERSON_LENGTH or not person.isascii():
            msg = "a person's id has 32 characters"
            raise ValueError(msg)
        secret = secrets.token_bytes(COOKIE_BYTES)
        ends = now + self._lifetimes[kind]
        # No page lists a reporter's sessions, so nothing may tell that two are of one person.
        owner = self._owner(person) if kind is Kind.STAFF else None
        sealed = _cipher(secret).encrypt(
            _NONCE, seed + person.encode("ascii"), _bound(kind, owner, now, ends)
        )
        shown = now if proved else 0
        row = (_identifier(secret), kind.value, owner, now, now, ends, shown, sealed)
        with self._transaction() as db:
            if replacing is not None:
                self._delete(db, replacing)
            db.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        return urlsafe_b64encode(secret).rstrip(b"=").decode()

    def resume(self, cookie: str, now: int) -> Session | None:
        """Return the session of a cookie and note that it is in use.

        None for a cookie that is unknown, altered, idle for too long or past its end, and for a
        row that is not as `open` wrote it; such a row is deleted.
        """
        secret = _secret_of(cookie)
        if secret is None:
            return None
        identifier = _identifier(secret)
        with self._transaction() as db:
            row = db.execute(
                "SELECT kind, owner, created, seen, ends, proved, sealed FROM session WHERE id = ?",
                (identifier,),
            ).fetchone()
            if row is None:
                return None
            session = None if self._is_over(row[3], row[4], now) else _unseal(secret, row)
            if session is None:
                db.execute("DELETE FROM session WHERE id = ?", (identifier,))
            else:
                db.execute("UPDATE session SET seen = ? WHERE id = ?", (now, identifier))
            return session

    def end(self, cookie: str) -> None:
        """End the session of a cookie, if there is one."""
        with self._transaction() as db:
            self._delete(db, cookie)

    def prove(self, session: Session, now: int) -> None:
        """Note that the second factor was shown in a session just now."""
        with self._transaction() as db:
            db.execute(
                "UPDATE session SET proved = ? WHERE id = ?", (now, bytes.fromhex(session.name))
            )

    def end_all(self, person: str, *, keep: str | None = None) -> int:
        """End every session of an officer, but the one named `keep`; return how many."""
        with self._transaction() as db:
            ended = db.execute(
                "DELETE FROM session WHERE owner = ? AND id IS NOT ?",
                (self._owner(person), None if keep is None else bytes.fromhex(keep)),
            )
            return int(ended.rowcount)

    def end_one(self, person: str, name: str) -> bool:
        """End one session of an officer by its name; return whether there was such a one."""
        try:
            identifier = bytes.fromhex(name)
        except ValueError:
            return False
        with self._transaction() as db:
            ended = db.execute(
                "DELETE FROM session WHERE owner = ? AND id = ?", (self._owner(person), identifier)
            )
            return bool(ended.rowcount)

    def of_owner(self, person: str, now: int) -> tuple[OpenSession, ...]:
        """List an officer's sessions that are not over, the one in use last coming first."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT id, created, seen, ends FROM session WHERE owner = ? ORDER BY seen DESC",
                (self._owner(person),),
            ).fetchall()
        return tuple(
            OpenSession(bytes(identifier).hex(), created, seen)
            for identifier, created, seen, ends in rows
            if not self._is_over(seen, ends, now)
        )

    def sweep(self, now: int) -> int:
        """Delete what is over; return how many."""
        with self._transaction() as db:
            swept = db.execute(
                "DELETE FROM session WHERE ends <= ? OR seen <= ?", (now, now - self._idle)
            )
            return int(swept.rowcount)

    def _owner(self, person: str) -> bytes:
        return derive(Label.SESSION_OWNER, self._owners, context=person.encode())

    def _is_over(self, seen: int, ends: int, now: int) -> bool:
        return now >= ends or now - seen >= self._idle

    def _delete(self, db: Any, cookie: str) -> None:
        secret = _secret_of(cookie)
        if secret is not None:
            db.execute("DELETE FROM session WHERE id = ?", (_identifier(secret),))

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
                raise Unavailable("sessions") from error
            finally:
                # Left open by a failure, it would refuse every transaction to come.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")


def _secret_of(cookie: str) -> bytes | None:
    """Decode a cookie, strictly: one spelling for each value."""
    if len(cookie) != _COOKIE_LENGTH or not cookie.isascii():
        return None
    try:
        secret = urlsafe_b64decode(cookie + "=")
    except ValueError:
        return None
    respelled = urlsafe_b64encode(secret).rstrip(b"=").decode()
    return secret if respelled == cookie else None


def _identifier(secret: bytes) -> bytes:
    return derive(Label.SESSION_ID, secret)


def _cipher(secret: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(derive(Label.SESSION_SEAL, secret, context=_SEAL_CONTEXT))


def _bound(kind: str, owner: bytes | None, created: int, ends: int) -> bytes:
    return "\0".join((str(kind), str(created), str(ends), (owner or b"").hex())).encode()


def _unseal(secret: bytes, row: tuple[Any, ...]) -> Session | None:
    kind, owner, created, _seen, ends, proved, sealed = row
    try:
        plain = _cipher(secret).decrypt(_NONCE, sealed, _bound(kind, owner, created, ends))
    except InvalidTag:
        return None
    seed, person = plain[:COOKIE_BYTES], plain[COOKIE_BYTES:].decode("ascii")
    csrf_secret = derive(Label.SESSION_SEAL, secret, context=_CSRF_CONTEXT)
    return Session(person, Kind(kind), _identifier(secret).hex(), proved, seed, csrf_secret)
