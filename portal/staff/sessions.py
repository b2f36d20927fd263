"""An officer's own sessions: see them, end any one, the others, or all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

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

    from casework.keys.sessions import Session
    from portal.context import Portal
    from portal.web.forms import Form

SESSIONS: Final = "/petugas/sesi"


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of the sessions page and of signing out."""

    @get(SESSIONS)
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
                    "name": one.name,
                    "started": portal.pages.tanggal(_local(portal, one.created).date()),
                    "last_active": _written(portal, one.seen),
                    "current": one.name == officer.session.name,
                }
                for one in found
            ],
        )

    @post("/petugas/sesi/akhiri", status_code=200)
    async def end_all(request: Request[Any, Any, Any]) -> Response[str]:
        """End every session of the officer."""
        session, _ = await _checked(portal, request)
        await run(portal.office.sessions.end_all, session.person)
        return await _signed_out(request)

    @post("/petugas/sesi/akhiri-lain", status_code=200)
    async def end_others(request: Request[Any, Any, Any]) -> Response[str]:
        """End every session of the officer but the one in use."""
        session, _ = await _checked(portal, request)
        await run(portal.office.sessions.end_all, session.person, keep=session.name)
        return see_other(SESSIONS)

    @post("/petugas/sesi/akhiri-satu", status_code=200)
    async def end_one(request: Request[Any, Any, Any]) -> Response[str]:
        """End one session of the officer; one that has ended meanwhile is as good."""
        session, form = await _checked(portal, request)
        name = form.one("session")
        if name == session.name:
            return await _signed_out(request)
        await run(portal.office.sessions.end_one, session.person, name)
        return see_other(SESSIONS)

    @post("/petugas/keluar", status_code=200)
    async def leave(request: Request[Any, Any, Any]) -> Response[str]:
        """End this session."""
        return await _signed_out(request)

    async def _signed_out(request: Request[Any, Any, Any]) -> Response[str]:
        response = see_other("/petugas/masuk")
        await portal.staff.sign_out(request, response)
        return response

    return [own, end_all, end_others, end_one, leave]


async def _checked(portal: Portal, request: Request[Any, Any, Any]) -> tuple[Session, Form]:
    """Return the session and a form of it. Raises: SignInRequired, Denied, CsrfRefused."""
    officer = await officers.require(portal, request)
    form = await read_form(request, LIMITS)
    csrf.check(officer.session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))
    return officer.session, form


def _local(portal: Portal, seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).astimezone(portal.office.tz)


def _written(portal: Portal, seconds: int) -> str:
    moment = _local(portal, seconds)
    return f"{portal.pages.tanggal(moment.date())} {moment:%H.%M}"
