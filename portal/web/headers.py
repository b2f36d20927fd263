"""The security headers of every response: pages, errors, redirects and static files alike.

They are set in Litestar's `before_send` hook, the only place that also covers responses to
requests which never reached a handler (404, 405, 413). A stylesheet in a browser's cache is
evidence of a visit, so `no-store` stands on static files, too; only what is public for ever and
made for programs may be kept.
"""

import re
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final


class Policy(StrEnum):
    """The content security policies that a page can ask for, by name, in `POLICY_HEADER`."""

    UPLOAD = "upload"
    """A page with our script, which sends files in parts; it is complete without."""

    LOOK = "look"
    """A page on which a recording plays."""

    FILE = "file"
    """What a person sent, or bytes of the log: nothing in it may run, load or be framed."""

    FIXED = "fixed"
    """Bytes of the public log that never change: as FILE, and anybody may keep them."""

    CHECK = "check"
    """The page that checks receipts: its own style and script, and no others."""


POLICY_HEADER: Final = "suaka-policy"
"""Set by a handler, taken off by the hook; it never leaves the process."""

_CSP: Final = (
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)
_INERT: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"
_OWN_POLICY: Final = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"<>]+)">')
CHECK_PAGE: Final = "periksa.html"
"""Name in the package `static` of the page that brings its own policy."""

_FEATURES: Final = (
    "accelerometer", "autoplay", "bluetooth", "browsing-topics", "camera", "clipboard-read",
    "clipboard-write", "display-capture", "encrypted-media", "fullscreen", "gamepad",
    "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer",
    "microphone", "midi", "payment", "picture-in-picture", "publickey-credentials-get",
    "screen-wake-lock", "serial", "storage-access", "usb", "web-share", "xr-spatial-tracking",
)  # fmt: skip
_ALWAYS: Final = (
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    # Not `no-referrer`: with it, browsers send `Origin: null` with our own forms.
    ("referrer-policy", "same-origin"),
    ("permissions-policy", ", ".join(f"{feature}=()" for feature in _FEATURES)),
)
_HSTS: Final = ("strict-transport-security", "max-age=63072000")
# Validators are a way to recognise a returning browser; `server` tells which software to attack.
_REMOVED: Final = frozenset({
    b"server", b"etag", b"last-modified", b"x-powered-by", POLICY_HEADER.encode(),
})  # fmt: skip


def header_set(*, tls: bool, policy: Policy | None = None) -> tuple[tuple[str, str], ...]:
    """Return the exact headers that stand on every response, HSTS only behind TLS."""
    kept = "public, max-age=31536000, immutable" if policy is Policy.FIXED else "no-store"
    own = (("content-security-policy", _policies()[policy or ""]), ("cache-control", kept))
    return (*own, *_ALWAYS, _HSTS) if tls else (*own, *_ALWAYS)


@cache
def _policies() -> dict[str, str]:
    return {
        "": "; ".join(_CSP),
        Policy.UPLOAD: "; ".join((*_CSP, "script-src 'self'", "connect-src 'self'")),
        Policy.LOOK: "; ".join((*_CSP, "media-src 'self'")),
        Policy.FILE: _INERT,
        Policy.FIXED: _INERT,
        Policy.CHECK: policy_in(files("static").joinpath(CHECK_PAGE).read_text("utf-8")),
    }


def policy_in(page: str) -> str:
    """Return the policy of a page that carries it with it, and that nobody may frame it.

    Frames cannot be forbidden from inside a page (CSP 3 §6.4.2), so this belongs to the header.

    Raises:
        ValueError: the page has no policy, or several.
    """
    (found,) = _OWN_POLICY.findall(page)
    return f"{found}; frame-ancestors 'none'"


class SecurityHeaders:
    """The `before_send` hook: replaces whatever a handler set under the same names."""

    def __init__(self, *, tls: bool) -> None:
        """Prepare the encoded headers once."""
        self._headers = {
            name.encode(): _encoded(header_set(tls=tls, policy=Policy(name) if name else None))
            for name in _policies()
        }
        self._dropped = _REMOVED | {name for name, _ in self._headers[b""]}

    async def __call__(self, message: Any, _scope: Any) -> None:
        """Add the set to a response's first message; leave every other message alone."""
        if message["type"] == "http.response.start":
            given = [(name.lower(), value) for name, value in message["headers"]]
            policy = dict(given).get(POLICY_HEADER.encode(), b"")
            kept = [pair for pair in given if pair[0] not in self._dropped]
            message["headers"] = [*kept, *self._headers[policy]]


def _encoded(pairs: tuple[tuple[str, str], ...]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in pairs]
