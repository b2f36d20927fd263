"""Files that officers add to a case: the list with its form, and the same in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from casework.evidence import limits, parts, receive
from casework.evidence.files import files, may_lack
from portal import uploads
from portal.context import actor_of
from portal.staff import evidence_views as views
from portal.staff import looking
from portal.staff import officer as officers
from portal.staff.evidence import BASE, address
from portal.web.headers import POLICY_HEADER, Policy
from portal.web.pages import see_other
from portal.web.run import run

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from casework.keys.actor import Actor
    from portal.context import Portal
    from portal.staff.officer import Officer

_UPLOAD: Final = BASE + "/unggahan/{upload_id:str}"


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers that take officers' files in."""

    @get(BASE)
    async def page(request: Request[Any, Any, Any], case_id: FromPath[str]) -> Response[str]:
        """Show the files of a case, and the form."""
        officer = await officers.require(portal, request)
        return await _page(portal, officer, case_id, None)

    @post(BASE, status_code=200, request_max_body_size=None)
    async def take(request: Request[Any, Any, Any], case_id: FromPath[str]) -> Response[str]:
        """Take the files of the form."""
        officer = await officers.require(portal, request)
        outcome = await uploads.take_form(portal, request, officer.session, case_id)
        if outcome.complete:
            return see_other(address(case_id))
        return await _page(portal, officer, case_id, outcome)

    @post(BASE + "/mulai", status_code=200)
    async def begin(request: Request[Any, Any, Any], case_id: FromPath[str]) -> Response[Any]:
        """Begin a file that comes in parts."""
        officer = await officers.require(portal, request)
        return await uploads.begin(portal, request, officer.session, case_id)

    @post(_UPLOAD + "/bagian/{number:int}", status_code=200, request_max_body_size=limits.PART)
    async def take_part(
        request: Request[Any, Any, Any],
        case_id: FromPath[str],
        upload_id: FromPath[str],
        number: FromPath[int],
    ) -> Response[Any]:
        """Take one part."""
        officer = await officers.require(portal, request)
        return await uploads.take_part(portal, request, officer.session, case_id, upload_id, number)

    @post(_UPLOAD + "/selesai", status_code=200)
    async def finish(
        request: Request[Any, Any, Any], case_id: FromPath[str], upload_id: FromPath[str]
    ) -> Response[Any]:
        """Make a file of its parts."""
        officer = await officers.require(portal, request)
        return await uploads.finish(portal, request, officer.session, case_id, upload_id)

    @post(_UPLOAD + "/batal", status_code=200)
    async def cancel(
        request: Request[Any, Any, Any], case_id: FromPath[str], upload_id: FromPath[str]
    ) -> Response[str]:
        """Forget an unfinished file."""
        officer = await officers.require(portal, request)
        await uploads.cancel(portal, request, officer.session, case_id, upload_id)
        return see_other(address(case_id))

    return [page, take, begin, take_part, finish, cancel]


async def _page(
    portal: Portal, officer: Officer, case_id: str, outcome: uploads.Outcome | None
) -> Response[str]:
    return portal.pages.render(
        "staff/evidence.html",
        status=200 if outcome is None else 422,
        headers={POLICY_HEADER: Policy.UPLOAD.value},
        officer=officer,
        guard=portal.guard(officer.session),
        case_id=case_id,
        outcome=outcome,
        **await run(_read, portal, actor_of(officer.session), case_id),
    )


def _read(portal: Portal, actor: Actor, case_id: str) -> dict[str, Any]:
    looking.note_opening(portal, actor, case_id)
    with portal.office.read() as uow:
        keyring = receive.keyring_of(uow, actor, case_id)
        return {
            "ticket": keyring.case.ticket,
            "files": views.list_of(portal, keyring, files(keyring)),
            "rooms": views.rooms_of(keyring),
            "may_lack": may_lack(keyring),
            "unfinished": uploads.unfinished_of(parts.arriving(keyring)),
        }
