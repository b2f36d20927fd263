"""Recovery, offline: what the share holders look at, decide, and sign with the recovery key.

Runs with no database on a machine without network. The chain in the file vouches for everybody
in it, and its genesis is compared with the paper of the ceremony; the file itself is signed by
nobody, so that everything it says beyond the chain is shown to the people who hold the shares.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from casework.case import grants
from casework.case.authority import may_hold
from casework.case.custody import SHARED
from casework.case.grants import Holder, Scope
from casework.errors import NotFound
from casework.keys import chain, enrol, judge
from casework.keys.actor import Actor
from casework.keys.obstacles import Obstacle, RecoveryRefused
from casework.keys.parts import PublicPart
from casework.keys.recovery_file import Carried, Export, Result
from casework.keys.shares import ForeignShare
from casework.keys.vocabulary import RECOVERY, PersonKind, TenureState
from casework.law.vocabulary import Compartment
from crypto import envelope, signatures
from crypto.errors import CryptoError
from crypto.labels import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from casework.keys.chain import PersonRecord, StoredEntry
    from casework.keys.members import Roster, RosterPerson
    from casework.keys.recovery_file import Sealed
    from casework.law.catalogue import ProfileCatalogue
    from casework.law.profile import Profile
    from crypto.persons import Person


@dataclass(frozen=True)
class Meeting:
    """A verified export, as the share holders look at it. ``roster`` is the chain in the file."""

    export: Export
    roster: Roster
    profile: Profile
    catalogue: ProfileCatalogue = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the genesis, which stands on the paper of the ceremony."""
        return self.roster.heads[0]

    def waiting(self, username: str) -> PublicPart:
        """Return an enrolled person who is not on the roster. Raises: RecoveryRefused."""
        for part in self.export.waiting:
            if part.handle == username:
                return part
        raise RecoveryRefused(Obstacle.RECEIVER, username)

    def parts(self) -> dict[str, PublicPart]:
        """Return everybody whom the file names, on the roster or waiting, by person id."""
        known = {part.person_id: part for part in self.export.waiting}
        return known | {
            person_id: part_of(self.roster.person(person_id)) for person_id in self.roster.people
        }


@dataclass(frozen=True)
class Decision:
    """What the share holders decide: ``approve`` are waiting people, ``guardian`` a person id.

    ``replacement`` is the new recovery key, if the shares are replaced.
    """

    day: date
    reason: str
    approve: tuple[str, ...] = ()
    guardian: str | None = None
    replacement: Person | None = None


def part_of(person: RosterPerson) -> PublicPart:
    """Return a person of the roster with the eight words that were compared at their approval."""
    return PublicPart(
        person_id=person.person_id,
        handle=person.handle or "",
        name=person.name,
        position=person.position,
        roles=person.roles,
        keys=person.keys,
    )


def open_meeting(data: bytes, catalogue: ProfileCatalogue) -> Meeting:
    """Read an export and verify all that can be verified without the paper and the shares.

    Raises:
        UnreadableFile: it is no such file.
        NotFound: this program does not know the profile.
        RosterBroken: the chain in it is broken.
        RecoveryRefused: it names people whom nobody vouches for, or a grant that is not one to
            the recovery key, rightly signed.
    """
    export = Export.from_bytes(data)
    profile = catalogue.get(export.profile, export.profile_version)
    roster = judge.verify(export.entries, export.instance, profile, None)
    meeting = Meeting(export, roster, profile, catalogue)
    known = meeting.parts()
    for person_id in (*export.receivers, *export.lost):
        if person_id not in known:
            raise RecoveryRefused(Obstacle.RECEIVER, person_id)
    for part in export.waiting:
        if part.person_id in roster.people:
            raise RecoveryRefused(Obstacle.RECEIVER, part.person_id)
    if export.everything and export.receivers:
        raise RecoveryRefused(Obstacle.ALL)
    seen: set[tuple[str, str]] = set()
    for one in export.grants:
        row = one.carried.row
        if (row.case_id, row.compartment) in seen or not _is_genuine(export, roster, one):
            raise RecoveryRefused(Obstacle.GRANT, row.id)
        seen.add((row.case_id, row.compartment))
    return meeting


def receivers_of(meeting: Meeting, one: Sealed, roster: Roster, day: date) -> list[RosterPerson]:
    """Return who of the named receivers may come to hold a compartment, on a given roster.

    Raises:
        NotFound: this program does not know the profile of the case.
        RecoveryRefused: a named receiver is not in office.
    """
    found = []
    for person_id in meeting.export.receivers:
        person = roster.person_on(person_id, day)
        if person is None:
            raise RecoveryRefused(Obstacle.RECEIVER, person_id)
        if may_receive(meeting, one, person_id, person.roles):
            found.append(person)
    return found


def may_receive(meeting: Meeting, one: Sealed, person_id: str, roles: Iterable[str]) -> bool:
    """Return whether a person with these roles may come to hold a compartment.

    Raises:
        NotFound: this program does not know the profile of the case.
    """
    kind = one.carried.row.compartment
    profile = meeting.catalogue.get(one.profile, one.profile_version)
    barred = kind in SHARED or person_id in one.excluded
    return not barred and may_hold(profile, roles, kind)


