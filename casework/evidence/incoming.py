"""One part of a file, sealed while it arrives: nothing of it touches a disk in plaintext."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from casework.evidence.manifest import HEAD
from crypto import envelope
from crypto.envelope import EVIDENCE_FLOOR

if TYPE_CHECKING:
    from casework.case.items import Place
    from casework.store.blobs import Blobs, NewBlob
    from crypto.age import HybridRecipient


@dataclass(frozen=True)
class Slot:
    """Where the next part of a file goes, and to whom it is sealed.

    ``most``: bytes that the part may have.
    """

    place: Place
    author: str
    recipient: HybridRecipient = field(repr=False)
    item_id: str
    most: int
    number: int = 1
    count: int = 1
    floor: int = EVIDENCE_FLOOR


@dataclass(frozen=True)
class Arrived:
    """A part that is whole and safe on the disk, but that no row names yet.

    ``digest`` and ``size`` are those of the ciphertext, ``sha256`` and ``length`` those of the
    plaintext, whose first bytes are ``head``.
    """

    blob: NewBlob
    number: int
    count: int
    digest: bytes
    size: int
    sha256: bytes = field(repr=False)
    length: int = field(repr=False)
    head: bytes = field(repr=False)


@dataclass(frozen=True)
class Kept:
    """A part under its name in the blob folder; a row must name it, or a sweep removes it."""

    number: int
    count: int
    blob: str
    digest: bytes
    size: int
    length: int = field(repr=False)


def keep(part: Arrived) -> Kept:
    """Give a part its name, durably: to be done before the row that names it commits.

    Raises:
        Unavailable: the disk is full or read-only.
    """
    name = part.blob.keep()
    return Kept(part.number, part.count, name, part.digest, part.size, part.length)


class Incoming:
    """Seals one part as it comes in; without :meth:`finish` and a row it leaves nothing.

    Use as a context manager around receiving and storing. Not for several threads at once.
    """

    def __init__(self, blobs: Blobs, slot: Slot) -> None:
        """Begin. Raises: Unavailable: no blob can be made."""
        self._slot = slot
        self._sealer = envelope.Sealer(
            part_header(slot.place, slot.author, slot.item_id, slot.number, slot.count),
            [slot.recipient],
            floor=slot.floor,
        )
        self._digest = hashlib.sha256()
        self._head = b""
        self.length = 0
        self._blob = blobs.new()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the blob; without a name it is gone."""
        self._blob.close()

    @property
    def room(self) -> int:
        """How many more bytes fit."""
        return self._slot.most - self.length

    def seal(self, data: bytes | bytearray) -> bytes:
        """Seal a piece and return what is to be given to :meth:`put`, in the same order."""
        if len(self._head) < HEAD:
            self._head += bytes(data[: HEAD - len(self._head)])
        self.length += len(data)
        return self._sealer.update(data)

    def put(self, sealed: bytes) -> None:
        """Write what was sealed. Raises: Unavailable: the disk is full or read-only."""
        self._digest.update(sealed)
        self._blob.write(sealed)

    def write(self, data: bytes | bytearray) -> None:
        """Seal and write a piece. Raises: Unavailable: the disk is full or read-only."""
        self.put(self.seal(data))

    def finish(self) -> Arrived:
        """Seal the end and bring everything to the disk. Raises: Unavailable."""
        for sealed in self._sealer.ending():
            self.put(sealed)
        self._blob.finish()
        return Arrived(
            blob=self._blob,
            number=self._slot.number,
            count=self._slot.count,
            digest=self._digest.digest(),
            size=self._blob.size,
            sha256=self._sealer.digest,
            length=self.length,
            head=self._head,
        )


def part_header(
    place: Place, author: str, item_id: str, number: int, count: int
) -> envelope.Header:
    """Return the envelope header that binds a part to its file, number and count."""
    return envelope.Header(
        instance=place.instance,
        case=place.case_id,
        compartment=place.compartment,
        item=item_id,
        version=1,
        kind=f"file:{number}/{count}",
        author=author,
        day=place.day.isoformat(),
    )
