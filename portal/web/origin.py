"""Refuse requests that another site made a browser send.

Fetch Metadata (`Sec-Fetch-Site`) and `Origin` are set by the browser and out of a page's reach.
Old and text browsers send neither; for them the session-bound token (portal.web.csrf) and the
SameSite cookie stand alone.
"""

from typing import Any, Final
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from portal.web.refusals import ForeignOrigin

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class SameOrigin:
    """A guard for every route: whatever changes state must come from one of our own pages."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        """Take the published origins; with none, the Host header of the request decides."""
        self._origins = frozenset(origin.lower() for origin in origins)

    async def __call__(
        self, connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler
    ) -> None:
        """Let the request pass.

        Raises:
            ForeignOrigin: if a header says that the request comes from elsewhere.
        """
        if connection.scope.get("method") in _SAFE_METHODS:
            return
        site = connection.headers.get("sec-fetch-site")
        # `none` is the user's own doing: a bookmark, or a repeated form after a restart.
        if site is not None and site not in {"same-origin", "none"}:
            raise ForeignOrigin
        origin = connection.headers.get("origin")
        if origin is None:
            return
        if origin == "null":
            # Strict privacy settings hide the origin; then only Fetch Metadata can vouch for it.
            if site != "same-origin":
                raise ForeignOrigin
            return
        if not self._is_ours(origin.lower(), connection.headers.get("host", "").lower()):
            raise ForeignOrigin

    def _is_ours(self, origin: str, host: str) -> bool:
        if self._origins:
            return origin in self._origins
        try:
            return bool(host) and urlsplit(origin).netloc == host
        except ValueError:
            return False
