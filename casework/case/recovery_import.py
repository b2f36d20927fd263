"""Putting in force what the share holders decided offline: one case at a time, each with a leaf.

Everything is verified before anything is stored. Each case is a transaction of its own, so that
an import that stops is taken up again by importing the same file; what it has done already is
recognised by the leaves.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.case import lost, recovered, recovery_checks
from casework.case.keyring import CaseDamaged, Keyring
from casework.case.recovery_checks import IMPORTED
from casework.case.tables import Grant
from casework.keys import roster
from casework.keys.obstacles import Obstacle, RecoveryRefused
from casework.keys.recovery_file import Result
from casework.keys.vocabulary import RECOVERY, ROSTER_CHANGED
from casework.log import leaf

if TYPE_CHECKING:
    from casework.case.recovery_checks import Plan
    from casework.keys.actor import Actor
    from casework.keys.members import Roster
    from casework.store.office import Office
    from casework.store.unit import UnitOfWork


@dataclass(frozen=True)
class Imported:
    """What an import did now: ``before`` cases were done by an earlier one of the same file.

    ``damaged`` are the tickets of cases whose rows or grants do not belong together; while there
    are any, the import is not complete and can be repeated.
    """

    cases: int
    before: int
    damaged: tuple[str, ...]
    roster_version: int
    replaced: bool


def import_result(office: Office, actor: Actor, data: bytes) -> Imported:
    """Verify a result and put it in force, in the name of an officer who imports it.

    Raises:
        UnreadableFile: it is no such file.
        RosterBroken: the chain is broken, or the entry breaks a rule of it.
        RecoveryRefused: it is another instance's or chain's, was changed or imported before, its
            receivers are not what they must be, or cases came in that it lacks.
        Denied, KeysSwapped: the officer is not in office, or under other keys.
        KeysDiffer: it approves a person with other keys than were enrolled here.
    """
    result = Result.from_bytes(data)
    file = hashlib.sha256(data).hexdigest()
    with office.read() as uow:
        plan = recovery_checks.verified(uow, actor, result, file)
        recovery_checks.check_cases(uow, plan)
    if result.entry is not None:
        with office.write() as uow:
            _store_entry(uow, actor, plan)
    done = before = 0
    damaged = []
    for case_id, carried in plan.cases.items():
        try:
            with office.write() as uow:
                now = recovery_checks.permitted(uow, actor, result, file)
                keyring = Keyring(uow, recovery_checks.case_of(uow, case_id), actor, now)
                if recovered.is_done(keyring, file):
                    before += 1
                    continue
                for one in carried:
                    recovery_checks.check_receiver(uow, result, now, one)
                recovered.put_in_force(keyring, carried, file)
                done += 1
        except CaseDamaged:
            # One case that somebody spoiled must not keep the others from their officers.
            damaged.append(case_id)
    if damaged:
        with office.read() as uow:
            tickets = tuple(recovery_checks.case_of(uow, case_id).ticket for case_id in damaged)
        return Imported(done, before, tickets, plan.after.version, result.replaced)
    with office.write() as uow:
        recovery_checks.permitted(uow, actor, result, file)
        _finish(uow, actor, plan)
    return Imported(done, before, (), plan.after.version, result.replaced)


def _store_entry(uow: UnitOfWork, actor: Actor, plan: Plan) -> None:
    """Store the roster's entry with its leaf, unless an earlier import did."""
    entry, version = plan.result.entry, plan.result.version + 1
    recovery_checks.permitted(uow, actor, plan.result, plan.file)
    if entry is None or roster.load(uow).version >= version:
        return
    if plan.result.replaced and (missing := _not_in(uow, plan)):
        raise RecoveryRefused(Obstacle.NEW_CASES, str(missing))
    roster.store(uow, version, entry)
    leaf.append(
        uow,
        leaf.Draft(
            ROSTER_CHANGED,
            actor.person_id,
            objects=(entry.hash, plan.file),
            facts={"roster": version, "by": RECOVERY, "file": plan.file},
        ),
        actor.person.signing,
    )


def _not_in(uow: UnitOfWork, plan: Plan) -> int:
    """Return how many cases have a grant to the old recovery key that the file does not replace.

    Under the write lock, so that no report comes in between this look and the new key. A grant
    that is not in force is missed by nobody, and one in a damaged case cannot be exported.
    """
    brought = {(one.row.case_id, one.row.compartment) for one in plan.result.grants}
    wanting = {
        case_id
        for case_id, compartment in uow.session.execute(
            select(Grant.case_id, Grant.compartment).where(Grant.holder == RECOVERY)
        )
        if (case_id, compartment) not in brought
    }
    return sum(_has_other(uow, case_id, brought, plan.after) for case_id in sorted(wanting))


def _has_other(
    uow: UnitOfWork, case_id: str, brought: set[tuple[str, str]], chain_now: Roster
) -> bool:
    keyring = Keyring(uow, recovery_checks.case_of(uow, case_id), lost.nobody(), chain_now)
    try:
        rows = lost.standing(keyring)
    except CaseDamaged:
        return False
    return any(
        row.holder == RECOVERY and (case_id, row.compartment) not in brought for row, _ in rows
    )


def _finish(uow: UnitOfWork, actor: Actor, plan: Plan) -> None:
    receivers = sorted({one.row.holder for one in plan.result.grants} - {RECOVERY})
    leaf.append(
        uow,
        leaf.Draft(
            IMPORTED,
            actor.person_id,
            objects=(plan.file,),
            facts={
                "file": plan.file,
                "cases": len(plan.cases),
                "receivers": receivers,
                "replaced": plan.result.replaced,
                "roster": plan.after.version,
            },
        ),
        actor.person.signing,
    )
