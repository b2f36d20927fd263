"""The two files that travel between server and ceremony: public parts there, the genesis back.

Both are canonical JSON with a format name and version, and hold nothing secret.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec

from casework.errors import CaseworkError
from casework.keys import chain
from casework.keys.chain import Handle, Instance, Key, Line, PersonId, PersonRecord, RoleId
from casework.keys.vocabulary import RECOVERY, TenureState
from crypto import canonical, words
from crypto.errors import Malformed
from crypto.labels import Label, derive
from crypto.persons import PublicKeys

if TYPE_CHECKING:
    from datetime import date

    from casework.keys.chain import StoredEntry

FORMAT = 1
FILE_MAX = 2 << 20
"""Bytes of a file that is read at all."""

OfficeName = Annotated[str, msgspec.Meta(max_length=160, pattern=r"\A[^\x00-\x1f\x7f]*\Z")]


class UnreadableFile(CaseworkError):
    """The file is not the one expected here, or not written canonically."""


@dataclass(frozen=True)
class PublicPart:
    """What an officer shows of themselves: who they are, what they do, and their public keys."""

    person_id: str
    handle: str
    name: str
    position: str
    roles: tuple[str, ...]
    keys: PublicKeys

    @property
    def fingerprint(self) -> tuple[str, ...]:
        """Eight words over person, roles and keys, to be compared aloud (80 bits)."""
        context = canonical.encode({"person": self.person_id, "roles": list(self.roles)})
        digest = derive(
            Label.FINGERPRINT,
            self.keys.fingerprint(),
            context=context,
            length=words.ENTROPY_SIZE,
        )
        return words.encode(digest)

    def record(
        self, since: date, until: date | None = None, state: TenureState = TenureState.ACTIVE
    ) -> PersonRecord:
        """Return what a roster entry says of this officer for one period (days, inclusive)."""
        keys = chain.key_record(self.keys)
        return PersonRecord(
            person=self.person_id,
            handle=self.handle,
            name=self.name,
            position=self.position,
            roles=tuple(sorted(self.roles)),
            recipient=keys.recipient,
            verify_key=keys.verify_key,
            from_=since,
            until=until,
            state=state,
        )


@dataclass(frozen=True)
class PublicParts:
    """Everyone enrolled on one instance, and the profile whose roles they hold.

    ``office`` is the name of the office for the pages of the share holders; nothing rests on it.
    """

    instance: str
    profile: str
    profile_version: int
    officers: tuple[PublicPart, ...]
    office: str = ""

    def to_bytes(self) -> bytes:
        """Return the file."""
        return canonical.encode(
            {
                "v": FORMAT,
                "format": "suaka-public-parts",
                "instance": self.instance,
                "office": self.office,
                "profile": self.profile,
                "profile_version": self.profile_version,
                "officers": [officer_to_json(officer) for officer in self.officers],
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> PublicParts:
        """Return what :meth:`to_bytes` wrote.

        Raises:
            UnreadableFile: anything else.
        """
        file = read_file(data, _PartsFile)
        officers = tuple(officer.part() for officer in file.officers)
        return cls(file.instance, file.profile, file.profile_version, officers, file.office)


def genesis_to_bytes(entry: StoredEntry) -> bytes:
    """Return the file that brings a genesis from the ceremony to the server."""
    return canonical.encode(
        {
            "v": FORMAT,
            "format": "suaka-genesis",
            "entry": canonical.decode(entry.body),
            "signature": to_base64(entry.signature),
        }
    )


def genesis_from_bytes(data: bytes) -> StoredEntry:
    """Return the genesis of a file; :func:`casework.keys.roster.verify` judges it.

    Raises:
        UnreadableFile: not such a file.
    """
    file = read_file(data, _GenesisFile)
    signature = from_base64(file.signature)
    return chain.StoredEntry(canonical.encode(file.entry), RECOVERY, signature)


def officer_to_json(officer: PublicPart) -> dict[str, Any]:
    """Return a public part as the files write it."""
    return {
        "person": officer.person_id,
        "handle": officer.handle,
        "name": officer.name,
        "position": officer.position,
        "roles": list(officer.roles),
        **officer.keys.to_json(),
    }


def to_base64(data: bytes) -> str:
    """Return bytes as the files write them (RFC 4648 §4)."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """Return the bytes of canonical Base64.

    Raises:
        UnreadableFile: it is none.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise UnreadableFile("not Base64") from None
    if to_base64(data) != text:
        raise UnreadableFile("not canonical Base64")
    return data


class OfficerRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An officer as the files write one."""

    person: PersonId
    handle: Handle
    name: Line
    position: Line
    roles: Annotated[tuple[RoleId, ...], msgspec.Meta(min_length=1, max_length=16)]
    recipient: Key
    verify_key: Key

    def part(self) -> PublicPart:
        """Return the public part that is written here.

        Raises:
            UnreadableFile: a key is none.
        """
        try:
            keys = PublicKeys.from_json(
                {"recipient": self.recipient, "verify_key": self.verify_key}
            )
        except Malformed:
            raise UnreadableFile("public parts: not a key") from None
        return PublicPart(self.person, self.handle, self.name, self.position, self.roles, keys)


class _PartsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    v: Literal[1]
    format: Literal["suaka-public-parts"]
    instance: Instance
    office: OfficeName
    profile: Line
    profile_version: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    officers: Annotated[tuple[OfficerRecord, ...], msgspec.Meta(min_length=1, max_length=500)]


class _GenesisFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    v: Literal[1]
    format: Literal["suaka-genesis"]
    entry: dict[str, Any]
    signature: Annotated[str, msgspec.Meta(max_length=128)]


_File = TypeVar("_File", bound=msgspec.Struct)


def read_file(data: bytes, kind: type[_File], longest: int = FILE_MAX) -> _File:
    """Return what a file of canonical JSON says; ``longest`` in bytes.

    Raises:
        UnreadableFile: it is another file, longer, or not written canonically.
    """
    if len(data) > longest:
        raise UnreadableFile("too large")
    try:
        return msgspec.convert(canonical.decode(data), kind, strict=True)
    except (Malformed, msgspec.ValidationError):
        raise UnreadableFile("not a file of this kind") from None
