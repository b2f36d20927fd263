"""Files of a case for officers: the list, one file examined, looked at, taken along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response, Stream

from casework.errors import InvalidInput, NotFound
from casework.evidence import examine, receive, sheet
from casework.evidence.files import find
from portal import downloads
from portal.context import LIMITS, PURPOSE, nonce_of
from portal.staff import evidence_views as views
from portal.staff import looking
from portal.staff import officer as officers
from portal.web import csrf
from portal.web.forms import read_form
from portal.web.headers import POLICY_HEADER, Policy
from portal.web.pages import see_other
from portal.web.run import run
from portal.web.streams import goes_on

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from casework.keys.actor import Actor
    from portal.context import Portal
    from portal.staff.officer import Officer

BASE: Final = "/petugas/berkas/{case_id:str}/bukti"
ONE: Final = BASE + "/{file_id:str}"
_DIGITS: Final = 4


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of files on the officers' side, but for those that take files in."""
    return [*_pages(portal), *_acts(portal), *_looks(portal)]


def address(case_id: str, file_id: str = "") -> str:
    """Return the address of a case's files, or of one."""
    return f"/petugas/berkas/{case_id}/bukti" + (f"/{file_id}" if file_id else "")


def _pages(portal: Portal) -> list[HTTPRouteHandler]:
    @get(BASE + "/lembar")
    async def custody_sheet(
        request: Request[Any, Any, Any], case_id: FromPath[str]
    ) -> Response[str]:
        """Show the chain of custody, to be printed."""
        officer = await officers.require(portal, request)
        return await _sheet(portal, officer, case_id, checked=None)

    @get(ONE)
    async def file(
        request: Request[Any, Any, Any], case_id: FromPath[str], file_id: FromPath[str]
    ) -> Response[str]:
        """Show what is known of a file."""
        officer = await officers.require(portal, request)
        return await _file(portal, officer, case_id, file_id)

    @get(ONE + "/lihat")
    async def look(
        request: Request[Any, Any, Any], case_id: FromPath[str], file_id: FromPath[str]
    ) -> Response[str]:
        """Show a page of a file as a picture, a text, or a recording that plays."""
        officer = await officers.require(portal, request)
        page = _page_number(request.query_params.get("halaman", "1"))
        return await _look(portal, officer, case_id, file_id, page)

    return [custody_sheet, file, look]


def _acts(portal: Portal) -> list[HTTPRouteHandler]:
    @post(BASE + "/lembar", status_code=200)
    async def check(request: Request[Any, Any, Any], case_id: FromPath[str]) -> Response[str]:
        """Read every file through, and show the chain of custody with what was found."""
        form = await read_form(request, LIMITS)
        officer = await officers.require(portal, request)
        csrf.check(officer.session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))
        async with portal.examine_lane.place(case_id.encode()):
            checked = await run(looking.check, portal, officer.actor, case_id)
        return await _sheet(portal, officer, case_id, checked=checked)

    @post(ONE + "/periksa", status_code=200)
    async def examined(
        request: Request[Any, Any, Any], case_id: FromPath[str], file_id: FromPath[str]
    ) -> Response[str]:
        """Scan a file and make its cleaned copy."""
        form = await read_form(request, LIMITS)
        officer = await officers.require(portal, request)
        csrf.check(officer.session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))
        async with portal.examine_lane.place(officer.actor.person_id.encode()):
            await run(looking.examine, portal, officer.actor, case_id, file_id)
        return see_other(address(case_id, file_id))

    @post(ONE + "/asli", status_code=200)
    async def original(
        request: Request[Any, Any, Any], case_id: FromPath[str], file_id: FromPath[str]
    ) -> Response[str]:
        """Take the reason for which the original is opened."""
        form = await read_form(request, LIMITS)
        officer = await officers.require(portal, request)
        csrf.check(officer.session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))
        reason = form.one("reason")
        try:
            await run(looking.open_original, portal, officer.actor, case_id, file_id, reason,
                      nonce_of(form))  # fmt: skip
        except InvalidInput as refused:
            errors = portal.messages(refused.errors)
            return await _file(portal, officer, case_id, file_id, errors=errors, reason=reason)
        return see_other(address(case_id, file_id))

    return [check, examined, original]


