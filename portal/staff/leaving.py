"""Somebody leaves: who follows in each of their cases, and the record to be printed and signed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from casework.calendar.holidays import calendar_for
from casework.errors import InvalidInput, NotFound
from casework.handling import departure, leaving
from casework.handling.leaving import Plan
from casework.law.workdays import working_days_between
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

    from casework.handling.departure import Departure, Pending, Record
    from casework.handling.leaving import Refused
    from casework.law.workdays import HolidayCalendar
    from portal.context import Portal
    from portal.staff.officer import Officer
    from portal.web.forms import Form

DUTY: Final = "offboarding_duty"
"""Passage of the profile: what still binds whoever leaves."""

_PREFIX: Final = "successor_"


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of leaving and of its record."""

    @get("/petugas/orang/{person_id:str}/keluar")
    async def ask(request: Request[Any, Any, Any], person_id: FromPath[str]) -> Response[str]:
        """Show what somebody would leave behind."""
        officer = await officers.require(portal, request)
        return await _page(portal, officer, person_id)

    @post("/petugas/orang/{person_id:str}/keluar", status_code=200)
    async def go(request: Request[Any, Any, Any], person_id: FromPath[str]) -> Response[str]:
        """Hand the next cases over; once none is left, end the office."""
        officer = await officers.require(portal, request)
        form = await read_form(request, LIMITS)
        csrf.check(officer.session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))
        values = {name: form.one(name) for name in form.names}
        if errors := await stepup.refused(portal, officer, form):
            return await _page(portal, officer, person_id, _Tried(values, portal.messages(errors)))
        try:
            progress = await run(
                leaving.off_board,
                portal.office,
                officer.actor,
                person_id,
                _plan(form),
                form.one("reason"),
            )
        except InvalidInput as refused:
            tried = _Tried(values, portal.messages(refused.errors))
            return await _page(portal, officer, person_id, tried)
        if progress.left:
            errors = {
                _PREFIX + one.case_id: portal.pages.message(one.problem) for one in progress.refused
            }
            tried = _Tried(values, errors, progress.done, progress.left, progress.refused)
            return await _page(portal, officer, person_id, tried)
        return see_other(f"/petugas/orang/{person_id}/serah-terima")

    @get("/petugas/orang/{person_id:str}/serah-terima")
    async def record(request: Request[Any, Any, Any], person_id: FromPath[str]) -> Response[str]:
        """Show the record of a hand-over, to be printed."""
        officer = await officers.require(portal, request)
        found = await run(_record, portal, officer, person_id)
        return portal.pages.render(
            "staff/hand_over.html",
            officer=officer,
            guard=portal.guard(officer.session),
            record=_shown_record(portal, found),
            office=portal.office.name,
            duty=portal.office.profile.text(DUTY),
        )

    return [ask, go, record]


def _plan(form: Form) -> Plan:
    named = {
        name.removeprefix(_PREFIX): form.one(name)
        for name in form.names
        if name.startswith(_PREFIX) and form.one(name)
    }
    return Plan(form.one("successor"), named, bool(form.one("give_up_shares")))


@dataclass(frozen=True)
class _Tried:
    """What was typed, what is wrong with it, and how far it led."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    done: int = 0
    left: int = 0
    refused: tuple[Refused, ...] = ()


_NOTHING: Final = _Tried()


async def _page(
    portal: Portal, officer: Officer, person_id: str, tried: _Tried = _NOTHING
) -> Response[str]:
    found, calendar = await run(_read, portal, officer, person_id)
    return portal.pages.render(
        "staff/leaving.html",
        status=422 if tried.errors else 200,
        officer=officer,
        guard=portal.guard(officer.session),
        person={
            "id": person_id,
            "name": found.person.name,
            "position": found.person.position,
            "roles": _roles(portal, found.person.roles),
        },
        obstacle=portal.pages.message(found.obstacle) if found.obstacle else "",
        cases=[_case(portal, calendar, one) for one in found.cases],
        total=found.total,
        candidates=[
            {"id": one.person_id, "label": f"{one.name} · {one.position}"}
            for one in found.candidates
        ],
        last_share=any(one.last_share for one in found.cases),
        values=tried.values,
        errors=tried.errors,
        labels={
            **{_PREFIX + one.case_id: one.ticket for one in found.cases},
            **{_PREFIX + one.case_id: one.ticket for one in tried.refused},
        },
        done=tried.done,
        left=tried.left,
        code_due=stepup.is_due(portal, officer.session),
    )


def _read(portal: Portal, officer: Officer, person_id: str) -> tuple[Departure, HolidayCalendar]:
    with portal.office.read() as uow:
        found = departure.preview(uow, officer.actor, person_id)
        return found, calendar_for(uow.session, portal.office.profile)


def _record(portal: Portal, officer: Officer, person_id: str) -> Record:
    with portal.office.read() as uow:
        return departure.record(uow, officer.actor, person_id)


def _roles(portal: Portal, roles: tuple[str, ...]) -> str:
    return ", ".join(portal.office.profile.role(role).label for role in roles)


def _case(portal: Portal, calendar: HolidayCalendar, one: Pending) -> dict[str, Any]:
    today = portal.office.clock().astimezone(portal.office.tz).date()
    return {
        "id": one.case_id,
        "ticket": one.ticket,
        "status": one.state.label if one.state else "",
        "due": portal.pages.tanggal(one.due) if one.due else "",
        "days_left": working_days_between(calendar, today, one.due) if one.due else None,
        "over": one.over,
        "held": [
            {"room": held.compartment, "share": held.share, "others": ", ".join(held.others)}
            for held in one.held
        ],
        "needs": not one.over and any(not held.share for held in one.held),
        "fitting": one.fitting,
        "problem": portal.pages.message(one.problem) if one.problem else "",
    }


def _shown_record(portal: Portal, found: Record) -> dict[str, Any]:
    """Return the record as the page writes it: names instead of ids, days in words."""

    def name(person_id: str) -> str:
        try:
            one = found.roster.person(person_id)
        except NotFound:
            return ""
        return f"{one.name} ({one.position})"

    return {
        "name": found.person.name,
        "position": found.person.position,
        "roles": _roles(portal, found.person.roles),
        "left": portal.pages.tanggal(found.left) if found.left else "",
        "by": name(found.by),
        "reason": found.reason,
        "lines": [
            {
                "ticket": line.ticket,
                "day": portal.pages.tanggal(line.day),
                "by": name(line.by),
                "successor": name(line.successor),
                "documents": line.documents,
            }
            for line in found.lines
        ],
        "documents": sum(line.documents for line in found.lines),
        "successors": sorted({name(line.successor) for line in found.lines if line.successor}),
    }
