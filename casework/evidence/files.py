"""The files of a case as their manifests tell, and their contents, opened piece by piece."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, Self

from sqlalchemy import select

from casework.case import items
from casework.case.keyring import CaseDamaged
from casework.case.past import EVIDENCE
from casework.errors import NotFound
from casework.evidence.incoming import part_header
from casework.evidence.manifest import Manifest, parts_digest
from casework.evidence.tables import FilePart
from casework.store.blobs import BlobMissing
from crypto.envelope_reader import EnvelopeReader
from crypto.errors import CryptoError, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from casework.case.keyring import Keyring
    from casework.case.tables import Item
    from casework.store.blobs import Blobs, OpenBlob
    from crypto.age import HybridIdentity

_STEP: Final = 1024 * 1024
"""Bytes of a blob that are hashed at once."""


@dataclass(frozen=True)
class File:
    """A file of a case. ``number`` counts all files of the case from 1, in order of arrival.

    ``manifest`` is ``None`` where what is stored is not what its author signed, and then nothing
    of the file may be shown.
    """

    item_id: str
    number: int
    compartment: str
    author: str
    day: date
    leaf: int
    manifest: Manifest | None


def files(
    keyring: Keyring, *, rooms: Collection[str] | None = None, author: str | None = None
) -> list[File]:
    """Return the files in the compartments that the actor holds, oldest first.

    ``rooms`` and ``author`` narrow them; the numbers stay.
    """
    rows = [row for row in keyring.items() if row.kind == EVIDENCE]
    return [
        _file(keyring, row, number)
        for number, row in enumerate(rows, start=1)
        if (rooms is None or row.compartment in rooms)
        and (author is None or row.author == author)
        and keyring.holds(row.compartment)
    ]


def may_lack(keyring: Keyring) -> bool:
    """Return whether files may have been taken away: the chain of leaves tells, or lacks a leaf."""
    past = keyring.past()
    there = {row.leaf for row in keyring.items() if row.kind == EVIDENCE}
    brought = {
        number
        for number, body in past.bodies.items()
        if body is not None and body["event"] == EVIDENCE
    }
    return not past.whole or not brought <= there


def find(keyring: Keyring, item_id: str) -> File:
    """Return one file. Raises: NotFound: there is none, or the actor may not know of it."""
    for one in files(keyring):
        if one.item_id == item_id:
            return one
    raise NotFound("file")


def _file(keyring: Keyring, row: Item, number: int) -> File:
    return File(
        row.id, number, row.compartment, row.author, row.day, row.leaf, manifest_of(keyring, row)
    )


def manifest_of(keyring: Keyring, row: Item) -> Manifest | None:
    """Return what the manifest in an item says, if item and leaf are what their author signed."""
    leaf = keyring.past().bodies.get(row.leaf)
    if leaf is None or leaf.get("actor") != row.author:
        return None
    opened = keyring.open(row)
    if opened is None:
        return None
    try:
        manifest = Manifest.from_body(opened.body)
    except Malformed:
        return None
    digests = [bytes.fromhex(part.digest) for part in manifest.parts]
    if not {row.digest.hex(), parts_digest(digests)} <= set(leaf.get("objects", ())):
        return None
    return manifest


@dataclass(frozen=True)
class _Part:
    blob: str
    number: int
    count: int
    digest: bytes
    start: int
    length: int


@dataclass
class _Open:
    """The part that is open; ``hashed``: its ciphertext has been compared."""

    number: int
    blob: OpenBlob
    reader: EnvelopeReader
    hashed: bool = False


class Content:
    """A file's plaintext, readable from any place without ever being whole in memory.

    Use as a context manager. Not for several threads at once.
    """

    def __init__(  # noqa: PLR0917 - the file, and everything it is checked against
        self,
        blobs: Blobs,
        identity: HybridIdentity,
        place: items.Place,
        author: str,
        item_id: str,
        manifest: Manifest,
        parts: Sequence[FilePart],
    ) -> None:
        """Compare rows and manifest; opens nothing yet.

        Raises:
            CaseDamaged: the rows name other parts than the manifest.
        """
        named = [part.digest for part in manifest.parts]
        if [part.digest.hex() for part in parts] != named or any(
            (part.number, part.count) != (number, len(named))
            for number, part in enumerate(parts, start=1)
        ):
            raise CaseDamaged("parts of a file")
        self._blobs = blobs
        self._identity = identity
        self._place, self._author, self._item_id = place, author, item_id
        self._parts: list[_Part] = []
        self.length = 0
        for part, note in zip(parts, manifest.parts, strict=True):
            self._parts.append(
                _Part(part.blob, part.number, part.count, part.digest, self.length, note.length)
            )
            self.length += note.length
        self._sha256 = manifest.sha256
        self._open: _Open | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the blob that is open."""
        if self._open is not None:
            self._open.blob.close()
            self._open = None

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from ``start`` up to ``stop``, each authenticated before it is yielded.

        Age alone would take what anybody who held the compartment once has sealed in a part's
        place. So of a whole file the last piece is held back until its hash has been compared,
        and for a range each part is hashed before anything of it is yielded.

        Raises:
            CaseDamaged: a part is gone, cut short, or not what its author sealed.
            ValueError: the range does not lie inside the file.
        """
        if not 0 <= start <= stop <= self.length:
            raise ValueError("range outside the file")
        if (start, stop) == (0, self.length):
            yield from _last_held_back(self.whole())
            return
        for part in self._parts:
            end = part.start + part.length
            if end <= start or part.start >= stop:
                continue
            reader = self._reader(part, hashed=True)
            pieces = reader.read(max(start, part.start) - part.start, min(stop, end) - part.start)
            try:
                yield from pieces
            except (CryptoError, BlobMissing) as error:
                raise CaseDamaged("blob") from error

    def whole(self) -> Iterator[bytes]:
        """Yield the whole file, and compare hashes and padding before the end is reached.

        Raises:
            CaseDamaged: as above, or the file is not the one that its manifest names.
        """
        digest = hashlib.sha256()
        # Parts have hashes of their own, too; here that of the file stands for them all.
        for piece in self._through(_bare, hashed=False):
            digest.update(piece)
            yield piece
        if digest.hexdigest() != self._sha256:
            raise CaseDamaged("hash of a file")

    def through(self) -> Iterator[bytes]:
        """Yield the whole file where its hash is not known yet; each part is compared.

        Raises:
            CaseDamaged: a part is gone, cut short, or not what its author sealed.
        """
        return self._through(EnvelopeReader.whole, hashed=True)

    def _through(
        self, contents: Callable[[EnvelopeReader], Iterator[bytes]], *, hashed: bool
    ) -> Iterator[bytes]:
        for part in self._parts:
            reader = self._reader(part, hashed=hashed)
            try:
                yield from contents(reader)
            except (CryptoError, BlobMissing) as error:
                raise CaseDamaged("blob") from error

    def _reader(self, part: _Part, *, hashed: bool) -> EnvelopeReader:
        """Return an open part; if ``hashed``, its ciphertext is the one that was signed."""
        if self._open is None or self._open.number != part.number:
            self.close()
            self._open = self._opened(part)
        if hashed and not self._open.hashed:
            try:
                same = _digest(self._open.blob) == part.digest
            except BlobMissing as error:
                raise CaseDamaged("blob") from error
            if not same:
                raise CaseDamaged("blob")
            self._open.hashed = True
        return self._open.reader

    def _opened(self, part: _Part) -> _Open:
        header = part_header(self._place, self._author, self._item_id, part.number, part.count)
        try:
            blob = self._blobs.open(part.blob)
        except BlobMissing as error:
            raise CaseDamaged("blob") from error
        try:
            reader = EnvelopeReader(blob.read_at, blob.size, self._identity, header)
        except (CryptoError, BlobMissing) as error:
            blob.close()
            raise CaseDamaged("blob") from error
        if reader.length != part.length:
            blob.close()
            raise CaseDamaged("length of a part")
        return _Open(part.number, blob, reader)


def _bare(reader: EnvelopeReader) -> Iterator[bytes]:
    """Yield a part's body, and check what lies behind it, but not the part's own hash."""
    yield from reader.read()
    reader.check_padding()


def _digest(blob: OpenBlob) -> bytes:
    """Return the SHA-256 of a blob. Raises: BlobMissing: the disk fails."""
    digest, at = hashlib.sha256(), 0
    while piece := blob.read_at(at, _STEP):
        digest.update(piece)
        at += len(piece)
    return digest.digest()


def _last_held_back(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield pieces, the last of them only when the iterator has ended without an error."""
    before = b""
    for piece in pieces:
        if before:
            yield before
        before = piece
    if before:
        yield before


def content(keyring: Keyring, row: Item, manifest: Manifest) -> Content:
    """Open a file or a copy of one. Raises: Denied, CaseDamaged."""
    uow = keyring.uow
    parts = uow.session.scalars(
        select(FilePart).where(FilePart.item_id == row.id).order_by(FilePart.number)
    ).all()
    day = date.fromisoformat(manifest.day)
    place = items.Place(uow.office.instance_id, row.case_id, row.compartment, day)
    identity = keyring.identity(row.compartment)
    return Content(uow.office.blobs, identity, place, row.author, row.id, manifest, parts)
