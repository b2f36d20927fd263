"""Two shares that say nothing alone: XOR with a one-time pad.

It takes both halves to open an identity. That each half is the one that was granted is shown by
the signature on its grant, not here.
"""

import secrets
from operator import xor
from typing import Final

from crypto.errors import Malformed

SIZE: Final = 32
"""Bytes of a secret and of each share."""


def split(secret: bytes) -> tuple[bytes, bytes]:
    """Return two shares of 32 secret bytes; each alone is uniformly random.

    Raises:
        Malformed: another number of bytes.
    """
    pad = secrets.token_bytes(SIZE)
    return pad, combine(secret, pad)


def combine(first: bytes, second: bytes) -> bytes:
    """Return the secret of two shares, in any order.

    Raises:
        Malformed: a share has another size than 32 bytes.
    """
    if len(first) != SIZE or len(second) != SIZE:
        raise Malformed("shares: wrong size")
    return bytes(map(xor, first, second))
