"""Keep what somebody typed while their session ran out, for that very person and nobody else.

Every form of a session carries a signed marker that names its person. When it is posted too late,
its fields are sealed to that person's recipient and travel through the sign-in page as one opaque
field; after signing in, only the same person's identity opens them. The server stores nothing.
"""

import binascii
import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Final

from itsdangerous import BadData, URLSafeSerializer

from crypto.age import HybridIdentity, HybridRecipient
from crypto.envelope import Header, seal, unseal
from crypto.errors import CryptoError
from portal.web.refusals import KeptTooLong

KEPT_FIELD: Final = "kept"
KEEPER_FIELD: Final = "keeper"
KEPT_LIMIT: Final = 256 * 1024
"""Bytes of fields, as JSON, that are carried over."""

# Padding adds at most an eighth above its floor, base64 a third; the rest is the age header.
_SEALED_LIMIT: Final = KEPT_LIMIT * 2
_FLOOR: Final = 4096
_MARKER_LIMIT: Final = 512
_SALT: Final = "suaka/v1/keeper"
# It belongs to no row, so every field that names one is empty; the day says nothing on purpose.
_HEADER: Final = Header(
    instance="",
    case="",
    compartment="",
    item="",
    version=1,
    kind="kept-form",
    author="",
    name="",
    media_type="application/json",
    day="2000-01-01",
)


class Keeper:
    """Makes and reads the marker that says to whom a late form belongs."""

    def __init__(self, secret: bytes) -> None:
        """Take the instance's own 32-byte secret for markers."""
        self._serializer = URLSafeSerializer(
            secret,
            salt=_SALT,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def mark(self, person: str) -> str:
        """Return the marker of a person id."""
        return self._serializer.dumps(person)

    def read(self, marker: str) -> str | None:
        """Return the person id of a marker of ours, else None."""
        if len(marker) > _MARKER_LIMIT:
            return None
        try:
            person = self._serializer.loads(marker)
        except BadData:
            return None
        return person if isinstance(person, str) else None


def seal_fields(fields: Mapping[str, str], recipient: HybridRecipient) -> str:
    """Seal fields to one person; return base64 for a hidden field.

    Raises:
        KeptTooLong: if they exceed `KEPT_LIMIT`.
    """
    body = json.dumps(dict(fields), ensure_ascii=False).encode()
    if len(body) > KEPT_LIMIT:
        raise KeptTooLong
    return b64encode(seal(_HEADER, body, [recipient], floor=_FLOOR)).decode()


def open_fields(kept: str, identity: HybridIdentity) -> dict[str, str]:
    """Open what `seal_fields` sealed; empty if it was for somebody else, altered, or no such text.

    The same answer for all of these: the hidden field is the user's, who learns nothing from it.
    """
    if len(kept) > _SEALED_LIMIT:
        return {}
    try:
        fields = json.loads(unseal(b64decode(kept, validate=True), identity, _HEADER))
    except (CryptoError, binascii.Error, ValueError):
        return {}
    if not isinstance(fields, dict):
        return {}
    return {name: value for name, value in fields.items() if isinstance(value, str)}
