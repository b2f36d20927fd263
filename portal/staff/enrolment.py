"""An invited officer enrols: code, passphrase, second factor, and only then keys.

The pages stand before any session. What one page hands to the next lies in the browser alone,
sealed to a key that takes the code and the pepper; the server remembers nothing until the end.
"""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from litestar import Request, get, post
from litestar.response import Response

from casework.errors import InvalidInput
from casework.keys import enrol, factors, invitations, passphrases
from casework.keys.enrol import Applicant
from casework.keys.factors import NewFactor
from casework.keys.invitations import Found, InvitationRefused
from portal.context import LIMITS
from portal.staff import people_views as views
from portal.staff import qr
from portal.web.forms import read_form
from portal.web.kept import KEPT_FIELD, open_fields, seal_fields
from portal.web.refusals import Busy
from portal.web.run import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar.handlers import HTTPRouteHandler

    from casework.keys.parts import PublicPart
    from portal.context import Portal
    from portal.web.forms import Form

START: Final = "/petugas/undangan"
PUBLIC: Final = {"public": True}
CODE: Final = "invitation"
_ATTEMPT_BYTES: Final = 16
CHOOSE, DRAWN, REPEAT = "choose", "drawn", "repeat"


@dataclass(frozen=True)
class Visit:
    """One page of an enrolment: the code, whom it means, and what the page before handed on."""

    token: bytes = field(repr=False)
    found: Found
    kept: Mapping[str, str] = field(repr=False)

    @property
    def drawn(self) -> bytes | None:
        """The attempt that a drawn passphrase comes from."""
        try:
            return bytes.fromhex(self.kept["attempt"])
        except (KeyError, ValueError):
            return None


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of the enrolment pages."""

    @get(START, opt=PUBLIC, sync_to_thread=False)
    def ask() -> Response[str]:
        """Ask for the code."""
        return _code_page(portal)

    @post(START, opt=PUBLIC, status_code=200)
    async def enter(request: Request[Any, Any, Any]) -> Response[str]:
        """Show whom the code means, and ask for a passphrase or show the drawn one."""
        form = await read_form(request, LIMITS)
        try:
            visit = await run(_visit, portal, form)
        except InvitationRefused:
            return _code_page(portal, "refused", 422)
        return await _passphrase_page(portal, visit, _first_mode(portal, visit))

    @post(START + "/frasa", opt=PUBLIC, status_code=200)
    async def choose(request: Request[Any, Any, Any]) -> Response[str]:
        """Take the passphrase; show the authenticator's secret, or end where there is none."""
        form = await read_form(request, LIMITS)
        try:
            visit = await run(_visit, portal, form)
            return await _take_passphrase(portal, visit, form)
        except InvitationRefused:
            return _code_page(portal, "refused", 422)

    @post(START + "/selesai", opt=PUBLIC, status_code=200)
    async def finish(request: Request[Any, Any, Any]) -> Response[str]:
        """Take the code of the new authenticator, make the keys, show what to write down."""
        form = await read_form(request, LIMITS)
        try:
            visit = await run(_visit, portal, form, finishing=True)
            return await _take_code(portal, visit, form)
        except InvitationRefused:
            return _code_page(portal, "refused", 422)

    return [ask, enter, choose, finish]


def _visit(portal: Portal, form: Form, *, finishing: bool = False) -> Visit:
    """Return the page's visit. Raises: InvitationRefused.

    Whoever is finishing may have finished already, and lost the answer: the last step decides.
    """
    token = invitations.read(form.one(CODE))
    with portal.office.read() as uow:
        found = invitations.look(uow, token) if finishing else invitations.find(uow, token)
    if token is None:
        raise InvitationRefused
    kept = form.one(KEPT_FIELD)
    fields = open_fields(kept, invitations.carrier(portal.office, token)) if kept else {}
    return Visit(token, found, fields)


def _first_mode(portal: Portal, visit: Visit) -> str:
    drawn = passphrases.is_drawn(portal.office.profile, visit.found.roles)
    return DRAWN if drawn else CHOOSE


async def _take_passphrase(portal: Portal, visit: Visit, form: Form) -> Response[str]:
    passphrase = form.one("passphrase")
    if _first_mode(portal, visit) == CHOOSE:
        errors = await run(_problems, portal, visit, passphrase, form.one("passphrase_again"))
        if errors:
            return await _passphrase_page(portal, visit, CHOOSE, errors, 422)
    else:
        if visit.drawn is None:
            return await _passphrase_page(portal, visit, DRAWN)
        if "passphrase" not in form:
            return await _passphrase_page(portal, visit, REPEAT)
        words = passphrases.draw(visit.token, portal.office.pepper, visit.drawn)
        if " ".join(passphrase[: passphrases.LONGEST].casefold().split()) != words:
            errors = {"passphrase": "passphrase_not_drawn"}
            return await _passphrase_page(portal, visit, REPEAT, errors, 422)
        passphrase = words
    if portal.office.second_factor:
        made = factors.new()
        kept = {"passphrase": passphrase, "secret": made.secret, "codes": " ".join(made.codes)}
        return await _factor_page(portal, Visit(visit.token, visit.found, kept))
    try:
        part = await _store(portal, visit, passphrase, None)
    except Busy:
        busy = {"passphrase": "enrolment_busy"}
        return await _passphrase_page(portal, visit, _first_mode(portal, visit), busy, 503)
    return _done_page(portal, part, ())


