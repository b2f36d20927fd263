"""What a log asks of a witness, and what it is answered (c2sp.org/tlog-witness)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from crypto import checkpoint, merkle, note, tlog_proof
from crypto.errors import CryptoError, LimitExceeded, Malformed, Tampered
from crypto.note import Kind, Signature, SignedNote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crypto.note import NoteKey

MAX_SIZE: Final = 64 * 1024
"""Bytes of the largest request that is read, and of the largest answer."""

_OLD: Final = "old "


@dataclass(frozen=True)
class AddCheckpoint:
    """A checkpoint to cosign, and the proof that it grew from one of ``old`` leaves.

    Nothing vouches for any of it.
    """

    old: int
    proof: tuple[bytes, ...]
    signed: SignedNote

    def __post_init__(self) -> None:
        """Check sizes. Raises: Malformed; LimitExceeded: a proof of more than 63 hashes."""
        if len(self.proof) > merkle.MAX_PROOF:
            raise LimitExceeded("witness request: too many hashes")
        if any(len(step) != merkle.HASH_SIZE for step in self.proof):
            raise Malformed("witness request: not a hash")
        if not 0 <= self.old <= merkle.MAX_SIZE:
            raise Malformed("witness request: not a size")

    def to_text(self) -> str:
        """Return the body of the request."""
        lines = (f"{_OLD}{self.old}", *(note.encode(step) for step in self.proof), "", "")
        return "\n".join(lines) + self.signed.to_text()

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the body of a request; nothing of it is verified yet.

        Raises:
            Malformed: it is none.
            LimitExceeded: it is larger than 64 KiB, or has more than 63 hashes.
        """
        if len(text) > MAX_SIZE:
            raise LimitExceeded("witness request: too large")
        head, blank, tail = text.partition("\n\n")
        first, *steps = head.split("\n")
        if not blank or not first.startswith(_OLD):
            raise Malformed("witness request: not a request")
        if len(steps) > merkle.MAX_PROOF:
            raise LimitExceeded("witness request: too many hashes")
        old = checkpoint.number(first.removeprefix(_OLD))
        return cls(old, tlog_proof.hashes(steps), SignedNote.from_text(tail))

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Read a request of UTF-8 bytes. Raises: as :meth:`from_text`."""
        if len(raw) > MAX_SIZE:
            raise LimitExceeded("witness request: too large")
        try:
            return cls.from_text(raw.decode())
        except UnicodeDecodeError:
            raise Malformed("witness request: not UTF-8") from None


def cosignatures(
    answer: bytes, signed: SignedNote, witnesses: Sequence[NoteKey]
) -> tuple[Signature, ...]:
    """Return those lines of an answer that are cosignatures of ``signed`` by known witnesses.

    Lines of others, and lines of theirs that do not fit, are left out; each key counts once.

    Raises:
        Malformed: the answer is not one of signature lines.
        LimitExceeded: it is larger than 64 KiB, or has too many lines.
        Tampered: no line is by a known witness.
    """
    if len(answer) > MAX_SIZE:
        raise LimitExceeded("witness answer: too large")
    try:
        lines = answer.decode().split("\n")
    except UnicodeDecodeError:
        raise Malformed("witness answer: not UTF-8") from None
    if lines.pop() or not lines:
        raise Malformed("witness answer: no signature lines")
    if len(lines) > note.MAX_SIGNATURES:
        raise LimitExceeded("witness answer: too many lines")
    known = {(key.name, key.key_id): key for key in witnesses if key.kind is Kind.WITNESS}
    found: dict[NoteKey, Signature] = {}
    for one in [Signature.from_line(line) for line in lines]:
        key = known.get((one.name, one.key_id))
        if key is not None and _fits(key, signed, one):
            found.setdefault(key, one)
    if not found:
        raise Tampered("witness answer: no known witness has signed")
    return tuple(found.values())


def _fits(key: NoteKey, signed: SignedNote, one: Signature) -> bool:
    try:
        key.check(signed.text.encode(), one.data)
    except CryptoError:
        return False
    return True
