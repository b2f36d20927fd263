"""An officer's own sessions: see them, end them all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from litestar import Request, get, post
from litestar.response import Response

from portal.context import LIMITS, PURPOSE
from portal.staff import officer as officers
from portal.web import csrf
from portal.web.forms import read_form
from portal.web.pages import see_other
from portal.web.run import run

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from portal.context import Portal


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of the sessions page and of signing out."""

    @get("/petugas/sesi")
    async def own(request: Request[Any, Any, Any]) -> Response[str]:
        """Show the officer's open sessions."""
        officer = await officers.require(portal, request)
        now = int(portal.office.clock().timestamp())
        found = await run(portal.office.sessions.of_owner, officer.session.person, now)
        return portal.pages.render(
            "staff/sessions.html",
            officer=officer,
            guard=portal.guard(officer.session),
            sessions=[
                {
                    "started": _written(portal, one.created),
                    "last_active": _written(portal, one.seen),
                }
                for one in found
            ],
        )

    @post("/petugas/sesi/akhiri", status_code=200)
    async def end_all(request: Request[Any, Any, Any]) -> Response[str]:
        """End every session of the officer."""
        officer = await officers.require(portal, request)
        form = await read_form(request, LIMITS)
        csrf.check(officer.session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))
        await run(portal.office.sessions.end_all, officer.session.person)
        response = see_other("/petugas/masuk")
        await portal.staff.sign_out(request, response)
        return response

    @post("/petugas/keluar", status_code=200)
    async def leave(request: Request[Any, Any, Any]) -> Response[str]:
        """End this session."""
        response = see_other("/petugas/masuk")
        await portal.staff.sign_out(request, response)
        return response

    return [own, end_all, leave]


def _written(portal: Portal, seconds: int) -> str:
    moment = datetime.fromtimestamp(seconds, UTC).astimezone(portal.office.tz)
    return f"{portal.pages.tanggal(moment.date())} {moment:%H.%M}"
