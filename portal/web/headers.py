"""The security headers of every response: pages, errors, redirects and static files alike.

They are set in Litestar's `before_send` hook, the only place that also covers responses to
requests which never reached a handler (404, 405, 413). A stylesheet in a browser's cache is
evidence of a visit, so `no-store` stands on static files, too.
"""

from enum import StrEnum
from typing import Any, Final


class Policy(StrEnum):
    """The content security policies that a page can ask for, by name, in `POLICY_HEADER`."""

    UPLOAD = "upload"
    """A page with our script, which sends files in parts; it is complete without."""

    LOOK = "look"
    """A page on which a recording plays."""

    FILE = "file"
    """What a person sent, or a picture of it: nothing in it may run, load or be framed."""


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
_POLICIES: Final = {
    "": "; ".join(_CSP),
    Policy.UPLOAD: "; ".join((*_CSP, "script-src 'self'", "connect-src 'self'")),
    Policy.LOOK: "; ".join((*_CSP, "media-src 'self'")),
    Policy.FILE: "default-src 'none'; sandbox; frame-ancestors 'none'",
}
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
    ("cache-control", "no-store"),
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
    found = (("content-security-policy", _POLICIES[policy or ""]), *_ALWAYS)
    return (*found, _HSTS) if tls else found


class SecurityHeaders:
    """The `before_send` hook: replaces whatever a handler set under the same names."""

    def __init__(self, *, tls: bool) -> None:
        """Prepare the encoded headers once."""
        self._headers = {
            name.encode(): _encoded(header_set(tls=tls, policy=Policy(name) if name else None))
            for name in _POLICIES
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
