"""All pages that an officer can reach; each needs a session but the sign-in page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.staff import case, inbox, notices, numbers, sessions, sign_in, trail

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from portal.context import Portal


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return every handler of the staff surface."""
    return [
        *sign_in.handlers(portal),
        *inbox.handlers(portal),
        *case.handlers(portal),
        *sessions.handlers(portal),
        *trail.handlers(portal),
        *numbers.handlers(portal),
        *notices.handlers(portal),
    ]
