"""Base64 as the age header has it: standard alphabet, no padding, canonical (RFC 4648 §4, §3.5)."""

import base64
import binascii

from crypto.errors import Malformed


def encode(raw: bytes) -> str:
    """Return `raw` as unpadded Base64."""
    return base64.b64encode(raw).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Return the bytes of unpadded Base64 `text`.

    Encoding the result again gives exactly `text`: padding, foreign characters and stray bits in
    the last character are refused, so that no two texts stand for the same bytes.

    Raises:
        Malformed: `text` is not the canonical encoding of any bytes.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("header: not Base64") from None
    if encode(raw) != text:
        raise Malformed("header: Base64 is not canonical")
    return raw
