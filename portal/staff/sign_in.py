"""Officers sign in with name and passphrase; nothing says which of the two was wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Request, get, post
from litestar.response import Response

from casework.errors import Denied
from casework.keys import accounts, memory
from casework.keys.passphrases import LONGEST
from portal.context import LIMITS
from portal.staff import case, doors
from portal.web.forms import read_form
from portal.web.kept import KEPT_FIELD, open_fields
from portal.web.pages import see_other
from portal.web.refusals import Busy
from portal.web.run import run

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from casework.keys.actor import Actor
    from portal.context import Portal

PUBLIC = {"public": True}


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of the officers' sign-in page."""

    @get("/petugas/masuk", opt=PUBLIC, sync_to_thread=False)
    def ask() -> Response[str]:
        """Show the sign-in form."""
        return page(portal)

    @post("/petugas/masuk", opt=PUBLIC, status_code=200)
    async def enter(request: Request[Any, Any, Any]) -> Response[str]:
        """Open a session, or say that the two do not match."""
        form = await read_form(request, LIMITS)
        handle, kept = form.one("handle").strip()[:64], form.one(KEPT_FIELD)
        passphrase = form.one("passphrase")
        if len(passphrase) > LONGEST:
            return page(portal, "wrong", handle, kept, status=422)
        door = await doors.choose(portal, request, handle)
        try:
            async with door.attempt():
                actor = await run(_find, portal, handle, passphrase)
        except Busy:
            return page(portal, "busy", handle, kept, status=503)
        if actor is None:
            return page(portal, "wrong", handle, kept, status=422)
        response = see_other("/petugas")
        await portal.staff.sign_in(request, response, actor.person_id, actor.person.seed)
        await doors.opened(portal, door, response, actor.person_id)
        if kept and (fields := open_fields(kept, actor.person.identity)):
            return await case.restored(portal, response, actor, fields)
        return response

    return [ask, enter]


def page(
    portal: Portal, problem: str = "", handle: str = "", kept: str = "", status: int = 200
) -> Response[str]:
    """Return the sign-in page; the passphrase is never sent back."""
    return portal.pages.render(
        "staff/sign_in.html", status=status, problem=problem, handle=handle, kept=kept, csrf=""
    )


def _find(portal: Portal, handle: str, passphrase: str) -> Actor | None:
    """Return who signs in, after the roster and the officer's own memory agree.

    Somebody who is not in office today is told nothing else than a wrong passphrase.

    Raises:
        Untrustworthy: roster or log are not what this officer has seen before.
    """
    keys = accounts.officer_keys(portal.office, handle, passphrase)
    with portal.office.read() as uow:
        actor = accounts.locate_and_unwrap(uow, keys)
        if actor is None:
            return None
        chain = memory.check_and_update(uow, actor)
        try:
            accounts.vouched(chain, actor, uow.today())
        except Denied:
            return None
    return actor
