"""Signed notes: a text and signature lines under it (c2sp.org/signed-note).

Of the kinds of signature only two are known: Ed25519 over the text, by a log, and the
timestamped cosignature of a witness (c2sp.org/tlog-cosignature). Signatures of others are kept
and ignored. Whatever is decoded has one encoding only.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from crypto.errors import LimitExceeded, Malformed, Tampered
from crypto.signatures import check_verify_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_SIZE: Final = 256 * 1024
"""Bytes of the largest note that is read: sixteen post-quantum signatures would fit thrice."""

MAX_SIGNATURES: Final = 100
MAX_NAME: Final = 255
"""Characters of a key's name."""

KEY_ID_SIZE: Final = 4
_PUBLIC_SIZE: Final = 32
_SIGNATURE_SIZE: Final = 64
_TIME_SIZE: Final = 8
_MAX_TIME: Final = 2**63 - 1
_DASH: Final = "— "
_PRIVATE: Final = "PRIVATE+KEY"
_NAME: Final = re.compile(r"[^\s+\x00-\x1f\ud800-\udfff]{1,255}")


class Kind(IntEnum):
    """What a key signs; the byte that its encoding begins with."""

    LOG = 1
    """Ed25519 over the text."""

    WITNESS = 4
    """Ed25519 over a time and the text: a cosignature."""


@dataclass(frozen=True)
class NoteKey:
    """A public key with its name: what a *vkey* says."""

    name: str
    kind: Kind
    public: bytes

    def __post_init__(self) -> None:
        """Check name and key. Raises: Malformed."""
        if _NAME.fullmatch(self.name) is None:
            raise Malformed("note: not a key's name")
        check_verify_key(self.public)

    @property
    def key_id(self) -> bytes:
        """The 4 bytes by which a signature line names the key, together with the name."""
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return sha256(named).digest()[:KEY_ID_SIZE]

    def to_text(self) -> str:
        """Return ``name+id+key``, as verifiers are configured with it."""
        return f"{self.name}+{self.key_id.hex()}+{encode(bytes([self.kind]) + self.public)}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a key.

        Raises:
            Malformed: it is none, of a kind that is not known here, or its id is another's.
        """
        # The name has no plus, the encoding of the key may have some.
        parts = text.split("+", 2)
        if len(parts) != 3:  # noqa: PLR2004 - name, id, key
            raise Malformed("note: not a key")
        kind, public = _material(parts[2])
        key = cls(parts[0], kind, public)
        if key.key_id.hex() != parts[1]:
            raise Malformed("note: a key of another id")
        return key

    def check(self, text: bytes, signature: bytes) -> int:
        """Return the POSIX time of a cosignature, 0 for a signature without one.

        Raises:
            Tampered: this key did not sign the text.
            Malformed: the signature has another size, or its time is out of range.
        """
        moment, covered = 0, text
        if self.kind is Kind.WITNESS:
            moment, signature = int.from_bytes(signature[:_TIME_SIZE]), signature[_TIME_SIZE:]
            if moment > _MAX_TIME:
                raise Malformed("note: a time out of range")
            covered = _timed(text, moment)
        if len(signature) != _SIGNATURE_SIZE:
            raise Malformed("note: a signature of wrong size")
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, covered)
        except InvalidSignature:
            raise Tampered("note: a signature does not fit") from None
        return moment


class NoteSigner:
    """A private key with its name."""

    __slots__ = ("_private", "_seed", "key")

    def __init__(self, name: str, kind: Kind, seed: bytes) -> None:
        """Take 32 secret bytes. Raises: Malformed."""
        if len(seed) != _PUBLIC_SIZE:
            raise Malformed("note: a secret of wrong size")
        self._seed = seed
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = NoteKey(name, kind, self._private.public_key().public_bytes_raw())

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what :meth:`to_text` wrote.

        Raises:
            Malformed: it is no private key of a note.
        """
        start, _, rest = text.partition(f"{_PRIVATE}+")
        parts = rest.split("+", 2)
        if start or len(parts) != 3:  # noqa: PLR2004 - name, id, secret
            raise Malformed("note: not a private key")
        kind, seed = _material(parts[2])
        signer = cls(parts[0], kind, seed)
        if signer.key.key_id.hex() != parts[1]:
            raise Malformed("note: a private key of another id")
        return signer

    def to_text(self) -> str:
        """Return the secret as one line, for the file that keeps it."""
        key = self.key
        secret = encode(bytes([key.kind]) + self._seed)
        return f"{_PRIVATE}+{key.name}+{key.key_id.hex()}+{secret}"

    def sign(self, text: str, moment: int = 0) -> Signature:
        """Sign a note's text; ``moment`` is a cosignature's POSIX time.

        Raises:
            Malformed: the text is none of a note, or the time out of range.
        """
        covered = _check_text(text)
        if not 0 <= moment <= _MAX_TIME:
            raise Malformed("note: a time out of range")
        if self.key.kind is Kind.WITNESS:
            signed = moment.to_bytes(_TIME_SIZE) + self._private.sign(_timed(covered, moment))
        else:
            signed = self._private.sign(covered)
        return Signature(self.key.name, self.key.key_id, signed)

    def __repr__(self) -> str:
        """Return a text without the secret."""
        return f"NoteSigner({self.key.name})"