def check_decision(meeting: Meeting, decision: Decision) -> None:
    """Refuse what could not be carried out, before anybody brings a share.

    Raises:
        RecoveryRefused: naming why.
    """
    export = meeting.export
    if export.everything != (decision.replacement is not None):
        raise RecoveryRefused(Obstacle.ALL if export.everything else Obstacle.NOT_ALL)
    if decision.day < meeting.roster.day:
        raise RecoveryRefused(Obstacle.DAY, meeting.roster.day.isoformat())
    if meeting.roster.guardian_id in export.lost and decision.guardian is None:
        raise RecoveryRefused(Obstacle.NO_GUARDIAN)
    roles = {
        person.person_id: person.roles
        for person in meeting.roster.on(decision.day)
        if person.person_id not in export.lost
    }
    waiting = {part.person_id: part.roles for part in export.waiting}
    for person_id in decision.approve:
        if person_id not in waiting:
            raise RecoveryRefused(Obstacle.RECEIVER, person_id)
        roles[person_id] = waiting[person_id]
    for person_id in export.receivers:
        if person_id not in roles:
            raise RecoveryRefused(Obstacle.RECEIVER, person_id)
    may_guard = {role.id for role in meeting.profile.roles if role.may_guard}
    guardian = decision.guardian
    if guardian is not None and may_guard.isdisjoint(roles.get(guardian, ())):
        raise RecoveryRefused(Obstacle.GUARDIAN, guardian)
    changes = decision.approve or guardian or decision.replacement or export.lost
    if not changes and not export.grants:
        raise RecoveryRefused(Obstacle.NOTHING)


def decide(meeting: Meeting, decision: Decision, recovery: Person) -> Result:
    """Re-seal every grant to whom it goes, sign the roster's next entry if there is one, and all.

    Raises:
        ForeignShare: ``recovery`` is not the recovery key in force.
        RosterBroken: the entry would break a rule of the roster.
        RecoveryRefused: see :func:`check_decision`; or a grant does not open, or no receiver may
            hold one.
    """
    check_decision(meeting, decision)
    if recovery.public != meeting.roster.recovery:
        raise ForeignShare
    entry = _entry(meeting, decision, recovery)
    after = meeting.roster
    if entry is not None:
        after = judge.extend(meeting.roster, entry, meeting.profile)
    granter = Actor(RECOVERY, recovery, PersonKind.OFFICER)
    made = [
        grant
        for one in meeting.export.grants
        for grant in _resealed(meeting, decision, one, after, granter)
    ]
    result = Result(
        file_id=secrets.token_hex(16),
        instance=meeting.export.instance,
        day=decision.day,
        version=meeting.roster.version,
        head=meeting.roster.head,
        replaced=decision.replacement is not None,
        entry=entry,
        grants=tuple(made),
        signature=b"",
    )
    signature = recovery.signing.sign(Purpose.RECOVERED, result.statement())
    return replace(result, signature=signature)


def _resealed(
    meeting: Meeting, decision: Decision, one: Sealed, after: Roster, granter: Actor
) -> list[Carried]:
    row, instance = one.carried.row, meeting.export.instance
    try:
        seed = envelope.unseal(
            one.carried.inner, granter.person.identity, grants.header(instance, row)
        )
        # A seed of another form could not be granted on, and is none of ours.
        grants.identity_of(seed)
    except CryptoError:
        raise RecoveryRefused(Obstacle.GRANT, row.id) from None
    if decision.replacement is not None:
        holders = [Holder(RECOVERY, decision.replacement.public.recipient)]
    else:
        holders = [
            Holder(person.person_id, person.recipient)
            for person in receivers_of(meeting, one, after, decision.day)
        ]
    if not holders:
        raise RecoveryRefused(Obstacle.MAY_NOT_HOLD, row.compartment)
    # Under the version that the holders of the shares saw: its recovery key signs.
    scope = Scope(instance, row.case_id, meeting.roster.version, decision.day)
    return [
        Carried(*grants.make(scope, row.compartment, seed, holder, granter)) for holder in holders
    ]


def _entry(meeting: Meeting, decision: Decision, recovery: Person) -> StoredEntry | None:
    """Return the next entry of the roster, or None if nothing of it changes."""
    roster, day, new = meeting.roster, decision.day, decision.replacement
    people: list[PersonRecord] = [
        part_of(roster.person(person_id)).record(day, state=TenureState.LEFT)
        for person_id in meeting.export.lost
    ]
    waiting = {part.person_id: part for part in meeting.export.waiting}
    people += [waiting[person_id].record(day) for person_id in decision.approve]
    if not people and decision.guardian is None and new is None:
        return None
    return chain.make_change(
        (roster.instance, roster.version, roster.head),
        day,
        enrol.with_past(roster, people),
        decision.reason,
        (RECOVERY, recovery.signing),
        guardian=decision.guardian,
        recovery=None if new is None else new.public,
    )


def _is_genuine(export: Export, roster: Roster, one: Sealed) -> bool:
    """Return whether a grant is one to the recovery key, signed by whom it names."""
    row = one.carried.row
    if row.holder != RECOVERY or row.compartment == Compartment.MAILBOX:
        return False
    try:
        if row.granter == RECOVERY:
            key = roster.recovery_at(row.roster_version).verify_key
        elif row.granter in roster.people:
            key = roster.verify_key_of(row.granter)
        else:
            key = one.reporter_key or b""
        signatures.verify(
            key,
            Purpose.GRANT,
            grants.statement(export.instance, row, one.carried.inner),
            row.signature,
        )
    except (NotFound, CryptoError):
        return False
    return True
