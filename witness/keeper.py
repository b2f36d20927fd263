"""The witness itself: a folder with its secret key and what it keeps of each log.

It cosigns at most one tree of each size of a log, and only one that grew from the newest tree it
cosigned. Whatever is answered is on the disk before.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, Self

from crypto import checkpoint, handover, merkle
from crypto.errors import CryptoError, Malformed, Tampered
from crypto.note import Kind, NoteKey, NoteSigner, SignedNote
from witness import disk
from witness.record import Conflict, Cosigned, LogRecord, folder_name, log_signatures
from witness.refusals import (
    AlreadyMade,
    ClockBehind,
    Damaged,
    Forked,
    KeyExposed,
    NotALogKey,
    NotSigned,
    OldBeyondNew,
    ProofWrong,
    SizeDiffers,
    UnknownLog,
)

if TYPE_CHECKING:
    from pathlib import Path

    from crypto.checkpoint import Checkpoint
    from crypto.witness_request import AddCheckpoint

KEY_FILE: Final = "witness.key"
LOGS: Final = "logs"
SEED_SIZE: Final = 32
_OTHERS: Final = 0o077


class Keeper:
    """A witness on the disk. Any number of processes and threads may use one folder at once."""

    def __init__(self, folder: Path, signer: NoteSigner) -> None:
        """Use a folder that :meth:`make` made; see :meth:`open`."""
        self._logs = folder / LOGS
        self._signer = signer

    @classmethod
    def make(cls, folder: Path, name: str) -> Self:
        """Make a witness with a fresh key in a new or empty folder.

        Raises:
            AlreadyMade: something is in the folder.
            Malformed: the name is none of a key: no spaces, no plus, at most 255 characters.
            OSError: the folder cannot be made.
        """
        signer = NoteSigner(name, Kind.WITNESS, secrets.token_bytes(SEED_SIZE))
        disk.make_folder(folder)
        folder.chmod(disk.FOLDER_MODE)
        with disk.locked(folder):
            if {path.name for path in folder.iterdir()} - {disk.LOCK, disk.UNFINISHED, LOGS}:
                raise AlreadyMade(str(folder))
            disk.make_folder(folder / LOGS)
            disk.put(folder / KEY_FILE, f"{signer.to_text()}\n")
        return cls(folder, signer)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open a witness.

        Raises:
            OSError: there is none.
            KeyExposed: others than the owner may read the key.
            Damaged: the key is none.
        """
        path = folder / KEY_FILE
        if path.stat().st_mode & _OTHERS:
            raise KeyExposed(str(path))
        try:
            signer = NoteSigner.from_text(path.read_text("utf-8").removesuffix("\n"))
        except (CryptoError, UnicodeDecodeError) as error:
            raise Damaged(str(path)) from error
        if signer.key.kind is not Kind.WITNESS:
            raise Damaged(str(path))
        return cls(folder, signer)

    @property
    def key(self) -> NoteKey:
        """What the administrators of logs must know of this witness."""
        return self._signer.key

    def trust(self, vkey: str) -> NoteKey:
        """Trust a key of a log: a new log's first one, or a further one after a rotation.

        Raises:
            NotALogKey: it is none.
            Damaged: the keys of this log cannot be read.
        """
        try:
            key = NoteKey.from_text(vkey)
        except CryptoError as error:
            raise NotALogKey(vkey) from error
        if key.kind is not Kind.LOG:
            raise NotALogKey(vkey)
        record = self.record(key.name)
        disk.make_folder(record.folder)
        with record.locked():
            record.trust(key)
        return key

    def follow(self, signed: SignedNote) -> NoteKey:
        """Trust the key that a trusted one hands over to, by a note that both have signed.

        Raises:
            NotALogKey: the note is no hand-over, or of the first key of a log.
            UnknownLog: its log is not trusted.
            NotSigned: the earlier key is not trusted, or one of the two has not signed.
            Damaged: the keys of this log cannot be read.
        """
        try:
            found = handover.Handover.from_text(signed.text)
        except CryptoError as error:
            raise NotALogKey from error
        if found.old is None:
            raise NotALogKey
        try:
            handover.of(signed)
        except CryptoError as error:
            raise NotSigned from error
        record = self.record(found.new.name)
        if not record.known:
            raise UnknownLog(found.new.name)
        with record.locked():
            if found.old not in self.keys(found.new.name):
                raise NotSigned
            record.trust(found.new)
        return found.new

    def logs(self) -> tuple[str, ...]:
        """Return the origins of all trusted logs in alphabetical order. Raises: Damaged."""
        records = (LogRecord(path, self.key) for path in self._logs.iterdir())
        return tuple(sorted(record.keys()[0].name for record in records if record.known))

    def record(self, origin: str) -> LogRecord:
        """Return what is kept of a log; it need not be a trusted one."""
        return LogRecord(self._logs / folder_name(origin), self.key)

    def keys(self, origin: str) -> tuple[NoteKey, ...]:
        """Return the keys of a log. Raises: UnknownLog, Damaged."""
        record = self.record(origin)
        if not record.known:
            raise UnknownLog(origin)
        return record.keys()

    def latest(self, origin: str) -> Cosigned | None:
        """Return the newest checkpoint cosigned of a log. Raises: UnknownLog, Damaged."""
        self.keys(origin)
        return self.record(origin).newest()

    def history(self, origin: str) -> list[int]:
        """Return the sizes of all checkpoints cosigned of a log. Raises: UnknownLog, Damaged."""
        self.keys(origin)
        return self.record(origin).sizes()

    def add(self, request: AddCheckpoint, now: int) -> str:
        """Check a checkpoint, record and cosign it; return the lines of the cosignature.

        ``now`` is the POSIX time. What the log signed and what contradicts the history is kept as
        evidence, whatever else is wrong with the request.

        Raises (in this order):
            Malformed: the note is no checkpoint.
            UnknownLog: its log is not trusted.
            NotSigned: no trusted key of the log has signed it.
            OldBeyondNew: the request begins beyond the end.
            SizeDiffers: the request does not begin at the newest checkpoint.
            Forked: the newest checkpoint has the same size and another root.
            ProofWrong: the tree did not grow from the newest one.
            ClockBehind: ``now`` is before the newest cosignature for this log.
            Damaged: what is on the disk is not what was written.
        """
        found = checkpoint.Checkpoint.from_text(request.signed.text)
        keys = self.keys(found.origin)
        signed = _signed_by_log(request.signed, keys)
        record = self.record(found.origin)
        with record.locked():
            same_size = record.cosigned(found.size)
            forked = same_size is not None and same_size.checkpoint.root != found.root
            if forked:
                record.keep_evidence(found.size, signed, Conflict.FORK)
            newest = record.newest()
            _check_sizes(request.old, found, newest)
            if forked:
                raise Forked(found.origin)
            try:
                _check_growth(request, found, newest)
            except ProofWrong:
                # Without a history, or of a tree that is in it, a checkpoint shows nothing.
                if newest and not same_size:
                    record.keep_evidence(found.size, signed, Conflict.UNPROVEN)
                raise
            if now < (newest.moment if newest else 1):
                raise ClockBehind(found.origin)
            cosignature = self._signer.sign(signed.text, now)
            record.add(found.size, signed.with_signatures([cosignature]))
        return cosignature.to_line()


def _signed_by_log(signed: SignedNote, keys: tuple[NoteKey, ...]) -> SignedNote:
    """Return the note with the log's own signatures alone. Raises: NotSigned."""
    try:
        checkpoint.of(signed, keys)
    except (Tampered, Malformed) as error:
        raise NotSigned from error
    return log_signatures(signed, keys)


def _check_sizes(old: int, found: Checkpoint, newest: Cosigned | None) -> None:
    if old > found.size:
        raise OldBeyondNew
    size = newest.checkpoint.size if newest else 0
    if old != size:
        raise SizeDiffers(size)


def _check_growth(request: AddCheckpoint, found: Checkpoint, newest: Cosigned | None) -> None:
    root = newest.checkpoint.root if newest else merkle.EMPTY_ROOT
    try:
        merkle.check_consistency(request.old, found.size, request.proof, root, found.root)
    except (Tampered, Malformed) as error:
        raise ProofWrong(found.origin) from error
