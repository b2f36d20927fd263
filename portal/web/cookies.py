"""Cookies as this portal makes and reads them: host-bound, hidden from scripts, read strictly."""

from typing import Any

from litestar import Request
from litestar.datastructures import Cookie


def name_of(plain: str, *, tls: bool) -> str:
    """Return the name under which browsers keep a cookie.

    Behind TLS it is `__Host-` prefixed (RFC 6265bis §4.1.3.2); over plain HTTP, which only a
    demonstration on the own machine uses, it is the plain name.
    """
    return ("__Host-" if tls else "") + plain


def make(plain: str, value: str, *, tls: bool, max_age: int | None = None) -> Cookie:
    """Return a cookie for the whole host; `max_age` in seconds, or until the browser ends."""
    return Cookie(
        key=name_of(plain, tls=tls),
        value=value,
        path="/",
        max_age=max_age,
        secure=tls,
        httponly=True,
        samesite="strict",
    )


def only(request: Request[Any, Any, Any], plain: str, *, tls: bool) -> str | None:
    """Return the value of a cookie that came exactly once, or None."""
    # Not request.cookies: Litestar keeps the last 1,024 parsed headers in a process-wide cache.
    wanted = name_of(plain, tls=tls)
    found = [
        value.strip()
        for header in request.headers.getall("cookie", [])
        for name, _, value in (part.partition("=") for part in header.split(";"))
        if name.strip() == wanted
    ]
    return found[0] if len(found) == 1 else None
