"""The people of the office: who is in office, who waits, and what approvers decide of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from casework.errors import Denied, InvalidInput, NotFound
from casework.keys import approvals, invitations, people
from casework.keys.approvals import WordsDiffer
from casework.keys.vocabulary import InvitationState, Standing
from portal.context import LIMITS, PURPOSE
from portal.staff import officer as officers
from portal.staff import people_views as views
from portal.staff import stepup
from portal.web import csrf
from portal.web.forms import read_form
from portal.web.pages import see_other
from portal.web.refusals import BadForm
from portal.web.run import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar.handlers import HTTPRouteHandler

    from casework.keys.actor import Actor
    from casework.keys.people import Detail, Line
    from portal.context import Portal
    from portal.staff.officer import Officer
    from portal.web.forms import Form

HOME: Final = "/petugas/orang"
ADMIT, SUSPEND, RESUME, CHANGE, GUARD = "setujui", "bekukan", "pulihkan", "peran", "penjaga"
ACTS: Final = (ADMIT, SUSPEND, RESUME, CHANGE, GUARD)
WITHDRAWN: Final = "cabut"
_DONE: Final = "berhasil"
_PERSON: Final = re.compile(r"[0-9a-f]{32}")
_VERSION: Final = re.compile(r"[0-9]{1,7}")
_IN_OFFICE: Final = (Standing.ACTIVE, Standing.ACTING)


@dataclass(frozen=True)
class Shown:
    """What a person's page shows besides the person: a form shown again, or what was done."""

    failed: str = ""
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    done: str = ""
    status: int = 200


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of the people's pages."""

    @get(HOME)
    async def everyone(request: Request[Any, Any, Any]) -> Response[str]:
        """Show everybody by where they stand, and open invitations to admins."""
        officer = await require(portal, request)
        lines, invited = await run(_overview, portal, officer)
        return portal.pages.render(
            "staff/people.html",
            officer=officer,
            guard=portal.guard(officer.session),
            waiting=_shown(portal, lines, (Standing.WAITING,)),
            in_office=_shown(portal, lines, _IN_OFFICE),
            others=_shown(portal, lines, tuple(set(Standing) - {Standing.WAITING, *_IN_OFFICE})),
            invited=[views.invitation_of(portal, one) for one in invited],
            done=request.query_params.get(_DONE, ""),
        )

    @get(HOME + "/{person_id:str}")
    async def one(request: Request[Any, Any, Any], person_id: FromPath[str]) -> Response[str]:
        """Show one person with history and acts."""
        officer = await require(portal, request)
        done = request.query_params.get(_DONE, "")
        return await _page(portal, officer, person_id, Shown(done=done if done in ACTS else ""))

    @post(HOME + "/{person_id:str}/tindakan/{act:str}", status_code=200)
    async def decide(
        request: Request[Any, Any, Any], person_id: FromPath[str], act: FromPath[str]
    ) -> Response[str]:
        """Sign one roster entry about a person."""
        officer = await require(portal, request)
        form = await read_form(request, LIMITS)
        csrf.check(officer.session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))
        if act not in ACTS or not _PERSON.fullmatch(person_id):
            raise NotFound("act")
        if not officer.approves and not officer.guardian:
            raise Denied("not an approver")
        return await _decide(portal, officer, form, person_id, act)

    return [everyone, one, decide]


async def require(portal: Portal, request: Request[Any, Any, Any]) -> Officer:
    """Return the officer of the request, who must be an admin or approve somebody.

    Raises:
        SignInRequired, Untrustworthy: as :func:`portal.staff.officer.require`.
        Denied: the page is not theirs.
    """
    officer = await officers.require(portal, request)
    if not (officer.admin or officer.approves or officer.guardian):
        raise Denied("people")
    return officer


