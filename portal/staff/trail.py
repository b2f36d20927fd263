"""The trail of acts, for who audits: by person, case, kind and day, without contents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from litestar import Request, get, post
from litestar.response import Response

from casework.errors import NotFound
from casework.log import trail, witnesses
from casework.log.trail import Cursor, Filters
from portal import witnessing
from portal.context import LIMITS, PURPOSE
from portal.public.views import Labelled
from portal.staff import bursts
from portal.staff import officer as officers
from portal.staff.bursts import TRAIL
from portal.web import csrf
from portal.web.forms import read_form
from portal.web.pages import see_other
from portal.web.run import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar.handlers import HTTPRouteHandler

    from casework.log.rows import Row
    from casework.log.trail import Page
    from portal.context import Portal
    from portal.staff.officer import Officer

PERSON, CASE, EVENT, SINCE, UNTIL = "orang", "berkas", "peristiwa", "dari", "sampai"
TICKET: Final = "nomor"
"""Form field of a ticket; an address names the case by its id, which tells a passer-by nothing."""

_AFTER, _BEFORE = "sesudah", "sebelum"
_ID: Final = re.compile(r"[0-9a-z]{1,32}")
_EVENT: Final = re.compile(r"[a-z0-9_]{1,32}")
_NUMBER: Final = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True)
class Found:
    """What the page shows: a page of the trail, its ticket, bursts, and the log's witnesses."""

    page: Page
    ticket: str
    bursts: list[dict[str, Any]]
    log: dict[str, Any]


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of the trail."""

    @get(TRAIL)
    async def read(request: Request[Any, Any, Any]) -> Response[str]:
        """Show one page of the trail."""
        officer = await officers.require(portal, request)
        query = request.query_params
        chosen = _chosen(query)
        place = {
            "after": _cursor(query.get(_AFTER, "")),
            "before": _cursor(query.get(_BEFORE, "")),
        }
        return await _show(portal, officer, chosen, place)

    @post(TRAIL, status_code=200)
    async def search(request: Request[Any, Any, Any]) -> Response[str]:
        """Lead to the filtered trail; a ticket is sent here so that no address ever holds one."""
        officer = await officers.require(portal, request)
        form = await read_form(request, LIMITS)
        csrf.check(officer.session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))
        typed = {name: form.one(name).strip() for name in (PERSON, EVENT, SINCE, UNTIL)}
        ticket = form.one(TICKET).strip()[:64]
        errors = {
            name: "trail.day" for name in (SINCE, UNTIL) if typed[name] and not _day(typed[name])
        }
        try:
            typed[CASE] = await run(_case, portal, officer, ticket)
        except NotFound:
            errors[TICKET] = "trail.ticket"
        if errors:
            return await _show(portal, officer, _chosen(typed), {}, typed=ticket, errors=errors)
        query = urlencode({name: value for name, value in _chosen(typed).items() if value})
        return see_other(f"{TRAIL}?{query}" if query else TRAIL)

    return [read, search]


def _case(portal: Portal, officer: Officer, ticket: str) -> str:
    with portal.office.read() as uow:
        if not ticket:
            trail.may_audit(uow, officer.actor)
            return ""
        return trail.case_of(uow, officer.actor, ticket)


async def _show(
    portal: Portal,
    officer: Officer,
    chosen: Mapping[str, str],
    place: Mapping[str, Cursor | None],
    *,
    typed: str = "",
    errors: Mapping[str, str] | None = None,
) -> Response[str]:
    found = await run(_read, portal, officer, chosen, place)
    profile = portal.office.profile
    return portal.pages.render(
        "staff/trail.html",
        status=422 if errors else 200,
        officer=officer,
        guard=portal.guard(officer.session),
        rows=[_row(portal, row) for row in found.page.rows],
        people=[Labelled(person_id, name) for person_id, name in found.page.people],
        acts=[Labelled(rule.id, rule.label) for rule in profile.transitions],
        chosen={**chosen, TICKET: typed or found.ticket},
        filtered=any(chosen.values()),
        errors=portal.messages(errors or {}),
        bursts=found.bursts,
        log=found.log,
        newer=_path(chosen, _BEFORE, found.page.newer),
        older=_path(chosen, _AFTER, found.page.older),
    )


def _read(
    portal: Portal,
    officer: Officer,
    chosen: Mapping[str, str],
    place: Mapping[str, Cursor | None],
) -> Found:
    filters = Filters(
        person=chosen[PERSON] or None,
        case_id=chosen[CASE] or None,
        event=chosen[EVENT] or None,
        since=_day(chosen[SINCE]),
        until=_day(chosen[UNTIL]),
    )
    with portal.office.read() as uow:
        return Found(
            page=trail.read(uow, officer.actor, filters, **place),
            ticket=trail.ticket_of(uow, officer.actor, filters.case_id or ""),
            bursts=bursts.shown(portal, uow, officer),
            log=witnessing.shown(portal, witnesses.standing(uow)),
        )


def _row(portal: Portal, row: Row) -> dict[str, object]:
    return {
        "number": row.number,
        "when": portal.pages.tanggal(row.day),
        "event": row.event,
        "label": row.label,
        "who": row.who.value,
        "name": row.name,
        "case_id": row.case_id,
        "ticket": row.ticket,
        "concerned": row.concerned,
        "sound": row.sound,
        "gap": row.gap,
        "erased": row.erased,
        "case_gone": row.case_gone,
    }


def _chosen(query: Mapping[str, str]) -> dict[str, str]:
    """Return the filters of an address or form; what cannot be one is none."""
    person, case_id, event = (query.get(name, "") for name in (PERSON, CASE, EVENT))
    return {
        PERSON: person if _ID.fullmatch(person) else "",
        CASE: case_id if _ID.fullmatch(case_id) else "",
        EVENT: event if _EVENT.fullmatch(event) else "",
        **{
            name: query.get(name, "") if _day(query.get(name, "")) else ""
            for name in (SINCE, UNTIL)
        },
    }


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _cursor(text: str) -> Cursor | None:
    """Return the place that a page's link names; anything else is the beginning."""
    day, _, number = text.partition("_")
    found = _day(day)
    return Cursor(found, int(number)) if found and _NUMBER.fullmatch(number) else None


def _path(chosen: Mapping[str, str], name: str, cursor: Cursor | None) -> str:
    if cursor is None:
        return ""
    query = {**chosen, name: f"{cursor.day.isoformat()}_{cursor.number}"}
    return f"{TRAIL}?{urlencode({key: value for key, value in query.items() if value})}"
