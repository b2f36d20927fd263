"""The envelope inside every age file: says what it is, hides its size, cannot pass for another.

Layout: header length (4 bytes, big endian), header (canonical JSON), body, zeros, body length
(8 bytes, big endian), SHA-256 of the body (32 bytes). The footer stands at a fixed distance from
the end, so that a body may be sealed before its length is known.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Final

from crypto import canonical
from crypto.age import Encryptor, HybridIdentity, HybridRecipient, decrypt
from crypto.errors import LimitExceeded, Malformed, Tampered
from crypto.padme import padded_length

FORMAT_VERSION: Final = 1
"""Version of the layout, stored in every header as `v`."""

TEXT_FLOOR: Final = 1024
"""Bytes to which short texts are padded."""

EVIDENCE_FLOOR: Final = 64 * 1024
"""Bytes to which small files are padded."""

HEADER_LIMIT: Final = 16 * 1024
"""Bytes that an encoded header may have."""

PREFIX_SIZE: Final = 4
"""Bytes of the header's length."""

LENGTH_SIZE: Final = 8
"""Bytes of the body's length in the footer."""

DIGEST_SIZE: Final = 32
"""Bytes of the body's hash in the footer."""

_PADDING_STEP: Final = 1024 * 1024

FOOTER_SIZE: Final = LENGTH_SIZE + DIGEST_SIZE
"""Bytes of the footer, which stands at the very end."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """What an envelope says about itself: the row it belongs to, and how its body is read.

    `name` and `media_type` are the author's description of a file; they lie nowhere but in here.
    All other fields are also known outside, and must agree.

    Raises:
        Malformed: `day` is not an ISO date (YYYY-MM-DD), or `version` is negative.
    """

    instance: str
    case: str
    compartment: str
    item: str
    version: int
    kind: str
    author: str
    day: str
    name: str = field(default="", repr=False)
    media_type: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Refuse what no row can have."""
        if self.version < 0:
            raise Malformed("envelope: negative item version")
        _check_day(self.day)


class Sealer:
    """Seals one envelope as its body arrives, holding at most one chunk of 64 KiB.

    Not for use by several threads at once.
    """

    def __init__(
        self,
        header: Header,
        recipients: Sequence[HybridRecipient],
        *,
        floor: int = TEXT_FLOOR,
    ) -> None:
        """Start an age file with `header`, to be padded to at least `floor` bytes.

        Raises:
            LimitExceeded: the header is longer than `HEADER_LIMIT`.
            Malformed: a text of the header is not Unicode, or a recipient cannot be encrypted to.
            ValueError: no recipient.
        """
        head = _encode(header)
        self._floor = floor
        self._overhead = PREFIX_SIZE + len(head) + FOOTER_SIZE
        self._length = 0
        self._digest = hashlib.sha256()
        self._encryptor = Encryptor(recipients)
        self._start = self._encryptor.update(len(head).to_bytes(PREFIX_SIZE, "big") + head)

    def update(self, data: bytes | bytearray | memoryview) -> bytes:
        """Take a piece of the body and return the ciphertext that is ready.

        Raises:
            RuntimeError: after `finalize`.
        """
        ready = self._encryptor.update(data)
        self._digest.update(data)
        self._length += memoryview(data).nbytes
        if not self._start:
            return ready
        start, self._start = self._start, b""
        return start + ready

    @property
    def digest(self) -> bytes:
        """SHA-256 of the body that has been taken so far."""
        return self._digest.digest()

    def finalize(self) -> bytes:
        """Return the rest of the ciphertext. Without it, the envelope does not open.

        Raises:
            RuntimeError: called twice.
        """
        return b"".join(self.ending())

    def ending(self) -> Iterator[bytes]:
        """Yield the rest of the ciphertext in pieces of about 1 MiB, as `finalize` returns it.

        The padding of a large file is larger than what one wants to hold in memory.

        Raises:
            RuntimeError: after `finalize`.
        """
        used = self._overhead + self._length
        padding = padded_length(used, self._floor) - used
        digest = self._digest.digest()
        yield self._start
        while padding > 0:
            step = min(padding, _PADDING_STEP)
            yield self._encryptor.update(bytes(step))
            padding -= step
        yield self._encryptor.update(self._length.to_bytes(LENGTH_SIZE, "big"))
        yield self._encryptor.update(digest)
        yield self._encryptor.finalize()


