"""Answer early, and let the client finish sending, or it never sees the answer.

A handler that refuses a large body answers before the body has arrived. The server would then
close the connection while the client still sends: Firefox shows "the connection was reset" and
nginx shows its own 502 instead of our page. So the answer goes out at once, and what still arrives
is read and thrown away until the client is done, as servers that linger on close do.
"""

from typing import Any, Final

from anyio import current_time, move_on_after
from litestar.types import ASGIApp, Receive, Scope, Send

BYTES: Final = 1024 * 1024 * 1024
"""The most that is thrown away for one answer."""

SECONDS: Final = 30.0
"""How long a client may go on sending after its answer; nginx gives as much by default."""

STALL: Final = 5.0
"""Seconds to wait for its next byte."""


class Lingering:
    """ASGI middleware that reads the rest of a body once the answer is sent."""

    def __init__(
        self, app: ASGIApp, limit: int = BYTES, seconds: float = SECONDS, stall: float = STALL
    ) -> None:
        """Wrap `app`; `limit` in bytes."""
        self._app = app
        self._limit = limit
        self._seconds = seconds
        self._stall = stall

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, then drain the body that it left."""
        if not _has_body(scope):
            await self._app(scope, receive, send)
            return
        incoming = _Incoming(receive)
        await self._app(scope, incoming, send)
        drained, until = 0, current_time() + self._seconds
        while (
            not incoming.ended and drained <= self._limit and (left := until - current_time()) > 0
        ):
            with move_on_after(min(self._stall, left)) as waiting:
                drained += len((await incoming()).get("body", b""))
            if waiting.cancelled_caught:
                return


class _Incoming:
    """A `receive` that knows whether more can come."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.ended = False

    async def __call__(self) -> Any:
        message: Any = await self._receive()
        self.ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message


def _has_body(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
