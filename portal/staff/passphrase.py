"""An officer changes the own passphrase: chosen, or drawn for those who must not choose.

A drawn one is shown on one page and typed back on the next. In between nothing is stored: it
follows from the session and from a signed attempt in a hidden field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litestar import Request, get, post
from litestar.response import Response

from casework.errors import InvalidInput
from casework.keys import renewal
from portal.context import LIMITS, PURPOSE
from portal.staff import officer as officers
from portal.staff import security, stepup
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

PATH: Final = f"{security.HOME}/frasa-sandi"
_ATTEMPT: Final = "attempt"
_DRAWING: Final = "draw"
"""Purpose of an attempt: only this session makes one, so nobody looks for a convenient one."""


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of changing a passphrase."""

    @get(PATH)
    async def ask(request: Request[Any, Any, Any]) -> Response[str]:
        """Show the form, or the passphrase that was drawn, before its form."""
        officer = await officers.require(portal, request)
        if not await run(renewal.is_drawn, portal.office, officer.actor):
            return _form(portal, officer, asks_code=stepup.is_due(portal, officer.session))
        attempt = csrf.issue(officer.session.csrf_secret, _DRAWING)
        words = renewal.draw(portal.office, _source(officer, attempt)).split()
        return portal.pages.render(
            "staff/passphrase_drawn.html",
            officer=officer,
            guard=portal.guard(officer.session),
            words=words,
            attempt=attempt,
        )

    @post(f"{PATH}/ketik", status_code=200)
    async def type_back(request: Request[Any, Any, Any]) -> Response[str]:
        """Show the form for a drawn passphrase that was written down."""
        officer = await officers.require(portal, request)
        form = await read_form(request, LIMITS)
        csrf.check(officer.session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))
        attempt = _attempt(officer, form)
        due = stepup.is_due(portal, officer.session)
        return _form(portal, officer, attempt=attempt, asks_code=due)

    @post(PATH, status_code=200)
    async def change(request: Request[Any, Any, Any]) -> Response[str]:
        """Change the passphrase, or say what is wrong."""
        officer = await officers.require(portal, request)
        form = await read_form(request, LIMITS)
        csrf.check(officer.session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))
        attempt = _attempt(officer, form) if _ATTEMPT in form else ""
        errors = await stepup.refused(portal, officer, form)
        if not errors:
            errors = await _change(portal, officer, form, attempt)
        if errors:
            asks = stepup.CODE_FIELD in errors
            return _form(
                portal, officer, attempt=attempt, errors=errors, asks_code=asks, status=422
            )
        return see_other(security.after(security.DONE_PASSPHRASE))

    return [ask, type_back, change]


async def _change(portal: Portal, officer: Officer, form: Form, attempt: str) -> dict[str, str]:
    """Change the passphrase; return what is wrong as field -> message key."""
    new = form.one("passphrase")
    # What was drawn is typed back once; what was chosen is typed twice.
    if not attempt and form.one("again") != new:
        return {"again": "passphrase_again"}
    source = _source(officer, attempt) if attempt else None
    typed = renewal.Typed(form.one("old"), new)
    try:
        async with portal.staff_lane.place():
            await run(
                renewal.renew, portal.office, officer.actor, typed, source,
                keep=officer.session.name,
            )  # fmt: skip
    except InvalidInput as refused:
        return dict(refused.errors)
    return {}


def _attempt(officer: Officer, form: Form) -> str:
    """Return the attempt of a form. Raises: CsrfRefused: this session did not make it."""
    attempt = form.one(_ATTEMPT)
    csrf.check(officer.session.csrf_secret, _DRAWING, attempt)
    return attempt


def _source(officer: Officer, attempt: str) -> renewal.Source:
    return renewal.Source(officer.session.csrf_secret, attempt.encode())


def _form(
    portal: Portal,
    officer: Officer,
    *,
    attempt: str = "",
    errors: Mapping[str, str] | None = None,
    asks_code: bool,
    status: int = 200,
) -> Response[str]:
    return portal.pages.render(
        "staff/passphrase.html",
        status=status,
        officer=officer,
        guard=portal.guard(officer.session),
        attempt=attempt,
        errors=portal.messages(errors or {}),
        asks_code=asks_code,
    )
