"""The receipt: shown until the reporter has typed two of its words, then never again.

Here stands also what reads and writes the token that holds a form and its receipt together.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final

from litestar import Request, post
from litestar.response import Response

from casework.errors import Expired, InvalidInput
from casework.intake import receipt, submit
from casework.intake import token as tokens
from portal.context import LIMITS
from portal.public.information import PUBLIC
from portal.public.sign_in import start_session
from portal.web.forms import read_form
from portal.web.pages import see_other
from portal.web.refusals import BadForm, Busy
from portal.web.run import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar.handlers import HTTPRouteHandler

    from casework.intake.receipt import Receipt
    from portal.context import Portal
    from portal.web.forms import Form

FIRST, SECOND = "word_first", "word_second"
HALF: Final = 4
"""One word is asked of the first four, and one of the last four; which ones, the token says."""


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of a receipt's two forms."""

    @post("/formulir/cetak", opt=PUBLIC, status_code=200)
    async def print_view(request: Request[Any, Any, Any]) -> Response[str]:
        """Show ticket and words for printing, without anything of the report."""
        form = await read_form(request, LIMITS)
        try:
            known = await _known(portal, token_of(form))
        except Expired:
            return spent(portal)
        return portal.pages.render(
            "public/receipt_print.html",
            ticket=known.ticket,
            words=known.words,
            come_back=_come_back(portal, known),
        )

    @post("/formulir/simpan", opt=PUBLIC, status_code=200)
    async def keep(request: Request[Any, Any, Any]) -> Response[str]:
        """Check two of the words, close the receipt, and open the mailbox."""
        form = await read_form(request, LIMITS)
        token = token_of(form)
        try:
            known = await _known(portal, token)
        except Expired:
            return spent(portal)
        first, second = asked_of(token)
        try:
            receipt.check_words(known.words, {first: form.one(FIRST), second: form.one(SECOND)})
        except InvalidInput as refused:
            names = {f"word_{first}": FIRST, f"word_{second}": SECOND}
            errors = {names[name]: key for name, key in refused.errors.items()}
            return page(portal, token, known, errors, status=422)
        response = see_other("/ruang")
        try:
            async with portal.report_lane.place(token):
                entropy = tokens.entropy_of(token, pepper=portal.office.pepper)
                await start_session(portal, request, response, known.ticket, entropy)
        except Busy:
            # The words must not be lost to a moment's rush.
            return page(portal, token, known, {}, status=503, busy=True)
        await run(_confirm, portal, token)
        return response

    return [print_view, keep]


def page(
    portal: Portal,
    token: bytes,
    known: Receipt,
    errors: Mapping[str, str],
    *,
    status: int = 200,
    busy: bool = False,
) -> Response[str]:
    """Return the receipt's page; ``busy`` says that the mailbox could not be opened just now."""
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
        busy=busy,
    )


def spent(portal: Portal) -> Response[str]:
    """Return the page for a form whose receipt was confirmed or has run out."""
    return portal.pages.render("public/spent.html", status=409)


def asked_of(token: bytes) -> tuple[int, int]:
    """Return the two positions (from 1) that the reporter is asked to type; fixed per token."""
    digest = tokens.submission_of(token)
    return digest[0] % HALF + 1, digest[1] % HALF + HALF + 1


def write_token(token: bytes) -> str:
    """Write a form's token as 43 characters of base64url."""
    return urlsafe_b64encode(token).rstrip(b"=").decode()


def token_of(form: Form) -> bytes:
    """Return a form's token.

    Raises:
        BadForm: it is none that our pages make.
    """
    text = form.one("token")
    try:
        token = urlsafe_b64decode(text + "=")
    except (binascii.Error, ValueError):
        raise BadForm from None
    if len(token) != tokens.TOKEN_SIZE or write_token(token) != text:
        raise BadForm
    return token


async def _known(portal: Portal, token: bytes) -> Receipt:
    """Return the receipt of a token. Raises: Expired; BadForm: no report came with it."""
    known = await run(submit.again, portal.office, token)
    if known is None:
        raise BadForm
    return known


def _confirm(portal: Portal, token: bytes) -> None:
    with portal.office.write() as uow:
        receipt.confirm(uow, tokens.submission_of(token))


def _come_back(portal: Portal, known: Receipt) -> str:
    return portal.pages.tanggal(known.first_reaction) if known.first_reaction else ""
