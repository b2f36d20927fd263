"""What must be true of a recovery's result before anything of it is stored."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec import UNSET
from sqlalchemy import select

from casework.case import custody, grants, lost, recovered
from casework.case.authority import may_hold
from casework.case.keyring import CaseDamaged, Keyring
from casework.case.tables import Case
from casework.errors import NotFound
from casework.keys import accounts, chain, enrol, judge, roster
from casework.keys.enrol import KeysDiffer
from casework.keys.obstacles import Obstacle, RecoveryRefused
from casework.keys.vocabulary import RECOVERY
from casework.law.vocabulary import Compartment
from casework.log import leaf
from casework.log.tables import Leaf
from crypto import signatures
from crypto.errors import CryptoError, Tampered
from crypto.labels import Purpose

if TYPE_CHECKING:
    from casework.keys.actor import Actor
    from casework.keys.members import Roster
    from casework.keys.recovery_file import Carried, Result
    from casework.store.unit import UnitOfWork

IMPORTED: Final = "recovery_imported"
"""Event of the leaf that ends an import."""


@dataclass(frozen=True)
class Plan:
    """A verified result: its hash, its grants by case, and the chain that it leads to."""

    result: Result
    file: str
    cases: dict[str, list[Carried]]
    after: Roster


def verified(uow: UnitOfWork, actor: Actor, result: Result, file: str) -> Plan:
    """Verify a whole result against the chain of today. Raises: as :func:`import_result`."""
    after = permitted(uow, actor, result, file)
    key = after.recovery_at(result.version).verify_key
    try:
        signatures.verify(key, Purpose.RECOVERED, result.statement(), result.signature)
    except CryptoError:
        raise RecoveryRefused(Obstacle.SIGNATURE) from None
    cases: dict[str, list[Carried]] = {}
    for one in result.grants:
        _check_grant(uow, result, one, key)
        check_receiver(uow, result, after, one)
        cases.setdefault(one.row.case_id, []).append(one)
    return Plan(result, file, cases, after)


def permitted(uow: UnitOfWork, actor: Actor, result: Result, file: str) -> Roster:
    """Return the chain with the result's entry, if the officer may import the file on it now.

    Asked again in every transaction: while an import runs, an office can end.
    """
    now, today = roster.load(uow), uow.today()
    if result.instance != uow.office.instance_id:
        raise RecoveryRefused(Obstacle.OTHER_INSTANCE)
    if result.day > today:
        raise RecoveryRefused(Obstacle.DAY, result.day.isoformat())
    if now.head_at(result.version) != result.head:
        raise RecoveryRefused(Obstacle.OTHER_CHAIN)
    if _was_imported(uow, now, file):
        raise RecoveryRefused(Obstacle.IMPORTED)
    after = _after(uow, now, result)
    accounts.vouched(after, actor, today)
    may_receive = {role.id for role in uow.office.profile.roles if role.may_receive}
    if may_receive.isdisjoint(after.roles_on(actor.person_id, today)):
        raise RecoveryRefused(Obstacle.IMPORTER)
    return after


def _after(uow: UnitOfWork, now: Roster, result: Result) -> Roster:
    """Return the chain with the result's entry, which may be stored already.

    Without an entry the chain may have gone on, but not to another recovery key.
    """
    if result.entry is None:
        if now.recovery != now.recovery_at(result.version) or result.replaced:
            raise RecoveryRefused(Obstacle.MOVED_ON)
        return now
    if now.version == result.version:
        after = judge.extend(now, result.entry, uow.office.profile)
        _check_newcomers(uow, result, now)
    elif now.head_at(result.version + 1) == result.entry.hash:
        after = now
    else:
        raise RecoveryRefused(Obstacle.MOVED_ON)
    named = after.recovery != now.recovery_at(result.version)
    if named != result.replaced or after.recovery != after.recovery_at(result.version + 1):
        raise RecoveryRefused(Obstacle.MOVED_ON)
    return after


def _check_newcomers(uow: UnitOfWork, result: Result, now: Roster) -> None:
    """Refuse somebody new who is not the one enrolled here. Raises: KeysDiffer."""
    if result.entry is None:
        return
    version = result.version + 1
    here = {part.person_id: (part.keys, part.handle) for part in enrol.enrolled(uow)}
    for record in chain.parse(result.entry.body, version).people:
        handle = None if record.handle is UNSET else record.handle
        keys = chain.keys_of(record, version)
        if record.person not in now.people and here.get(record.person) != (keys, handle):
            raise KeysDiffer(record.person)


def _check_grant(uow: UnitOfWork, result: Result, one: Carried, verify_key: bytes) -> None:
    """Refuse a grant that the share holders did not make for this result."""
    row = one.row
    said = (row.granter, row.share, row.roster_version, row.granted)
    if said != (RECOVERY, grants.WHOLE, result.version, result.day):
        raise RecoveryRefused(Obstacle.GRANT, row.id)
    try:
        statement = grants.statement(uow.office.instance_id, row, one.inner)
        signatures.verify(verify_key, Purpose.GRANT, statement, row.signature)
    except CryptoError:
        raise RecoveryRefused(Obstacle.GRANT, row.id) from None
    if (row.holder == RECOVERY) != result.replaced or row.compartment == Compartment.MAILBOX:
        raise RecoveryRefused(Obstacle.GRANT, row.id)


def check_receiver(uow: UnitOfWork, result: Result, after: Roster, one: Carried) -> None:
    """Refuse a grant to somebody who is not in office, or in no role that may hold it."""
    row = one.row
    case = case_of(uow, row.case_id)
    if result.replaced:
        return
    person = after.person_on(row.holder, uow.today())
    if person is None:
        raise RecoveryRefused(Obstacle.RECEIVER, row.holder)
    try:
        profile = uow.office.catalogue.get(case.profile, case.profile_version)
    except NotFound:
        raise RecoveryRefused(Obstacle.UNKNOWN_CASE, row.case_id) from None
    if row.compartment in custody.SHARED or not may_hold(profile, person.roles, row.compartment):
        raise RecoveryRefused(Obstacle.MAY_NOT_HOLD, row.holder)


def check_cases(uow: UnitOfWork, plan: Plan) -> None:
    """Refuse, before anything is stored, what somebody in office holds. Raises: RecoveryRefused."""
    for case_id, carried in plan.cases.items():
        keyring = Keyring(uow, case_of(uow, case_id), lost.nobody(), plan.after)
        # What is damaged is told when its turn comes.
        with suppress(CaseDamaged):
            if recovered.is_done(keyring, plan.file):
                continue
            rows = [row for row, _ in lost.standing(keyring)]
            recovered.check(keyring, rows, carried)


def case_of(uow: UnitOfWork, case_id: str) -> Case:
    """Return a case that the file names. Raises: RecoveryRefused."""
    case = uow.session.get(Case, case_id)
    if case is None:
        raise RecoveryRefused(Obstacle.UNKNOWN_CASE, case_id)
    return case


def _was_imported(uow: UnitOfWork, now: Roster, file: str) -> bool:
    """Return whether an officer's leaf says that an import of this file was completed."""
    for row in uow.session.scalars(select(Leaf).where(Leaf.event == IMPORTED)):
        body = leaf.read(row) or {}
        if (body.get("event"), body.get("file")) == (IMPORTED, file) and leaf.is_signed(
            row, str(body.get("actor")), lambda one: _key(now, one)
        ):
            return True
    return False


def _key(now: Roster, person_id: str) -> bytes:
    try:
        return now.verify_key_of(person_id)
    except NotFound as error:
        raise Tampered("nobody vouches for a signer") from error
