"""Officers who opened very many cases on one day: told to the guardian and to whoever audits.

Derived from the leaves of opened cases; nothing is stored, and nobody can wave it away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from casework.case import custody
from casework.errors import Denied
from casework.keys import accounts, roster
from casework.log.tables import Leaf
from casework.log.trail import held

if TYPE_CHECKING:
    from casework.keys.actor import Actor
    from casework.store.unit import UnitOfWork

DAYS: Final = 14
"""For how many days, today among them, a burst is told."""


@dataclass(frozen=True)
class Burst:
    """One officer on one day: how many different cases were opened."""

    person_id: str
    name: str
    day: date
    cases: int


def recent(uow: UnitOfWork, actor: Actor) -> tuple[Burst, ...]:
    """Return the bursts of the last days, the newest first; one's own among them.

    Only cases whose contents the viewer holds are counted: the number must not tell of others.

    Raises:
        Denied: the actor is neither the guardian nor in a role that audits, or not in office.
        RosterBroken, KeysSwapped: see :func:`casework.keys.accounts.vouched`.
    """
    chain = roster.load(uow)
    record = accounts.vouched(chain, actor, uow.today())
    audits = any(uow.office.profile.role(role).audits for role in record.roles)
    if not audits and actor.person_id != chain.guardian_id:
        raise Denied("neither guardian nor auditor")
    cases = func.count(Leaf.case_id.distinct())
    query = (
        select(Leaf.actor, Leaf.day, cases.label("cases"))
        .where(
            Leaf.event == custody.OPENED,
            Leaf.day > uow.today() - timedelta(days=DAYS),
            held(actor, Leaf.case_id),
        )
        .group_by(Leaf.actor, Leaf.day)
        .having(cases > uow.office.many_cases)
        .order_by(Leaf.day.desc(), Leaf.actor)
    )
    return tuple(
        Burst(
            row.actor,
            chain.person(row.actor).name if row.actor in chain.people else "",
            row.day,
            row.cases,
        )
        for row in uow.session.execute(query)
    )
