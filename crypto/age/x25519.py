"""The age recipient type `X25519`: for files that are handed to others (c2sp.org/age)."""

import secrets
from collections.abc import Sequence
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.age import b64, bech32
from crypto.age.contract import WRAPPED_FILE_KEY_SIZE
from crypto.age.header import Stanza
from crypto.errors import Malformed

KEY_SIZE: Final = 32
"""Bytes of a public key, a private key and a share."""

_STANZA_TYPE: Final = "X25519"
_RECIPIENT_PREFIX: Final = "age"
_IDENTITY_PREFIX: Final = "AGE-SECRET-KEY-"
_INFO: Final = b"age-encryption.org/v1/X25519"
# Constant, because each wrap key is made for one file key only.
_NONCE: Final = bytes(12)


def exchange(private: X25519PrivateKey, public: bytes) -> bytes:
    """Return the shared secret of a private key and 32 public bytes (RFC 7748 §6.1).

    Raises:
        Malformed: not 32 bytes, or a point of low order: the secret would be all zero.
    """
    try:
        return private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        raise Malformed("X25519: not a usable public key") from None


def _wrap_cipher(shared: bytes, share: bytes, recipient: bytes) -> ChaCha20Poly1305:
    """Return the cipher that seals one file key between one share and one recipient."""
    key = HKDF(SHA256(), length=32, salt=share + recipient, info=_INFO).derive(shared)
    return ChaCha20Poly1305(key)


class X25519Recipient:
    """A public key `age1…`, usable by every age implementation."""

    __slots__ = ("_raw",)

    labels: frozenset[str] = frozenset()

    def __init__(self, raw: bytes) -> None:
        """Take 32 bytes.

        Raises:
            Malformed: another number of bytes.
        """
        if len(raw) != KEY_SIZE:
            raise Malformed("X25519 recipient: wrong size")
        self._raw = bytes(raw)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Return the recipient of 32 bytes.

        Raises:
            Malformed: another number of bytes.
        """
        return cls(raw)

    @classmethod
    def from_string(cls, text: str) -> Self:
        """Return the recipient written `age1…`.

        Raises:
            Malformed: not such a text.
        """
        return cls(bech32.decode_key(text, _RECIPIENT_PREFIX, KEY_SIZE))

    def to_bytes(self) -> bytes:
        """Return the 32 bytes."""
        return self._raw

    def __str__(self) -> str:
        """Return `age1…`."""
        return bech32.encode(_RECIPIENT_PREFIX, self._raw)

    def __repr__(self) -> str:
        """Return a text that names the public key."""
        return f"X25519Recipient({self})"

    def __eq__(self, other: object) -> bool:
        """Equal public keys are equal recipients."""
        return isinstance(other, X25519Recipient) and other._raw == self._raw

    def __hash__(self) -> int:
        """Hash the public key."""
        return hash((_STANZA_TYPE, self._raw))

    def wrap(self, file_key: bytes) -> Stanza:
        """Return a stanza from which only this recipient's identity can recover `file_key`.

        Raises:
            Malformed: this recipient is a point of low order.
        """
        ephemeral = X25519PrivateKey.generate()
        share = ephemeral.public_key().public_bytes_raw()
        cipher = _wrap_cipher(exchange(ephemeral, self._raw), share, self._raw)
        return Stanza(_STANZA_TYPE, (b64.encode(share),), cipher.encrypt(_NONCE, file_key, None))


class X25519Identity:
    """A private key `AGE-SECRET-KEY-1…`."""

    __slots__ = ("_private", "_recipient", "_seed")

    def __init__(self, seed: bytes) -> None:
        """Take 32 bytes, which are the X25519 scalar itself.

        Raises:
            Malformed: another number of bytes.
        """
        if len(seed) != KEY_SIZE:
            raise Malformed("X25519 identity: wrong size")
        self._seed = bytes(seed)
        self._private = X25519PrivateKey.from_private_bytes(self._seed)
        self._recipient = X25519Recipient(self._private.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> Self:
        """Return a new random identity."""
        return cls(secrets.token_bytes(KEY_SIZE))

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Return the identity of 32 secret bytes.

        Raises:
            Malformed: another number of bytes.
        """
        return cls(seed)

    @classmethod
    def from_string(cls, text: str) -> Self:
        """Return the identity written `AGE-SECRET-KEY-1…`.

        Raises:
            Malformed: not such a text.
        """
        return cls(bech32.decode_key(text, _IDENTITY_PREFIX, KEY_SIZE))

    def to_string(self) -> str:
        """Return `AGE-SECRET-KEY-1…`. Secret."""
        return bech32.encode(_IDENTITY_PREFIX, self._seed)

    @property
    def seed(self) -> bytes:
        """The 32 secret bytes."""
        return self._seed

    @property
    def recipient(self) -> X25519Recipient:
        """The public key of this identity."""
        return self._recipient

    def __repr__(self) -> str:
        """Return a text without the secret."""
        return "X25519Identity(<secret>)"

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Return the file key, or None if no stanza is for this identity.

        Raises:
            Malformed: an `X25519` stanza is not well formed.
        """
        for stanza in stanzas:
            if stanza.type == _STANZA_TYPE:
                file_key = self._open(stanza)
                if file_key is not None:
                    return file_key
        return None

    def _open(self, stanza: Stanza) -> bytes | None:
        """Return the file key of one stanza, or None if it is somebody else's."""
        if len(stanza.args) != 1 or len(stanza.body) != WRAPPED_FILE_KEY_SIZE:
            # The size is checked before decryption: a longer file key would allow files that
            # open to different contents under different keys.
            raise Malformed("X25519 stanza: wrong shape")
        share = b64.decode(stanza.args[0])
        shared = exchange(self._private, share)
        try:
            return _wrap_cipher(shared, share, self._recipient.to_bytes()).decrypt(
                _NONCE, stanza.body, None
            )
        except InvalidTag:
            return None
