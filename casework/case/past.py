"""What a case's leaves prove: read in order, each checked, as one chain.

The row of a case, its flags and its reporter's keys are believed only as far as these leaves
say the same. An officer's leaf counts if the roster vouches for its signature and the officer
held the role that the act asks for; a reporter's, if the submission vouches for its keys and no
officer's leaf names another submission.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from sqlalchemy import select

from casework.case import custody
from casework.case.authority import may_add_files, may_write
from casework.errors import NotFound
from casework.keys.tables import Person as PersonRow
from casework.law.vocabulary import REPORTER
from casework.log import leaf as leaves
from casework.log.tables import Leaf
from crypto import canonical
from crypto.errors import Tampered
from crypto.persons import PublicKeys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from casework.case.tables import Case
    from casework.keys.members import Roster
    from casework.law.profile import Profile
    from casework.store.office import Office
    from casework.store.unit import UnitOfWork

SUBMIT = "submit"
MESSAGE = "message"
EVIDENCE = "evidence"
REPORTER_FACT = "reporter"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What a leaf of a case says, as far as anything depends on it."""

    v: Literal[1]
    instance: str
    event: str
    actor: str
    case: str
    day: date
    objects: tuple[str, ...]
    seq: int
    prev: str | None
    first: str | None
    items: int
    role: str = ""
    from_: str | None = msgspec.field(default=None, name="from")
    to: str | None = None
    category: str | None = None
    granted: tuple[str, ...] = ()
    revoked: tuple[str, ...] = ()
    ticket: str = ""
    commitment: str = ""
    profile: str = ""
    profile_version: int = 0
    reporter: str = ""
    leaver: str = ""
    successor: str = ""
    file: str = ""


@dataclass(frozen=True)
class Past:
    """The verified past of one case.

    ``bodies`` holds every leaf of the case by number, in order, and ``None`` for one that proves
    nothing, ``hashes`` the hash of each; ``entries`` those that prove something. ``breaks`` are
    the numbers of proven leaves before which something is missing. ``state`` and ``category`` are
    the last that somebody entitled signed; ``reporter`` and ``profile`` are ``None`` where no
    submission vouches for them.
    """

    bodies: dict[int, dict[str, Any] | None]
    hashes: dict[int, bytes]
    entries: tuple[Entry, ...]
    breaks: frozenset[int]
    submission: Entry | None
    reporter: PublicKeys | None
    state: str | None
    category: str | None

    @property
    def whole(self) -> bool:
        """Whether the chain begins with the submission and lacks nothing that can be missed."""
        return self.submission is not None and not self.breaks and None not in self.bodies.values()

    def had_lost(self, compartment: str, person_id: str, number: int) -> bool:
        """Return whether a compartment had been taken from a person before a leaf.

        The last leaf before it that moves this grant decides; the submission names no holders, so
        whoever never lost anything may have held it from the start.
        """
        name, lost = f"{compartment}:{person_id}", False
        for earlier, body in self.bodies.items():
            if body is not None and earlier < number:
                if name in body.get("granted", ()):
                    lost = False
                elif name in body.get("revoked", ()):
                    lost = True
        return lost

    def contradictions(self, case: Case) -> tuple[str, ...]:
        """Return the columns of a case's row that are certainly not what was signed.

        With a leaf missing, state and category may have been changed by it.
        """
        found = []
        if (first := self.submission) is not None:
            signed = {"ticket": first.ticket, "received": first.day}
            found += [name for name, value in signed.items() if getattr(case, name) != value]
            found += _other_profile(first, case)
        if self.whole:
            found += self._moved(case)
        return tuple(found)

    def doubts(self, case: Case) -> tuple[str, ...]:
        """Return what forbids to act on a case as its row stands; empty if all was signed."""
        if self.submission is None:
            return ("submission",)
        return tuple(dict.fromkeys((*self.contradictions(case), *self._moved(case))))

    def _moved(self, case: Case) -> list[str]:
        signed = {"state": self.state, "category": self.category}
        return [name for name, value in signed.items() if getattr(case, name) != value]


