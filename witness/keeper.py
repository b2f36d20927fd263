"""The witness itself: a folder with its secret key and what it keeps of each log.

It cosigns at most one tree of each size of a log, and only one that grew from the newest tree it
cosigned. Whatever is answered is on the disk before.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, Self

from crypto import checkpoint, merkle
from crypto.errors import CryptoError, Malformed, Tampered
from crypto.note import Kind, NoteKey, NoteSigner, SignedNote
from witness import disk, trust
from witness.record import Conflict, Cosigned, LogRecord, folder_name
from witness.refusals import (
    AlreadyMade,
    ClockBehind,
    Damaged,
    Forked,
    ForkNotKept,
    KeyExposed,
    NotALogKey,
    OldBeyondNew,
    ProofWrong,
    SizeDiffers,
    UnknownKey,
    UnknownLog,
)

if TYPE_CHECKING:
    from pathlib import Path

    from crypto.checkpoint import Checkpoint
    from crypto.witness_request import AddCheckpoint
    from witness.trust import Keys

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
            AlreadyMade: something is in the folder; it stays as it is.
            Malformed: the name is none of a key: no spaces, no plus, at most 255 characters.
            OSError: the folder cannot be made.
        """
        signer = NoteSigner(name, Kind.WITNESS, secrets.token_bytes(SEED_SIZE))
        if folder.exists():
            _refuse_used(folder)
        disk.make_folder(folder)
        folder.chmod(disk.FOLDER_MODE)
        with disk.locked(folder):
            # Again, since somebody else may have made one meanwhile.
            _refuse_used(folder)
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
        """Trust a key of a log: a new log's first one, a further one, or one again.

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

    def follow(self, *signed: SignedNote) -> NoteKey:
        """Trust the key that trusted ones hand over to, by notes that both have signed.

        From then on the earlier one counts up to the size of the tree that the note names, so
        that checkpoints on their way are cosigned, and no others. All of the notes are followed,
        or none.

        Raises:
            NotAHandover: a note is none, or they hand nothing over.
            UnknownLog: their log is not trusted.
            NotSigned: the earlier key is not trusted, or one of the two has not signed.
            KeyRetired: the earlier key is handed over or distrusted, or the later one distrusted.
            Damaged: the keys of this log cannot be read.
        """
        said = trust.handovers(signed)
        record = self._known(said[-1].new.name)
        with record.locked():
            record.put_trusted(trust.followed(record.trusted(), said))
        return said[-1].new

    def distrust(self, named: str) -> NoteKey:
        """Cosign nothing any more that only this key has signed; ``named`` is its id, or it.

        What was cosigned stays. Once this has returned, no request that came before gets through.

        Raises:
            UnknownKey: this names no key, or several.
            LastKey: no other key of its log is trusted without an end.
            Damaged: the keys of a log cannot be read.
        """
        every = [key for origin in self.logs() for key in self.keys(origin)]
        found = [key for key in every if named in {key.key_id.hex(), key.to_text()}]
        if len(found) != 1:
            raise UnknownKey
        record = self.record(found[0].name)
        with record.locked():
            record.put_trusted(trust.without(record.trusted(), found[0]))
        return found[0]

    def logs(self) -> tuple[str, ...]:
        """Return the origins of all trusted logs in alphabetical order. Raises: Damaged."""
        records = (LogRecord(path, self.key) for path in self._logs.iterdir())
        return tuple(sorted(record.keys()[0].name for record in records if record.known))

    def record(self, origin: str) -> LogRecord:
        """Return what is kept of a log; it need not be a trusted one."""
        return LogRecord(self._logs / folder_name(origin), self.key)

    def keys(self, origin: str) -> tuple[NoteKey, ...]:
        """Return all keys of a log, distrusted ones too. Raises: UnknownLog, Damaged."""
        return self._known(origin).keys()

    def trusted(self, origin: str) -> Keys:
        """Return the keys of a log and how far each is trusted. Raises: UnknownLog, Damaged."""
        return self._known(origin).trusted()

    def latest(self, origin: str) -> Cosigned | None:
        """Return the newest checkpoint cosigned of a log. Raises: UnknownLog, Damaged."""
        return self._known(origin).newest()

    def history(self, origin: str) -> list[int]:
        """Return the sizes of all checkpoints cosigned of a log. Raises: UnknownLog."""
        return self._known(origin).sizes()

    def check(self, signed: SignedNote) -> Checkpoint:
        """Return what a note says, once a key of its log that counts has signed it.

        Raises:
            Malformed: the note is no checkpoint.
            UnknownLog: its log is not trusted.
            NotSigned, KeyRetired: as :meth:`add`.
            Damaged: the keys of this log cannot be read.
        """
        found = checkpoint.Checkpoint.from_text(signed.text)
        trust.log_signatures(signed, found.size, self.trusted(found.origin))
        return found

    def add(self, request: AddCheckpoint, now: int) -> str:
        """Check a checkpoint, record and cosign it; return the lines of the cosignature.

        ``now`` is the POSIX time. What the log signed and what contradicts the history is kept as
        evidence, whatever else is wrong with the request.

        Raises (in this order):
            Malformed: the note is no checkpoint.
            UnknownLog: its log is not trusted.
            NotSigned: no trusted key of the log has signed it.
            KeyRetired: only one has that was handed over at a smaller size, or is distrusted.
            OldBeyondNew: the request begins beyond the end.
            SizeDiffers: the request does not begin at the newest checkpoint.
            Forked: the newest checkpoint has the same size and another root.
            ForkNotKept: as before, but 1000 such proofs are kept already.
            ProofWrong: the tree did not grow from the newest one.
            ClockBehind: ``now`` is before the newest cosignature for this log.
            Damaged: what is on the disk is not what was written.
        """
        found = checkpoint.Checkpoint.from_text(request.signed.text)
        record = self._known(found.origin)
        with record.locked():
            # Under the lock, so that a key counts until it is distrusted and not a moment longer.
            signed = trust.log_signatures(request.signed, found.size, record.trusted())
            same_size = record.cosigned(found.size)
            forked = same_size is not None and same_size.checkpoint.root != found.root
            kept = forked and record.keep_evidence(found.size, signed, Conflict.FORK)
            newest = record.newest()
            _check_sizes(request.old, found, newest)
            if forked:
                raise Forked(found.origin) if kept else ForkNotKept(found.origin)
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

    def _known(self, origin: str) -> LogRecord:
        record = self.record(origin)
        if not record.known:
            raise UnknownLog(origin)
        return record


def _refuse_used(folder: Path) -> None:
    """Refuse a folder that holds more than a :meth:`Keeper.make` cut short. Raises: AlreadyMade."""
    logs = folder / LOGS
    if {path.name for path in folder.iterdir()} - {disk.LOCK, disk.UNFINISHED, LOGS} or (
        logs.exists() and any(logs.iterdir())
    ):
        raise AlreadyMade(str(folder))


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
