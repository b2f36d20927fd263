"""The payload of an age v1 file: STREAM over 64 KiB chunks of ChaCha20-Poly1305 (c2sp.org/age).

Data is pushed in, in pieces of any size; never more than one chunk is held back. Whole chunks
inside a large piece are worked on where they lie and written to where the result will lie
(`BytesIO` hands out its buffer as bytes without copying): copies and a joined list would cost as
much time as the cipher.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.errors import Tampered

CHUNK_SIZE: Final = 64 * 1024
"""Bytes of plaintext in every chunk but the last."""

TAG_SIZE: Final = 16
"""Bytes by which a sealed chunk is longer than its plaintext."""

NONCE_SIZE: Final = 16
"""Bytes of the nonce that stands before the first chunk."""

_COUNTER_SIZE: Final = 11
_MIDDLE: Final = b"\x00"
_LAST: Final = b"\x01"
_KEY_INFO: Final = b"payload"
_SEALED_SIZE: Final = CHUNK_SIZE + TAG_SIZE
_ALTERED: Final = "payload: altered, cut short or followed by other data"


class PayloadTampered(Tampered):
    """The payload was altered, cut short, or followed by something that is not its own."""


class _Chunks:
    """Cuts pushed data into chunks of one size."""

    def __init__(self, size: int, spare: int) -> None:
        """Cut into chunks of `size` bytes, each handed out once `spare` more bytes have come."""
        self._size = size
        self._spare = spare
        self._held = bytearray(size)
        self._fill = 0

    def absorb(self, data: bytes | memoryview) -> bool:
        """Keep `data` if it completes no chunk, and say whether that was so."""
        fill = self._fill + len(data)
        if fill >= self._size:
            return False
        self._held[self._fill : fill] = data
        self._fill = fill
        return True

    def ready(self, more: int) -> int:
        """Return how many chunks `push` hands out for `more` bytes that `absorb` has not kept."""
        return (self._fill + more - self._spare) // self._size

    def push(self, data: memoryview) -> Iterator[memoryview]:
        """Yield the chunks that `data` completes, those inside `data` without copying them.

        Only for `data` that `absorb` has not kept. A yielded view is valid until the next one is
        asked for.
        """
        start = 0
        if self._fill:
            start = self._size - self._fill
            self._held[self._fill :] = data[:start]
            self._fill = self._size
            if len(data) - start < self._spare:
                return
            yield memoryview(self._held)
        while len(data) - start >= self._size + self._spare:
            yield data[start : start + self._size]
            start += self._size
        self._fill = len(data) - start
        self._held[: self._fill] = data[start:]

    def rest(self) -> memoryview:
        """Return what has not been handed out."""
        return memoryview(self._held)[: self._fill]


class ChunkCipher:
    """The AEAD of one payload, and the nonces of its chunks: a counter and a mark on the last."""

    def __init__(self, file_key: bytes, nonce: bytes) -> None:
        """Derive the payload key of the file whose header is followed by `nonce`."""
        key = HKDF(SHA256(), length=32, salt=nonce, info=_KEY_INFO).derive(file_key)
        self._aead = ChaCha20Poly1305(key)
        self._counter = 0

    def _nonce(self, mark: bytes) -> bytes:
        return self._counter.to_bytes(_COUNTER_SIZE, "big") + mark

    @property
    def at_start(self) -> bool:
        """Whether no chunk has passed yet."""
        return self._counter == 0

    def seal_last(self, chunk: memoryview) -> bytes:
        """Return the last chunk sealed."""
        return self._aead.encrypt(self._nonce(_LAST), chunk, None)

    def seal_into(self, chunk: memoryview, room: memoryview) -> None:
        """Seal the next chunk, which is not the last, into `room`."""
        self._aead.encrypt_into(self._nonce(_MIDDLE), chunk, None, room)
        self._counter += 1

    def open_last(self, chunk: memoryview) -> bytes | None:
        """Return the last chunk's plaintext, or None if it was not sealed as the last one here."""
        try:
            return self._aead.decrypt(self._nonce(_LAST), chunk, None)
        except InvalidTag:
            return None

    def open_at(self, number: int, chunk: bytes | memoryview, *, last: bool) -> bytes | None:
        """Return the plaintext of the chunk at a place, or None if it was not sealed there so."""
        nonce = number.to_bytes(_COUNTER_SIZE, "big") + (_LAST if last else _MIDDLE)
        try:
            return self._aead.decrypt(nonce, chunk, None)
        except InvalidTag:
            return None

    def open_into(self, chunk: memoryview, mark: bytes, room: memoryview) -> bool:
        """Open the next chunk into `room`, or say that it was not sealed at this place so."""
        try:
            self._aead.decrypt_into(self._nonce(mark), chunk, None, room)
        except InvalidTag:
            return False
        self._counter += 1
        return True


