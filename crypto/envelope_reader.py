"""Reads an envelope piece by piece, from any place: what a file of evidence needs.

The layout is that of :mod:`crypto.envelope`. Every chunk of 64 KiB is authenticated before a byte
of it is handed out; the footer is read first, so that the body's length is known.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from crypto.age import FileReader, HybridIdentity
from crypto.age.reader import ReadAt
from crypto.envelope import DIGEST_SIZE, FOOTER_SIZE, HEADER_LIMIT, PREFIX_SIZE, Header, decode
from crypto.errors import LimitExceeded, Malformed, Tampered


class EnvelopeReader:
    """One sealed envelope, open for reading. Not for use by several threads at once."""

    def __init__(
        self, read_at: ReadAt, size: int, identity: HybridIdentity, expected: Header
    ) -> None:
        """Open header and footer of a sealed envelope of `size` bytes.

        `name` and `media_type` of `expected` are not compared: only the envelope knows them.

        Raises:
            WrongKey: `identity` is not among the recipients.
            Tampered: the file was altered, cut short, or belongs to another row.
            Malformed: not an age file, or no envelope of this format inside.
            LimitExceeded: a header is too long.
        """
        self._file = FileReader(read_at, size, [identity])
        if self._file.length < PREFIX_SIZE + FOOTER_SIZE:
            raise Malformed("envelope: cut short")
        head_size = int.from_bytes(self._plain(0, PREFIX_SIZE), "big")
        if head_size > HEADER_LIMIT:
            raise LimitExceeded("envelope: header too long")
        self._start = PREFIX_SIZE + head_size
        self._footer = self._file.length - FOOTER_SIZE
        footer = self._plain(self._footer, self._file.length)
        self.length = int.from_bytes(footer[:-DIGEST_SIZE], "big")
        """Bytes of the body."""
        self.digest = footer[-DIGEST_SIZE:]
        """SHA-256 of the body, as its author wrote it; `check` compares."""
        if self._start + self.length > self._footer:
            raise Malformed("envelope: lengths do not fit")
        self.header = decode(self._plain(PREFIX_SIZE, self._start))
        if replace(self.header, name="", media_type="") != replace(
            expected, name="", media_type=""
        ):
            raise Tampered("envelope: belongs to another row")

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the body from `start` up to `stop` (bytes; default: its end), all authentic.

        Raises:
            Tampered: a chunk was altered; what was yielded before is what its author sealed.
            ValueError: the range does not lie inside the body.
        """
        stop = self.length if stop is None else stop
        if not 0 <= start <= stop <= self.length:
            raise ValueError("range outside the body")
        return self._file.read(self._start + start, self._start + stop)

    def whole(self) -> Iterator[bytes]:
        """Yield the whole body, and compare its hash and the padding before the end is reached.

        Raises:
            Tampered: a chunk was altered, or the body is not what its footer names.
            Malformed: the padding is not zero.
        """
        digest = hashlib.sha256()
        for piece in self.read():
            digest.update(piece)
            yield piece
        if digest.digest() != self.digest:
            raise Tampered("envelope: body has another hash")
        self.check_padding()

    def check_padding(self) -> None:
        """Look at what lies behind the body.

        Raises:
            Malformed: it is not zero. Tampered: a chunk was altered.
        """
        for piece in self._file.read(self._start + self.length, self._footer):
            if piece.count(0) != len(piece):
                raise Malformed("envelope: padding is not zero")

    def _plain(self, start: int, stop: int) -> bytes:
        if stop > self._file.length:
            raise Malformed("envelope: cut short")
        return b"".join(self._file.read(start, stop))
