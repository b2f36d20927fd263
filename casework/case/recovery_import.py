"""Putting in force what the share holders decided offline: one case at a time, each with a leaf.

Everything is verified before anything is stored. Each case is a transaction of its own, so that
an import that stops is taken up again by importing the same file; what it has done already is
recognised by the leaves.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import UNSET
from sqlalchemy import select

from casework.case import custody, grants, lost, recovered
from casework.case.authority import may_hold
from casework.case.keyring import CaseDamaged, Keyring
from casework.case.tables import Case, Grant
from casework.errors import NotFound
from casework.keys import accounts, chain, enrol, judge, roster
from casework.keys.enrol import KeysDiffer
from casework.keys.recovery import Obstacle, RecoveryRefused
from casework.keys.recovery_file import Result
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
    from casework.keys.recovery_file import Carried
    from casework.store.office import Office
    from casework.store.unit import UnitOfWork

IMPORTED = "recovery_imported"
"""Event of the leaf that ends an import."""


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


@dataclass(frozen=True)
class _Plan:
    """A verified result: its hash, its grants by case, and the chain that it leads to."""

    result: Result
    file: str
    cases: dict[str, list[Carried]]
    after: Roster


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
        plan = _verified(uow, actor, result, file)
        _check_cases(uow, plan)
    if result.entry is not None:
        with office.write() as uow:
            _store_entry(uow, actor, plan)
    done = before = 0
    damaged = []
    for case_id, carried in plan.cases.items():
        try:
            with office.write() as uow:
                now = _permitted(uow, actor, result, file)
                keyring = Keyring(uow, _case(uow, case_id), actor, now)
                if recovered.is_done(keyring, file):
                    before += 1
                    continue
                for one in carried:
                    _check_receiver(uow, result, now, one)
                recovered.put_in_force(keyring, carried, file)
                done += 1
        except CaseDamaged:
            # One case that somebody spoiled must not keep the others from their officers.
            damaged.append(case_id)
    if damaged:
        with office.read() as uow:
            tickets = tuple(_case(uow, case_id).ticket for case_id in damaged)
        return Imported(done, before, tickets, plan.after.version, result.replaced)
    with office.write() as uow:
        _permitted(uow, actor, result, file)
        _finish(uow, actor, plan)
    return Imported(done, before, (), plan.after.version, result.replaced)


def _verified(uow: UnitOfWork, actor: Actor, result: Result, file: str) -> _Plan:
    """Verify a whole result against the chain of today. Raises: as :func:`import_result`."""
    after = _permitted(uow, actor, result, file)
    key = after.recovery_at(result.version).verify_key
    try:
        signatures.verify(key, Purpose.RECOVERED, result.statement(), result.signature)
    except CryptoError:
        raise RecoveryRefused(Obstacle.SIGNATURE) from None
    cases: dict[str, list[Carried]] = {}
    for one in result.grants:
        _check_grant(uow, result, one, key)
        _check_receiver(uow, result, after, one)
        cases.setdefault(one.row.case_id, []).append(one)
    return _Plan(result, file, cases, after)


def _permitted(uow: UnitOfWork, actor: Actor, result: Result, file: str) -> Roster:
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


def _check_receiver(uow: UnitOfWork, result: Result, after: Roster, one: Carried) -> None:
    """Refuse a grant to somebody who is not in office, or in no role that may hold it."""
    row = one.row
    case = _case(uow, row.case_id)
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


def _check_cases(uow: UnitOfWork, plan: _Plan) -> None:
    """Refuse, before anything is stored, what somebody in office holds. Raises: RecoveryRefused."""
    for case_id, carried in plan.cases.items():
        keyring = Keyring(uow, _case(uow, case_id), lost.nobody(), plan.after)
        # What is damaged is told when its turn comes.
        with suppress(CaseDamaged):
            if recovered.is_done(keyring, plan.file):
                continue
            rows = [row for row, _ in lost.standing(keyring)]
            if recovered.held_again(keyring, rows, carried):
                raise RecoveryRefused(Obstacle.STILL_HELD, keyring.case.ticket)


def _case(uow: UnitOfWork, case_id: str) -> Case:
    case = uow.session.get(Case, case_id)
    if case is None:
        raise RecoveryRefused(Obstacle.UNKNOWN_CASE, case_id)
    return case


def _store_entry(uow: UnitOfWork, actor: Actor, plan: _Plan) -> None:
    """Store the roster's entry with its leaf, unless an earlier import did."""
    entry, version = plan.result.entry, plan.result.version + 1
    _permitted(uow, actor, plan.result, plan.file)
    if entry is None or roster.load(uow).version >= version:
        return
    if plan.result.replaced and (missing := _not_in(uow, plan)):
        raise RecoveryRefused(Obstacle.NEW_CASES, str(missing))
    roster.store(uow, version, entry)
    leaf.append(
        uow,
        leaf.Draft(
            "roster_changed",
            actor.person_id,
            objects=(entry.hash, plan.file),
            facts={"roster": version, "by": RECOVERY, "file": plan.file},
        ),
        actor.person.signing,
    )


def _not_in(uow: UnitOfWork, plan: _Plan) -> int:
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
    keyring = Keyring(uow, _case(uow, case_id), lost.nobody(), chain_now)
    try:
        rows = lost.standing(keyring)
    except CaseDamaged:
        return False
    return any(
        row.holder == RECOVERY and (case_id, row.compartment) not in brought for row, _ in rows
    )


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


def _finish(uow: UnitOfWork, actor: Actor, plan: _Plan) -> None:
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