async def _take_code(portal: Portal, visit: Visit, form: Form) -> Response[str]:
    kept = visit.kept
    if not {"passphrase", "secret", "codes"} <= set(kept) or not portal.office.second_factor:
        raise InvitationRefused
    made = NewFactor(kept["secret"], tuple(kept["codes"].split()))
    now = int(portal.office.clock().timestamp())
    try:
        step = factors.confirm(made.secret, form.one("new_code"), now)
        part = await _store(portal, visit, kept["passphrase"], (made, step))
    except factors.ClockOff:
        return await _factor_page(portal, visit, {"new_code": "factor.clock_off"}, 422)
    except factors.WrongCode:
        return await _factor_page(portal, visit, {"new_code": "factor.wrong"}, 422)
    except Busy:
        return await _factor_page(portal, visit, {"new_code": "enrolment_busy"}, 503)
    return _done_page(portal, part, made.codes)


def _problems(portal: Portal, visit: Visit, passphrase: str, again: str) -> dict[str, str]:
    """Return what is wrong with a chosen passphrase; the estimate takes some milliseconds."""
    found = visit.found
    context = (found.username, found.name, found.position, portal.office.name)
    if problem := passphrases.problem(passphrase, context):
        return {"passphrase": problem}
    if _typed(passphrase) != _typed(again):
        return {"passphrase_again": "passphrase_differs"}
    return {}


def _typed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


async def _store(
    portal: Portal, visit: Visit, passphrase: str, factor: tuple[NewFactor, int] | None
) -> PublicPart:
    """Make and store the keys. Raises: InvitationRefused, Busy."""
    async with portal.staff_lane.place():
        return await run(_redeem, portal, visit, passphrase, factor)


def _redeem(
    portal: Portal, visit: Visit, passphrase: str, factor: tuple[NewFactor, int] | None
) -> PublicPart:
    found = visit.found
    applicant = Applicant(found.username, found.name, found.position, found.roles, passphrase)
    try:
        prepared = enrol.prepare(portal.office, applicant)
    except InvalidInput:
        # Not what an admin could have printed: the row was edited since.
        raise InvitationRefused from None
    try:
        with portal.office.write() as uow:
            return invitations.redeem(uow, visit.token, prepared, factor)
    except InvitationRefused:
        with portal.office.read() as uow:
            part = invitations.redeemed(uow, visit.token, prepared.keys)
        if part is None:
            raise
        return part


def _code_page(portal: Portal, problem: str = "", status: int = 200) -> Response[str]:
    """Return the first page. A code that does not work is never sent back."""
    return portal.pages.render("staff/enrol_code.html", status=status, problem=problem)


async def _passphrase_page(
    portal: Portal,
    visit: Visit,
    mode: str,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response[str]:
    kept, words = visit.kept, ""
    if mode == DRAWN:
        attempt, words = await run(_draw, portal, visit)
        kept = {"attempt": attempt.hex()}
    return portal.pages.render(
        "staff/enrol_passphrase.html",
        status=status,
        mode=mode,
        words=words.split(),
        who=_who(portal, visit),
        code=invitations.write(visit.token),
        kept=await run(_seal, portal, visit, kept) if kept else "",
        second_factor=portal.office.second_factor,
        errors=portal.messages(errors or {}),
    )


async def _factor_page(
    portal: Portal, visit: Visit, errors: Mapping[str, str] | None = None, status: int = 200
) -> Response[str]:
    secret = visit.kept["secret"]
    return portal.pages.render(
        "staff/enrol_factor.html",
        status=status,
        qr=qr.svg(factors.uri(portal.office.name, visit.found.username, secret)),
        secret=qr.grouped(secret),
        code=invitations.write(visit.token),
        kept=await run(_seal, portal, visit, visit.kept),
        errors=portal.messages(errors or {}),
    )


def _done_page(portal: Portal, part: PublicPart, codes: tuple[str, ...]) -> Response[str]:
    return portal.pages.render(
        "staff/enrol_done.html",
        name=part.name,
        username=part.handle,
        words=part.fingerprint,
        codes=codes,
    )


def _who(portal: Portal, visit: Visit) -> dict[str, str]:
    found = visit.found
    return {
        "name": found.name,
        "position": found.position,
        "roles": views.role_labels(portal, found.roles),
        "username": found.username,
    }


def _seal(portal: Portal, visit: Visit, fields: Mapping[str, str]) -> str:
    return seal_fields(fields, invitations.carrier(portal.office, visit.token).recipient)


def _draw(portal: Portal, visit: Visit) -> tuple[bytes, str]:
    """Return a fresh attempt, known to this page alone, and the words that it leads to.

    The admin who printed the code must not be able to find them, so the attempt is a secret, too.
    """
    found = visit.found
    context = (found.username, found.name, found.position, portal.office.name)
    while True:
        attempt = secrets.token_bytes(_ATTEMPT_BYTES)
        words = passphrases.draw(visit.token, portal.office.pepper, attempt)
        # Seven words fail only by repeating themselves or this person's name: hardly ever.
        if passphrases.problem(words, context) is None:
            return attempt, words
