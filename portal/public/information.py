"""Pages that only tell: landing, what happens next, protect yourself, other channels, the exit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litestar import Request, get, post
from litestar.response import Response

from casework.law.vocabulary import REPORTER
from portal.public.views import channels_of, stages_of, targets_of
from portal.web.pages import see_other

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from portal.context import Portal

PUBLIC: Final = {"public": True}
URGENT: Final = ("polisi", "lpsk")
"""The channels of a profile that the landing page shows with their numbers, in this order."""

CLEAR: Final = '"cache", "cookies", "storage"'
"""Clear-Site-Data (W3C): the browser forgets what it keeps of this site, except its history."""


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of the informing pages."""
    pages = portal.pages

    @get("/", opt=PUBLIC, sync_to_thread=False)
    def landing() -> Response[str]:
        """Show where to begin."""
        urgent = channels_of(portal, URGENT)
        return pages.render("public/landing.html", urgent=urgent)

    @get("/penjelasan", opt=PUBLIC, sync_to_thread=False)
    def explain() -> Response[str]:
        """Show what happens after a report."""
        profile = portal.office.profile
        targets = targets_of([rule for rule in profile.deadlines if rule.responsible != REPORTER])
        return pages.render("public/explain.html", stages=stages_of(profile), targets=targets)

    @get("/persiapan", opt=PUBLIC, sync_to_thread=False)
    def prepare() -> Response[str]:
        """Show how to protect oneself first."""
        return pages.render("public/prepare.html", no_addresses=portal.settings.web.no_addresses)

    @get("/saluran", opt=PUBLIC, sync_to_thread=False)
    def channels() -> Response[str]:
        """Show other places to report to."""
        return pages.render("public/channels.html", channels=channels_of(portal))

    @post("/tutup", opt=PUBLIC)
    async def leave(request: Request[Any, Any, Any]) -> Response[str]:
        """End the session, make the browser forget, and go to a page that says nothing."""
        response = see_other("/tutup")
        await portal.reporters.sign_out(request, response)
        response.headers["clear-site-data"] = CLEAR
        return response

    @get("/tutup", opt=PUBLIC, sync_to_thread=False)
    def left() -> Response[str]:
        """Show the page after the quick exit."""
        web = portal.settings.web
        away = {"url": web.away_url, "label": web.away_label}
        return pages.render("public/left.html", headers={"clear-site-data": CLEAR}, away=away)

    return [landing, explain, prepare, channels, leave, left]
