"""Notices by mail: an officer sets or removes their own address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litestar import Request, get, post
from litestar.response import Response

from casework.notices import addresses
from portal.context import LIMITS, PURPOSE
from portal.staff import officer as officers
from portal.staff import stepup
from portal.web import csrf
from portal.web.forms import read_form
from portal.web.pages import see_other
from portal.web.run import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar.handlers import HTTPRouteHandler

    from portal.context import Portal
    from portal.staff.officer import Officer
    from portal.web.forms import Form

PATH: Final = "/petugas/pemberitahuan"
ADDRESS: Final = "address"
_SET, _REMOVE = "set", "remove"
_DONE: Final = "berhasil"


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of the notices page."""

    @get(PATH)
    async def show(request: Request[Any, Any, Any]) -> Response[str]:
        """Show the officer's address."""
        officer = await officers.require(portal, request)
        done = request.query_params.get(_DONE, "")
        return await _page(portal, officer, done=done if done in (_SET, _REMOVE) else "")

    @post(PATH, status_code=200)
    async def change(request: Request[Any, Any, Any]) -> Response[str]:
        """Set the officer's address."""
        officer, form = await _sent(portal, request)
        address = form.one(ADDRESS).strip()
        if not addresses.is_address(address):
            # Before the factor: a slip of the pen must not use up a code.
            return await _page(
                portal, officer, failed=_SET, typed=address, errors={ADDRESS: "notice.address"}
            )
        return await _do(portal, officer, form, _SET, address)

    @post(f"{PATH}/hapus", status_code=200)
    async def remove(request: Request[Any, Any, Any]) -> Response[str]:
        """Remove the officer's address."""
        officer, form = await _sent(portal, request)
        return await _do(portal, officer, form, _REMOVE, "")

    return [show, change, remove]


async def _sent(portal: Portal, request: Request[Any, Any, Any]) -> tuple[Officer, Form]:
    officer = await officers.require(portal, request)
    form = await read_form(request, LIMITS)
    csrf.check(officer.session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))
    return officer, form


async def _do(
    portal: Portal, officer: Officer, form: Form, what: str, address: str
) -> Response[str]:
    if errors := await stepup.refused(portal, officer, form):
        return await _page(portal, officer, failed=what, typed=address, errors=errors)
    await run(_change, portal, officer, address)
    return see_other(f"{PATH}?{_DONE}={what}")


async def _page(
    portal: Portal,
    officer: Officer,
    *,
    failed: str = "",
    typed: str = "",
    errors: Mapping[str, str] | None = None,
    done: str = "",
) -> Response[str]:
    address = await run(_own, portal, officer)
    post_ = portal.office.post
    return portal.pages.render(
        "staff/notices.html",
        status=422 if errors else 200,
        officer=officer,
        guard=portal.guard(officer.session),
        address=address,
        typed=typed or address,
        failed=failed,
        errors=portal.messages(errors or {}),
        done=done,
        code_due=stepup.is_due(portal, officer.session),
        hours=post_.hours if post_ is not None else (),
        text=post_.text.strip() if post_ is not None else "",
    )


def _own(portal: Portal, officer: Officer) -> str:
    with portal.office.read() as uow:
        return addresses.own(uow, officer.actor)


def _change(portal: Portal, officer: Officer, address: str) -> None:
    with portal.office.write() as uow:
        addresses.change(uow, officer.actor, address)
