"""Looking at a case leaves a trace: one leaf a day for each officer, before anything is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.case import custody
from casework.handling.acts import open_case
from casework.log import leaf as leaves
from casework.log.leaf import Draft, append
from casework.log.tables import Leaf

if TYPE_CHECKING:
    from casework.keys.actor import Actor
    from casework.store.unit import UnitOfWork


def is_noted(uow: UnitOfWork, actor: Actor, case_id: str) -> bool:
    """Return whether today's leaf of this officer and case is in the log.

    Only a leaf that this officer signed counts: a row that somebody else put there saves nobody
    from leaving their own.
    """
    today = uow.today()
    mine = select(Leaf).where(
        Leaf.actor == actor.person_id,
        Leaf.event == custody.OPENED,
        Leaf.day == today,
        Leaf.case_id == case_id,
    )
    key = actor.person.signing.verify_key
    said = (custody.OPENED, actor.person_id, case_id, today.isoformat())
    for row in uow.session.scalars(mine):
        body = leaves.read(row) or {}
        names = tuple(body.get(name) for name in ("event", "actor", "case", "day"))
        if names == said and leaves.is_signed(row, actor.person_id, lambda _: key):
            return True
    return False


def note(uow: UnitOfWork, actor: Actor, case_id: str) -> bool:
    """Write down that an officer opens a case, once a day; return whether a leaf was written.

    It is no act: the case's revision stays, so that no form that somebody else has open is
    refused. It is written on a damaged case, too, as long as the page would be shown.

    Raises:
        NotFound, Denied, RosterBroken, CaseDamaged: see :func:`casework.handling.acts.open_case`.
    """
    open_case(uow, actor, case_id)
    if is_noted(uow, actor, case_id):
        return False
    nothing_moved = {"items": 0, "granted": [], "revoked": []}
    draft = Draft(custody.OPENED, actor.person_id, case_id, facts=nothing_moved)
    append(uow, draft, actor.person.signing)
    return True
