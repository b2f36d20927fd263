"""The report form, from the choice of a position to the confirmed receipt.

No session exists here: what belongs together is held together by the form's token.
"""

from __future__ import annotations

import binascii
import math
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final

from litestar import Request, get, post
from litestar.response import Response

from casework.errors import Expired, InvalidInput
from casework.intake import receipt, report, submit
from casework.intake import token as tokens
from casework.intake.report import CannotRoute
from casework.intake.submit import NotReceiving
from portal.context import LIMITS
from portal.public.information import PUBLIC
from portal.public.sign_in import start_session
from portal.public.views import Labelled, channels_of
from portal.web.forms import read_form
from portal.web.pages import html, see_other
from portal.web.refusals import BadForm, Busy
from portal.web.run import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar.handlers import HTTPRouteHandler

    from casework.intake.receipt import Receipt
    from portal.context import Portal
    from portal.web.forms import Form

FIRST, SECOND = "word_first", "word_second"
ASKED: Final = 2
"""How many of the words are asked for; which ones depends on the token."""


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of the form and its receipt."""
    office, pages = portal.office, portal.pages

    @get("/formulir", opt=PUBLIC)
    async def position() -> Response[str]:
        """Ask whom the report is about, by position only."""
        if not await run(_receiving, portal):
            return pages.render("public/closed.html", status=503, channels=channels_of(portal))
        return _position_page(portal, {})

    @post("/formulir/isi", opt=PUBLIC)
    async def blank(request: Request[Any, Any, Any]) -> Response[str]:
        """Show the form for a position, or stop before anything is typed."""
        form = await read_form(request, LIMITS)
        chosen = form.one("position")
        try:
            report.check_position(office.profile, chosen)
        except CannotRoute:
            return _stopped(portal, chosen)
        except InvalidInput as refused:
            return _position_page(portal, refused.errors, status=422)
        if not await run(_receiving, portal):
            return pages.render("public/closed.html", status=503, channels=channels_of(portal))
        return _form_page(portal, write_token(tokens.new_token()), {"position": chosen}, {})

    @post("/formulir/kirim", opt=PUBLIC, status_code=200)
    async def send(request: Request[Any, Any, Any]) -> Response[str]:
        """Take a report and show its receipt; the same form again shows the same receipt."""
        form = await read_form(request, LIMITS)
        token = _token_of(form)
        given = {name: form.one(name) for name in report.FIELDS}
        try:
            known = await run(submit.again, office, token)
            if known is not None:
                return _receipt_page(portal, token, known, {})
            parsed = report.parse(office.profile, given)
            portal.burst.take()
            async with portal.lane.place():
                made = await run(submit.submit, office, token, parsed)
        except Expired:
            return pages.render("public/spent.html", status=409)
        except CannotRoute as refused:
            return _stopped(portal, refused.position)
        except InvalidInput as refused:
            if "position" in refused.errors:
                return _position_page(portal, refused.errors, status=422)
            return _form_page(portal, write_token(token), given, refused.errors, status=422)
        except NotReceiving:
            return pages.render("public/closed.html", status=503, channels=channels_of(portal))
        except Busy as busy:
            return _form_page(portal, write_token(token), given, {}, busy=busy)
        return _receipt_page(portal, token, made, {})

    @post("/formulir/cetak", opt=PUBLIC, status_code=200)
    async def print_view(request: Request[Any, Any, Any]) -> Response[str]:
        """Show ticket and words for printing, without anything of the report."""
        token = _token_of(await read_form(request, LIMITS))
        try:
            known = await run(submit.again, office, token)
        except Expired:
            return pages.render("public/spent.html", status=409)
        if known is None:
            raise BadForm
        return pages.render(
            "public/receipt_print.html",
            ticket=known.ticket,
            words=known.words,
            come_back=_come_back(portal, known),
        )

    @post("/formulir/simpan", opt=PUBLIC, status_code=200)
    async def keep(request: Request[Any, Any, Any]) -> Response[str]:
        """Check two of the words, close the receipt, and open the mailbox."""
        form = await read_form(request, LIMITS)
        token = _token_of(form)
        try:
            known = await run(submit.again, office, token)
        except Expired:
            return pages.render("public/spent.html", status=409)
        if known is None:
            raise BadForm
        first, second = asked_of(token)
        try:
            receipt.check_words(known.words, {first: form.one(FIRST), second: form.one(SECOND)})
        except InvalidInput as refused:
            names = {f"word_{first}": FIRST, f"word_{second}": SECOND}
            errors = {names[name]: key for name, key in refused.errors.items()}
            return _receipt_page(portal, token, known, errors, status=422)
        response = see_other("/ruang")
        async with portal.lane.place():
            await start_session(portal, request, response, known.ticket, tokens.entropy_of(token))
        await run(_confirm, portal, token)
        return response

    return [position, blank, send, print_view, keep]


def write_token(token: bytes) -> str:
    """Write a form's token as 43 characters of base64url."""
    return urlsafe_b64encode(token).rstrip(b"=").decode()


