"""Checkpoints: how large a log is, and the root of its tree (c2sp.org/tlog-checkpoint)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from crypto import merkle, note
from crypto.errors import Malformed
from crypto.note import Kind, SignedNote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crypto.note import NoteKey, NoteSigner

_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_LINES: Final = 3


@dataclass(frozen=True)
class Checkpoint:
    """The tree of a log: its name, number of leaves and root of 32 bytes.

    ``extensions`` are further lines; we write none, and read those of others.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def to_text(self) -> str:
        """Return the text that is signed."""
        lines = (self.origin, str(self.size), note.encode(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the text of a checkpoint.

        Raises:
            Malformed: it is none.
        """
        lines = text.removesuffix("\n").split("\n")
        if len(lines) < _LINES or not text.endswith("\n") or "" in lines:
            raise Malformed("checkpoint: three lines are needed, and none is empty")
        if len(lines[0]) > note.MAX_NAME:
            raise Malformed("checkpoint: an origin of more than 255 characters")
        size, root = number(lines[1]), note.decode(lines[2])
        if len(root) != merkle.HASH_SIZE or (size == 0 and root != merkle.EMPTY_ROOT):
            raise Malformed("checkpoint: not a root")
        return cls(lines[0], size, root, tuple(lines[_LINES:]))

    def sign(self, signers: Sequence[NoteSigner]) -> SignedNote:
        """Return the signed note.

        Raises:
            Malformed: this is not a checkpoint, or another one once it is read.
        """
        text = self.to_text()
        if self.from_text(text) != self:
            raise Malformed("checkpoint: another one once it is read")
        return SignedNote(text, tuple(one.sign(text) for one in signers))


def of(signed: SignedNote, keys: Sequence[NoteKey]) -> Checkpoint:
    """Return what a note says, once a key of the log it names has signed it.

    Raises:
        Tampered: no such key has.
        Malformed: the text is not that of a checkpoint.
    """
    found = Checkpoint.from_text(signed.text)
    signed.verify([one for one in keys if one.kind is Kind.LOG and one.name == found.origin])
    return found


def number(text: str) -> int:
    """Read a decimal number without leading zeroes, below 2**63. Raises: Malformed."""
    if _NUMBER.fullmatch(text) is None or int(text) > merkle.MAX_SIZE:
        raise Malformed("checkpoint: not a number")
    return int(text)
