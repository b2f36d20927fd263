"""The verified roster and its people, as everything that grants or verifies reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from casework.errors import NotFound
from casework.keys.vocabulary import RECOVERY, TenureState

if TYPE_CHECKING:
    from datetime import date

    from crypto.persons import PublicKeys


class RoleRule(Protocol):
    """What the chain asks of a role of the profile (:class:`casework.law.schema.Role`)."""

    @property
    def id(self) -> str:
        """Name of the role."""

    @property
    def approves(self) -> tuple[str, ...]:
        """Roles whose entries a holder may sign."""

    @property
    def may_receive(self) -> bool:
        """Whether reports may be sealed to a holder from the start."""

    @property
    def may_guard(self) -> bool:
        """Whether a holder may be the guardian."""

    @property
    def admin(self) -> bool:
        """Whether the role runs the machine, and so may hold no other."""

    @property
    def excludes(self) -> tuple[str, ...]:
        """Roles that nobody may hold beside it."""


class RoleRules(Protocol):
    """A profile, as far as the chain needs one."""

    @property
    def roles(self) -> Sequence[RoleRule]:
        """The roles of the profile."""


@dataclass(frozen=True)
class RosterPerson:
    """One person for one period (days, both inclusive); ``recipient`` is 1,216 bytes.

    ``version`` is the entry that says so.
    """

    person_id: str
    handle: str | None
    name: str
    position: str
    roles: tuple[str, ...]
    keys: PublicKeys
    since: date
    until: date | None
    state: TenureState
    version: int

    @property
    def recipient(self) -> bytes:
        """The raw hybrid recipient to seal to."""
        return self.keys.recipient

    @property
    def verify_key(self) -> bytes:
        """The raw key that verifies this person's signatures."""
        return self.keys.verify_key

    def active_on(self, day: date) -> bool:
        """Whether this record gives its roles on ``day``."""
        return (
            self.state is TenureState.ACTIVE
            and self.since <= day
            and (self.until is None or day <= self.until)
        )


@dataclass(frozen=True)
class Roster:
    """The verified roster. Only :mod:`casework.keys.judge` makes one.

    ``before`` is the roster without its last entry. ``recoveries`` are the recovery keys, each
    with the version from which it holds.
    """

    instance: str
    recoveries: tuple[tuple[int, PublicKeys], ...]
    guardian_id: str
    day: date
    heads: tuple[str, ...]
    people: Mapping[str, tuple[RosterPerson, ...]]
    before: Roster | None = field(default=None, repr=False, compare=False)

    @property
    def recovery(self) -> PublicKeys:
        """The recovery key in force."""
        return self.recoveries[-1][1]

    def recovery_at(self, version: int) -> PublicKeys:
        """Return the recovery key that was in force at an entry.

        Raises:
            NotFound: there is no such entry.
        """
        for since, keys in reversed(self.recoveries):
            if since <= version <= self.version:
                return keys
        raise NotFound("recovery")

    @property
    def version(self) -> int:
        """Number of the last entry, from 1."""
        return len(self.heads)

    @property
    def head(self) -> str:
        """Hex SHA-256 of the last entry."""
        return self.heads[-1]

    def head_at(self, version: int) -> str | None:
        """Return the hash of an entry, or None if there is no such entry."""
        return self.heads[version - 1] if 1 <= version <= len(self.heads) else None

    def on(self, day: date) -> tuple[RosterPerson, ...]:
        """Return everyone who is active on ``day``, by person id."""
        return tuple(
            record
            for person_id in sorted(self.people)
            for record in self.people[person_id]
            if record.active_on(day)
        )

    def active(self, role: str, day: date) -> tuple[RosterPerson, ...]:
        """Return the holders of ``role`` on ``day``, by person id."""
        return tuple(record for record in self.on(day) if role in record.roles)

    def eligible_receivers(self, profile: RoleRules, day: date) -> tuple[RosterPerson, ...]:
        """Return who may receive new reports on ``day``, by person id."""
        receiving = {role.id for role in profile.roles if role.may_receive}
        return tuple(record for record in self.on(day) if receiving.intersection(record.roles))

    def guardian_on(self, day: date) -> RosterPerson | None:
        """Return the guardian, or None while the guardian is not active."""
        return self.person_on(self.guardian_id, day)

    @property
    def guardian(self) -> RosterPerson:
        """The guardian named last, active or not."""
        return self.person(self.guardian_id)

    def person(self, person_id: str) -> RosterPerson:
        """Return a person's last record, also of one who left.

        Raises:
            NotFound: the chain does not know the person.
        """
        records = self.people.get(person_id)
        if not records:
            raise NotFound("person")
        return records[-1]

    def person_on(self, person_id: str, day: date) -> RosterPerson | None:
        """Return a person's record in force on ``day``, or None."""
        for record in self.people.get(person_id, ()):
            if record.active_on(day):
                return record
        return None

    def roles_on(self, person_id: str, day: date) -> frozenset[str]:
        """Return every role that a person held at some hour of ``day``.

        What was done in the morning by somebody who was moved at noon was done rightly: all
        entries of the day count, and the one that was in force when it began. Later ones cannot
        say anything else of it (:mod:`casework.keys.judge`).
        """
        roles: set[str] = set()
        version: Roster | None = self
        while version is not None:
            record = version.person_on(person_id, day)
            roles.update(record.roles if record is not None else ())
            if version.day < day:
                break
            version = version.before
        return frozenset(roles)

    def may(self, person_id: str, role: str, day: date) -> bool:
        """Whether a person holds ``role`` on ``day``."""
        record = self.person_on(person_id, day)
        return record is not None and role in record.roles

    def verify_key_of(self, person_id: str) -> bytes:
        """Return the key that verifies a person's signatures, also of one who left.

        Raises:
            NotFound: the chain does not know the person.
        """
        if person_id == RECOVERY:
            return self.recovery.verify_key
        return self.person(person_id).verify_key
