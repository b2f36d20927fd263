"""What a witness keeps of one log: its keys, every checkpoint it cosigned, and evidence.

A folder ``logs/<SHA-256 of the origin>/`` holds:

- ``keys``: the keys that the log signs with, one a line, and behind one that was handed over or
  distrusted the size from which on it counts no more;
- ``history/``: each cosigned checkpoint with the log's signatures and the cosignature, as a file
  named by the size of the tree (20 digits);
- ``conflicts/``: checkpoints that the log signed and that do not go with the history. A ``fork``
  proves by itself that the log told two stories of one size. An ``unproven`` one came with a
  proof that did not fit; anybody could have sent it so, and it is removed once it is cosigned, or
  once a cosigned tree is shown to have grown from it.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from crypto import checkpoint
from crypto.checkpoint import Checkpoint
from crypto.errors import CryptoError
from crypto.note import NoteKey, SignedNote
from witness import disk, trust
from witness.refusals import Damaged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from witness.trust import Keys

KEYS: Final = "keys"
HISTORY: Final = "history"
CONFLICTS: Final = "conflicts"
MOST_CONFLICTS: Final = 1000
"""Files of each kind that are kept of one log: enough to convict it, too few to fill a disk.

Counted by kind, or whoever has the log's key could fill the folder with checkpoints that prove
nothing before it forks.
"""

_SIZE: Final = re.compile(r"[0-9]{20}", re.ASCII)
_DIGEST: Final = 16


class Conflict(StrEnum):
    """What a checkpoint that was not cosigned shows; the end of its file's name."""

    FORK = "fork"
    UNPROVEN = "unproven"


@dataclass(frozen=True)
class Cosigned:
    """A checkpoint of the history, and the POSIX time of its cosignature."""

    checkpoint: Checkpoint
    signed: SignedNote
    moment: int


class LogRecord:
    """The folder of one log; what writes is called under :meth:`locked`."""

    def __init__(self, folder: Path, witness: NoteKey) -> None:
        """Read and write ``folder``, whose history ``witness`` has cosigned."""
        self.folder = folder
        self._witness = witness

    @property
    def known(self) -> bool:
        """Whether the witness was told to trust this log."""
        return (self.folder / KEYS).is_file()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep everybody else out, so that a check and what is recorded after it are one."""
        with disk.locked(self.folder):
            yield

    def trusted(self) -> Keys:
        """Return the log's keys, the first one trusted first, with their ends. Raises: Damaged."""
        path = self.folder / KEYS
        try:
            found = trust.from_text(_read(path))
        except CryptoError as error:
            raise Damaged(str(path)) from error
        names = {one.name for one in found}
        if len(names) != 1 or folder_name(names.pop()) != self.folder.name:
            raise Damaged(str(path))
        return found

    def keys(self) -> tuple[NoteKey, ...]:
        """Return all of them, since the history is read by those, too, that count no more."""
        return tuple(self.trusted())

    def trust(self, key: NoteKey) -> None:
        """Trust a key from now on, or again. Raises: Damaged."""
        before = self.trusted() if self.known else {}
        for name in (HISTORY, CONFLICTS):
            disk.make_folder(self.folder / name)
        self.put_trusted({**before, key: None})

    def put_trusted(self, keys: Keys) -> None:
        """Keep how far each key is trusted from now on."""
        disk.put(self.folder / KEYS, trust.to_text(keys))

    def sizes(self) -> list[int]:
        """Return the sizes of all cosigned checkpoints, smallest first."""
        names = (path.name for path in (self.folder / HISTORY).iterdir())
        return sorted(int(name) for name in names if _SIZE.fullmatch(name))

    def cosigned(self, size: int) -> Cosigned | None:
        """Return the cosigned checkpoint of this size, if there is one. Raises: Damaged."""
        path = self._path(size)
        if not path.exists():
            return None
        try:
            signed = SignedNote.from_text(_read(path))
            found = checkpoint.of(signed, self.keys())
            (ours,) = signed.verify([self._witness])
        except CryptoError as error:
            raise Damaged(str(path)) from error
        if found.size != size:
            raise Damaged(str(path))
        return Cosigned(found, signed, ours.moment)

    def newest(self) -> Cosigned | None:
        """Return the largest cosigned checkpoint. Raises: Damaged."""
        sizes = self.sizes()
        return self.cosigned(sizes[-1]) if sizes else None

    def add(self, size: int, signed: SignedNote) -> None:
        """Record a cosigned checkpoint, in place of an older one of its size."""
        disk.put(self._path(size), signed.to_text())
        self._evidence(size, signed, Conflict.UNPROVEN).unlink(missing_ok=True)

    def keep_evidence(self, size: int, signed: SignedNote, kind: Conflict) -> bool:
        """Keep a checkpoint that the log signed and that does not go with the history.

        Return whether it is kept: not if there are 1000 of its kind.
        """
        path = self._evidence(size, signed, kind)
        if path.exists():
            return True
        if len(self.conflicts(kind)) >= MOST_CONFLICTS:
            return False
        disk.put(path, signed.to_text())
        return True

    def unproven(self) -> list[tuple[Path, Checkpoint]]:
        """Return the unproven checkpoints by size, with their files. Raises: Damaged."""
        return [(path, _checkpoint(path)) for path in self.conflicts(Conflict.UNPROVEN)]

    def conflicts(self, kind: Conflict | None = None) -> list[Path]:
        """Return the files of evidence, by size."""
        wanted = "*" if kind is None else kind.value
        return sorted((self.folder / CONFLICTS).glob(f"[0-9]*.{wanted}"))

    def _path(self, size: int) -> Path:
        return self.folder / HISTORY / f"{size:020}"

    def _evidence(self, size: int, signed: SignedNote, kind: Conflict) -> Path:
        digest = sha256(signed.text.encode()).hexdigest()[:_DIGEST]
        return self.folder / CONFLICTS / f"{size:020}-{digest}.{kind.value}"


def folder_name(origin: str) -> str:
    """Return the name of a log's folder."""
    return sha256(origin.encode()).hexdigest()


def _checkpoint(path: Path) -> Checkpoint:
    try:
        return Checkpoint.from_text(SignedNote.from_text(_read(path)).text)
    except CryptoError as error:
        raise Damaged(str(path)) from error


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Damaged(str(path)) from error
