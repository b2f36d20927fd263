"""One entry of the roster chain: its format, its strict parser, and how entries are made.

An entry is RFC 8785 canonical JSON. The genesis is signed by the recovery key and names everyone;
a later entry is signed by an approver, or again by the recovery key, and names only those it
changes, each with all of the person's records, which replace the former ones. It may also name
another guardian or another recovery key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from casework.errors import Untrustworthy
from casework.keys.vocabulary import RECOVERY, EntryKind, Flaw, TenureState
from crypto import canonical
from crypto.errors import Malformed
from crypto.persons import PublicKeys
from crypto.signatures import Purpose

if TYPE_CHECKING:
    from crypto.persons import Person
    from crypto.signatures import SigningKey

FORMAT = 1
NO_PREVIOUS = "0" * 64
"""``prev`` of the genesis."""

BODY_MAX = 1 << 20
"""Bytes of an entry: some 500 people."""

PersonId = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
Hash = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=160, pattern=r"\A[^\x00-\x1f\x7f]+\Z")]
Instance = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
RoleId = Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z0-9_]{0,31}\Z")]
Handle = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9][a-z0-9._-]{2,31}\Z")]
Key = Annotated[str, msgspec.Meta(max_length=2048)]


class RosterBroken(Untrustworthy):
    """The chain of entries is not one that may be trusted; nothing is granted on its word.

    Holds the version of the first bad entry and the flaw, and nothing of the entry itself.
    """

    def __init__(self, version: int, flaw: Flaw) -> None:
        """Name the entry and what is wrong with it."""
        super().__init__(f"roster entry {version}: {flaw}")
        self.version = version
        self.flaw = flaw


class KeyRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Two public keys in base64, as :class:`crypto.persons.PublicKeys` writes them."""

    recipient: Key
    verify_key: Key


class PersonRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an entry says of one person for one period.

    ``from_`` and ``until`` are days, both inclusive. An acting officer (Plh, Plt) is a record of
    its own period, beside the records before and after it.
    """

    person: PersonId
    handle: Handle | msgspec.UnsetType = msgspec.UNSET
    name: Line
    position: Line
    roles: Annotated[tuple[RoleId, ...], msgspec.Meta(min_length=1, max_length=16)]
    recipient: Key
    verify_key: Key
    from_: date = msgspec.field(name="from")
    until: date | None
    state: TenureState


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A parsed entry; a later one states ``guardian`` and ``recovery`` only to change them."""

    v: int
    instance: Instance
    version: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    prev: Hash
    day: date
    kind: EntryKind
    reason: Line
    recovery: KeyRecord | msgspec.UnsetType = msgspec.UNSET
    guardian: PersonId | msgspec.UnsetType = msgspec.UNSET
    people: Annotated[tuple[PersonRecord, ...], msgspec.Meta(max_length=500)]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that is signed and hashed."""
        json: dict[str, Any] = msgspec.to_builtins(self)
        return json


@dataclass(frozen=True)
class StoredEntry:
    """An entry as it lies in the database or in a genesis file: canonical bytes and signature.

    ``signer`` is a person id, or ``RECOVERY`` for the genesis and what share holders decide.
    """

    body: bytes
    signer: str
    signature: bytes

    @property
    def hash(self) -> str:
        """Hex SHA-256 of the canonical bytes: the next entry's ``prev``."""
        return hashlib.sha256(self.body).hexdigest()


def parse(body: bytes, version: int) -> Entry:
    """Return the entry that ``body`` writes; ``version`` is where it stands in the chain.

    Raises:
        RosterBroken: not an entry, or not written canonically.
    """
    if len(body) > BODY_MAX:
        raise RosterBroken(version, Flaw.MALFORMED)
    try:
        entry = msgspec.json.decode(body, type=Entry, strict=True)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise RosterBroken(version, Flaw.MALFORMED) from None
    if entry.v != FORMAT:
        raise RosterBroken(version, Flaw.MALFORMED)
    if canonical.encode(entry.to_json()) != body:
        raise RosterBroken(version, Flaw.NOT_CANONICAL)
    stated = (entry.recovery is not msgspec.UNSET, entry.guardian is not msgspec.UNSET)
    genesis = entry.kind is EntryKind.GENESIS
    if genesis and not all(stated):
        raise RosterBroken(version, Flaw.KIND)
    if not entry.people and (genesis or not any(stated)):
        raise RosterBroken(version, Flaw.EMPTY)
    return entry


def keys_of(record: KeyRecord | PersonRecord, version: int) -> PublicKeys:
    """Return the keys that a record writes.

    Raises:
        RosterBroken: they are no keys, or not the one way to write them.
    """
    try:
        return PublicKeys.from_json(
            {"recipient": record.recipient, "verify_key": record.verify_key}
        )
    except Malformed:
        raise RosterBroken(version, Flaw.KEY) from None


def key_record(keys: PublicKeys) -> KeyRecord:
    """Return two public keys as an entry writes them."""
    return msgspec.convert(keys.to_json(), KeyRecord)


def make_genesis(
    instance: str,
    day: date,
    people: Sequence[PersonRecord],
    *,
    guardian: str,
    recovery: Person,
    reason: str,
) -> StoredEntry:
    """Write and sign the first entry; :func:`casework.keys.roster.verify` judges it."""
    entry = Entry(
        v=FORMAT,
        instance=instance,
        version=1,
        prev=NO_PREVIOUS,
        day=day,
        kind=EntryKind.GENESIS,
        reason=reason,
        recovery=key_record(recovery.public),
        guardian=guardian,
        people=_in_order(people),
    )
    return _signed(entry, RECOVERY, recovery.signing)


def make_change(
    head: tuple[str, int, str],
    day: date,
    people: Sequence[PersonRecord],
    reason: str,
    approver: tuple[str, SigningKey],
    *,
    guardian: str | None = None,
    recovery: PublicKeys | None = None,
) -> StoredEntry:
    """Write and sign the entry after ``head`` (instance, version, hash).

    ``approver`` is the signer's person id (or ``RECOVERY``) and key; ``guardian`` and
    ``recovery`` are given only to change them. :func:`casework.keys.roster.verify` judges the
    entry.
    """
    instance, version, previous = head
    signer, signing = approver
    entry = Entry(
        v=FORMAT,
        instance=instance,
        version=version + 1,
        prev=previous,
        day=day,
        kind=EntryKind.CHANGE,
        reason=reason,
        recovery=msgspec.UNSET if recovery is None else key_record(recovery),
        guardian=msgspec.UNSET if guardian is None else guardian,
        people=_in_order(people),
    )
    return _signed(entry, signer, signing)


def _in_order(people: Sequence[PersonRecord]) -> tuple[PersonRecord, ...]:
    return tuple(sorted(people, key=lambda record: (record.person, record.from_)))


def _signed(entry: Entry, signer: str, signing: SigningKey) -> StoredEntry:
    statement = entry.to_json()
    signature = signing.sign(Purpose.ROSTER, statement)
    return StoredEntry(canonical.encode(statement), signer, signature)
