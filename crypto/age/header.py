"""The textual header of an age v1 file: grammar, serialisation, MAC (c2sp.org/age, "Header")."""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.age import b64
from crypto.errors import LimitExceeded, Malformed, Tampered

MAX_HEADER_SIZE: Final = 1 << 20
"""Bytes of the longest header that is read; a hybrid stanza has about 1,600."""

MAX_STANZAS: Final = 1024
"""Most stanzas in one header: each may cost the reader a key agreement."""

_VERSION_LINE: Final = b"age-encryption.org/v1\n"
_STANZA_MARK: Final = b"-> "
_END_MARK: Final = b"---"
_COLUMNS: Final = 64
_MAC_SIZE: Final = 32
_MAC_KEY_INFO: Final = b"header"
_READ_STEP: Final = 128
_ARGUMENT: Final = re.compile(r"[!-~]+")
_SCRYPT: Final = "scrypt"


class HeaderTampered(Tampered):
    """The header's MAC does not fit: its bytes are not those that the sender wrote."""


@dataclass(frozen=True, slots=True)
class Stanza:
    """One recipient's part of the header: a type, its arguments, and a body of bytes."""

    type: str
    args: tuple[str, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """A parsed header. Nothing in it is authentic until `verify` has passed."""

    stanzas: tuple[Stanza, ...]
    mac: bytes
    covered: bytes
    """The exact bytes that the MAC covers, as they were read."""

    def verify(self, file_key: bytes) -> None:
        """Check the header against the file key that was unwrapped from it.

        Raises:
            HeaderTampered: the MAC was not made over these bytes with this key.
        """
        if not hmac.compare_digest(_mac(file_key, self.covered), self.mac):
            raise HeaderTampered("header: wrong MAC")


def _mac(file_key: bytes, covered: bytes) -> bytes:
    """Return HMAC-SHA256 over the header up to and including its three dashes."""
    key = HKDF(SHA256(), length=32, salt=None, info=_MAC_KEY_INFO).derive(file_key)
    return hmac.digest(key, covered, "sha256")


def _stanza_text(stanza: Stanza) -> str:
    """Return a stanza as it stands in a header.

    Raises:
        Malformed: the type or an argument is empty or not visible ASCII.
    """
    words = (stanza.type, *stanza.args)
    if not all(_ARGUMENT.fullmatch(word) for word in words):
        raise Malformed("header: bad stanza argument")
    body = b64.encode(stanza.body)
    # The body ends with the first line shorter than 64 columns, be it empty.
    lines = [body[start : start + _COLUMNS] for start in range(0, len(body) + 1, _COLUMNS)]
    return "\n".join((" ".join(("->", *words)), *lines, ""))


def serialise(stanzas: Sequence[Stanza], file_key: bytes) -> bytes:
    """Return a complete header for `stanzas`, authenticated with `file_key`.

    Raises:
        Malformed: no stanza, or one whose arguments the grammar does not allow.
    """
    if not stanzas:
        raise Malformed("header: no stanza")
    text = "".join(_stanza_text(stanza) for stanza in stanzas).encode("ascii")
    covered = _VERSION_LINE + text + _END_MARK
    return covered + b" " + b64.encode(_mac(file_key, covered)).encode("ascii") + b"\n"


class _Expect(Enum):
    """What the next line of a header may be."""

    VERSION = auto()
    STANZA_OR_END = auto()
    BODY = auto()


class HeaderReader:
    """Reads a header that arrives in pieces, line by line and in linear time."""

    def __init__(self) -> None:
        """Start before the version line."""
        self.header: Header | None = None
        self._expect = _Expect.VERSION
        self._seen = bytearray()
        self._line = bytearray()
        self._stanzas: list[Stanza] = []
        self._words: list[str] = []
        self._body: list[str] = []

    def feed(self, data: memoryview) -> int:
        """Read on and return how many bytes of `data` belonged to the header.

        Once the header is complete, `header` is set and what is left of `data` is the payload's.

        Raises:
            Malformed: the bytes so far cannot begin an age header.
            LimitExceeded: more bytes than `MAX_HEADER_SIZE` or more stanzas than `MAX_STANZAS`.
        """
        used = 0
        while self.header is None and used < len(data):
            window = bytes(data[used : used + _READ_STEP])
            newline = window.find(b"\n")
            piece = window if newline < 0 else window[: newline + 1]
            used += len(piece)
            self._line += piece
            if len(self._seen) + len(self._line) > MAX_HEADER_SIZE:
                raise LimitExceeded("header: too long")
            # Checked on every piece: a file that is no age file is not read to its first newline.
            if self._expect is _Expect.VERSION and not _VERSION_LINE.startswith(self._line):
                raise Malformed("header: not an age v1 file")
            if newline >= 0:
                line = bytes(self._line)
                self._line.clear()
                self._take_line(line)
                self._seen += line
        return used

    def _take_line(self, line: bytes) -> None:
        """Take one line, its newline included."""
        if self._expect is _Expect.VERSION:
            self._expect = _Expect.STANZA_OR_END
        elif self._expect is _Expect.BODY:
            self._take_body(line[:-1])
        elif line.startswith(_STANZA_MARK):
            self._take_arguments(line[len(_STANZA_MARK) : -1])
        else:
            self._take_end(line)

    def _take_arguments(self, line: bytes) -> None:
        """Take the first line of a stanza, without its mark."""
        if len(self._stanzas) == MAX_STANZAS:
            raise LimitExceeded("header: too many stanzas")
        self._words = line.decode("latin-1").split(" ")
        if not all(_ARGUMENT.fullmatch(word) for word in self._words):
            raise Malformed("header: bad stanza argument")
        self._expect = _Expect.BODY

    def _take_body(self, line: bytes) -> None:
        """Take one line of a stanza's body; a line shorter than 64 columns is its last."""
        if len(line) > _COLUMNS:
            raise Malformed("header: body line too long")
        self._body.append(line.decode("latin-1"))
        if len(line) < _COLUMNS:
            body = b64.decode("".join(self._body))
            self._body.clear()
            self._stanzas.append(Stanza(self._words[0], tuple(self._words[1:]), body))
            self._expect = _Expect.STANZA_OR_END

    def _take_end(self, line: bytes) -> None:
        """Take the line that carries the MAC."""
        mark, _, text = line[:-1].decode("latin-1").partition(" ")
        if mark.encode("latin-1") != _END_MARK:
            raise Malformed("header: neither a stanza nor the end")
        mac = b64.decode(text)
        if len(mac) != _MAC_SIZE:
            raise Malformed("header: MAC of wrong size")
        if not self._stanzas:
            raise Malformed("header: no stanza")
        if len(self._stanzas) > 1 and any(stanza.type == _SCRYPT for stanza in self._stanzas):
            # A passphrase beside other recipients would let its holder forge for them.
            raise Malformed("header: a passphrase stanza is not alone")
        self.header = Header(tuple(self._stanzas), mac, bytes(self._seen) + _END_MARK)
