"""The forms in which a text hides in files: what the canary search looks for."""

import base64
import html
import json
import quopri
import re
import urllib.parse
from collections.abc import Iterator

MIN_BYTES = 6
"""Shorter secrets have encodings of two or three characters, which any file contains."""


def _base64_forms(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the characters of base64 that depend on ``raw`` alone, for each alignment."""
    for shift in range(3):
        first = (8 * shift + 5) // 6
        last = 8 * (shift + len(raw)) // 6
        padded = bytes(shift) + raw
        yield f"base64+{shift}", base64.b64encode(padded)[first:last]
        yield f"base64url+{shift}", base64.urlsafe_b64encode(padded)[first:last]


def encodings(secret: str) -> dict[bytes, str]:
    """Return every form of ``secret`` that is searched for, with the name of its encoding.

    Raises:
        ValueError: if the secret has fewer than ``MIN_BYTES`` bytes.
    """
    raw = secret.encode()
    if len(raw) < MIN_BYTES:
        msg = f"a canary needs at least {MIN_BYTES} bytes to be told from chance"
        raise ValueError(msg)
    percent = urllib.parse.quote(secret, safe="")
    form = urllib.parse.quote_plus(secret)
    every_byte = "".join(f"%{byte:02X}" for byte in raw)
    escaped = json.dumps(secret)[1:-1]
    named = html.escape(secret)
    mail = quopri.encodestring(raw).replace(b"=\n", b"")
    named_forms: list[tuple[str, bytes]] = [
        ("raw", raw),
        ("utf-16-le", secret.encode("utf-16-le")),
        ("utf-16-be", secret.encode("utf-16-be")),
        ("hex", raw.hex().encode()),
        ("HEX", raw.hex().upper().encode()),
        ("percent", percent.encode()),
        ("percent, spaces kept", percent.replace("%20", " ").encode()),
        ("percent, path", urllib.parse.quote(secret).encode()),
        ("form", form.encode()),
        ("percent, every byte", every_byte.encode()),
        *(
            (f"{name}, lower case", _lower_hex(text).encode())
            for name, text in (("percent", percent), ("form", form), ("every byte", every_byte))
        ),
        ("json", escaped.encode()),
        ("json, slashes", escaped.replace("/", "\\/").encode()),
        ("json, unicode kept", json.dumps(secret, ensure_ascii=False)[1:-1].encode()),
        ("html", named.encode()),
        ("html, decimal", named.replace("&quot;", "&#34;").replace("&#x27;", "&#39;").encode()),
        ("html, ascii", named.encode("ascii", "xmlcharrefreplace")),
        ("python", secret.encode("unicode_escape")),
        ("python, bytes", repr(raw)[2:-1].encode()),
        ("quoted-printable", mail),
        ("quoted-printable, header", quopri.encodestring(raw, header=True).replace(b"=\n", b"")),
        *_base64_forms(raw),
    ]
    forms: dict[bytes, str] = {}
    for name, form_bytes in named_forms:
        forms.setdefault(form_bytes, name)
    return forms


def _lower_hex(percent_encoded: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), percent_encoded)
