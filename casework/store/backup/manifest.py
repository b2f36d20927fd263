"""What an archive says of itself: its first member, canonical JSON, parsed strictly."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from casework.errors import CaseworkError
from crypto import canonical
from crypto.errors import Malformed

NAME: Final = "manifest.json"
SIZE_MAX: Final = 32 << 20
"""Bytes of a manifest: some hundred thousand members."""

KEYS_DAYS: Final = 30
"""Days that an archive of keys may live: a destroyed shred key is gone once they are over."""

_MADE: Final = "%Y-%m-%dT%H:%M:%SZ"

Identifier = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
Hash = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Moment = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{4}(-[0-9]{2}){2}T([0-9]{2}:){2}[0-9]{2}Z\Z")]
Word = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9._+-]{1,64}\Z")]
FileName = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")]
MemberName = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-][A-Za-z0-9._/-]{0,98}\Z")]
Count = Annotated[int, msgspec.Meta(ge=0)]


class ArchiveUnfit(CaseworkError):
    """An archive cannot be made or used; the message is the sentence that says why."""


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One file of an archive: path below the instance's folder, bytes, hex SHA-256."""

    name: MemberName
    size: Count
    sha256: Hash


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What both archives state. ``pair`` is random and the same in the two that belong together.

    ``schema`` is the revision of the database, ``program`` the version that made the archive,
    ``made`` the moment in UTC.
    """

    v: Literal[1] = 1
    program: Word
    schema: Word
    instance: Identifier
    pair: Identifier
    made: Moment
    members: Annotated[tuple[Member, ...], msgspec.Meta(min_length=1)]

    @property
    def moment(self) -> datetime:
        """When the archive was made, in UTC."""
        return datetime.strptime(self.made, _MADE).replace(tzinfo=UTC)

    def to_bytes(self) -> bytes:
        """Return the manifest as it stands in the archive."""
        return canonical.encode(msgspec.to_builtins(self))


class DataManifest(_Manifest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The archive of database, files and settings.

    ``log_size`` and ``log_last`` are the checkpoint: number of leaves, hash of the last one.
    ``keys`` is the file name of the archive of keys that fits.
    """

    format: Literal["suaka-backup-data"] = "suaka-backup-data"
    genesis: Hash
    roster_version: Annotated[int, msgspec.Meta(ge=1)]
    roster_head: Hash
    log_size: Annotated[int, msgspec.Meta(ge=1)]
    log_last: Hash
    keys: FileName


class KeysManifest(_Manifest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The archive of keystore, pepper and log key.

    ``expires`` is the last day (UTC) it may be used.
    """

    format: Literal["suaka-backup-keys"] = "suaka-backup-keys"
    expires: date


Manifest = TypeVar("Manifest", DataManifest, KeysManifest)


def moment_text(moment: datetime) -> str:
    """Return a moment as a manifest writes it."""
    return moment.astimezone(UTC).strftime(_MADE)


def parse(data: bytes, kind: type[Manifest]) -> Manifest:
    """Return the manifest that ``data`` writes.

    Raises:
        ArchiveUnfit: it is none of this kind, or not written canonically, or names a file twice
            or by a path that leads elsewhere.
    """
    try:
        manifest = msgspec.convert(canonical.decode(data), kind, strict=True)
        made = manifest.moment
    except (Malformed, msgspec.ValidationError, ValueError):
        raise ArchiveUnfit(_not_a(kind)) from None
    names = [member.name for member in manifest.members]
    if names != sorted(set(names)) or any(not _is_inside(name) for name in names):
        raise ArchiveUnfit("the manifest names a file twice, out of order or by a strange path")
    if isinstance(manifest, KeysManifest):
        lives = (manifest.expires - made.date()).days
        if not 0 <= lives <= KEYS_DAYS:
            raise ArchiveUnfit(f"an archive of keys may live for {KEYS_DAYS} days at most")
    return manifest


def _is_inside(name: str) -> bool:
    """Return whether a name is a plain path below a folder, without hidden parts."""
    return all(part and not part.startswith(".") for part in name.split("/"))


def _not_a(kind: type[object]) -> str:
    what = "an archive of keys" if kind is KeysManifest else "a backup of the database"
    return f"the file is not {what}, or another version of Suaka made it"
