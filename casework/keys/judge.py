"""The rules of the roster chain: which entries may follow which, and who may sign them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import UNSET

from casework.keys import chain
from casework.keys.chain import Entry, PersonRecord, RosterBroken, StoredEntry
from casework.keys.members import Roster, RosterPerson
from casework.keys.vocabulary import RECOVERY, EntryKind, Flaw
from crypto import signatures
from crypto.errors import CryptoError
from crypto.signatures import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from casework.keys.members import RoleRules
    from crypto.persons import PublicKeys


CHAINS_KEPT = 4
"""How many verified chains are remembered: one instance has one, its next version another."""


def verify(
    entries: Sequence[StoredEntry], instance: str, profile: RoleRules, pinned: str | None
) -> Roster:
    """Follow the chain from the genesis to its last entry.

    ``pinned`` is the hex SHA-256 of the genesis as printed in the ceremony; None only while the
    genesis is being made or installed. Some 0.5 ms per entry; a chain that has been verified
    before, the same to the last byte of every body and signature, is recognised.

    Raises:
        RosterBroken: at the first entry that breaks any rule.
    """
    return _follow(tuple(entries), instance, _rules(profile), pinned)


def extend(roster: Roster, entry: StoredEntry, profile: RoleRules) -> Roster:
    """Return the roster after one more entry.

    Raises:
        RosterBroken: the entry breaks a rule.
    """
    owners = _Owners(keys for _, keys in roster.recoveries)
    for records in roster.people.values():
        owners.claim(records[0], roster.version)
    return _extend(roster, entry, {rule.id: rule for rule in _rules(profile)}, owners)


@dataclass(frozen=True)
class _Rule:
    """What a role of the profile comes to here, in a form that can be compared whole."""

    id: str
    approves: frozenset[str]
    may_guard: bool
    admin: bool
    excludes: frozenset[str]


def _rules(profile: RoleRules) -> tuple[_Rule, ...]:
    return tuple(
        _Rule(
            role.id,
            frozenset(role.approves),
            role.may_guard,
            role.admin,
            frozenset(role.excludes),
        )
        for role in profile.roles
    )


@lru_cache(maxsize=CHAINS_KEPT)
def _follow(
    entries: tuple[StoredEntry, ...], instance: str, listed: tuple[_Rule, ...], pinned: str | None
) -> Roster:
    """Verify a chain. Pure, so that remembering what verified is as good as verifying again."""
    if not entries:
        raise RosterBroken(1, Flaw.MISSING)
    if pinned is not None and entries[0].hash != pinned:
        raise RosterBroken(1, Flaw.PINNED)
    rules = {rule.id: rule for rule in listed}
    roster, owners = _genesis(entries[0], instance, rules)
    for entry in entries[1:]:
        roster = _extend(roster, entry, rules, owners)
    return roster


def _genesis(
    stored: StoredEntry, instance: str, rules: Mapping[str, _Rule]
) -> tuple[Roster, _Owners]:
    entry = chain.parse(stored.body, 1)
    if entry.kind is not EntryKind.GENESIS or entry.recovery is UNSET or entry.guardian is UNSET:
        raise RosterBroken(1, Flaw.KIND)
    if entry.version != 1:
        raise RosterBroken(1, Flaw.VERSION)
    if entry.instance != instance:
        raise RosterBroken(1, Flaw.INSTANCE)
    if entry.prev != chain.NO_PREVIOUS:
        raise RosterBroken(1, Flaw.PREVIOUS)
    recovery = chain.keys_of(entry.recovery, 1)
    if stored.signer != RECOVERY:
        raise RosterBroken(1, Flaw.SIGNER)
    _check_signature(stored, entry, recovery.verify_key)
    owners = _Owners([recovery])
    roster = Roster(
        instance=instance,
        recoveries=((1, recovery),),
        guardian_id=entry.guardian,
        day=entry.day,
        heads=(stored.hash,),
        people=MappingProxyType(_named(entry, rules, owners)),
    )
    records = roster.people.get(entry.guardian, ())
    if not any(rules[role].may_guard for record in records for role in record.roles):
        raise RosterBroken(1, Flaw.GUARDIAN)
    return roster, owners


def _extend(
    roster: Roster, stored: StoredEntry, rules: Mapping[str, _Rule], owners: _Owners
) -> Roster:
    version = roster.version + 1
    entry = chain.parse(stored.body, version)
    if entry.kind is not EntryKind.CHANGE:
        raise RosterBroken(version, Flaw.KIND)
    if entry.version != version:
        raise RosterBroken(version, Flaw.VERSION)
    if entry.instance != roster.instance:
        raise RosterBroken(version, Flaw.INSTANCE)
    if entry.prev != roster.head:
        raise RosterBroken(version, Flaw.PREVIOUS)
    if entry.day < roster.day:
        raise RosterBroken(version, Flaw.DAY)
    signer = None if stored.signer == RECOVERY else roster.person_on(stored.signer, entry.day)
    if signer is None and stored.signer != RECOVERY:
        raise RosterBroken(version, Flaw.SIGNER)
    # Enough share holders together are above every office: they can open everything anyway.
    signing = roster.recovery if signer is None else signer.keys
    _check_signature(stored, entry, signing.verify_key)
    changed = _named(entry, rules, owners)
    if signer is not None:
        _check_entitled(roster, entry, signer, changed, rules)
    for person_id, records in changed.items():
        if _past(records, entry.day) != _past(roster.people.get(person_id, ()), entry.day):
            # What somebody was entitled to grant then would lose its ground.
            raise RosterBroken(version, Flaw.PAST)
    return replace(
        roster,
        day=entry.day,
        heads=(*roster.heads, stored.hash),
        people=MappingProxyType({**roster.people, **changed}),
        recoveries=_recoveries(roster, entry, stored.signer, owners),
        guardian_id=_guardian(roster, entry, stored.signer, changed, rules),
        before=roster,
    )


def _recoveries(
    roster: Roster, entry: Entry, signer: str, owners: _Owners
) -> tuple[tuple[int, PublicKeys], ...]:
    """Return the recovery keys after an entry; only the key in force names the next one."""
    if entry.recovery is UNSET:
        return roster.recoveries
    if signer != RECOVERY:
        raise RosterBroken(entry.version, Flaw.RECOVERY)
    keys = chain.keys_of(entry.recovery, entry.version)
    owners.claim_recovery(keys, entry.version)
    return (*roster.recoveries, (entry.version, keys))


def _guardian(
    roster: Roster,
    entry: Entry,
    signer: str,
    changed: Mapping[str, tuple[RosterPerson, ...]],
    rules: Mapping[str, _Rule],
) -> str:
    """Return the guardian after an entry; the one in office names the next one."""
    if entry.guardian is UNSET:
        return roster.guardian_id
    if signer not in (RECOVERY, roster.guardian_id):
        raise RosterBroken(entry.version, Flaw.GUARDIAN)
    records = changed.get(entry.guardian, roster.people.get(entry.guardian, ()))
    named = next((record for record in records if record.active_on(entry.day)), None)
    if named is None or not any(rules[role].may_guard for role in named.roles):
        raise RosterBroken(entry.version, Flaw.GUARDIAN)
    return entry.guardian


def _check_entitled(
    roster: Roster,
    entry: Entry,
    signer: RosterPerson,
    changed: Mapping[str, tuple[RosterPerson, ...]],
    rules: Mapping[str, _Rule],
) -> None:
    """Refuse an officer who signs for themselves, or for roles that they may not approve."""
    if signer.person_id in changed:
        raise RosterBroken(entry.version, Flaw.SELF)
    approvable = {role for held in signer.roles for role in rules[held].approves}
    # The roles that a person loses count, too: else whoever may approve operators could turn
    # the Inspektur into one. What was over before this entry is neither gained nor lost by it.
    touched = {
        role
        for person_id, records in changed.items()
        for record in (*records, *roster.people.get(person_id, ()))
        if record.until is None or record.until >= entry.day
        for role in record.roles
    }
    if not touched <= approvable:
        raise RosterBroken(entry.version, Flaw.SIGNER)


def _past(records: Iterable[RosterPerson], day: date) -> list[RosterPerson]:
    """Return what records say of the days before ``day``, whichever entry says it."""
    eve = day - timedelta(days=1)
    return [
        replace(record, until=min(record.until or eve, eve), version=0)
        for record in records
        if record.since <= eve
    ]


def _check_signature(stored: StoredEntry, entry: Entry, verify_key: bytes) -> None:
    try:
        signatures.verify(verify_key, Purpose.ROSTER, entry.to_json(), stored.signature)
    except CryptoError:
        raise RosterBroken(entry.version, Flaw.SIGNATURE) from None


def _named(
    entry: Entry, rules: Mapping[str, _Rule], owners: _Owners
) -> dict[str, tuple[RosterPerson, ...]]:
    """Return the people that an entry names, with all their records, checked against the rest."""
    version = entry.version
    named: dict[str, tuple[RosterPerson, ...]] = {}
    previous: PersonRecord | None = None
    for record in entry.people:
        if previous is not None:
            _check_order(previous, record, version)
        person = _person(record, version, rules)
        owners.claim(person, version)
        named[person.person_id] = (*named.get(person.person_id, ()), person)
        previous = record
    return named


def _check_order(previous: PersonRecord, record: PersonRecord, version: int) -> None:
    """Records stand by person, then by time; one person's periods do not touch the same day."""
    if record.person < previous.person:
        raise RosterBroken(version, Flaw.ORDER)
    if record.person > previous.person:
        return
    if record.from_ == previous.from_:
        raise RosterBroken(version, Flaw.DUPLICATE)
    if record.from_ < previous.from_:
        raise RosterBroken(version, Flaw.ORDER)
    if previous.until is None or record.from_ <= previous.until:
        raise RosterBroken(version, Flaw.OVERLAP)


