"""Recusal: an officer with a conflict of interest gives all their keys to a case away, for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import delete

from casework.case import custody
from casework.case.act import Act
from casework.case.tables import Assignment, Item
from casework.errors import InvalidInput
from casework.handling import desk
from casework.handling.acts import open_case
from casework.handling.leftover import problem
from casework.intake.report import LONG
from casework.law.vocabulary import Compartment as Kind

if TYPE_CHECKING:
    from casework.case.keyring import Keyring
    from casework.keys.actor import Actor
    from casework.store.unit import UnitOfWork

RECUSAL: Final = "recusal"
"""Item kind: why an officer recused themselves."""

_ROOMS: Final = (Kind.HANDLING, Kind.INVESTIGATION, Kind.APH, Kind.CONTENT)
"""Where the reason is kept: in the first of these that the officer holds."""

FIELD: Final = "recuse"
"""Field under which it is said that somebody cannot go."""


def is_guardian(keyring: Keyring) -> bool:
    """Return whether the actor is the guardian, whose key is what finds every report."""
    return keyring.actor.person_id == keyring.roster.guardian_id


def recuse(
    uow: UnitOfWork,
    actor: Actor,
    case_id: str,
    reason: str,
    item_id: str,
    *,
    give_up_shares: bool = False,
) -> None:
    """Take all the actor's own keys to a case away, for good; the reason is kept in the case.

    Nobody gives them back: neither a later act of the regulation nor a colleague who passes keys
    on. The guardian cannot recuse themselves: what concerns the leader of the office must not
    come to this office at all. The same form sent twice counts once.

    Raises:
        NotFound, Denied: see :func:`casework.handling.acts.open_case`.
        InvalidInput: no reason, or too long a one; the actor is the guardian, or the last in
            office who holds a compartment or a share of it.
        CaseDamaged: what is stored of the case does not belong together.
    """
    sent = uow.session.get(Item, item_id)
    if sent is not None and (sent.case_id, sent.author) == (case_id, actor.person_id):
        return
    keyring, _ = open_case(uow, actor, case_id)
    text = reason.strip()
    if not text:
        raise InvalidInput({"reason": "law.reason_required"})
    if len(text) > LONG:
        raise InvalidInput({"reason": "report.too_long"})
    if is_guardian(keyring):
        raise InvalidInput({FIELD: "custody.guardian"})
    act = Act(keyring)
    if forbidden := problem(act, actor.person_id, give_up_shares=give_up_shares):
        raise InvalidInput({FIELD: forbidden})
    room = next(kind for kind in _ROOMS if keyring.holds(kind))
    act.write(room, RECUSAL, {"text": text}, item_id)
    act.revoke_all(actor.person_id)
    act.finish(custody.RECUSED, {})
    uow.session.execute(
        delete(Assignment).where(
            Assignment.case_id == case_id, Assignment.person == actor.person_id
        )
    )
    desk.refresh(uow, keyring.case)
