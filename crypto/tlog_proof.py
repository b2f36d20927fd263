"""A proof in one file that something is in a log (c2sp.org/tlog-proof)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from crypto import checkpoint, merkle, note
from crypto.errors import LimitExceeded, Malformed
from crypto.note import SignedNote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crypto.checkpoint import Checkpoint
    from crypto.note import NoteKey

FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"
MAX_SIZE: Final = 512 * 1024
"""Characters of the largest proof that is read."""


@dataclass(frozen=True)
class TlogProof:
    """Where a leaf is, the hashes up to the root, and the checkpoint that names the root.

    Nothing vouches for ``extra``, nor for the rest before :meth:`check`.
    """

    index: int
    path: tuple[bytes, ...]
    signed: SignedNote
    extra: bytes = field(default=b"", repr=False)

    def to_text(self) -> str:
        """Return the proof as it is stored."""
        lines = [FIRST_LINE]
        if self.extra:
            lines.append(f"extra {note.encode(self.extra)}")
        lines += [f"index {self.index}", *(note.encode(step) for step in self.path), "", ""]
        return "\n".join(lines) + self.signed.to_text()

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a proof; nothing of it is verified yet.

        Raises:
            Malformed: it is none.
            LimitExceeded: it is larger than 512 KiB.
        """
        if len(text) > MAX_SIZE:
            raise LimitExceeded("tlog-proof: too large")
        head, blank, tail = text.partition("\n\n")
        lines = head.split("\n")
        if not blank or lines.pop(0) != FIRST_LINE:
            raise Malformed("tlog-proof: not a proof")
        extra = b""
        if lines and lines[0].startswith("extra "):
            extra = note.decode(lines.pop(0).removeprefix("extra "))
            if not extra:
                raise Malformed("tlog-proof: an empty extra line")
        if not lines or not lines[0].startswith("index "):
            raise Malformed("tlog-proof: no index")
        index = checkpoint.number(lines.pop(0).removeprefix("index "))
        if len(lines) > merkle.MAX_PROOF:
            raise Malformed("tlog-proof: too many hashes")
        return cls(index, hashes(lines), SignedNote.from_text(tail), extra)

    def check(self, leaf: bytes, keys: Sequence[NoteKey]) -> Checkpoint:
        """Return the checkpoint, once a key of its log signed it and the leaf is in its tree.

        Raises:
            Tampered: signature, leaf, index or proof do not belong together.
            Malformed: the proof has another length than its place takes.
        """
        found = checkpoint.of(self.signed, keys)
        digest = merkle.leaf_hash(leaf)
        merkle.check_inclusion(digest, self.index, found.size, self.path, found.root)
        return found


def hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    """Read hashes, one a line. Raises: Malformed."""
    found = tuple(note.decode(line) for line in lines)
    if any(len(one) != merkle.HASH_SIZE for one in found):
        raise Malformed("tlog-proof: not a hash")
    return found
