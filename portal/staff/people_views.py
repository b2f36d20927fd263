"""What the people's pages show, made from the domain's answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from casework.keys.vocabulary import InvitationState, Standing
from portal.public.views import Labelled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casework.keys.invitations import Found
    from casework.keys.people import Detail, Happening, Line
    from portal.context import Portal


def role_labels(portal: Portal, roles: Iterable[str]) -> str:
    """Return what a person reads for role ids; a role that the profile lost keeps its id."""
    labels = {role.id: role.label for role in portal.office.profile.roles}
    return ", ".join(labels.get(role, role) for role in roles)


def roles_of(portal: Portal, ids: Iterable[str] | None = None) -> list[Labelled]:
    """Return roles of the profile to choose from, in its order."""
    wanted = None if ids is None else set(ids)
    return [
        Labelled(role.id, role.label)
        for role in portal.office.profile.roles
        if wanted is None or role.id in wanted
    ]


def line_of(portal: Portal, line: Line) -> dict[str, Any]:
    """Return one line of the list."""
    ends = line.until if line.standing in (Standing.ACTING, Standing.ENDED) else None
    return {
        "id": line.person_id,
        "username": line.username,
        "name": line.name,
        "position": line.position,
        "roles": role_labels(portal, line.roles),
        "standing": line.standing.value,
        "since": portal.pages.tanggal(line.since) if line.since else "",
        "until": portal.pages.tanggal(ends) if ends else "",
        "guardian": line.guardian,
        "actionable": line.actionable,
    }


def person_of(portal: Portal, found: Detail) -> dict[str, Any]:
    """Return the head of a person's page, and what its forms carry."""
    replaces = found.replaces
    return {
        **line_of(portal, found.line),
        "role_ids": found.line.roles,
        "words": found.words,
        "replaces": line_of(portal, replaces) if replaces is not None else None,
        "alone": role_labels(portal, found.alone),
        "version": found.version,
    }


def history_of(portal: Portal, found: Detail) -> list[dict[str, Any]]:
    """Return the roster entries about a person, the newest first."""
    return [_happening(portal, one) for one in found.history]


def _happening(portal: Portal, one: Happening) -> dict[str, Any]:
    return {
        "version": one.version,
        "day": portal.pages.tanggal(one.day),
        "signer": one.signer,
        "reason": one.reason,
        "guardian": one.guardian,
        "records": [
            {
                "state": record.state.value,
                "roles": role_labels(portal, record.roles),
                "since": portal.pages.tanggal(record.from_),
                "until": portal.pages.tanggal(record.until) if record.until else "",
            }
            for record in one.records
        ],
    }


def invitation_of(portal: Portal, found: Found) -> dict[str, Any]:
    """Return one invitation of the list."""
    return {
        "id": found.invitation_id,
        "name": found.name,
        "position": found.position,
        "username": found.username,
        "roles": role_labels(portal, found.roles),
        "expires": moment_of(portal, found.expires),
        "expired": found.state is InvitationState.EXPIRED,
    }


def moment_of(portal: Portal, seconds: int) -> str:
    """Write a moment (seconds since the epoch) as day and hour of the office."""
    moment = datetime.fromtimestamp(seconds, UTC).astimezone(portal.office.tz)
    return f"{portal.pages.tanggal(moment.date())} pukul {moment:%H.%M}"
