"""The two files that travel between server and share holders: sealed keys there, decisions back.

Both are canonical JSON with a format name and version. They hold public parts and files sealed to
keys that are on no machine; whoever carries them can read nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, Literal

import msgspec

from casework.case.tables import Grant
from casework.keys.chain import Hash, Instance, Key, Line, PersonId, StoredEntry
from casework.keys.parts import (
    OfficeName,
    OfficerRecord,
    PublicPart,
    from_base64,
    officer_to_json,
    read_file,
    to_base64,
)
from casework.law.vocabulary import Compartment
from crypto import canonical

FORMAT: Final = 1

RECOVERY_FILE_MAX: Final = 256 << 20
"""Bytes of such a file that are read at all: some 4 KB for each compartment."""

_Number = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
_Sealed = Annotated[str, msgspec.Meta(max_length=65_536)]
_Signature = Annotated[str, msgspec.Meta(max_length=128)]


@dataclass(frozen=True)
class Carried:
    """A grant on its way, without the layer of its case's shred key: ``inner`` is an age file."""

    row: Grant
    inner: bytes

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the age file, as leaves name it."""
        return hashlib.sha256(self.inner).hexdigest()


@dataclass(frozen=True)
class Sealed:
    """A grant to the recovery key, with what it takes to judge it.

    ``profile`` is that of the case. ``excluded`` may have nothing of the case: they declared a
    conflict of interest, or their keys went on to a successor. ``reporter_key`` verifies the
    grant if the reporter made it; the file only claims that key, and the import asks the
    submission.
    """

    carried: Carried
    profile: str
    profile_version: int
    excluded: tuple[str, ...]
    reporter_key: bytes | None


@dataclass(frozen=True)
class Export:
    """What the server hands to the share holders.

    ``everything``: all compartments, to be sealed to a new recovery key. Else those that nobody
    in office holds, for ``receivers``. ``lost`` are people in office whose keys are gone.
    ``waiting`` are enrolled and not on the roster.
    """

    instance: str
    office: str
    profile: str
    profile_version: int
    everything: bool
    entries: tuple[StoredEntry, ...]
    receivers: tuple[str, ...]
    lost: tuple[str, ...]
    waiting: tuple[PublicPart, ...]
    grants: tuple[Sealed, ...]

    def to_bytes(self) -> bytes:
        """Return the file."""
        return canonical.encode(
            {
                "v": FORMAT,
                "format": "suaka-recovery-export",
                "instance": self.instance,
                "office": self.office,
                "profile": self.profile,
                "profile_version": self.profile_version,
                "everything": self.everything,
                "entries": [_entry_to_json(entry) for entry in self.entries],
                "receivers": list(self.receivers),
                "lost": list(self.lost),
                "waiting": [officer_to_json(part) for part in self.waiting],
                "grants": [
                    {
                        **_grant_to_json(one.carried),
                        "profile": one.profile,
                        "profile_version": one.profile_version,
                        "excluded": list(one.excluded),
                        "reporter_key": to_base64(one.reporter_key or b""),
                    }
                    for one in self.grants
                ],
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Export:
        """Return what :meth:`to_bytes` wrote.

        Raises:
            UnreadableFile: anything else.
        """
        file = read_file(data, _ExportFile, RECOVERY_FILE_MAX)
        return cls(
            instance=file.instance,
            office=file.office,
            profile=file.profile,
            profile_version=file.profile_version,
            everything=file.everything,
            entries=tuple(one.stored() for one in file.entries),
            receivers=file.receivers,
            lost=file.lost,
            waiting=tuple(one.part() for one in file.waiting),
            grants=tuple(one.sealed() for one in file.grants),
        )


@dataclass(frozen=True)
class Result:
    """What the share holders decided, signed with the recovery key in force.

    ``version`` and ``head`` name the chain that they saw. ``entry`` is the next one of it, if
    they changed the roster. ``replaced``: the recovery key is another one from then on.
    """

    file_id: str
    instance: str
    day: date
    version: int
    head: str
    replaced: bool
    entry: StoredEntry | None
    grants: tuple[Carried, ...]
    signature: bytes

    def statement(self) -> dict[str, Any]:
        """Return what the recovery key signs: all of the file, the grants by one hash."""
        listed = canonical.encode([_grant_to_json(one) for one in self.grants])
        return {
            "file": self.file_id,
            "instance": self.instance,
            "day": self.day.isoformat(),
            "roster": self.version,
            "head": self.head,
            "replaced": self.replaced,
            "entry": None if self.entry is None else _entry_digest(self.entry),
            "grants": hashlib.sha256(listed).hexdigest(),
        }

    def to_bytes(self) -> bytes:
        """Return the file."""
        said = self.statement()
        return canonical.encode(
            {
                **said,
                "v": FORMAT,
                "format": "suaka-recovery-result",
                "entry": None if self.entry is None else _entry_to_json(self.entry),
                "grants": [_grant_to_json(one) for one in self.grants],
                "signature": to_base64(self.signature),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Result:
        """Return what :meth:`to_bytes` wrote; nothing of it is verified.

        Raises:
            UnreadableFile: anything else.
        """
        file = read_file(data, _ResultFile, RECOVERY_FILE_MAX)
        return cls(
            file_id=file.file,
            instance=file.instance,
            day=file.day,
            version=file.roster,
            head=file.head,
            replaced=file.replaced,
            entry=None if file.entry is None else file.entry.stored(),
            grants=tuple(one.carried() for one in file.grants),
            signature=from_base64(file.signature),
        )


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class _Entry(_Record, frozen=True, kw_only=True):
    entry: dict[str, Any]
    signer: PersonId
    signature: _Signature

    def stored(self) -> StoredEntry:
        return StoredEntry(canonical.encode(self.entry), self.signer, from_base64(self.signature))


class _Grant(_Record, frozen=True, kw_only=True):
    grant: PersonId
    case: PersonId
    compartment: Compartment
    holder: PersonId
    share: Literal["whole"]
    roster: _Number
    day: date
    granter: PersonId
    signature: _Signature
    inner: _Sealed

    def carried(self) -> Carried:
        row = Grant(
            id=self.grant,
            case_id=self.case,
            compartment=self.compartment.value,
            holder=self.holder,
            share=self.share,
            roster_version=self.roster,
            granted=self.day,
            granter=self.granter,
            signature=from_base64(self.signature),
            sealed=b"",
        )
        return Carried(row, from_base64(self.inner))


class _SealedGrant(_Grant, frozen=True, kw_only=True):
    profile: Line
    profile_version: _Number
    excluded: Annotated[tuple[PersonId, ...], msgspec.Meta(max_length=500)]
    reporter_key: Key

    def sealed(self) -> Sealed:
        key = from_base64(self.reporter_key)
        return Sealed(
            self.carried(), self.profile, self.profile_version, self.excluded, key or None
        )


class _ExportFile(_Record, frozen=True, kw_only=True):
    v: Literal[1]
    format: Literal["suaka-recovery-export"]
    instance: Instance
    office: OfficeName
    profile: Line
    profile_version: _Number
    everything: bool
    entries: Annotated[tuple[_Entry, ...], msgspec.Meta(min_length=1, max_length=100_000)]
    receivers: Annotated[tuple[PersonId, ...], msgspec.Meta(max_length=500)]
    lost: Annotated[tuple[PersonId, ...], msgspec.Meta(max_length=500)]
    waiting: Annotated[tuple[OfficerRecord, ...], msgspec.Meta(max_length=500)]
    grants: tuple[_SealedGrant, ...]


class _ResultFile(_Record, frozen=True, kw_only=True):
    v: Literal[1]
    format: Literal["suaka-recovery-result"]
    file: PersonId
    instance: Instance
    day: date
    roster: _Number
    head: Hash
    replaced: bool
    entry: _Entry | None
    grants: tuple[_Grant, ...]
    signature: _Signature


def _entry_to_json(entry: StoredEntry) -> dict[str, Any]:
    return {
        "entry": canonical.decode(entry.body),
        "signer": entry.signer,
        "signature": to_base64(entry.signature),
    }


def _entry_digest(entry: StoredEntry) -> str:
    """Return the hash of an entry with its signature."""
    return hashlib.sha256(canonical.encode(_entry_to_json(entry))).hexdigest()


def _grant_to_json(one: Carried) -> dict[str, Any]:
    row = one.row
    return {
        "grant": row.id,
        "case": row.case_id,
        "compartment": row.compartment,
        "holder": row.holder,
        "share": row.share,
        "roster": row.roster_version,
        "day": row.granted.isoformat(),
        "granter": row.granter,
        "signature": to_base64(row.signature),
        "inner": to_base64(one.inner),
    }
