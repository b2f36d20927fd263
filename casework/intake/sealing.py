"""Seal a new case before any transaction: its compartments, first items, grants and commitment."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from casework.case import grants, items
from casework.case.grants import SHARE_A, SHARE_B, Holder, Scope
from casework.case.past import REPORTER_FACT, keys_digest, profile_digest
from casework.case.tables import Case, Grant
from casework.errors import CaseworkError
from casework.intake import watch
from casework.intake.token import entropy_of, submission_of, ticket_of
from casework.keys import accounts, memory, roster
from casework.keys.actor import Actor
from casework.keys.tables import Person as PersonRow
from casework.keys.vocabulary import RECOVERY, PersonKind
from casework.law.vocabulary import GUARDIAN, REPORTER
from casework.law.vocabulary import Compartment as Kind
from casework.store.base import new_id
from crypto import canonical, commitment, shares
from crypto.age import HybridIdentity
from crypto.persons import Person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from casework.intake.report import Report
    from casework.keys.roster import Roster
    from casework.keys.tables import Wrap
    from casework.law.profile import Profile
    from casework.store.office import Office

REPORT = "report"
"""Item kind: the report itself."""

KEYS = "keys"
"""Item kind: what only the reporter needs, for instance the commitment key."""

FIRST_REVISION: Final = 1
FIRST_SHRED_VERSION: Final = 1


class NotReceiving(CaseworkError):
    """No approved operator or guardian holds a key: reports cannot be received now."""


@dataclass(repr=False)
class Prepared:
    """A sealed case that is not stored yet; ``roster_head`` is what it was sealed under.

    ``memory`` is what the reporter has seen of the log, sealed and signed.
    """

    case: Case
    person: PersonRow
    wrap: Wrap = field(init=False)
    reporter: Actor
    facts: dict[str, str | int]
    roster_head: str
    memory: tuple[bytes, bytes] = (b"", b"")
    sealed: list[items.Sealed] = field(default_factory=list)
    granted: list[tuple[Grant, bytes]] = field(default_factory=list)
    compartments: list[str] = field(default_factory=list)


def receivers(profile: Profile, chain: Roster, day: date) -> list[Holder] | None:
    """Return who receives the content of a new report, or ``None`` if nobody rightly could.

    Every role that the profile names must have an approved holder today, and the guardian must
    be in office.
    """
    found: dict[str, Holder] = {}
    for name in profile.compartment(Kind.CONTENT).holders:
        if name == REPORTER:
            continue
        guardian = chain.guardian_on(day)
        people = chain.active(name, day) if name != GUARDIAN else (guardian,) if guardian else ()
        if not people:
            return None
        found |= {one.person_id: Holder(one.person_id, one.recipient) for one in people}
    return list(found.values())


def prepare(office: Office, token: bytes, report: Report, attempt: int) -> Prepared:
    """Stretch the key and seal everything that a new case consists of; stores nothing.

    Raises:
        NotReceiving: nobody could rightly receive the report.
    """
    with office.read() as uow:
        chain = roster.load(uow)
        day = uow.today()
        holders = receivers(office.profile, chain, day)
        if holders is None:
            raise NotReceiving
        prepared = _begin(office, token, attempt, chain, day)
        seen = watch.first_memory(uow, prepared.reporter, chain)
    prepared.memory = memory.sealed(prepared.reporter, seen)
    prepared.wrap = _wrap(office, token, prepared)
    _seal_all(office, prepared, report, chain, holders)
    return prepared


def _seal_all(
    office: Office, prepared: Prepared, report: Report, chain: Roster, holders: list[Holder]
) -> None:
    """Seal the first items of a case, and grant each compartment to whoever receives it."""
    profile, day = office.profile, prepared.case.received
    body = report.to_body()
    commitment_key = secrets.token_bytes(commitment.KEY_SIZE)
    prepared.facts["commitment"] = commitment.commit(commitment_key, canonical.encode(body)).hex()
    first: dict[Kind, tuple[str, dict[str, str]]] = {
        Kind.CONTENT: (REPORT, body),
        Kind.MAILBOX: (KEYS, {"commitment": commitment_key.hex()}),
        Kind.CONTACT: (Kind.CONTACT, {}),
        Kind.IDENTITY: (Kind.IDENTITY, {}),
    }
    prepared.facts["items"] = len(first)
    me = Holder(prepared.reporter.person_id, prepared.reporter.person.public.recipient)
    recovery = Holder(RECOVERY, chain.recovery.recipient)
    scope = Scope(office.instance_id, prepared.case.id, chain.version, day)
    for kind, (name, content) in first.items():
        identity = HybridIdentity.generate()
        prepared.compartments.append(kind)
        place = items.Place(office.instance_id, prepared.case.id, kind, day)
        prepared.sealed.append(
            items.seal(place, name, content, prepared.reporter, identity.recipient)
        )
        receiving = [me] if kind is Kind.MAILBOX else [me, recovery]
        if kind is Kind.CONTENT:
            receiving += holders
        for holder in receiving:
            prepared.granted.append(
                grants.make(scope, kind, identity.seed, holder, prepared.reporter)
            )
        for holder, share, half in share_out(profile, chain, day, kind, identity.seed):
            prepared.granted.append(
                grants.make(scope, kind, half, holder, prepared.reporter, share=share)
            )


def _wrap(office: Office, token: bytes, prepared: Prepared) -> Wrap:
    """Stretch the secret key that a form leads to, and wrap the reporter's seed under it."""
    entropy = entropy_of(token, pepper=office.pepper)
    keys = accounts.reporter_keys(
        office.instance_id, prepared.case.ticket, entropy, office.secret_key_kdf
    )
    reporter = prepared.reporter
    return accounts.make_wrap(reporter.person_id, reporter.person, keys)