async def _decide(
    portal: Portal, officer: Officer, form: Form, person_id: str, act: str
) -> Response[str]:
    """Take one form of a person's page: check it, sign, show the person again."""
    values: dict[str, Any] = {name: form.one(name) for name in ("reason", "until")}
    values["roles"] = form.many("roles")
    errors, until = _errors(form, act)
    if not errors:
        errors = await stepup.refused(portal, officer, form)
    if not errors:
        try:
            await run(_perform, portal, officer.actor, form, (person_id, act, until))
        except WordsDiffer:
            shown = Shown(act, values, {}, "words", status=409)
            return await _page(portal, officer, person_id, shown)
        except InvalidInput as refused:
            errors = dict(refused.errors)
    if errors:
        shown = Shown(act, values, portal.messages(errors), status=422)
        return await _page(portal, officer, person_id, shown)
    return see_other(f"{HOME}/{person_id}?{_DONE}={act}")


def _errors(form: Form, act: str) -> tuple[dict[str, str], date | None]:
    """Return what a form lacks before anything is asked of the domain, and the last day."""
    errors, until = {}, None
    if act == ADMIT and form.one("agrees") != "ya":
        errors["agrees"] = "agrees_required"
    if act in (ADMIT, CHANGE) and (typed := form.one("until").strip()):
        try:
            until = date.fromisoformat(typed)
        except ValueError:
            errors["until"] = "until_date"
    return errors, until


def _perform(portal: Portal, actor: Actor, form: Form, what: tuple[str, str, date | None]) -> None:
    person_id, act, until = what
    reason = form.one("reason")
    with portal.office.write() as uow:
        if act == ADMIT:
            words = form.one("words").split()
            replaces = form.one("replaces") or None
            approvals.admit(uow, actor, person_id, words, reason, until=until, replaces=replaces)
            return
        seen = _seen(form)
        if act == SUSPEND:
            approvals.suspend(uow, actor, person_id, reason, seen=seen)
        elif act == RESUME:
            approvals.resume(uow, actor, person_id, reason, seen=seen)
        elif act == CHANGE:
            roles = form.many("roles")
            approvals.change(uow, actor, person_id, roles, reason, until=until, seen=seen)
        else:
            approvals.appoint_guardian(uow, actor, person_id, reason, seen=seen)


def _seen(form: Form) -> int:
    """Return the roster version that the approver looked at. Raises: BadForm."""
    text = form.one("seen")
    if not _VERSION.fullmatch(text):
        raise BadForm
    return int(text)


def _overview(portal: Portal, officer: Officer) -> tuple[tuple[Line, ...], list[invitations.Found]]:
    with portal.office.read() as uow:
        lines = people.overview(uow, officer.actor)
        invited = invitations.listing(uow) if officer.admin else ()
    shown = (InvitationState.OPEN, InvitationState.EXPIRED)
    return lines, [one for one in invited if one.state in shown]


def _shown(
    portal: Portal, lines: tuple[Line, ...], standings: tuple[Standing, ...]
) -> list[dict[str, Any]]:
    return [views.line_of(portal, line) for line in lines if line.standing in standings]


async def _page(portal: Portal, officer: Officer, person_id: str, shown: Shown) -> Response[str]:
    found = await run(_read, portal, officer, person_id)
    return portal.pages.render(
        "staff/person.html",
        status=shown.status,
        officer=officer,
        guard=portal.guard(officer.session),
        person=views.person_of(portal, found),
        history=views.history_of(portal, found),
        acts=found.acts,
        roles=views.roles_of(portal, found.approvable),
        step_up=stepup.is_due(portal, officer.session),
        failed=shown.failed,
        values=shown.values,
        errors=shown.errors,
        problem=shown.problem,
        done=shown.done,
    )


def _read(portal: Portal, officer: Officer, person_id: str) -> Detail:
    if not _PERSON.fullmatch(person_id):
        raise NotFound("person")
    with portal.office.read() as uow:
        return people.detail(uow, officer.actor, person_id)
