"""An officer replaces the own authenticator, or the recovery codes; both ask for a code first.

Between the page that shows a new secret and the one that confirms it, the secret travels in a
hidden field, sealed to the officer; nothing of it is stored before it replaces the old one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litestar import Request, get, post
from litestar.response import Response

from casework.keys import accounts, factors, roster
from portal.context import LIMITS, PURPOSE
from portal.staff import officer as officers
from portal.staff import qr, security, stepup
from portal.web import csrf
from portal.web.forms import read_form
from portal.web.kept import open_fields, seal_fields
from portal.web.pages import see_other
from portal.web.run import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar.handlers import HTTPRouteHandler

    from casework.keys.actor import Actor
    from portal.context import Portal
    from portal.staff.officer import Officer
    from portal.web.forms import Form

AUTHENTICATOR: Final = f"{security.HOME}/autentikator"
CODES: Final = f"{security.HOME}/kode"
SEALED_FIELD: Final = "sealed"
NEW_CODE_FIELD: Final = "new_code"
_SECRET, _SESSION = "secret", "session"


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of replacing an authenticator or the recovery codes."""

    @get(AUTHENTICATOR)
    async def ask(request: Request[Any, Any, Any]) -> Response[str]:
        """Show what a new authenticator means, and ask for a code of the old one."""
        officer = await officers.require(portal, request)
        return _begin_page(portal, officer, "staff/authenticator.html")

    @post(AUTHENTICATOR, status_code=200)
    async def show(request: Request[Any, Any, Any]) -> Response[str]:
        """Show a new secret, this once."""
        officer, form = await _checked(portal, request)
        if errors := await stepup.refused(portal, officer, form):
            return _begin_page(portal, officer, "staff/authenticator.html", errors)
        if not portal.office.second_factor:
            return see_other(security.HOME)
        secret = factors.new().secret
        username = await run(_username, portal, officer.actor)
        return _confirm_page(
            portal,
            officer,
            sealed=_sealed(officer, secret),
            qr=qr.svg(factors.uri(portal.office.name, username, secret)),
            secret=qr.grouped(secret),
        )

    @post(f"{AUTHENTICATOR}/pasang", status_code=200)
    async def install(request: Request[Any, Any, Any]) -> Response[str]:
        """Replace the authenticator, once the new one has shown a right code."""
        officer, form = await _checked(portal, request)
        sealed = form.one(SEALED_FIELD)
        secret = _opened(officer, sealed)
        if secret is None or not portal.office.second_factor:
            return see_other(AUTHENTICATOR)
        step, errors = _confirmed(portal, secret, form)
        errors = errors or await stepup.refused(portal, officer, form)
        if errors:
            return _confirm_page(portal, officer, sealed=sealed, errors=errors)
        made = factors.NewFactor(secret, factors.new_codes())
        await run(_change, portal, officer.actor, made, step)
        return _sheet(portal, officer, made.codes, replaced=True)

    @get(CODES)
    async def ask_codes(request: Request[Any, Any, Any]) -> Response[str]:
        """Show what new recovery codes mean, and ask for a code."""
        officer = await officers.require(portal, request)
        return _begin_page(portal, officer, "staff/codes.html")

    @post(CODES, status_code=200)
    async def renew_codes(request: Request[Any, Any, Any]) -> Response[str]:
        """Replace the recovery codes and show them, this once."""
        officer, form = await _checked(portal, request)
        if errors := await stepup.refused(portal, officer, form):
            return _begin_page(portal, officer, "staff/codes.html", errors)
        if not portal.office.second_factor:
            return see_other(security.HOME)
        codes = factors.new_codes()
        await run(_change_codes, portal, officer.actor, codes)
        return _sheet(portal, officer, codes, replaced=False)

    return [ask, show, install, ask_codes, renew_codes]


async def _checked(portal: Portal, request: Request[Any, Any, Any]) -> tuple[Officer, Form]:
    officer = await officers.require(portal, request)
    form = await read_form(request, LIMITS)
    csrf.check(officer.session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))
    return officer, form


def _sealed(officer: Officer, secret: str) -> str:
    """Seal a secret to its officer, for the session in which it was shown and no other."""
    fields = {_SECRET: secret, _SESSION: officer.session.name}
    return seal_fields(fields, officer.actor.person.identity.recipient)


def _opened(officer: Officer, sealed: str) -> str | None:
    fields = open_fields(sealed, officer.actor.person.identity)
    return fields.get(_SECRET) if fields.get(_SESSION) == officer.session.name else None


def _confirmed(portal: Portal, secret: str, form: Form) -> tuple[int, dict[str, str]]:
    """Return the step of a right code of the new authenticator, or what is wrong with it."""
    now = int(portal.office.clock().timestamp())
    try:
        return factors.confirm(secret, form.one(NEW_CODE_FIELD), now), {}
    except factors.ClockOff:
        return 0, {NEW_CODE_FIELD: "factor.clock_off"}
    except factors.WrongCode:
        return 0, {NEW_CODE_FIELD: "factor.wrong"}


def _username(portal: Portal, actor: Actor) -> str:
    with portal.office.read() as uow:
        record = accounts.vouched(roster.load(uow), actor, uow.today())
        return accounts.username_of(uow, record)


def _change(portal: Portal, actor: Actor, made: factors.NewFactor, step: int) -> None:
    with portal.office.write() as uow:
        factors.change(uow, actor, made, step)


def _change_codes(portal: Portal, actor: Actor, codes: tuple[str, ...]) -> None:
    with portal.office.write() as uow:
        factors.change_codes(uow, actor, codes)


def _begin_page(
    portal: Portal, officer: Officer, template: str, errors: Mapping[str, str] | None = None
) -> Response[str]:
    if not portal.office.second_factor:
        return see_other(security.HOME)
    return portal.pages.render(
        template,
        status=422 if errors else 200,
        officer=officer,
        guard=portal.guard(officer.session),
        errors=portal.messages(errors or {}),
        asks_code=bool(errors) or stepup.is_due(portal, officer.session),
    )


def _confirm_page(
    portal: Portal,
    officer: Officer,
    *,
    sealed: str,
    qr: str = "",
    secret: str = "",
    errors: Mapping[str, str] | None = None,
) -> Response[str]:
    """Return the page that asks for a code of the new authenticator.

    Without ``qr`` and ``secret`` it is shown again after a wrong code, and tells no secret.
    """
    due = stepup.is_due(portal, officer.session)
    return portal.pages.render(
        "staff/authenticator_new.html",
        status=422 if errors else 200,
        officer=officer,
        guard=portal.guard(officer.session),
        sealed=sealed,
        qr=qr,
        secret=secret,
        errors=portal.messages(errors or {}),
        asks_code=bool(errors) and due,
    )


def _sheet(
    portal: Portal, officer: Officer, codes: tuple[str, ...], *, replaced: bool
) -> Response[str]:
    return portal.pages.render(
        "staff/codes_new.html",
        officer=officer,
        guard=portal.guard(officer.session),
        codes=codes,
        replaced=replaced,
    )