def _begin(office: Office, token: bytes, attempt: int, chain: Roster, day: date) -> Prepared:
    """Make the rows of a new case and its reporter, with nothing in it yet."""
    profile, person = office.profile, Person.generate()
    ticket = ticket_of(token, attempt, pepper=office.pepper)
    reporter = Actor(new_id(), person, PersonKind.REPORTER)
    return Prepared(
        case=Case(
            id=new_id(),
            ticket=ticket,
            submission=submission_of(token),
            receipt_open=True,
            profile=profile.id,
            profile_version=profile.version,
            state=profile.submission.state,
            category=None,
            received=day,
            reporter=reporter.person_id,
            shred_version=FIRST_SHRED_VERSION,
            revision=FIRST_REVISION,
        ),
        person=PersonRow(
            id=reporter.person_id,
            kind=PersonKind.REPORTER,
            username=None,
            recipient=person.public.recipient,
            verify_key=person.public.verify_key,
            created_day=day,
        ),
        reporter=reporter,
        facts={
            "role": REPORTER,
            "to": profile.submission.state,
            "profile": profile_digest(submission_of(token), profile.id, profile.version),
            "roster": chain.version,
            REPORTER_FACT: keys_digest(person.public),
            "ticket": ticket,
        },
        roster_head=chain.head,
    )


def share_out(
    profile: Profile, chain: Roster, day: date, kind: Kind, seed: bytes
) -> Iterator[tuple[Holder, str, bytes]]:
    """Yield who receives which XOR share of a compartment's seed; nobody receives both."""
    rule = profile.compartment(kind)
    if not rule.shares:
        return
    second = {one.person_id for one in chain.active(rule.shares[1], day)}
    halves = zip(rule.shares, (SHARE_A, SHARE_B), shares.split(seed), strict=True)
    for role, share, half in halves:
        for one in chain.active(role, day):
            # Who holds both offices receives the second share only.
            if share == SHARE_B or one.person_id not in second:
                yield Holder(one.person_id, one.recipient), share, half
