"""Whole age v1 files: header, nonce and payload, pushed through or all at once (c2sp.org/age)."""

import secrets
from collections.abc import Sequence

from crypto.age.contract import FILE_KEY_SIZE, Identity, Recipient, unlock
from crypto.age.header import HeaderReader, serialise
from crypto.age.stream import NONCE_SIZE, StreamOpener, StreamSealer
from crypto.errors import CryptoError, Malformed


class Encryptor:
    """Encrypts one file as its plaintext arrives, holding at most one chunk of 64 KiB.

    Not for use by several threads at once.
    """

    def __init__(self, recipients: Sequence[Recipient]) -> None:
        """Make a fresh file key and wrap it for each recipient.

        Raises:
            ValueError: no recipient, or recipients whose labels differ (hybrid beside X25519).
            Malformed: a recipient cannot be encrypted to.
        """
        if len({recipient.labels for recipient in recipients}) != 1:
            raise ValueError("an age file needs recipients, all with the same labels")
        file_key = secrets.token_bytes(FILE_KEY_SIZE)
        nonce = secrets.token_bytes(NONCE_SIZE)
        self._head = serialise([item.wrap(file_key) for item in recipients], file_key) + nonce
        self._stream: StreamSealer | None = StreamSealer(file_key, nonce)

    def update(self, data: bytes | bytearray | memoryview) -> bytes:
        """Take plaintext and return the ciphertext that is ready; the header with the first call.

        Raises:
            RuntimeError: after `finalize`.
        """
        return self._open_stream().update(_bytes_of(data), self._take_head())

    def finalize(self) -> bytes:
        """Return the rest of the ciphertext; a file that lacks it does not decrypt.

        Raises:
            RuntimeError: called twice.
        """
        stream = self._open_stream()
        self._stream = None
        return self._take_head() + stream.finalize()

    def _open_stream(self) -> StreamSealer:
        if self._stream is None:
            raise RuntimeError("this age file is finished")
        return self._stream

    def _take_head(self) -> bytes:
        """Return header and nonce once, then nothing."""
        head, self._head = self._head, b""
        return head


class Decryptor:
    """Decrypts one file as it arrives, holding at most the header and one chunk.

    What `update` returns is authentic, but only `finalize` shows that the file is complete: a
    caller that acts on plaintext before must be able to take it back. After an error, every
    further call raises the same error. Not for use by several threads at once.
    """

    def __init__(self, identities: Sequence[Identity]) -> None:
        """Try `identities` in the given order."""
        self._identities = tuple(identities)
        self._reader = HeaderReader()
        self._file_key = b""
        self._nonce = b""
        self._stream: StreamOpener | None = None
        self._failure: CryptoError | None = None
        self._finished = False

    def update(self, data: bytes | bytearray | memoryview) -> bytes:
        """Take ciphertext and return the plaintext that has been authenticated.

        Plaintext in front of an altered chunk is still returned; the next call then raises.

        Raises:
            WrongKey: no identity matches.
            HeaderTampered: an identity matches, but the header's MAC does not.
            PayloadTampered: a chunk does not authenticate.
            Malformed: the header breaks the grammar.
            LimitExceeded: the header is too large.
            RuntimeError: after `finalize`.
        """
        self._check_usable()
        try:
            if self._stream is None:
                return self._begin(memoryview(data).cast("B"))
            return self._stream.update(_bytes_of(data))
        except CryptoError as failure:
            self._failure = failure
            raise

    def finalize(self) -> bytes:
        """Return the last plaintext, with the promise that the file was complete.

        Raises:
            Malformed: the file ended inside the header or the nonce.
            PayloadTampered: the payload was altered or cut short.
            RuntimeError: called twice.
        """
        self._check_usable()
        self._finished = True
        try:
            if self._stream is None:
                raise Malformed("header: cut short")
            return self._stream.finalize()
        except CryptoError as failure:
            self._failure = failure
            raise

    def _check_usable(self) -> None:
        if self._failure:
            raise self._failure.with_traceback(None)
        if self._finished:
            raise RuntimeError("this age file is finished")

    def _begin(self, data: memoryview) -> bytes:
        """Take header and nonce from the front of `data`, and hand on what is left."""
        if not self._file_key:
            data = data[self._reader.feed(data) :]
            header = self._reader.header
            if header is None:
                return b""
            self._file_key = unlock(header, self._identities)
        missing = NONCE_SIZE - len(self._nonce)
        self._nonce += bytes(data[:missing])
        if len(self._nonce) < NONCE_SIZE:
            return b""
        self._stream = StreamOpener(self._file_key, self._nonce)
        return self._stream.update(data[missing:])


def _bytes_of(data: bytes | bytearray | memoryview) -> bytes | memoryview:
    """Return `data` in a form whose length and slices count bytes, without copying it."""
    return data if isinstance(data, bytes) else memoryview(data).cast("B")


def encrypt(plaintext: bytes, recipients: Sequence[Recipient]) -> bytes:
    """Return `plaintext` as an age file to `recipients`.

    Raises:
        ValueError: no recipient, or recipients whose labels differ (hybrid beside X25519).
        Malformed: a recipient cannot be encrypted to.
    """
    encryptor = Encryptor(recipients)
    return b"".join((encryptor.update(plaintext), encryptor.finalize()))


def decrypt(data: bytes, identities: Sequence[Identity]) -> bytes:
    """Return the plaintext of a complete age file.

    Raises:
        WrongKey: no identity matches.
        HeaderTampered, PayloadTampered: the file was altered (both are `Tampered`).
        Malformed: the header breaks the grammar.
        LimitExceeded: the header is too large.
    """
    decryptor = Decryptor(identities)
    return b"".join((decryptor.update(data), decryptor.finalize()))
