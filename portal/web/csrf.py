"""A token in every form of a session, bound to that session and to one purpose.

The key is derived from the session's cookie, so a token dies with its session and says nothing
about it. It is not single-use: two tabs and the back button must work; what must happen only once
is refused by the domain.
"""

import hashlib
import secrets
from typing import Final

from itsdangerous import BadData, URLSafeSerializer

from portal.web.refusals import CsrfRefused

CSRF_FIELD: Final = "csrf"
_SALT: Final = "suaka/v1/csrf/"
_LONGEST: Final = 256


def issue(secret: bytes, purpose: str) -> str:
    """Return a fresh token for a session's 32-byte CSRF secret and the purpose of one form."""
    return _serializer(secret, purpose).dumps(secrets.token_hex(8))


def check(secret: bytes, purpose: str, token: str) -> None:
    """Accept a token of this very session and purpose.

    Raises:
        CsrfRefused: for any other.
    """
    if not token or len(token) > _LONGEST:
        raise CsrfRefused
    try:
        _serializer(secret, purpose).loads(token)
    except BadData:
        raise CsrfRefused from None


def _serializer(secret: bytes, purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(
        secret,
        salt=_SALT + purpose,
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
