"""The outer layer of every grant: destroy one small key, and no backup opens the case again.

Layout: salt (16 bytes), then ChaCha20-Poly1305 (RFC 8439) under a key of that salt and name alone.
"""

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto.errors import Malformed, Tampered
from crypto.labels import Label, derive

KEY_SIZE: Final = 32
"""Bytes of a shred key."""

_SALT_SIZE: Final = 16
_TAG_SIZE: Final = 16
# Safe because the salt makes each key's first use its only one.
_NONCE: Final = bytes(12)


def new_key() -> bytes:
    """Return the 32 random bytes of a new shred key."""
    return secrets.token_bytes(KEY_SIZE)


def wrap(key: bytes, name: bytes, data: bytes) -> bytes:
    """Return `data` so that only `key` and `name` give it back; 32 bytes longer.

    Raises:
        Malformed: `key` is not 32 bytes.
    """
    salt = secrets.token_bytes(_SALT_SIZE)
    return salt + _cipher(key, salt, name).encrypt(_NONCE, data, name)


def unwrap(key: bytes, name: bytes, data: bytes) -> bytes:
    """Return what `wrap` was given.

    Raises:
        Tampered: another key, another name, or altered bytes; these look alike.
        Malformed: `key` is not 32 bytes, or `data` is too short.
    """
    if len(data) < _SALT_SIZE + _TAG_SIZE:
        raise Malformed("shred layer: cut short")
    salt, sealed = data[:_SALT_SIZE], data[_SALT_SIZE:]
    try:
        return _cipher(key, salt, name).decrypt(_NONCE, sealed, name)
    except InvalidTag:
        raise Tampered("shred layer: does not open") from None


def _cipher(key: bytes, salt: bytes, name: bytes) -> ChaCha20Poly1305:
    """Return the cipher of one wrapping.

    Raises:
        Malformed: `key` is not 32 bytes.
    """
    if len(key) != KEY_SIZE:
        raise Malformed("shred key: wrong size")
    return ChaCha20Poly1305(derive(Label.SHRED_GRANT, key, context=salt + name))