def seal(
    header: Header,
    body: bytes,
    recipients: Sequence[HybridRecipient],
    *,
    floor: int = TEXT_FLOOR,
) -> bytes:
    """Return an age file with `header` and `body`, padded to at least `floor` bytes.

    Raises:
        LimitExceeded: the header is longer than `HEADER_LIMIT`.
        Malformed: a text of the header is not Unicode, or a recipient cannot be encrypted to.
        ValueError: no recipient.
    """
    sealer = Sealer(header, recipients, floor=floor)
    return b"".join((sealer.update(body), sealer.finalize()))


def unseal(sealed: bytes, identity: HybridIdentity, expected: Header) -> bytes:
    """Return the body of an envelope that was read from the row described by `expected`.

    Raises:
        As `unseal_with_header`.
    """
    return unseal_with_header(sealed, identity, expected)[1]


def unseal_with_header(
    sealed: bytes, identity: HybridIdentity, expected: Header
) -> tuple[Header, bytes]:
    """Return header and body of an envelope that was read from the row described by `expected`.

    `name` and `media_type` of `expected` are not compared: only the envelope knows them.

    Raises:
        WrongKey: `identity` is not among the recipients.
        Tampered: the file was altered, belongs to another row, or its body has another hash.
        Malformed: not an age file, or no envelope of this format inside.
        LimitExceeded: a header is too long.
    """
    plain = memoryview(decrypt(sealed, [identity]))
    if len(plain) < PREFIX_SIZE + FOOTER_SIZE:
        raise Malformed("envelope: cut short")
    head_size = int.from_bytes(plain[:PREFIX_SIZE], "big")
    if head_size > HEADER_LIMIT:
        raise LimitExceeded("envelope: header too long")
    start, footer = PREFIX_SIZE + head_size, len(plain) - FOOTER_SIZE
    end = start + int.from_bytes(plain[footer:-DIGEST_SIZE], "big")
    if end > footer:
        raise Malformed("envelope: lengths do not fit")
    if plain[end:footer] != bytes(footer - end):
        raise Malformed("envelope: padding is not zero")
    header = decode(bytes(plain[PREFIX_SIZE:start]))
    if replace(header, name="", media_type="") != replace(expected, name="", media_type=""):
        raise Tampered("envelope: belongs to another row")
    body = plain[start:end]
    if hashlib.sha256(body).digest() != plain[-DIGEST_SIZE:]:
        raise Tampered("envelope: body has another hash")
    return header, bytes(body)


_FIELDS: Final = tuple(item.name for item in fields(Header))


def _encode(header: Header) -> bytes:
    """Return the canonical JSON of a header.

    Raises:
        LimitExceeded: it is longer than `HEADER_LIMIT`.
        Malformed: a text is not Unicode.
    """
    values: dict[str, canonical.Json] = {name: getattr(header, name) for name in _FIELDS}
    head = canonical.encode({"v": FORMAT_VERSION, **values})
    if len(head) > HEADER_LIMIT:
        raise LimitExceeded("envelope: header too long")
    return head


def decode(head: bytes) -> Header:
    """Return the header of canonical JSON with exactly the known fields.

    Raises:
        Malformed: anything else.
    """
    values = canonical.decode(head)
    if not isinstance(values, dict) or values.keys() != {"v", *_FIELDS}:
        raise Malformed("envelope: fields of the header")
    version = values.pop("v")
    if isinstance(version, bool) or version != FORMAT_VERSION:
        raise Malformed("envelope: unknown format version")
    for name, value in values.items():
        if type(value) is not (int if name == "version" else str):
            raise Malformed("envelope: type of a header field")
    return Header(**values)


def _check_day(text: str) -> None:
    """Return if `text` is a date as YYYY-MM-DD; the library also reads other ISO forms.

    Raises:
        Malformed: it is not.
    """
    day = None
    with suppress(ValueError):
        day = date.fromisoformat(text).isoformat()
    if day != text:
        raise Malformed("envelope: day is not an ISO date")