class StreamSealer:
    """Seals a payload. Its owner sees to it that nothing follows `finalize`."""

    def __init__(self, file_key: bytes, nonce: bytes) -> None:
        """Start a payload under a file key and a nonce that were never used together before."""
        self._cipher = ChunkCipher(file_key, nonce)
        # A full chunk may be the last one: what follows decides how it is marked.
        self._chunks = _Chunks(CHUNK_SIZE, spare=1)

    def update(self, data: bytes | memoryview, head: bytes = b"") -> bytes:
        """Return `head`, then the sealed chunks that `data` completed."""
        if self._chunks.absorb(data):
            return head
        result = BytesIO(bytes(len(head) + self._chunks.ready(len(data)) * _SEALED_SIZE))
        with result.getbuffer() as room:
            room[: len(head)] = head
            start = len(head)
            for chunk in self._chunks.push(memoryview(data)):
                self._cipher.seal_into(chunk, room[start : start + _SEALED_SIZE])
                start += _SEALED_SIZE
        return result.getvalue()

    def finalize(self) -> bytes:
        """Return the last sealed chunk."""
        return self._cipher.seal_last(self._chunks.rest())


class StreamOpener:
    """Opens a payload and releases a chunk only when it has been authenticated."""

    def __init__(self, file_key: bytes, nonce: bytes) -> None:
        """Start on the payload that follows `nonce`."""
        self._cipher = ChunkCipher(file_key, nonce)
        self._chunks = _Chunks(_SEALED_SIZE, spare=0)
        self._failed = False
        self._complete = False

    def update(self, data: bytes | memoryview) -> bytes:
        """Return the plaintext of the chunks that `data` completed.

        If a chunk fails behind others that did authenticate, those are returned and the failure
        is raised by the next call, so that what is released does not depend on how the data was
        cut into pieces.

        Raises:
            PayloadTampered: the first chunk of `data`, or one of an earlier call, was altered, or
                there is data behind the last chunk.
        """
        if self._failed or (self._complete and data):
            raise PayloadTampered(_ALTERED)
        if self._chunks.absorb(data):
            return b""
        result = BytesIO(bytes(self._chunks.ready(len(data)) * CHUNK_SIZE))
        opened = 0
        with result.getbuffer() as room:
            for chunk in self._chunks.push(memoryview(data)):
                if self._complete or not self._open_full(chunk, room[opened : opened + CHUNK_SIZE]):
                    self._failed = True
                    break
                opened += CHUNK_SIZE
        if self._complete and len(self._chunks.rest()):
            self._failed = True
        if not opened:
            raise PayloadTampered(_ALTERED)
        # What stands behind the last authentic chunk must not leave this method.
        result.truncate(opened)
        return result.getvalue()

    def _open_full(self, chunk: memoryview, room: memoryview) -> bool:
        """Open a chunk of full size, which may be marked as the last one."""
        if self._cipher.open_into(chunk, _MIDDLE, room):
            return True
        self._complete = self._cipher.open_into(chunk, _LAST, room)
        return self._complete

    def finalize(self) -> bytes:
        """Return the plaintext of the last chunk: only now is the payload known to be whole.

        Raises:
            PayloadTampered: the payload was altered, cut short, or has data behind its end.
        """
        if self._failed:
            raise PayloadTampered(_ALTERED)
        if self._complete:
            return b""
        chunk = self._chunks.rest()
        if len(chunk) == TAG_SIZE and not self._cipher.at_start:
            # Only an empty file has an empty last chunk; otherwise one text had two encodings.
            raise PayloadTampered("payload: empty last chunk")
        plaintext = self._cipher.open_last(chunk)
        if plaintext is None:
            raise PayloadTampered(_ALTERED)
        return plaintext
