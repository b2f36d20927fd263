"""Enrolment of officers on the server, the genesis that names them, and later changes.

An enrolled officer has keys and an account, and may do nothing until the roster names them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET
from sqlalchemy import func, select

from casework.calendar import holidays
from casework.errors import Conflict, Denied, InvalidInput, NotFound, Untrustworthy
from casework.keys import accounts, chain, memory, parts, passphrases, stated
from casework.keys import roster as rosters
from casework.keys.actor import Actor
from casework.keys.chain import RosterBroken
from casework.keys.parts import PublicPart, PublicParts
from casework.keys.tables import Enrolment, RosterRow
from casework.keys.tables import Person as PersonRow
from casework.keys.vocabulary import GENESIS, ROSTER_CHANGED, Flaw, PersonKind
from casework.log import keys as log_keys
from casework.log import leaf
from casework.store.base import new_id
from crypto.errors import Malformed
from crypto.persons import Person, PublicKeys

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from casework.keys.accounts import SignInKeys
    from casework.keys.chain import PersonRecord, StoredEntry
    from casework.keys.members import Roster, RosterPerson
    from casework.store.office import Office
    from casework.store.unit import UnitOfWork


class GenesisExists(Conflict):
    """This instance has its genesis; there is never a second one."""


class KeysDiffer(Untrustworthy):
    """The genesis names an officer by other keys, or another name, than were enrolled here."""

    def __init__(self, person_id: str) -> None:
        """Name the officer by id."""
        super().__init__(f"person {person_id}")
        self.person_id = person_id


@dataclass(frozen=True)
class Applicant:
    """What an officer states at enrolment. The ceremony decides whether it is true."""

    username: str
    name: str
    position: str
    roles: tuple[str, ...]
    passphrase: str = field(repr=False)


@dataclass(frozen=True)
class Prepared:
    """An officer with new keys who is not stored yet."""

    part: PublicPart
    actor: Actor
    keys: SignInKeys


def prepare(office: Office, applicant: Applicant) -> Prepared:
    """Make a new officer's keys; costs one KDF, so never inside a transaction.

    Raises:
        InvalidInput: everything that is wrong with the applicant, at once.
        CostTooLow: as :func:`casework.keys.accounts.officer_keys`.
    """
    username = accounts.fold_username(applicant.username)
    errors = {
        **stated.line_error("name", applicant.name),
        **stated.line_error("position", applicant.position),
        **stated.roles_error(office.profile, applicant.roles),
        **stated.username_error(username),
    }
    context = (username, applicant.name, applicant.position, office.name)
    if problem := passphrases.problem(applicant.passphrase, context):
        errors |= {"passphrase": problem}
    if errors:
        raise InvalidInput(errors)
    person = Person.generate()
    part = PublicPart(
        person_id=new_id(),
        handle=username,
        name=applicant.name,
        position=applicant.position,
        roles=tuple(sorted(applicant.roles)),
        keys=person.public,
    )
    keys = accounts.officer_keys(office, username, applicant.passphrase)
    return Prepared(part, Actor(part.person_id, person, PersonKind.OFFICER), keys)


def store(uow: UnitOfWork, prepared: Prepared, invitation: str | None = None) -> PublicPart:
    """Store a prepared officer, who then waits for the ceremony or for an approver.

    Before the genesis there is no leaf of it, since the genesis is the log's first. The leaf
    names the ``invitation`` that the officer came by.

    Raises:
        InvalidInput: the username is taken.
    """
    part = prepared.part
    if uow.session.scalar(select(PersonRow.id).where(PersonRow.username == part.handle)):
        raise InvalidInput({"username": "username_taken"})
    uow.session.add(
        PersonRow(
            id=part.person_id,
            kind=PersonKind.OFFICER.value,
            username=part.handle,
            recipient=part.keys.recipient,
            verify_key=part.keys.verify_key,
            created_day=uow.today(),
        )
    )
    uow.session.flush()
    uow.session.add(
        Enrolment(
            person=part.person_id,
            name=part.name,
            position=part.position,
            roles=",".join(part.roles),
        )
    )
    uow.session.add(accounts.make_wrap(part.person_id, prepared.actor.person, prepared.keys))
    uow.session.flush()
    if _has_genesis(uow):
        facts = {"person": part.person_id}
        facts |= {} if invitation is None else {"invitation": invitation}
        leaf.append(uow, leaf.Draft("enrolled", leaf.SYSTEM, facts=facts))
    memory.begin(uow, prepared.actor)
    return part


def enrol(office: Office, applicant: Applicant) -> PublicPart:
    """Prepare and store an officer in a transaction of its own. Raises: as both."""
    prepared = prepare(office, applicant)
    with office.write() as uow:
        return store(uow, prepared)


def enrolled(uow: UnitOfWork) -> tuple[PublicPart, ...]:
    """Return what every enrolled officer stated, by username; on the roster or not.

    Raises:
        KeysDiffer: a stored key is none at all.
    """
    rows = uow.session.execute(
        select(PersonRow, Enrolment)
        .join(Enrolment, Enrolment.person == PersonRow.id)
        .order_by(PersonRow.username)
    ).all()
    return tuple(_part(person, row) for person, row in rows)


def enrolled_one(uow: UnitOfWork, person_id: str) -> PublicPart:
    """Return what one enrolled officer stated.

    Raises:
        NotFound: nobody of this id enrolled here.
        KeysDiffer: a stored key is none at all.
    """
    person = uow.session.get(PersonRow, person_id)
    row = uow.session.get(Enrolment, person_id)
    if person is None or row is None:
        raise NotFound("person")
    return _part(person, row)


def public_parts(uow: UnitOfWork) -> bytes:
    """Return the file for the ceremony.

    Everyone there compares their eight words with those shown at enrolment: until the genesis is
    signed, nothing else protects these rows.
    """
    profile = uow.office.profile
    return PublicParts(
        uow.office.instance_id, profile.id, profile.version, enrolled(uow), uow.office.name
    ).to_bytes()


def install_genesis(uow: UnitOfWork, file: bytes) -> Roster:
    """Verify and store the genesis, and make its hash and the log's key the first leaf of the log.

    The configuration must pin ``roster.head`` from then on.

    Raises:
        GenesisExists: there is one already, or the log has begun without one.
        UnreadableFile: not a genesis file.
        RosterBroken: the genesis breaks a rule, or is not the one that the configuration pins.
        KeysDiffer: an officer in it is not the one enrolled here.
        LogKeyMissing: the file of the log's key is gone.
    """
    if _has_genesis(uow) or leaf.next_number(uow) != 0:
        raise GenesisExists
    office = uow.office
    entry = parts.genesis_from_bytes(file)
    roster = rosters.verify([entry], office.instance_id, office.profile, office.genesis)
    enrolled_keys = {part.person_id: (part.keys, part.handle) for part in enrolled(uow)}
    for person_id, records in roster.people.items():
        for record in records:
            if enrolled_keys.get(person_id) != (record.keys, record.handle):
                raise KeysDiffer(person_id)
    rosters.store(uow, 1, entry)
    first = _draft(GENESIS, leaf.SYSTEM, 1, entry)
    named = {
        log_keys.FACT: log_keys.found(uow).to_text(),
        holidays.FACT: holidays.digest_of(uow.session, holidays.SEEDED),
    }
    leaf.append(
        uow,
        leaf.Draft(
            first.event, first.actor, objects=first.objects, facts={**(first.facts or {}), **named}
        ),
    )
    return roster


def approve(
    uow: UnitOfWork,
    approver: Actor,
    people: Sequence[PersonRecord],
    reason: str,
    guardian: str | None = None,
) -> Roster:
    """Append a roster entry that replaces the records of the people it names.

    What the roster says of days before a person's first new record is carried over, so that
    what they did then stays judged by it. ``guardian``: the person who guards from now on.

    Raises:
        Denied: the approver is not active, is named in it, or may not approve one of the roles
            or name the guardian.
        RosterBroken: the stored chain is broken, or the change breaks a rule.
        KeysSwapped: the roster knows the approver by other keys.
    """
    roster = rosters.load(uow)
    accounts.vouched(roster, approver, uow.today())
    head = (roster.instance, roster.version, roster.head)
    signer = (approver.person_id, approver.person.signing)
    entry = chain.make_change(
        head, uow.today(), with_past(roster, people), reason, signer, guardian=guardian
    )
    try:
        changed = rosters.extend(roster, entry, uow.office.profile)
    except RosterBroken as broken:
        if broken.flaw in {Flaw.SIGNER, Flaw.SELF, Flaw.GUARDIAN}:
            raise Denied(broken.flaw.value) from None
        raise
    rosters.store(uow, changed.version, entry)
    draft = _draft(ROSTER_CHANGED, approver.person_id, changed.version, entry)
    leaf.append(uow, draft, approver.person.signing)
    return changed


def with_past(roster: Roster, people: Sequence[PersonRecord]) -> list[PersonRecord]:
    """Return new records after the person's former ones, the last closed the day before.

    So an entry can replace all of a person's records and leave the past as it was.
    """
    starts: dict[str, date] = {}
    for record in people:
        starts[record.person] = min(record.from_, starts.get(record.person, record.from_))
    kept = [
        record_of(one, until=min(one.until or start, start - timedelta(days=1)))
        for person_id, start in starts.items()
        for one in roster.people.get(person_id, ())
        if one.since < start
    ]
    return [*kept, *people]


def record_of(one: RosterPerson, **changes: Any) -> PersonRecord:
    """Return what the roster says of a person, as an entry writes it, with some fields changed."""
    keys = chain.key_record(one.keys)
    record = chain.PersonRecord(
        person=one.person_id,
        handle=UNSET if one.handle is None else one.handle,
        name=one.name,
        position=one.position,
        roles=one.roles,
        recipient=keys.recipient,
        verify_key=keys.verify_key,
        from_=one.since,
        until=one.until,
        state=one.state,
    )
    return msgspec.structs.replace(record, **changes)


def _draft(event: str, actor: str, version: int, entry: StoredEntry) -> leaf.Draft:
    return leaf.Draft(event, actor, objects=(entry.hash,), facts={"roster": version})


def _part(person: PersonRow, row: Enrolment) -> PublicPart:
    return PublicPart(
        person_id=person.id,
        handle=person.username or "",
        name=row.name,
        position=row.position,
        roles=tuple(row.roles.split(",")),
        keys=_keys_of(person),
    )


def _keys_of(person: PersonRow) -> PublicKeys:
    try:
        return PublicKeys(person.recipient, person.verify_key)
    except Malformed:
        raise KeysDiffer(person.id) from None


def _has_genesis(uow: UnitOfWork) -> bool:
    return bool(uow.session.scalar(select(func.count()).select_from(RosterRow)))
