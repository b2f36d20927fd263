"""Ed25519 signatures over statements in canonical JSON (RFC 8032, RFC 8785).

A signature covers purpose, 0x00, statement, so that what was signed as one thing cannot be shown
as another. It is stored with a byte that names the suite.
"""

from collections.abc import Mapping
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from crypto import canonical
from crypto.canonical import Json
from crypto.errors import Malformed, Tampered
from crypto.labels import Purpose

__all__ = [
    "SIGNATURE_SIZE",
    "VERIFY_KEY_SIZE",
    "Json",
    "Purpose",
    "SigningKey",
    "verify",
    "verify_encoded",
]

VERIFY_KEY_SIZE: Final = 32
"""Bytes of a public key."""

SIGNATURE_SIZE: Final = 65
"""Bytes of a signature: the suite, then the 64 of RFC 8032."""

_SEED_SIZE: Final = 32
_SUITE_ED25519: Final = b"\x01"
_SEPARATOR: Final = b"\x00"

_FIELD_PRIME: Final = 2**255 - 19
_SIGN_BIT: Final = 1 << 255
_ORDER_EIGHT: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
# The y coordinates of the points whose order divides 8.
_SMALL_ORDER: Final = frozenset({0, 1, _FIELD_PRIME - 1, _ORDER_EIGHT, _FIELD_PRIME - _ORDER_EIGHT})


class SigningKey:
    """A private key that speaks in one person's name."""

    __slots__ = ("_private", "_verify_key")

    def __init__(self, seed: bytes) -> None:
        """Take 32 secret bytes.

        Raises:
            Malformed: another number of bytes.
        """
        if len(seed) != _SEED_SIZE:
            raise Malformed("signing key: wrong size")
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._verify_key = self._private.public_key().public_bytes_raw()

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Return the key of 32 secret bytes.

        Raises:
            Malformed: another number of bytes.
        """
        return cls(seed)

    @property
    def verify_key(self) -> bytes:
        """The 32 bytes with which others verify."""
        return self._verify_key

    def sign(self, purpose: Purpose, statement: Mapping[str, Json]) -> bytes:
        """Return 65 bytes that prove that this key made `statement` for `purpose`.

        Raises:
            Malformed: `statement` has no canonical encoding.
        """
        encoded = canonical.encode(statement)
        return _SUITE_ED25519 + self._private.sign(_message(purpose, encoded))

    def __repr__(self) -> str:
        """Return a text without the secret."""
        return f"SigningKey({self._verify_key.hex()[:16]})"


def verify(
    verify_key: bytes, purpose: Purpose, statement: Mapping[str, Json], signature: bytes
) -> None:
    """Return if the owner of `verify_key` signed `statement` for `purpose`.

    Keys of small order are refused: under them one signature fits many statements, and its owner
    could deny what they signed.

    Raises:
        Tampered: they did not.
        Malformed: key or signature is not well formed, the suite is unknown, or `statement` has
            no canonical encoding.
    """
    verify_encoded(verify_key, purpose, canonical.encode(statement), signature)


def verify_encoded(verify_key: bytes, purpose: Purpose, encoded: bytes, signature: bytes) -> None:
    """Do as `verify`, for a caller who vouches that `encoded` is a statement's canonical encoding.

    Raises:
        Tampered: the owner of `verify_key` did not sign it.
        Malformed: key or signature is not well formed, or the suite is unknown.
    """
    if len(signature) != SIGNATURE_SIZE or signature[:1] != _SUITE_ED25519:
        raise Malformed("signature: unknown suite or wrong size")
    public = _parse(verify_key)
    try:
        public.verify(signature[1:], _message(purpose, encoded))
    except InvalidSignature:
        raise Tampered("signature: does not fit") from None


def check_verify_key(verify_key: bytes) -> None:
    """Return if `verify_key` may be trusted to bind its owner.

    Raises:
        Malformed: not 32 bytes, not canonical (RFC 8032 §5.1.3), or a point of small order.
    """
    _parse(verify_key)


def _parse(verify_key: bytes) -> Ed25519PublicKey:
    """Return the public key of 32 bytes.

    Raises:
        Malformed: as `check_verify_key`.
    """
    if len(verify_key) != VERIFY_KEY_SIZE:
        raise Malformed("verify key: wrong size")
    height = int.from_bytes(verify_key, "little") % _SIGN_BIT
    if height >= _FIELD_PRIME or height in _SMALL_ORDER:
        raise Malformed("verify key: not canonical, or of small order")
    # 32 bytes that are no point at all are accepted by the library; nothing ever fits them.
    return Ed25519PublicKey.from_public_bytes(verify_key)


def _message(purpose: Purpose, encoded: bytes) -> bytes:
    """Return the bytes that are signed."""
    return purpose.encode() + _SEPARATOR + encoded