def _looks(portal: Portal) -> list[HTTPRouteHandler]:
    @get(ONE + "/gambar/{page:int}")
    async def picture(
        request: Request[Any, Any, Any],
        case_id: FromPath[str],
        file_id: FromPath[str],
        page: FromPath[int],
    ) -> Response[bytes]:
        """Send a page of a file, drawn anew."""
        officer = await officers.require(portal, request)
        async with portal.examine_lane.place(officer.actor.person_id.encode()):
            drawn = await run(looking.draw, portal, officer.actor, case_id, file_id, page)
        return Response(drawn, media_type="image/png", headers={POLICY_HEADER: Policy.FILE.value})

    @get(ONE + "/salinan")
    async def copy(
        request: Request[Any, Any, Any], case_id: FromPath[str], file_id: FromPath[str]
    ) -> Response[Any] | Stream:
        """Send the cleaned copy, to be kept."""
        return await _send(portal, request, case_id, file_id, examine.CLEAN, attached=True)

    @get(ONE + "/asli")
    async def original(
        request: Request[Any, Any, Any], case_id: FromPath[str], file_id: FromPath[str]
    ) -> Response[Any] | Stream:
        """Send the original, to whoever gave a reason today."""
        return await _send(portal, request, case_id, file_id, examine.ORIGINAL, attached=True)

    @get(ONE + "/putar")
    async def play(
        request: Request[Any, Any, Any], case_id: FromPath[str], file_id: FromPath[str]
    ) -> Response[Any] | Stream:
        """Send a recording to be played: the cleaned copy, or the original as above."""
        return await _send(portal, request, case_id, file_id, "", attached=False)

    return [picture, copy, original, play]


async def _file(  # noqa: PLR0917 - the file, and a form that is shown again
    portal: Portal,
    officer: Officer,
    case_id: str,
    file_id: str,
    errors: dict[str, str] | None = None,
    reason: str = "",
) -> Response[str]:
    shown = await run(_read, portal, officer.actor, case_id, file_id)
    return portal.pages.render(
        "staff/file.html",
        status=422 if errors else 200,
        officer=officer,
        guard=portal.guard(officer.session),
        file=shown,
        errors=errors or {},
        values={"reason": reason},
    )


def _read(portal: Portal, actor: Actor, case_id: str, file_id: str) -> views.FilePage:
    looking.note_opening(portal, actor, case_id)
    with portal.office.read() as uow:
        keyring = receive.keyring_of(uow, actor, case_id)
        one = find(keyring, file_id)
        return views.file_page(
            portal,
            keyring,
            one,
            examine.latest(keyring, one),
            original_open=examine.is_open(keyring, file_id, examine.ORIGINAL),
        )


async def _look(
    portal: Portal, officer: Officer, case_id: str, file_id: str, page: int
) -> Response[str]:
    shown = await run(_read, portal, officer.actor, case_id, file_id)
    text = ""
    if shown.look == views.TEXT:
        async with portal.examine_lane.place(officer.actor.person_id.encode()):
            text = await run(looking.text, portal, officer.actor, case_id, file_id)
    if not shown.look or (shown.look == views.PICTURES and page > shown.pages):
        raise NotFound("page")
    return portal.pages.render(
        "staff/file_look.html",
        headers={POLICY_HEADER: Policy.LOOK.value},
        officer=officer,
        guard=portal.guard(officer.session),
        file=shown,
        page=page,
        text=text,
    )


async def _sheet(
    portal: Portal, officer: Officer, case_id: str, *, checked: dict[str, bool] | None
) -> Response[str]:
    def read() -> dict[str, Any]:
        looking.note_opening(portal, officer.actor, case_id)
        with portal.office.read() as uow:
            keyring = receive.keyring_of(uow, officer.actor, case_id)
            return views.sheet_of(portal, keyring, sheet.sheet(keyring), checked)

    return portal.pages.render(
        "staff/custody_sheet.html",
        officer=officer,
        guard=portal.guard(officer.session),
        **await run(read),
    )


async def _send(
    portal: Portal,
    request: Request[Any, Any, Any],
    case_id: str,
    file_id: str,
    form: str,
    *,
    attached: bool,
) -> Response[Any] | Stream:
    officer = await officers.require(portal, request)
    content, name, kind = await run(
        looking.open_file, portal, officer.actor, case_id, file_id, form,
        once_a_day=goes_on(request) or not attached,
    )  # fmt: skip
    return await downloads.answer(request, content, kind, name=name if attached else "")


def _page_number(text: str) -> int:
    """Return a page's number, 1 for what is none."""
    if len(text) <= _DIGITS and text.isascii() and text.isdecimal():
        return max(1, int(text))
    return 1
