"""What goes to the share holders: compartments whose keys nobody in office holds any more.

Reads only, and with nobody's keys: taking off the layer of the shred key needs none, and what is
left is sealed to the recovery key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.case import custody, grants
from casework.case.authority import may_hold
from casework.case.keyring import CaseDamaged, Keyring
from casework.case.tables import Case
from casework.errors import NotFound
from casework.keys import enrol, roster
from casework.keys.actor import Actor
from casework.keys.obstacles import Obstacle, RecoveryRefused
from casework.keys.recovery_file import Carried, Export, Sealed
from casework.keys.vocabulary import RECOVERY, PersonKind
from crypto.errors import CryptoError
from crypto.persons import Person

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from casework.case.tables import Grant
    from casework.keys.members import Roster, RosterPerson
    from casework.law.profile import Profile
    from casework.store.unit import UnitOfWork


@dataclass(frozen=True)
class Request:
    """What is to be exported: for whom, without whom, or everything for a new recovery key.

    ``receivers`` and ``lost`` are usernames.
    """

    receivers: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    everything: bool = False


@dataclass(frozen=True)
class Exported:
    """The file, and what is not in it: numbers of compartments, and the tickets of cases.

    ``held``: somebody in office holds the key. ``unfit``: no receiver may hold it. ``damaged``:
    what is stored of the case does not belong together.
    """

    file: Export
    cases: int
    held: int
    unfit: int
    damaged: tuple[str, ...]


def export(uow: UnitOfWork, request: Request) -> Exported:
    """Collect the grants to the recovery key that the share holders are asked for.

    Raises:
        RosterBroken: the chain that vouches for everybody is broken.
        RecoveryRefused: a receiver is neither in office nor waiting for approval.
        Conflict: somebody acts on a case at this moment; try again.
    """
    chain, today, office = roster.load(uow), uow.today(), uow.office
    waiting = tuple(part for part in enrol.enrolled(uow) if part.person_id not in chain.people)
    people = {one.handle: one for one in chain.on(today)}
    lost = [_known(people, name) for name in request.lost]
    candidates = {part.handle: (part.person_id, part.roles) for part in waiting}
    candidates |= {
        handle: (one.person_id, one.roles)
        for handle, one in people.items()
        if handle is not None and one.person_id not in lost
    }
    receivers = []
    for name in request.receivers:
        if name not in candidates:
            raise RecoveryRefused(Obstacle.RECEIVER, name)
        receivers.append(candidates[name])
    found: list[Sealed] = []
    held = unfit = 0
    damaged: list[str] = []
    for case in uow.session.scalars(select(Case).order_by(Case.id)):
        try:
            for one, profile, in_office in _recoverable(uow, case, chain, lost):
                kind = one.carried.row.compartment
                if request.everything:
                    found.append(one)
                elif kind in custody.SHARED:
                    # Officers hold halves of these, and no recovery of halves is foreseen.
                    continue
                elif in_office:
                    held += 1
                elif not any(
                    person_id not in one.excluded and may_hold(profile, roles, kind)
                    for person_id, roles in receivers
                ):
                    unfit += 1
                else:
                    found.append(one)
        except (CaseDamaged, CryptoError, NotFound):
            found = [one for one in found if one.carried.row.case_id != case.id]
            damaged.append(case.ticket)
    file = Export(
        instance=office.instance_id,
        office=office.name,
        profile=office.profile.id,
        profile_version=office.profile.version,
        everything=request.everything,
        entries=tuple(roster.entries_of(uow)),
        receivers=tuple(person_id for person_id, _ in receivers),
        lost=tuple(lost),
        waiting=waiting,
        grants=tuple(found),
    )
    cases = len({one.carried.row.case_id for one in found})
    return Exported(file, cases, held, unfit, tuple(damaged))


def nobody() -> Actor:
    """Return an actor whose keys open nothing, for looking at grants from outside."""
    return Actor("", Person.generate(), PersonKind.OFFICER)


def in_office(rows: Sequence[Grant], chain: Roster, day: date, lost: Sequence[str]) -> set[str]:
    """Return the compartments that somebody in office, and not among the lost, holds whole."""
    return {
        row.compartment
        for row in rows
        if row.share == grants.WHOLE
        and row.holder not in lost
        and chain.person_on(row.holder, day) is not None
    }


def excluded(keyring: Keyring) -> frozenset[str]:
    """Return who is to have nothing of a case: by conflict of interest, or since they left it."""
    return frozenset(
        entry.actor if entry.event == custody.RECUSED else entry.leaver
        for entry in keyring.past().entries
        if entry.event in (custody.RECUSED, custody.HANDED_OVER)
    )


def standing(keyring: Keyring) -> list[tuple[Grant, bytes]]:
    """Return the grants of a case that are in force, each with its inner age file.

    Raises:
        Conflict: somebody replaced the shred key since this transaction began.
        CaseDamaged: a grant was tampered with, or the shred key is gone.
    """
    judge, shred_key = keyring.judge(), keyring.shred_key()
    try:
        return [
            (row, grants.unwrap(row, shred_key))
            for row in grants.rows_of(keyring.uow.session, keyring.case.id)
            if judge.stands(row, shred_key)
        ]
    except CryptoError as error:
        raise CaseDamaged("grant") from error


def _recoverable(
    uow: UnitOfWork, case: Case, chain: Roster, lost: Sequence[str]
) -> Iterator[tuple[Sealed, Profile, bool]]:
    """Yield recovery's grants of a case, and whether somebody in office holds the same."""
    keyring = Keyring(uow, case, nobody(), chain)
    keyring.check_row()
    profile = uow.office.catalogue.get(case.profile, case.profile_version)
    rows = standing(keyring)
    held = in_office([row for row, _ in rows], chain, uow.today(), lost)
    barred = tuple(sorted(excluded(keyring)))
    for row, inner in rows:
        if row.holder == RECOVERY:
            reporter = row.granter == case.reporter
            key = keyring.reporter_keys().verify_key if reporter else None
            # The file outlives this transaction.
            uow.session.expunge(row)
            sealed = Sealed(Carried(row, inner), case.profile, case.profile_version, barred, key)
            yield sealed, profile, row.compartment in held


def _known(people: Mapping[str | None, RosterPerson], name: str) -> str:
    found = people.get(name)
    if found is None:
        raise RecoveryRefused(Obstacle.RECEIVER, name)
    return found.person_id
