"""Hand-over notes: a log says that another key follows the one it has signed with so far.

The text has five lines: the log's name, ``key-handover/v1``, the earlier key (``-`` before the
first), the key that follows, and the size of the tree at that moment. Both keys sign it. No
checkpoint can be read from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from crypto import checkpoint
from crypto.errors import Malformed, Tampered
from crypto.note import Kind, NoteKey, SignedNote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crypto.note import NoteSigner

_TITLE: Final = "key-handover/v1"
_NONE: Final = "-"
_LINES: Final = 5


@dataclass(frozen=True)
class Handover:
    """That ``new`` follows ``old`` (``None``: it is the first) in a tree of ``size`` leaves."""

    old: NoteKey | None
    new: NoteKey
    size: int

    def __post_init__(self) -> None:
        """Check the keys. Raises: Malformed: they are not two keys of one log."""
        keys = [self.new] if self.old is None else [self.old, self.new]
        if any(key.kind is not Kind.LOG or key.name != self.new.name for key in keys):
            raise Malformed("handover: not keys of one log")
        if self.old == self.new:
            raise Malformed("handover: to itself")

    def to_text(self) -> str:
        """Return the text that is signed."""
        earlier = _NONE if self.old is None else self.old.to_text()
        lines = (self.new.name, _TITLE, earlier, self.new.to_text(), str(self.size))
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the text of a note.

        Raises:
            Malformed: it is no hand-over.
        """
        lines = text.split("\n")
        if len(lines) != _LINES + 1:
            raise Malformed("handover: five lines are needed")
        old = None if lines[2] == _NONE else NoteKey.from_text(lines[2])
        found = cls(old, NoteKey.from_text(lines[3]), checkpoint.number(lines[4]))
        if found.to_text() != text:
            raise Malformed("handover: not written as one")
        return found

    def sign(self, signers: Sequence[NoteSigner]) -> SignedNote:
        """Return the signed note."""
        text = self.to_text()
        return SignedNote(text, tuple(one.sign(text) for one in signers))


def of(signed: SignedNote) -> Handover:
    """Return what a note says, once every key that it names has signed it.

    Whether the earlier key was to be trusted is the caller's to say.

    Raises:
        Malformed: it is no hand-over.
        Tampered: one of the keys has not signed.
    """
    found = Handover.from_text(signed.text)
    keys = [found.new] if found.old is None else [found.old, found.new]
    if len(signed.verify(keys)) != len(keys):
        raise Tampered("handover: only one of two keys has signed")
    return found
