"""All pages that an officer can reach; only signing in and enrolling need no session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.staff import (
    authenticator,
    case,
    enrolment,
    evidence,
    evidence_intake,
    inbox,
    invitations,
    leaving,
    notices,
    numbers,
    passphrase,
    people,
    security,
    sessions,
    sign_in,
    trail,
)

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from portal.context import Portal


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return every handler of the staff surface."""
    return [
        *sign_in.handlers(portal),
        *inbox.handlers(portal),
        *case.handlers(portal),
        *evidence_intake.handlers(portal),
        *evidence.handlers(portal),
        *security.handlers(portal),
        *passphrase.handlers(portal),
        *authenticator.handlers(portal),
        *leaving.handlers(portal),
        *sessions.handlers(portal),
        *people.handlers(portal),
        *invitations.handlers(portal),
        *enrolment.handlers(portal),
        *trail.handlers(portal),
        *numbers.handlers(portal),
        *notices.handlers(portal),
    ]