def _person(record: PersonRecord, version: int, rules: Mapping[str, _Rule]) -> RosterPerson:
    if record.person == RECOVERY:
        raise RosterBroken(version, Flaw.MALFORMED)
    if record.until is not None and record.until < record.from_:
        raise RosterBroken(version, Flaw.PERIOD)
    if list(record.roles) != sorted(set(record.roles)):
        raise RosterBroken(version, Flaw.ORDER)
    if any(role not in rules for role in record.roles):
        raise RosterBroken(version, Flaw.ROLE)
    if len(record.roles) > 1 and any(rules[role].admin for role in record.roles):
        raise RosterBroken(version, Flaw.ADMIN)
    if any(rules[role].excludes.intersection(record.roles) for role in record.roles):
        raise RosterBroken(version, Flaw.EXCLUDES)
    return RosterPerson(
        person_id=record.person,
        handle=None if record.handle is UNSET else record.handle,
        name=record.name,
        position=record.position,
        roles=record.roles,
        keys=chain.keys_of(record, version),
        since=record.from_,
        until=record.until,
        state=record.state,
        version=version,
    )


class _Owners:
    """Who owns which key and which handle: each has one owner, for ever."""

    def __init__(self, recoveries: Iterable[PublicKeys]) -> None:
        self._owner: dict[bytes | str, str] = {}
        for keys in recoveries:
            self._owner |= {keys.recipient: RECOVERY, keys.verify_key: RECOVERY}
        self._known: dict[str, RosterPerson] = {}

    def claim_recovery(self, keys: PublicKeys, version: int) -> None:
        """Note a new recovery key, or refuse one that was ever used. Raises: RosterBroken."""
        for key in (keys.recipient, keys.verify_key):
            if key in self._owner:
                raise RosterBroken(version, Flaw.KEY_REUSED)
            self._owner[key] = RECOVERY

    def claim(self, person: RosterPerson, version: int) -> None:
        """Note a person's keys and handle, or refuse them. Raises: RosterBroken."""
        first = self._known.setdefault(person.person_id, person)
        if person.keys != first.keys:
            raise RosterBroken(version, Flaw.KEY_CHANGED)
        if person.handle != first.handle:
            raise RosterBroken(version, Flaw.HANDLE)
        for key in (person.recipient, person.verify_key):
            if self._owner.setdefault(key, person.person_id) != person.person_id:
                raise RosterBroken(version, Flaw.KEY_REUSED)
        handle = person.handle
        if handle is not None and self._owner.setdefault(handle, person.person_id) != (
            person.person_id
        ):
            raise RosterBroken(version, Flaw.HANDLE)
