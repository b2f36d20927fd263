"""The session cookie: set only at sign-in, read strictly, and taken back completely.

No cookie exists before somebody signs in. Reporters and officers have cookies of different names,
so that one browser can hold both in a demonstration and neither opens the other's pages.
"""

from collections.abc import Callable
from typing import Any, Final

from litestar import Request
from litestar.datastructures import Cookie
from litestar.response import Response

from casework.keys.sessions import Kind, Session, SessionStore
from portal.web import cookies
from portal.web.refusals import SignInRequired
from portal.web.run import run

_NAMES: Final = {Kind.REPORTER: "ruang", Kind.STAFF: "petugas"}


class Sessions:
    """Sessions of one kind, as the pages of that kind use them."""

    def __init__(
        self, store: SessionStore, kind: Kind, *, tls: bool, clock: Callable[[], int]
    ) -> None:
        """Serve one kind from `store`; `clock` returns whole seconds since the epoch."""
        self._store = store
        self._kind = kind
        self._tls = tls
        self._clock = clock

    @property
    def cookie_name(self) -> str:
        """The name under which browsers keep this kind's cookie."""
        return cookies.name_of(_NAMES[self._kind], tls=self._tls)

    async def current(self, request: Request[Any, Any, Any]) -> Session | None:
        """Resume the session that the request's cookie opens, or None."""
        cookie = self._cookie_of(request)
        if cookie is None:
            return None
        session = await run(self._store.resume, cookie, self._clock())
        return session if session is not None and session.kind is self._kind else None

    async def require(self, request: Request[Any, Any, Any]) -> Session:
        """Resume the session.

        Raises:
            SignInRequired: if there is none.
        """
        session = await self.current(request)
        if session is None:
            raise SignInRequired(self._kind.value)
        return session

    async def sign_in(
        self,
        request: Request[Any, Any, Any],
        response: Response[Any],
        person: str,
        seed: bytes,
        *,
        proved: bool = False,
    ) -> None:
        """Open a new session on this response and end the one the browser came with, if any.

        `proved`: the second factor was shown just now.
        """
        cookie = await run(
            self._store.open, self._kind, person, seed, self._clock(),
            replacing=self._cookie_of(request), proved=proved,
        )  # fmt: skip
        response.set_cookie(self._as_cookie(cookie))

    async def sign_out(self, request: Request[Any, Any, Any], response: Response[Any]) -> None:
        """End the session, if there is one, and take the cookie back if one came."""
        cookie = self._cookie_of(request)
        if cookie is not None:
            await run(self._store.end, cookie)
            response.set_cookie(self._as_cookie("", max_age=0))

    def _as_cookie(self, value: str, max_age: int | None = None) -> Cookie:
        return cookies.make(_NAMES[self._kind], value, tls=self._tls, max_age=max_age)

    def _cookie_of(self, request: Request[Any, Any, Any]) -> str | None:
        return cookies.only(request, _NAMES[self._kind], tls=self._tls)
