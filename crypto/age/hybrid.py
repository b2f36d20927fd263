"""The age recipient type `mlkem768x25519`: ML-KEM-768 and X25519 in one HPKE KEM (c2sp.org/age).

Both must be broken to read a file. `casework` seals with nothing else.
"""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from crypto.age import b64, bech32
from crypto.age.contract import POSTQUANTUM, WRAPPED_FILE_KEY_SIZE
from crypto.age.header import Stanza
from crypto.age.x25519 import exchange
from crypto.errors import Malformed

SEED_SIZE: Final = 32
"""Bytes of an identity."""

RECIPIENT_SIZE: Final = 1216
"""Bytes of a recipient: ML-KEM-768 encapsulation key (1,184), then X25519 public key (32)."""

_MLKEM_PUBLIC_SIZE: Final = 1184
_MLKEM_SEED_SIZE: Final = 64
_MLKEM_CIPHERTEXT_SIZE: Final = 1088
_X25519_SIZE: Final = 32
_ENC_SIZE: Final = _MLKEM_CIPHERTEXT_SIZE + _X25519_SIZE

_STANZA_TYPE: Final = "mlkem768x25519"
_RECIPIENT_PREFIX: Final = "age1pq"
_IDENTITY_PREFIX: Final = "AGE-SECRET-KEY-PQ-"
_INFO: Final = b"age-encryption.org/mlkem768x25519"
_SUITE: Final = hpke.Suite(
    hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305
)


class HybridRecipient:
    """A public key `age1pq1…`. Parsed once; wrapping is then about 0.1 ms."""

    __slots__ = ("_public", "_raw")

    labels: frozenset[str] = frozenset({POSTQUANTUM})

    def __init__(self, raw: bytes) -> None:
        """Take 1,216 bytes.

        Raises:
            Malformed: another number of bytes, or no encapsulation key (FIPS 203 §7.2).
        """
        self._raw = bytes(raw)
        try:
            self._public = hpke.MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(self._raw[:_MLKEM_PUBLIC_SIZE]),
                X25519PublicKey.from_public_bytes(self._raw[_MLKEM_PUBLIC_SIZE:]),
            )
        except ValueError:
            raise Malformed("hybrid recipient: not such a key") from None

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Return the recipient of 1,216 bytes.

        Raises:
            Malformed: another number of bytes, or no encapsulation key.
        """
        return cls(raw)

    @classmethod
    def from_string(cls, text: str) -> Self:
        """Return the recipient written `age1pq1…`.

        Raises:
            Malformed: not such a text.
        """
        return cls(bech32.decode_key(text, _RECIPIENT_PREFIX, RECIPIENT_SIZE))

    def to_bytes(self) -> bytes:
        """Return the 1,216 bytes."""
        return self._raw

    def __str__(self) -> str:
        """Return `age1pq1…`, some two thousand characters."""
        return bech32.encode(_RECIPIENT_PREFIX, self._raw)

    def __repr__(self) -> str:
        """Return a short text that tells public keys apart."""
        return f"HybridRecipient({hashlib.sha256(self._raw).hexdigest()[:16]})"

    def __eq__(self, other: object) -> bool:
        """Equal public keys are equal recipients."""
        return isinstance(other, HybridRecipient) and other._raw == self._raw

    def __hash__(self) -> int:
        """Hash the public key."""
        return hash((_STANZA_TYPE, self._raw))

    def wrap(self, file_key: bytes) -> Stanza:
        """Return a stanza from which only this recipient's identity can recover `file_key`.

        Raises:
            Malformed: the X25519 half of this recipient is a point of low order.
        """
        try:
            sealed = _SUITE.encrypt(file_key, self._public, info=_INFO)
        except ValueError:
            raise Malformed("hybrid recipient: point of low order") from None
        return Stanza(_STANZA_TYPE, (b64.encode(sealed[:_ENC_SIZE]),), sealed[_ENC_SIZE:])


class HybridIdentity:
    """A private key `AGE-SECRET-KEY-PQ-1…`, expanded once from its 32-byte seed."""

    __slots__ = ("_private", "_recipient", "_seed", "_x25519")

    def __init__(self, seed: bytes) -> None:
        """Expand 32 secret bytes.

        Raises:
            Malformed: another number of bytes.
        """
        if len(seed) != SEED_SIZE:
            raise Malformed("hybrid identity: wrong size")
        self._seed = bytes(seed)
        expanded = hashlib.shake_256(self._seed).digest(_MLKEM_SEED_SIZE + _X25519_SIZE)
        mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED_SIZE])
        self._x25519 = X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED_SIZE:])
        self._private = hpke.MLKEM768X25519PrivateKey(mlkem, self._x25519)
        self._recipient = HybridRecipient(
            mlkem.public_key().public_bytes_raw() + self._x25519.public_key().public_bytes_raw()
        )

    @classmethod
    def generate(cls) -> Self:
        """Return a new random identity."""
        return cls(secrets.token_bytes(SEED_SIZE))

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Return the identity of 32 secret bytes.

        Raises:
            Malformed: another number of bytes.
        """
        return cls(seed)

    @classmethod
    def from_string(cls, text: str) -> Self:
        """Return the identity written `AGE-SECRET-KEY-PQ-1…`.

        Raises:
            Malformed: not such a text.
        """
        return cls(bech32.decode_key(text, _IDENTITY_PREFIX, SEED_SIZE))

    def to_string(self) -> str:
        """Return `AGE-SECRET-KEY-PQ-1…`. Secret."""
        return bech32.encode(_IDENTITY_PREFIX, self._seed)

    @property
    def seed(self) -> bytes:
        """The 32 secret bytes."""
        return self._seed

    @property
    def recipient(self) -> HybridRecipient:
        """The public key of this identity."""
        return self._recipient

    def __repr__(self) -> str:
        """Return a text without the secret."""
        return "HybridIdentity(<secret>)"

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Return the file key, or None if no stanza is for this identity.

        Raises:
            Malformed: an `mlkem768x25519` stanza is not well formed.
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
            raise Malformed("hybrid stanza: wrong shape")
        enc = b64.decode(stanza.args[0])
        if len(enc) != _ENC_SIZE:
            raise Malformed("hybrid stanza: share of wrong size")
        try:
            return _SUITE.decrypt(enc + stanza.body, self._private, info=_INFO)
        except InvalidTag:
            # The library reports a share of low order like any other failure; the format wants
            # it refused, not passed over.
            exchange(self._x25519, enc[_MLKEM_CIPHERTEXT_SIZE:])
            return None
