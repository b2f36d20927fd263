"""The security headers of every response: pages, errors, redirects and static files alike.

They are set in Litestar's `before_send` hook, the only place that also covers responses to
requests which never reached a handler (404, 405, 413). A stylesheet in a browser's cache is
evidence of a visit, so `no-store` stands on static files, too.
"""

from typing import Any, Final

_CSP: Final = (
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)
_FEATURES: Final = (
    "accelerometer", "autoplay", "bluetooth", "browsing-topics", "camera", "clipboard-read",
    "clipboard-write", "display-capture", "encrypted-media", "fullscreen", "gamepad",
    "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer",
    "microphone", "midi", "payment", "picture-in-picture", "publickey-credentials-get",
    "screen-wake-lock", "serial", "storage-access", "usb", "web-share", "xr-spatial-tracking",
)  # fmt: skip
_ALWAYS: Final = (
    ("content-security-policy", "; ".join(_CSP)),
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
_REMOVED: Final = frozenset({b"server", b"etag", b"last-modified", b"x-powered-by"})


def header_set(*, tls: bool) -> tuple[tuple[str, str], ...]:
    """Return the exact headers that stand on every response, HSTS only behind TLS."""
    return (*_ALWAYS, _HSTS) if tls else _ALWAYS


class SecurityHeaders:
    """The `before_send` hook: replaces whatever a handler set under the same names."""

    def __init__(self, *, tls: bool) -> None:
        """Prepare the encoded headers once."""
        self._headers = [(name.encode(), value.encode()) for name, value in header_set(tls=tls)]
        self._dropped = _REMOVED | {name for name, _ in self._headers}

    async def __call__(self, message: Any, _scope: Any) -> None:
        """Add the set to a response's first message; leave every other message alone."""
        if message["type"] == "http.response.start":
            kept = [pair for pair in message["headers"] if pair[0].lower() not in self._dropped]
            message["headers"] = [*kept, *self._headers]
