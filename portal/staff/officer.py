"""Who is signed in: the officer of a session, as the roster knows them today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from casework.keys import accounts, roster
from portal.context import actor_of
from portal.web.run import run

if TYPE_CHECKING:
    from litestar import Request

    from casework.keys.actor import Actor
    from casework.keys.sessions import Session
    from portal.context import Portal


@dataclass(frozen=True)
class Officer:
    """A signed-in officer; ``role`` are labels of the profile, ``role_ids`` its ids.

    ``admin``, ``approves``, ``audits`` and ``monitors`` say which pages besides cases are theirs.
    """

    session: Session
    actor: Actor
    name: str
    role: str
    role_ids: tuple[str, ...]
    guardian: bool
    admin: bool
    approves: bool
    audits: bool
    monitors: bool


async def require(portal: Portal, request: Request[Any, Any, Any]) -> Officer:
    """Return the officer of the request.

    Raises:
        SignInRequired: there is no session.
        Denied: the officer is not in office today.
        Untrustworthy: the roster chain is broken.
    """
    session = await portal.staff.require(request)
    return await run(load, portal, session)


def load(portal: Portal, session: Session) -> Officer:
    """Return the officer of a session; raises as :func:`require`."""
    actor = actor_of(session)
    with portal.office.read() as uow:
        chain = roster.load(uow)
        record = accounts.vouched(chain, actor, uow.today())
    profile = portal.office.profile
    held = [profile.role(role) for role in record.roles]
    return Officer(
        session=session,
        actor=actor,
        name=record.name,
        role=", ".join(role.label for role in held),
        role_ids=record.roles,
        guardian=chain.guardian_id == record.person_id,
        admin=any(role.admin for role in held),
        approves=any(role.approves for role in held),
        audits=any(role.audits for role in held),
        monitors=any(role.monitors for role in held),
    )