def keys_digest(keys: PublicKeys) -> str:
    """Return the hex SHA-256 by which a submit leaf names a reporter's public keys."""
    return hashlib.sha256(canonical.encode(keys.to_json())).hexdigest()


def profile_digest(submission: bytes, profile: str, version: int) -> str:
    """Return the hex SHA-256 by which a submit leaf names the profile of its case.

    The leaf stands in the reporter's receipt, which must not tell whose office it was. What the
    profile is hidden behind is the 32-byte ``submission`` of the case's row, which no receipt has.
    """
    named: dict[str, canonical.Json] = {
        "submission": submission.hex(),
        "profile": profile,
        "version": version,
    }
    return hashlib.sha256(canonical.encode(named)).hexdigest()


def profile_of(office: Office, case: Case, submission: Entry) -> Profile | None:
    """Return the profile that a submission was signed under, or ``None`` if it is not known."""
    if not submission.profile_version:
        for profile in office.catalogue:
            if profile_digest(case.submission, profile.id, profile.version) == submission.profile:
                return profile
        return None
    try:
        return office.catalogue.get(submission.profile, submission.profile_version)
    except NotFound:
        return None


def of(uow: UnitOfWork, case: Case, roster: Roster) -> Past:
    """Read and check every leaf of a case: one signature each, nothing is decrypted."""
    rows = uow.session.scalars(
        select(Leaf).where(Leaf.case_id == case.id).order_by(Leaf.number)
    ).all()
    return judged(uow.office, case, roster, rows, _reporter_keys(uow, case))


def judged(
    office: Office, case: Case, roster: Roster, rows: Sequence[Leaf], keys: PublicKeys | None
) -> Past:
    """Check all leaves of a case, in order; ``keys`` are those that its reporter's row claims."""
    said = {row.number: leaves.read(row) for row in rows}
    parsed = {
        number: entry
        for number, body in said.items()
        if (entry := _parse(body, office.instance_id, case.id)) is not None
    }
    officers = [
        row
        for row in rows
        if (entry := parsed.get(row.number)) is not None
        and entry.actor not in (case.reporter, leaves.SYSTEM)
        and leaves.is_signed(row, entry.actor, lambda one: _officers_key(roster, one))
    ]
    acting = set(office.profile.acting_roles())
    submission = None
    if rows and keys is not None:
        submission = _submission(rows[0], parsed, keys, case)
        if any(
            entry.first != rows[0].hash.hex()
            for entry in (parsed[row.number] for row in officers)
            if entry.event not in custody.LOOKS
            and not acting.isdisjoint(roster.roles_on(entry.actor, entry.day))
        ):
            # Those who work on cases built on another one; others cannot spoil a case, and who
            # merely looked at it while it was damaged vouches for nothing.
            submission = None
    profile = _profile(office, case, submission)
    proven = {
        row.number: parsed[row.number]
        for row in officers
        if profile is not None and _officer_may(profile, roster, parsed[row.number])
    }
    if submission is not None and profile is not None and keys is not None:
        verify_key = keys.verify_key
        proven |= {
            row.number: entry
            for row in rows
            if (entry := parsed.get(row.number)) is not None
            and entry.actor == case.reporter
            and leaves.is_signed(row, entry.actor, lambda _: verify_key)
            and (entry is submission or _may(profile, frozenset({REPORTER}), entry))
        }
    return _chain(rows, said, proven, submission, keys)


def _parse(body: dict[str, Any] | None, instance: str, case_id: str) -> Entry | None:
    """Return a leaf's body as an entry of this case, or ``None`` if it is none."""
    try:
        entry = msgspec.convert(body, Entry)
    except msgspec.ValidationError:
        return None
    return entry if (entry.instance, entry.case) == (instance, case_id) else None


def _officers_key(roster: Roster, person_id: str) -> bytes:
    try:
        return roster.verify_key_of(person_id)
    except NotFound as error:
        raise Tampered("nobody vouches for a signer") from error


