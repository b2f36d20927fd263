"""The keys of the log: which one signs, which ones signed before, and how each followed the last.

The secret of the key in force lies in one file beside the keystore; it decrypts nothing. The
public keys stay for ever: each follows the one before it by a note that both have signed. That
note says how large the tree was, and of no larger one does the word of the earlier key count.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from casework.errors import CaseworkError, Untrustworthy
from casework.log import leaf, tree
from casework.log.tables import LogKeyRow
from crypto import handover
from crypto.errors import CryptoError, Tampered
from crypto.handover import Handover
from crypto.note import Kind, NoteKey, NoteSigner, SignedNote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from casework.store.unit import UnitOfWork

SEED_SIZE: Final = 32
FACT: Final = "log_key"
"""Fact of the leaves that name a key: the genesis, and each change."""

CHANGED: Final = "log_key_changed"


class LogKeyMissing(CaseworkError):
    """The file with the log's secret key is gone, or holds another key than the one in force."""


class LogKeysBroken(Untrustworthy):
    """A public key of the log is stored that the one before it did not hand over to."""


@dataclass(frozen=True)
class LogKeys:
    """Every public key of a log, the oldest first, by the hand-overs that they came by."""

    handovers: tuple[Handover, ...]

    @property
    def all(self) -> tuple[NoteKey, ...]:
        """The keys themselves."""
        return tuple(one.new for one in self.handovers)

    @property
    def in_force(self) -> NoteKey:
        """The key that signs."""
        return self.handovers[-1].new

    def of_size(self, size: int) -> tuple[NoteKey, ...]:
        """Return the keys whose word counts for a tree of ``size`` leaves.

        Nothing larger than the tree of its hand-over existed while a key that was replaced was in
        force. A tree of just that size may be signed by either.
        """
        ended = sum(one.size < size for one in self.handovers[1:])
        return self.all[ended:]

    def since(self, vkey: str) -> tuple[NoteKey, ...]:
        """Return a key and those that followed it.

        Raises:
            Tampered: it never was a key of this log.
        """
        texts = [key.to_text() for key in self.all]
        if vkey not in texts:
            raise Tampered("a key that this log never had")
        return self.all[texts.index(vkey) :]


class LogKeyFile:
    """The file that keeps the secret of the key in force (mode 0600).

    It is read anew for each signature, so that a change reaches every process at once.
    """

    def __init__(self, path: Path) -> None:
        """Name the file; beside it, a new key waits under ``.new`` until its hand-over commits."""
        self.path = path
        self._new = path.with_name(f"{path.name}.new")
        self._part = path.with_name(f".{path.name}.part")

    def make(self, instance: str, seed: bytes) -> NoteSigner:
        """Write the first key of an instance, of 32 random bytes. Raises: OSError: there is one."""
        signer = NoteSigner(origin_of(instance), Kind.LOG, seed)
        self._write(self.path, signer, os.link)
        return signer

    def prepare(self, instance: str, seed: bytes) -> NoteSigner:
        """Write the next key, which :meth:`signer` takes up once it is in force."""
        signer = NoteSigner(origin_of(instance), Kind.LOG, seed)
        self._write(self._new, signer, os.replace)
        return signer

    def first(self) -> NoteSigner:
        """Return the key of an instance that has none in force yet. Raises: LogKeyMissing."""
        return _read(self.path)

    def signer(self, key: NoteKey) -> NoteSigner:
        """Return the secret of the key in force; completes a change that was cut short.

        Raises:
            LogKeyMissing: it is not there.
        """
        path, found = self._look_for(key)
        if path == self._new:
            self._take_up(key)
        return found

    def check(self, key: NoteKey) -> None:
        """Look whether the secret of the key in force is there; changes nothing.

        Raises:
            LogKeyMissing: it is not, neither in its place nor waiting to take it.
        """
        self._look_for(key)

    def _look_for(self, key: NoteKey) -> tuple[Path, NoteSigner]:
        """Return where a secret is, and itself. Raises: LogKeyMissing."""
        # Another process may put the new one into its place between the first two looks.
        for path in (self.path, self._new, self.path):
            found = _look(path)
            if found is not None and found.key == key:
                return path, found
        raise LogKeyMissing("unreadable, or another key than the one in force")

    def _take_up(self, key: NoteKey) -> None:
        """Put a new key into its place, unless another process did; then a next one may wait."""
        with _alone(self.path.parent):
            waiting = _look(self._new)
            if waiting is not None and waiting.key == key:
                self._new.replace(self.path)

    def _write(self, path: Path, signer: NoteSigner, put: Callable[[Path, Path], None]) -> None:
        """Write a secret whole or not at all; what a killed process left of one goes.

        Raises:
            OSError: it cannot be written, or ``put`` finds another file in its place.
        """
        with _alone(self.path.parent):
            self._part.unlink(missing_ok=True)
            try:
                descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(f"{signer.to_text()}\n")
                    file.flush()
                    os.fsync(file.fileno())
                put(self._part, path)
            finally:
                self._part.unlink(missing_ok=True)

    def __repr__(self) -> str:
        """Return a text without the secret."""
        return f"LogKeyFile({self.path.name})"


