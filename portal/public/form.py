"""The report form, from the choice of a position to the receipt of a sent report.

No session exists here: what belongs together is held together by the form's token.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from litestar import Request, get, post
from litestar.response import Response

from casework.errors import Conflict, Expired, InvalidInput, Untrustworthy
from casework.intake import report, submit
from casework.intake import token as tokens
from casework.intake.report import CannotRoute
from casework.intake.submit import NotReceiving
from casework.store.engine import Unavailable
from portal.context import LIMITS
from portal.public import receipt
from portal.public.information import PUBLIC
from portal.public.views import Labelled, channels_of
from portal.web.forms import read_form
from portal.web.pages import html
from portal.web.refusals import Busy
from portal.web.run import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar.handlers import HTTPRouteHandler

    from portal.context import Portal
    from portal.web.forms import Form

RETRY_SECONDS: Final = 60
"""When to send again what could not be stored just now."""


@dataclass(frozen=True)
class Typed:
    """A form as it came: its token and every field, kept for whatever page shows it again."""

    token: bytes = field(repr=False)
    values: Mapping[str, str] = field(repr=False)


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of the form."""

    @get("/formulir", opt=PUBLIC)
    async def position() -> Response[str]:
        """Ask whom the report is about, by position only."""
        if not await run(_receiving, portal):
            return _closed(portal)
        return _position_page(portal, {})

    @post("/formulir/isi", opt=PUBLIC, status_code=200)
    async def blank(request: Request[Any, Any, Any]) -> Response[str]:
        """Show the form for a position, or stop before anything is typed."""
        return await _blank(portal, await read_form(request, LIMITS))

    @post("/formulir/kirim", opt=PUBLIC, status_code=200)
    async def send(request: Request[Any, Any, Any]) -> Response[str]:
        """Take a report and show its receipt; the same form again shows the same receipt."""
        form = await read_form(request, LIMITS)
        token = receipt.token_of(form)
        return await _send(portal, Typed(token, {name: form.one(name) for name in report.FIELDS}))

    return [position, blank, send]


async def _blank(portal: Portal, form: Form) -> Response[str]:
    chosen = form.one("position")
    try:
        report.check_position(portal.office.profile, chosen)
    except CannotRoute:
        return _stopped(portal, chosen)
    except InvalidInput as refused:
        return _position_page(portal, refused.errors, status=422)
    if not await run(_receiving, portal):
        return _closed(portal)
    return html(_form(portal, Typed(tokens.new_token(), {"position": chosen}), {}))


async def _send(portal: Portal, typed: Typed) -> Response[str]:
    """Take a report; whatever refuses it, the page that says so still holds what was typed."""
    try:
        return await _receive(portal, typed)
    except Expired:
        return receipt.spent(portal)
    except CannotRoute as refused:
        return _stopped(portal, refused.position)
    except InvalidInput as refused:
        if "position" in refused.errors:
            return _position_page(portal, refused.errors, status=422)
        return html(_form(portal, typed, refused.errors), status=422)
    except Busy as busy:
        return _not_taken(portal, typed, "public/budget.html", busy.retry_after)
    except (Unavailable, Conflict):
        return _not_taken(portal, typed, "public/unsaved.html", RETRY_SECONDS)
    except (NotReceiving, Untrustworthy):
        return _not_taken(portal, typed, "public/unreceived.html", None)


async def _receive(portal: Portal, typed: Typed) -> Response[str]:
    # First of all, because a form that was taken leads to its receipt whatever stands in it now.
    known = await run(submit.again, portal.office, typed.token)
    if known is None:
        parsed = report.parse(portal.office.profile, typed.values)
        async with portal.report_lane.place(typed.token):
            # Inside the lane, so that a rush which is not served does not use the budget up.
            await portal.burst.take()
            known = await run(submit.submit, portal.office, typed.token, parsed)
    return receipt.page(portal, typed.token, known, {})


def _receiving(portal: Portal) -> bool:
    with portal.office.read() as uow:
        return submit.can_receive(uow)


def _closed(portal: Portal) -> Response[str]:
    return portal.pages.render("public/closed.html", status=503, channels=channels_of(portal))


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


def _not_taken(
    portal: Portal, typed: Typed, template: str, retry_after: int | None
) -> Response[str]:
    """Show the form with its text, and why the report could not be taken just now."""
    try:
        report.check_position(portal.office.profile, typed.values["position"])
    except CannotRoute as refused:
        return _stopped(portal, refused.position)
    except InvalidInput as refused:
        return _position_page(portal, refused.errors, status=422)
    text = _form(
        portal,
        typed,
        {},
        template,
        retry_minutes=math.ceil((retry_after or 0) / 60),
        channels=channels_of(portal),
    )
    headers = {"retry-after": str(retry_after)} if retry_after is not None else None
    return html(text, status=503, headers=headers)


def _form(
    portal: Portal,
    typed: Typed,
    errors: Mapping[str, str],
    template: str = "public/report_form.html",
    **more: object,
) -> str:
    """Return the form with what was typed, in one of its templates."""
    profile, values = portal.office.profile, typed.values
    named = [line for line in values.get("evidence_known", "").splitlines() if line.strip()]
    return portal.pages.text(
        template,
        token=receipt.write_token(typed.token),
        position=values["position"],
        position_label=profile.position(values["position"]).label,
        values=values,
        errors=portal.messages(errors),
        evidence_count=len(named),
        evidence_advised=profile.reporting.evidence_advised,
        **more,
    )
