"""Recovered grants of one case: stored with their leaf, under a new shred key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete

from casework.case import custody, grants, lost
from casework.case.tables import Grant
from casework.handling import desk
from casework.keys.obstacles import Obstacle, RecoveryRefused
from casework.keys.vocabulary import RECOVERY
from casework.log import leaf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casework.case.keyring import Keyring
    from casework.keys.recovery_file import Carried


def put_in_force(keyring: Keyring, new: Sequence[Carried], file: str) -> int:
    """Store the recovered grants of one case with their leaf, and replace its shred key.

    Grants to a new recovery key take the place of the old one's. Returns the leaf's number.

    Raises:
        CaseDamaged: the case's row or grants do not belong together; nothing was stored.
        RecoveryRefused: see :func:`check`.
    """
    uow, case = keyring.uow, keyring.case
    keyring.check_act()
    replaced = {one.row.compartment for one in new if one.row.holder == RECOVERY}
    staying = [
        (row, inner)
        for row, inner in lost.standing(keyring)
        if not (row.holder == RECOVERY and row.compartment in replaced)
    ]
    check(keyring, [row for row, _ in staying], new)
    granted = sorted(f"{one.row.compartment}:{one.row.holder}" for one in new)
    number = leaf.append(
        uow,
        leaf.Draft(
            event=custody.RECOVERED,
            actor=keyring.actor.person_id,
            case=case.id,
            objects=[one.digest for one in new],
            facts={
                "file": file,
                "items": 0,
                "granted": granted,
                "revoked": sorted(f"{kind}:{RECOVERY}" for kind in replaced),
            },
        ),
        keyring.actor.person.signing,
    )
    version = case.shred_version + 1
    shred_key = uow.keystore.new_shred_key(case.id, version)
    kept = [row.id for row, _ in staying]
    for row, inner in staying:
        grants.wrap(row, inner, shred_key)
    # What had been taken away and was put back since leaves here, as in every act.
    uow.session.execute(delete(Grant).where(Grant.case_id == case.id, Grant.id.not_in(kept)))
    for one in new:
        grants.wrap(one.row, one.inner, shred_key)
        uow.session.add(one.row)
    case.shred_version = version
    case.revision += 1
    desk.refresh(uow, case)
    return number


def check(keyring: Keyring, rows: Sequence[Grant], new: Sequence[Carried]) -> None:
    """Refuse to give what somebody in office holds, or to give it to whom the case bars.

    A compartment whose holder came back meanwhile needs no share holders; and no recovery undoes
    a conflict of interest.

    Raises:
        RecoveryRefused: naming the case, or the person.
    """
    held = lost.in_office(rows, keyring.roster, keyring.uow.today(), ())
    barred = lost.excluded(keyring)
    for one in new:
        if one.row.holder != RECOVERY and one.row.compartment in held:
            raise RecoveryRefused(Obstacle.STILL_HELD, keyring.case.ticket)
        if one.row.holder in barred:
            raise RecoveryRefused(Obstacle.MAY_NOT_HOLD, one.row.holder)


def is_done(keyring: Keyring, file: str) -> bool:
    """Return whether the case's proven leaves say that this file was imported into it."""
    return any(
        entry.event == custody.RECOVERED and entry.file == file for entry in keyring.past().entries
    )