def asked_of(token: bytes) -> tuple[int, int]:
    """Return the two positions (from 1) that the reporter is asked to type; fixed per token."""
    digest = tokens.submission_of(token)
    first = digest[0] % 4 + 1
    return first, digest[1] % 4 + 5


def _token_of(form: Form) -> bytes:
    """Return a form's token. Raises: BadForm: it is none that our pages make."""
    text = form.one("token")
    try:
        token = urlsafe_b64decode(text + "=")
    except (binascii.Error, ValueError):
        raise BadForm from None
    if len(token) != tokens.TOKEN_SIZE or write_token(token) != text:
        raise BadForm
    return token


def _receiving(portal: Portal) -> bool:
    with portal.office.read() as uow:
        return submit.can_receive(uow)


def _confirm(portal: Portal, token: bytes) -> None:
    with portal.office.write() as uow:
        receipt.confirm(uow, tokens.submission_of(token))


def _position_page(portal: Portal, errors: Mapping[str, str], status: int = 200) -> Response[str]:
    positions = [Labelled(one.id, one.label) for one in portal.office.profile.positions]
    return portal.pages.render(
        "public/position.html",
        status=status,
        positions=positions,
        errors=portal.messages(errors),
    )


def _stopped(portal: Portal, position: str) -> Response[str]:
    rule = portal.office.profile.position(position)
    return portal.pages.render(
        "public/position_stopped.html",
        position_label=rule.label,
        reason=rule.public_reason,
        channels=channels_of(portal),
    )


def _form_page(
    portal: Portal,
    token: str,
    values: Mapping[str, str],
    errors: Mapping[str, str],
    status: int = 200,
    busy: Busy | None = None,
) -> Response[str]:
    """Show the form with what was typed; ``busy`` says that it could not be taken just now."""
    profile = portal.office.profile
    named = [line for line in values.get("evidence_known", "").splitlines() if line.strip()]
    shown: dict[str, Any] = {
        "token": token,
        "position": values["position"],
        "position_label": profile.position(values["position"]).label,
        "values": values,
        "errors": portal.messages(errors),
        "evidence_count": len(named),
        "evidence_advised": profile.reporting.evidence_advised,
    }
    if busy is None:
        return html(portal.pages.text("public/report_form.html", **shown), status=status)
    minutes = math.ceil(busy.retry_after / 60)
    text = portal.pages.text("public/budget.html", retry_minutes=minutes, **shown)
    return html(text, status=503, headers={"retry-after": str(busy.retry_after)})


def _receipt_page(
    portal: Portal,
    token: bytes,
    known: Receipt,
    errors: Mapping[str, str],
    status: int = 200,
) -> Response[str]:
    return portal.pages.render(
        "public/receipt.html",
        status=status,
        token=write_token(token),
        ticket=known.ticket,
        words=known.words,
        received=portal.pages.tanggal(known.received),
        first_reaction=_come_back(portal, known),
        first_reaction_legal=known.legal,
        come_back=_come_back(portal, known),
        ask=asked_of(token),
        errors=portal.messages(errors),
    )


def _come_back(portal: Portal, known: Receipt) -> str:
    return portal.pages.tanggal(known.first_reaction) if known.first_reaction else ""
