"""Admins invite: a form, a page with the code that is printed once, and taking it back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from casework.errors import Denied, InvalidInput, NotFound
from casework.keys import invitations, people
from casework.keys.invitations import Invitee
from casework.keys.vocabulary import Standing
from portal.context import LIMITS, PURPOSE
from portal.staff import people_views as views
from portal.staff.people import HOME, WITHDRAWN, require
from portal.web import csrf
from portal.web.forms import read_form
from portal.web.pages import see_other
from portal.web.run import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar.handlers import HTTPRouteHandler

    from casework.keys.actor import Actor
    from casework.keys.invitations import Printed
    from casework.keys.people import Line
    from portal.context import Portal
    from portal.staff.officer import Officer
    from portal.web.forms import Form

INVITE: Final = f"{HOME}/undangan"
TEXTS: Final = ("username", "name", "position", "unit", "replaces")
REPLACING: Final = "mengganti"
_ID: Final = re.compile(r"[0-9a-f]{32}")


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of the admins' invitation pages."""

    @get(INVITE)
    async def ask(request: Request[Any, Any, Any]) -> Response[str]:
        """Show the form, filled for whoever is to get new keys."""
        officer = await _admin(portal, request)
        lost = request.query_params.get(REPLACING, "")
        values = await run(_proposed, portal, officer, lost) if lost else {}
        return await _page(portal, officer, values, {})

    @post(INVITE, status_code=200)
    async def invite(request: Request[Any, Any, Any]) -> Response[str]:
        """Store an invitation and show its code, this once."""
        officer = await _admin(portal, request)
        form = await read_form(request, LIMITS)
        csrf.check(officer.session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))
        invitee = _invitee(form)
        try:
            printed = await run(_store, portal, officer.actor, invitee)
        except InvalidInput as refused:
            values = {name: form.one(name) for name in TEXTS} | {"roles": form.many("roles")}
            errors = portal.messages(refused.errors)
            return await _page(portal, officer, values, errors, status=422)
        return portal.pages.render(
            "staff/invitation.html",
            officer=officer,
            guard=portal.guard(officer.session),
            name=invitee.name.strip(),
            position=invitations.position_of(invitee),
            roles=views.role_labels(portal, invitee.roles),
            code=printed.code,
            expires=views.moment_of(portal, printed.expires),
            address=next(iter(portal.settings.web.origins), ""),
        )

    @post(INVITE + "/{invitation_id:str}/cabut", status_code=200)
    async def withdraw(
        request: Request[Any, Any, Any], invitation_id: FromPath[str]
    ) -> Response[str]:
        """Take an unused invitation back."""
        officer = await _admin(portal, request)
        form = await read_form(request, LIMITS)
        csrf.check(officer.session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))
        await run(_withdraw, portal, officer.actor, invitation_id)
        return see_other(f"{HOME}?berhasil={WITHDRAWN}")

    return [ask, invite, withdraw]


async def _admin(portal: Portal, request: Request[Any, Any, Any]) -> Officer:
    officer = await require(portal, request)
    if not officer.admin:
        raise Denied("invitations")
    return officer


def _invitee(form: Form) -> Invitee:
    return Invitee(
        username=form.one("username"),
        name=form.one("name"),
        position=form.one("position"),
        roles=form.many("roles"),
        unit=form.one("unit"),
        replaces=form.one("replaces") or None,
    )


def _store(portal: Portal, admin: Actor, invitee: Invitee) -> Printed:
    with portal.office.write() as uow:
        return invitations.invite(uow, admin, invitee)


def _withdraw(portal: Portal, admin: Actor, invitation_id: str) -> None:
    if not _ID.fullmatch(invitation_id):
        raise NotFound("invitation")
    with portal.office.write() as uow:
        invitations.withdraw(uow, admin, invitation_id)


def _lines(portal: Portal, officer: Officer) -> tuple[Line, ...]:
    with portal.office.read() as uow:
        return people.overview(uow, officer.actor)


def _proposed(portal: Portal, officer: Officer, person_id: str) -> Mapping[str, Any]:
    """Return the form's values for somebody whose keys are lost; empty for nobody of ours."""
    found = next((one for one in _lines(portal, officer) if one.person_id == person_id), None)
    if found is None:
        return {}
    with portal.office.read() as uow:
        username = invitations.proposed_username(uow, found.username)
    return {
        "username": username,
        "name": found.name,
        "position": found.position,
        "roles": found.roles,
        "replaces": person_id,
    }


async def _page(
    portal: Portal,
    officer: Officer,
    values: Mapping[str, Any],
    errors: Mapping[str, str],
    status: int = 200,
) -> Response[str]:
    lines = await run(_lines, portal, officer)
    return portal.pages.render(
        "staff/invite.html",
        status=status,
        officer=officer,
        guard=portal.guard(officer.session),
        roles=views.roles_of(portal),
        replaceable=[
            (one.person_id, f"{one.name} ({one.username})")
            for one in lines
            if one.standing is not Standing.LEFT
        ],
        values=values,
        errors=errors,
    )
