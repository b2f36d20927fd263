"""The page from which officers look after their own passphrase, factor and sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litestar import Request, get
from litestar.response import Response

from casework.keys import factors
from portal.staff import officer as officers
from portal.web.run import run

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from casework.keys.actor import Actor
    from portal.context import Portal

HOME: Final = "/petugas/keamanan"
DONE_PASSPHRASE, DONE_CODE_USED, DONE_GUESSED = "sandi", "kode", "tebakan"
_DONE: Final = "berhasil"


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handler of the security page."""

    @get(HOME)
    async def overview(request: Request[Any, Any, Any]) -> Response[str]:
        """Show what an officer can look after."""
        officer = await officers.require(portal, request)
        done = request.query_params.get(_DONE, "")
        has_factor = portal.office.second_factor
        return portal.pages.render(
            "staff/security.html",
            officer=officer,
            guard=portal.guard(officer.session),
            done=done if done in (DONE_PASSPHRASE, DONE_CODE_USED, DONE_GUESSED) else "",
            second_factor=has_factor,
            codes_left=await run(_codes_left, portal, officer.actor) if has_factor else 0,
        )

    return [overview]


def after(done: str) -> str:
    """Return the address of the page with a notice of what was done (a ``DONE_…`` constant)."""
    return f"{HOME}?{_DONE}={done}"


def _codes_left(portal: Portal, actor: Actor) -> int:
    with portal.office.read() as uow:
        return factors.codes_left(uow, actor)
