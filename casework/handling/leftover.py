"""What nobody would hold any more if a person's keys to a case were taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from casework.case.grants import WHOLE

if TYPE_CHECKING:
    from casework.case.act import Act


@dataclass(frozen=True)
class Leftover:
    """What nobody else in office would hold if a person's keys to a case were taken away.

    ``whole`` names compartments, ``shares`` those of which the person holds the last half. The
    recovery key does not count: it lies in safes, apart from each other.
    """

    whole: frozenset[str]
    shares: frozenset[str]


def leftover(act: Act, person_id: str) -> Leftover:
    """Return what would be left without a holder in office. Raises: CaseDamaged."""
    chain, day = act.keyring.roster, act.keyring.uow.today()
    staying = {one.person_id for one in chain.on(day)} - {person_id}
    rows = act.standing()
    kept = {(row.compartment, row.share) for row in rows if row.holder in staying}
    last = {
        (row.compartment, row.share)
        for row in rows
        if row.holder == person_id and (row.compartment, row.share) not in kept
    }
    return Leftover(
        whole=frozenset(kind for kind, share in last if share == WHOLE),
        shares=frozenset(kind for kind, share in last if share != WHOLE),
    )


def problem(act: Act, person_id: str, *, give_up_shares: bool) -> str:
    """Return the message key of what forbids to take a person's keys, or nothing.

    ``give_up_shares``: it is known and wanted that a reporter's identity can then be opened by
    the share holders of the recovery alone.

    Raises:
        CaseDamaged: a grant of the case was tampered with.
    """
    left = leftover(act, person_id)
    if left.whole:
        return "custody.last_holder"
    if left.shares and not give_up_shares:
        return "custody.last_share"
    return ""
