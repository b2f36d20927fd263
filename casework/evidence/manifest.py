"""What a file's sealed manifest says: name, kind, size, hashes, and the parts in their order."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec

from crypto.errors import Malformed
from sandbox.contract import FileKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from casework.evidence.incoming import Arrived, Kept

_Digest = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
_Count = Annotated[int, msgspec.Meta(ge=0)]
HEAD: Final = 4096
"""Bytes of a file's beginning by which its kind is told."""


class PartNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One part: ``digest`` is the SHA-256 (hex) of its ciphertext, ``length`` its plain bytes."""

    digest: _Digest
    length: _Count


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file as it arrived, or a copy of one.

    ``kind`` is what its first bytes say (:class:`sandbox.contract.FileKind`); ``declared`` the
    media type that the sender's browser named. ``sha256`` is that of the whole plaintext.
    ``day`` is the one that the envelopes of the parts name (ISO).
    """

    v: Literal[1] = 1
    name: Annotated[str, msgspec.Meta(max_length=200)]
    kind: str
    declared: Annotated[str, msgspec.Meta(max_length=200)]
    size: _Count
    sha256: _Digest
    day: Annotated[str, msgspec.Meta(pattern=r"\A\d{4}-\d{2}-\d{2}\Z")]
    parts: tuple[PartNote, ...]

    def __repr__(self) -> str:
        """Tell nothing of the file but its kind."""
        return f"Manifest(kind={self.kind!r})"

    def to_body(self) -> dict[str, Any]:
        """Return the JSON object that is sealed."""
        body: dict[str, Any] = msgspec.to_builtins(self)
        return body

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Manifest:
        """Read a manifest strictly. Raises: Malformed."""
        try:
            made = msgspec.convert(dict(body), cls)
            FileKind(made.kind)
            date.fromisoformat(made.day)
        except ValueError as error:  # msgspec's own is one, too
            raise Malformed("manifest") from error
        if not made.parts or sum(part.length for part in made.parts) != made.size:
            raise Malformed("manifest: sizes")
        return made


@dataclass(frozen=True)
class Described:
    """What a sender says of a file, made safe: its name without a path, and its media type."""

    name: str = field(repr=False)
    media_type: str = field(repr=False)


def parts_digest(digests: Iterable[bytes]) -> str:
    """Return what a leaf names of a file's parts: the SHA-256 (hex) over their digests in order."""
    return hashlib.sha256(b"".join(digests)).hexdigest()


def notes(arrived: Iterable[Arrived | Kept]) -> tuple[PartNote, ...]:
    """Return how a manifest names parts that have arrived."""
    return tuple(PartNote(part.digest.hex(), part.length) for part in arrived)
