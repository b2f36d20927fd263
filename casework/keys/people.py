"""Who works here, as admins and approvers see it: where each stands, and how it came to that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import UNSET
from sqlalchemy import select

from casework.errors import NotFound
from casework.keys import approvals, chain, enrol, roster
from casework.keys.tables import Enrolment, Invitation
from casework.keys.tables import Person as PersonRow
from casework.keys.vocabulary import RECOVERY, Standing, TenureState
from casework.law.vocabulary import REPORTER
from casework.law.vocabulary import Compartment as Kind

if TYPE_CHECKING:
    from datetime import date

    from casework.keys.actor import Actor
    from casework.keys.chain import PersonRecord
    from casework.keys.members import Roster, RosterPerson
    from casework.law.profile import Profile
    from casework.store.unit import UnitOfWork


@dataclass(frozen=True)
class Line:
    """One person of the list; days are inclusive. ``since`` is None for whoever still waits."""

    person_id: str
    username: str
    name: str
    position: str
    roles: tuple[str, ...]
    standing: Standing
    since: date | None
    until: date | None
    guardian: bool
    actionable: bool


@dataclass(frozen=True)
class Happening:
    """What one roster entry said of a person; ``signer`` is empty for the share holders."""

    version: int
    day: date
    signer: str
    reason: str
    guardian: bool
    records: tuple[PersonRecord, ...]


@dataclass(frozen=True)
class Acts:
    """What the viewer may decide of a person now."""

    admit: bool = False
    suspend: bool = False
    resume: bool = False
    change: bool = False
    guard: bool = False
    leave: bool = False


@dataclass(frozen=True)
class Detail:
    """One person with history and acts.

    ``words``: the fingerprint of whoever waits. ``replaces``: the person whose keys are lost.
    ``alone``: roles that nobody else holds today and without which reports or cases stand still;
    ``approvable``: roles that the viewer may give. ``version``: of the roster as it was read.
    """

    line: Line
    words: tuple[str, ...]
    replaces: Line | None
    history: tuple[Happening, ...]
    acts: Acts
    alone: tuple[str, ...]
    approvable: tuple[str, ...]
    version: int


def overview(uow: UnitOfWork, viewer: Actor | None) -> tuple[Line, ...]:
    """Return everyone who enrolled or is on the roster, by name; ``viewer``: None at a terminal.

    Whoever waits and was invited anew is left out: those keys are lost.
    """
    found = roster.load(uow)
    given = _approvable(uow, found, viewer)
    lines = [_known(uow, found, person_id, viewer, given) for person_id in found.people]
    lost = set(
        uow.session.scalars(
            select(Invitation.replaces).where(
                Invitation.person.is_not(None), Invitation.replaces.is_not(None)
            )
        )
    )
    rows = uow.session.execute(
        select(PersonRow.id, PersonRow.username, Enrolment).join(
            Enrolment, Enrolment.person == PersonRow.id
        )
    )
    lines += [
        _waiting(person_id, username or "", row, given)
        for person_id, username, row in rows
        if person_id not in found.people and person_id not in lost
    ]
    return tuple(sorted(lines, key=lambda line: (line.name.casefold(), line.person_id)))


def detail(uow: UnitOfWork, viewer: Actor, person_id: str) -> Detail:
    """Return one person.

    Raises:
        NotFound: nobody of this id works here.
        KeysDiffer: a stored key is none at all.
    """
    found = roster.load(uow)
    given = _approvable(uow, found, viewer)
    words: tuple[str, ...] = ()
    replaces = None
    if person_id in found.people:
        line = _known(uow, found, person_id, viewer, given)
    else:
        part = enrol.enrolled_one(uow, person_id)
        words = part.fingerprint
        row = uow.session.get_one(Enrolment, person_id)
        line = _waiting(person_id, part.handle, row, given)
        lost = approvals.replaced_by(uow, person_id)
        if lost is not None and lost in found.people:
            replaces = _known(uow, found, lost, viewer, given)
    return Detail(
        line=line,
        words=words,
        replaces=replaces,
        history=history(uow, found, person_id),
        acts=_acts(uow, found, viewer, line, replaces),
        alone=alone(uow.office.profile, found, person_id, uow.today()),
        approvable=tuple(sorted(given)),
        version=found.version,
    )


def history(uow: UnitOfWork, found: Roster, person_id: str) -> tuple[Happening, ...]:
    """Return the entries about a person, the newest first; the chain was verified before."""
    happened = []
    for version, stored in enumerate(roster.entries_of(uow), start=1):
        entry = chain.parse(stored.body, version)
        records = tuple(
            one
            for one in entry.people
            if one.person == person_id and (one.until is None or one.until >= entry.day)
        )
        guardian = entry.guardian is not UNSET and entry.guardian == person_id
        if records or guardian:
            signer = "" if stored.signer == RECOVERY else found.person(stored.signer).name
            happened.append(Happening(version, entry.day, signer, entry.reason, guardian, records))
    return tuple(reversed(happened))


def find(uow: UnitOfWork, username: str) -> str:
    """Return the id of the officer who signs in under a (folded) username.

    Raises:
        NotFound: nobody does.
    """
    person_id = uow.session.scalar(select(PersonRow.id).where(PersonRow.username == username))
    if person_id is None:
        raise NotFound("person")
    return person_id


def alone(profile: Profile, found: Roster, person_id: str, day: date) -> tuple[str, ...]:
    """Return the roles that only this person holds on a day, and that work waits for.

    These are the roles that receive reports, take steps in a case, or approve people.
    """
    record = found.person_on(person_id, day)
    if record is None:
        return ()
    needed = set(profile.compartment(Kind.CONTENT).holders) - {REPORTER}
    needed |= {role.id for role in profile.roles if role.approves}
    needed |= {role for rule in profile.transitions for role in rule.by}
    return tuple(
        role
        for role in record.roles
        if role in needed and [one.person_id for one in found.active(role, day)] == [person_id]
    )


def _approvable(uow: UnitOfWork, found: Roster, viewer: Actor | None) -> frozenset[str]:
    """Return the roles that the viewer may sign for today."""
    if viewer is None:
        return frozenset()
    record = found.person_on(viewer.person_id, uow.today())
    held = record.roles if record is not None else ()
    return frozenset(role for own in held for role in uow.office.profile.role(own).approves)


def _waiting(person_id: str, username: str, row: Enrolment, given: frozenset[str]) -> Line:
    roles = tuple(row.roles.split(","))
    return Line(
        person_id=person_id,
        username=username,
        name=row.name,
        position=row.position,
        roles=roles,
        standing=Standing.WAITING,
        since=None,
        until=None,
        guardian=False,
        actionable=given.issuperset(roles),
    )


def _known(
    uow: UnitOfWork, found: Roster, person_id: str, viewer: Actor | None, given: frozenset[str]
) -> Line:
    today = uow.today()
    records = found.people[person_id]
    record = approvals.covering(found, person_id, today) or records[-1]
    touched = {
        role for one in records if one.until is None or one.until >= today for role in one.roles
    } | set(record.roles)
    return Line(
        person_id=person_id,
        username=record.handle or "",
        name=record.name,
        position=record.position,
        roles=record.roles,
        standing=standing(record, today),
        since=record.since,
        until=record.until,
        guardian=found.guardian_id == person_id,
        actionable=viewer is not None
        and person_id != viewer.person_id
        and given.issuperset(touched),
    )


def standing(record: RosterPerson, day: date) -> Standing:
    """Return where a record of the roster places somebody on a day."""
    if record.state is TenureState.LEFT:
        return Standing.LEFT
    if record.until is not None and record.until < day:
        return Standing.ENDED
    if record.state is TenureState.SUSPENDED:
        return Standing.SUSPENDED
    if record.since > day:
        return Standing.COMING
    return Standing.ACTIVE if record.until is None else Standing.ACTING


_IN_OFFICE = frozenset({Standing.ACTIVE, Standing.ACTING})


def _acts(uow: UnitOfWork, found: Roster, viewer: Actor, line: Line, replaces: Line | None) -> Acts:
    in_office = line.standing in _IN_OFFICE
    guards = found.guardian_id == viewer.person_id != line.person_id
    may_guard = any(uow.office.profile.role(role).may_guard for role in line.roles)
    mine = line.actionable
    # Whoever is ended by the new keys must be the approver's to end.
    ends = replaces is None or replaces.actionable or replaces.standing is Standing.LEFT
    waits = line.standing is Standing.WAITING
    return Acts(
        admit=mine and waits and ends and not approvals.is_lost(uow, line.person_id),
        suspend=mine and in_office,
        resume=mine and line.standing is Standing.SUSPENDED,
        change=mine and (in_office or line.standing is Standing.ENDED),
        guard=guards and in_office and may_guard,
        leave=mine and (in_office or line.standing is Standing.SUSPENDED),
    )
