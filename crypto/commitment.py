"""Commitments to contents in the public log: binding, and silent without their key (RFC 2104)."""

import hmac
from hashlib import sha256
from typing import Final

from crypto.errors import Malformed, Tampered
from crypto.labels import Label

KEY_SIZE: Final = 32
"""Bytes of the random key. One key commits to one content."""


def commit(key: bytes, canonical: bytes) -> bytes:
    """Return 32 bytes: HMAC-SHA256 of label, 0x00, `canonical`.

    A hash alone would let anybody who guesses a short report confirm the guess.

    Raises:
        Malformed: `key` is not 32 bytes.
    """
    if len(key) != KEY_SIZE:
        raise Malformed("commitment: key of wrong size")
    return hmac.digest(key, Label.COMMITMENT.encode() + b"\x00" + canonical, sha256)


def check(key: bytes, canonical: bytes, commitment: bytes) -> None:
    """Return if `commitment` was made of `canonical` under `key`.

    Raises:
        Tampered: it was not.
        Malformed: `key` is not 32 bytes.
    """
    if not hmac.compare_digest(commit(key, canonical), commitment):
        raise Tampered("commitment: does not fit")