def origin_of(instance: str) -> str:
    """Return the name under which the log of an instance signs; it does not tell whose it is."""
    return f"catatan/{instance}"


def found(uow: UnitOfWork) -> NoteKey:
    """Store the first key, which a leaf must name; its own signature stands under it.

    Raises:
        LogKeyMissing: the file is gone.
    """
    signer = uow.office.log_key.first()
    _store(uow, 1, signer.key, Handover(None, signer.key, tree.size(uow.session)).sign([signer]))
    return signer.key


def load(uow: UnitOfWork) -> LogKeys:
    """Return the keys of the log, each handed over by the one before it.

    Raises:
        LogKeysBroken: one of them was not, or there is none.
    """
    found = tuple(followed(uow))
    if not found:
        raise LogKeysBroken("none")
    return LogKeys(found)


def followed(uow: UnitOfWork) -> Iterator[Handover]:
    """Yield the hand-overs of the log in order, as far as each follows from the one before it.

    Raises:
        LogKeysBroken: the next one does not.
    """
    before: list[Handover] = []
    for row in uow.session.scalars(select(LogKeyRow).order_by(LogKeyRow.number)).all():
        before.append(_followed(uow, before, row))
        yield before[-1]


def signer(uow: UnitOfWork) -> NoteSigner:
    """Return the secret of the key in force. Raises: LogKeysBroken, LogKeyMissing."""
    return uow.office.log_key.signer(load(uow).in_force)


def rotate(uow: UnitOfWork, seed: bytes) -> LogKeys:
    """Hand over to a new key of 32 random bytes: both sign, and a leaf names the hand-over.

    The key is on the disk before this transaction commits, and signs from the commit on.

    Raises:
        LogKeysBroken, LogKeyMissing: the key in force cannot sign, or the tree is smaller than
            when it was handed over to.
    """
    known = load(uow)
    if tree.size(uow.session) < known.handovers[-1].size:
        raise LogKeysBroken("a smaller tree")
    old = uow.office.log_key.signer(known.in_force)
    new = uow.office.log_key.prepare(uow.office.instance_id, seed)
    said = Handover(old.key, new.key, tree.size(uow.session))
    _store(uow, len(known.all) + 1, new.key, said.sign([old, new]))
    name_in_log(uow, new.key)
    return LogKeys((*known.handovers, said))


def name_in_log(uow: UnitOfWork, key: NoteKey) -> int:
    """Append the leaf that names a key which is stored from now on; return its number."""
    row = uow.session.scalars(select(LogKeyRow).where(LogKeyRow.vkey == key.to_text())).one()
    return leaf.append(
        uow,
        leaf.Draft(
            CHANGED,
            leaf.SYSTEM,
            objects=(hashlib.sha256(row.handover.encode()).hexdigest(),),
            facts={FACT: row.vkey},
        ),
    )


def handovers(uow: UnitOfWork) -> tuple[SignedNote, ...]:
    """Return the notes by which the keys followed each other, the first included."""
    rows = uow.session.scalars(select(LogKeyRow.handover).order_by(LogKeyRow.number))
    return tuple(SignedNote.from_text(row) for row in rows)


def _followed(uow: UnitOfWork, before: list[Handover], row: LogKeyRow) -> Handover:
    """Return what a row says once the key before it, and its own, signed it; sizes never fall."""
    last = before[-1] if before else None
    try:
        said = _verified(row.handover)
        fits = (
            said.new.name == origin_of(uow.office.instance_id)
            and said.new.to_text() == row.vkey
            and said.old == (last.new if last else None)
            and said.size >= (last.size if last else 0)
            and all(said.new != one.new for one in before)
        )
    except CryptoError:
        raise LogKeysBroken(f"key {row.number}") from None
    if not fits or row.number != len(before) + 1:
        raise LogKeysBroken(f"key {row.number}")
    return said


@lru_cache(maxsize=64)
def _verified(note: str) -> Handover:
    """Return what a hand-over says once its keys have signed it. Pure. Raises: CryptoError."""
    return handover.of(SignedNote.from_text(note))


def _store(uow: UnitOfWork, number: int, key: NoteKey, note: SignedNote) -> None:
    uow.session.add(LogKeyRow(number=number, vkey=key.to_text(), handover=note.to_text()))
    uow.session.flush()


def _read(path: Path) -> NoteSigner:
    try:
        return NoteSigner.from_text(path.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError, CryptoError):
        raise LogKeyMissing("unreadable") from None


def _look(path: Path) -> NoteSigner | None:
    try:
        return _read(path)
    except LogKeyMissing:
        return None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes from writing keys into a folder, which is on the disk afterwards."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
