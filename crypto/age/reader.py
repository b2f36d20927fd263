"""Random access to an age v1 file: any part of the plaintext, each chunk authenticated alone.

The payload is STREAM over chunks of 64 KiB (c2sp.org/age). A chunk's place is part of its nonce,
and the last one carries a mark, so that opening the last chunk first proves where the file ends.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from crypto.age.contract import Identity, unlock
from crypto.age.header import Header, HeaderReader
from crypto.age.stream import CHUNK_SIZE, NONCE_SIZE, TAG_SIZE, ChunkCipher, PayloadTampered
from crypto.errors import Malformed

ReadAt = Callable[[int, int], bytes]
"""Returns up to so many bytes (second) from an offset (first) of a sealed file."""

_SEALED_SIZE: Final = CHUNK_SIZE + TAG_SIZE
_STEP: Final = 16
"""Chunks read at once."""

_HEADER_STEP: Final = 4096


class FileReader:
    """Opens pieces of one age file whose sealed bytes can be read from any offset.

    Not for use by several threads at once.
    """

    def __init__(self, read_at: ReadAt, size: int, identities: Sequence[Identity]) -> None:
        """Read the header and open the last chunk, so that `length` is true.

        Raises:
            WrongKey: no identity matches.
            HeaderTampered, PayloadTampered: the file was altered or cut short.
            Malformed: no age file, or one that ends inside its header.
            LimitExceeded: the header is too large.
        """
        self._read_at = read_at
        header, used = _header(read_at)
        nonce = read_at(used, NONCE_SIZE)
        if len(nonce) != NONCE_SIZE:
            raise Malformed("header: cut short")
        self._cipher = ChunkCipher(unlock(header, identities), nonce)
        self._start = used + NONCE_SIZE
        payload = size - self._start
        self._last = max(0, -(-payload // _SEALED_SIZE) - 1)
        rest = payload - self._last * _SEALED_SIZE
        if rest < TAG_SIZE or (rest == TAG_SIZE and self._last):
            raise PayloadTampered("payload: no last chunk")
        self.length = self._last * CHUNK_SIZE + rest - TAG_SIZE
        self._end = self._chunk(self._last, self._sealed(self._last, 1))

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the plaintext from `start` up to `stop` (bytes), in pieces of at most 1 MiB.

        Raises:
            PayloadTampered: a chunk was altered; all pieces yielded before it are authentic.
            ValueError: the range does not lie inside the file.
        """
        if not 0 <= start <= stop <= self.length:
            raise ValueError("range outside the file")
        while start < stop:
            first = start // CHUNK_SIZE
            count = min(_STEP, -(-stop // CHUNK_SIZE) - first)
            sealed = memoryview(self._sealed(first, count))
            plain = b"".join(
                self._chunk(first + one, sealed[one * _SEALED_SIZE : (one + 1) * _SEALED_SIZE])
                for one in range(count)
            )
            offset = start - first * CHUNK_SIZE
            end = min(stop, (first + count) * CHUNK_SIZE)
            yield (
                plain
                if not offset and len(plain) == end - start
                else plain[offset : offset + end - start]
            )
            start = end

    def _sealed(self, first: int, count: int) -> bytes:
        """Return the sealed bytes of some chunks in a row; fewer if the file ends before."""
        return self._read_at(self._start + first * _SEALED_SIZE, count * _SEALED_SIZE)

    def _chunk(self, number: int, sealed: bytes | memoryview) -> bytes:
        """Return one chunk opened. Raises: PayloadTampered."""
        plain = self._cipher.open_at(number, sealed, last=number == self._last)
        if plain is None:
            raise PayloadTampered("payload: altered or cut short")
        return plain


def _header(read_at: ReadAt) -> tuple[Header, int]:
    """Return the header of a file and its length in bytes.

    Raises:
        Malformed: the file begins with none, or ends inside it.
        LimitExceeded: it is too large.
    """
    reader, used = HeaderReader(), 0
    while reader.header is None:
        piece = read_at(used, _HEADER_STEP)
        if not piece:
            raise Malformed("header: cut short")
        used += reader.feed(memoryview(piece))
    return reader.header, used