@dataclass(frozen=True)
class Signature:
    """One signature line: whose it says it is, and bytes that nothing vouches for."""

    name: str
    key_id: bytes
    data: bytes = field(repr=False)

    def to_line(self) -> str:
        """Return the line, its newline included."""
        return f"{_DASH}{self.name} {encode(self.key_id + self.data)}\n"

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read a line without its newline.

        Raises:
            Malformed: it is none.
        """
        name, space, encoded = line.removeprefix(_DASH).partition(" ")
        if not (line.startswith(_DASH) and space and _NAME.fullmatch(name)):
            raise Malformed("note: not a signature line")
        raw = decode(encoded)
        if len(raw) <= KEY_ID_SIZE:
            raise Malformed("note: a signature of nothing")
        return cls(name, raw[:KEY_ID_SIZE], raw[KEY_ID_SIZE:])


@dataclass(frozen=True)
class Verified:
    """A key that signed a note, and the time that a cosignature states (0: none)."""

    key: NoteKey
    moment: int


@dataclass(frozen=True)
class SignedNote:
    """A text that ends in a newline, and the signatures under it."""

    text: str
    signatures: tuple[Signature, ...]

    def to_text(self) -> str:
        """Return the note as it is sent and stored."""
        return f"{self.text}\n{''.join(one.to_line() for one in self.signatures)}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a note; nothing of it is verified yet.

        Raises:
            Malformed: it is none.
            LimitExceeded: it is larger than 256 KiB, or has more than 100 signatures.
        """
        # Characters first, so that nothing enormous is encoded to be counted.
        if len(text) > MAX_SIZE or len(_utf8(text)) > MAX_SIZE:
            raise LimitExceeded("note: too large")
        body, blank, tail = text.rpartition("\n\n")
        if not blank or not tail.endswith("\n"):
            raise Malformed("note: no signatures")
        lines = tail[:-1].split("\n")
        if len(lines) > MAX_SIGNATURES:
            raise LimitExceeded("note: too many signatures")
        _check_text(f"{body}\n")
        return cls(f"{body}\n", tuple(Signature.from_line(line) for line in lines))

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Read a note of UTF-8 bytes. Raises: as :meth:`from_text`."""
        if len(raw) > MAX_SIZE:
            raise LimitExceeded("note: too large")
        try:
            return cls.from_text(raw.decode())
        except UnicodeDecodeError:
            raise Malformed("note: not UTF-8") from None

    def with_signatures(self, more: Iterable[Signature]) -> SignedNote:
        """Return the note with further signatures; one that it has already is not repeated."""
        return SignedNote(self.text, tuple(dict.fromkeys((*self.signatures, *more))))

    def verify(self, keys: Sequence[NoteKey]) -> tuple[Verified, ...]:
        """Return which of ``keys`` signed, each once, in their order; others are ignored.

        Raises:
            Tampered: none of them signed, or a signature in the name of one does not fit.
            Malformed: a signature in the name of one is not well formed.
        """
        covered = self.text.encode()
        found: dict[NoteKey, Verified] = {}
        for key in keys:
            for one in self.signatures:
                if (one.name, one.key_id) == (key.name, key.key_id):
                    found.setdefault(key, Verified(key, key.check(covered, one.data)))
        if not found:
            raise Tampered("note: nobody known has signed")
        return tuple(found.values())


def encode(raw: bytes) -> str:
    """Return standard base64 (RFC 4648 §4)."""
    return b64encode(raw).decode()


def decode(text: str) -> bytes:
    """Read standard base64 in its one canonical form.

    Raises:
        Malformed: another character, missing or doubled padding, or bits that are thrown away.
    """
    try:
        raw = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("note: not base64") from None
    if encode(raw) != text:
        raise Malformed("note: base64 that is not canonical")
    return raw


def _material(text: str) -> tuple[Kind, bytes]:
    raw = decode(text)
    try:
        kind = Kind(raw[0]) if raw else None
    except ValueError:
        kind = None
    if kind is None or len(raw) != 1 + _PUBLIC_SIZE:
        raise Malformed("note: a key of an unknown kind, or of wrong size")
    return kind, raw[1:]


def _timed(text: bytes, moment: int) -> bytes:
    return b"cosignature/v1\ntime %d\n" % moment + text


def _check_text(text: str) -> bytes:
    if not text.endswith("\n") or any(ord(one) < ord(" ") and one != "\n" for one in text):
        raise Malformed("note: a control character, or no last newline")
    return _utf8(text)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Malformed("note: not UTF-8") from None
