"""Officers sign in with name, passphrase and code; nothing says which of them was wrong.

One thing is told apart: a code that would be right at another hour. Whoever has it has the
authenticator, and needs to know which clock to set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Request, get, post
from litestar.response import Response

from casework.errors import Denied
from casework.keys import accounts, factors, memory
from casework.keys.passphrases import LONGEST
from portal.context import LIMITS
from portal.staff import case, doors, security
from portal.staff.stepup import CODE_FIELD
from portal.web.forms import read_form
from portal.web.kept import KEPT_FIELD, open_fields
from portal.web.pages import see_other
from portal.web.refusals import Busy
from portal.web.run import run

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from casework.keys.actor import Actor
    from casework.keys.factors import Proof
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
        proof = None
        if portal.office.second_factor:
            try:
                proof = await run(factors.prove, portal.office, actor, form.one(CODE_FIELD))
            except factors.ClockOff as off:
                return page(portal, "clock", handle, kept, status=422, hours=off.hours)
            except factors.WrongCode:
                return page(portal, "wrong", handle, kept, status=422)
        response = see_other(_first_page(proof))
        await portal.staff.sign_in(
            request, response, actor.person_id, actor.person.seed, proved=proof is not None
        )
        await doors.opened(portal, door, response, actor.person_id)
        if kept and (fields := open_fields(kept, actor.person.identity)):
            return await case.restored(portal, response, actor, fields)
        return response

    return [ask, enter]


def page(
    portal: Portal,
    problem: str = "",
    handle: str = "",
    kept: str = "",
    status: int = 200,
    *,
    hours: float = 0,
) -> Response[str]:
    """Return the sign-in page; neither passphrase nor code is ever sent back.

    ``hours`` is how far the officer's clock is ahead of ours, negative if it is behind.
    """
    return portal.pages.render(
        "staff/sign_in.html",
        status=status,
        problem=problem,
        handle=handle,
        kept=kept,
        csrf="",
        asks_code=portal.office.second_factor,
        ahead=hours > 0,
        hours=f"{abs(hours):g}".replace(".", ","),
    )


def _first_page(proof: Proof | None) -> str:
    """Return where a sign-in leads: to what the officer must know first, else to the cases."""
    if proof is not None and proof.missed >= factors.FREE_MISSES:
        return security.after(security.DONE_GUESSED)
    if proof is not None and proof.codes_left is not None:
        return security.after(security.DONE_CODE_USED)
    return "/petugas"


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