def _reporter_keys(uow: UnitOfWork, case: Case) -> PublicKeys | None:
    """Return the keys that the reporter's row claims; nothing vouches for them yet."""
    row = uow.session.get(PersonRow, case.reporter)
    return None if row is None else PublicKeys(row.recipient, row.verify_key)


def _submission(
    row: Leaf, parsed: Mapping[int, Entry], keys: PublicKeys, case: Case
) -> Entry | None:
    """Return the first leaf if it is the submission of these keys, and signed with them."""
    entry = parsed.get(row.number)
    if (
        entry is None
        or (entry.event, entry.seq, entry.prev, entry.first) != (SUBMIT, 0, None, None)
        or (entry.actor, entry.reporter) != (case.reporter, keys_digest(keys))
        or not leaves.is_signed(row, entry.actor, lambda _: keys.verify_key)
    ):
        return None
    return entry


def _profile(office: Office, case: Case, submission: Entry | None) -> Profile | None:
    """Return the profile that was signed; without a submission, the one that the row names."""
    if submission is not None:
        return profile_of(office, case, submission)
    try:
        return office.catalogue.get(case.profile, case.profile_version)
    except NotFound:
        return None


def _other_profile(first: Entry, case: Case) -> list[str]:
    """Return the columns by which a row names another profile than its submission."""
    if first.profile_version:  # a submission of before the log was a tree says it in clear
        signed = {"profile": first.profile, "profile_version": first.profile_version}
        return [name for name, value in signed.items() if getattr(case, name) != value]
    named = profile_digest(case.submission, case.profile, case.profile_version)
    return [] if named == first.profile else ["profile"]


def _officer_may(profile: Profile, roster: Roster, entry: Entry) -> bool:
    """Return whether an officer was entitled to an act on the day of it."""
    if entry.event in custody.EVENTS:
        return custody.counts(profile, roster, entry)
    return _may(profile, roster.roles_on(entry.actor, entry.day), entry)


def _may(profile: Profile, roles: frozenset[str], entry: Entry) -> bool:
    """Return whether somebody with these roles may do what an entry says."""
    if entry.event == MESSAGE:
        return entry.to is None and may_write(profile, roles)
    if entry.event == EVIDENCE:
        return entry.to is None and may_add_files(profile, roles)
    rule = next((one for one in profile.transitions if one.id == entry.event), None)
    return (
        rule is not None
        and entry.role in rule.by
        and entry.role in roles
        and entry.from_ is not None
        and entry.from_ in rule.from_
        and entry.to == rule.target(entry.from_)
    )


def _chain(
    rows: Sequence[Leaf],
    said: Mapping[int, dict[str, Any] | None],
    proven: Mapping[int, Entry],
    submission: Entry | None,
    keys: PublicKeys | None,
) -> Past:
    """Follow the proven leaves in order, and note where one does not join on to the last."""
    breaks, state, category = set(), None, None
    seq, before, doubtful = -1, None, 0
    for row in rows:
        entry = proven.get(row.number)
        if entry is None:
            doubtful += 1
            continue
        joins = entry.seq == seq + 1 + doubtful
        if not doubtful:
            joins = joins and entry.prev == before and (not entry.seq or _goes_on(entry, state))
        if not joins:
            breaks.add(row.number)
        seq, before, doubtful = entry.seq, row.hash.hex(), 0
        state = entry.to or state
        category = entry.category or category
    return Past(
        bodies={number: body if number in proven else None for number, body in said.items()},
        hashes={row.number: row.hash for row in rows},
        entries=tuple(proven[row.number] for row in rows if row.number in proven),
        breaks=frozenset(breaks),
        submission=submission,
        reporter=keys if submission is not None else None,
        state=state,
        category=category,
    )


def _goes_on(entry: Entry, state: str | None) -> bool:
    """Return whether an act began in the state that the last one led to."""
    return entry.from_ is None or entry.from_ == state
