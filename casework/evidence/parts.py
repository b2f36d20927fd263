"""A file that comes in parts, each in a request of its own, so that a broken connection costs one.

Every part is sealed whole within its request; nothing else is kept between two of them. What is
not finished a day after it was begun is forgotten (:func:`sweep`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from sqlalchemy import delete, select

from casework.case import items
from casework.case.keyring import CaseDamaged
from casework.errors import Conflict, Denied, NotFound
from casework.evidence import limits, receive
from casework.evidence.files import Content
from casework.evidence.incoming import Kept, Slot, keep
from casework.evidence.limits import PART, Full
from casework.evidence.manifest import HEAD, Manifest, PartNote
from casework.evidence.tables import FilePart, Upload, UploadPart
from casework.store.base import new_id
from crypto import canonical, envelope, signatures
from crypto.errors import CryptoError
from crypto.labels import Purpose
from sandbox import kinds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casework.case.keyring import Keyring
    from casework.evidence.incoming import Arrived
    from casework.store.unit import UnitOfWork

KIND: Final = "upload"
"""Kind in the envelope of what an unfinished file's sender said of it."""

FLOOR: Final = PART + PART // 32
"""Bytes to which each part of a longer file is padded: what a whole part takes with its header."""


class Declared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a sender says of a file before its parts come: by this the rest finds its beginning.

    ``size`` in bytes; ``modified`` is the sender's own mark of the file's last change, any number.
    """

    name: Annotated[str, msgspec.Meta(max_length=200)]
    media_type: Annotated[str, msgspec.Meta(max_length=200)]
    size: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
    modified: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]

    def __repr__(self) -> str:
        """Tell nothing of the file."""
        return "Declared(…)"

    @property
    def count(self) -> int:
        """How many parts it has; an empty file has one."""
        return max(1, -(-self.size // PART))


@dataclass(frozen=True)
class Arriving:
    """An unfinished file: ``have`` are the numbers of its parts that are here."""

    id: str
    compartment: str
    declared: Declared = field(repr=False)
    count: int
    have: frozenset[int]

    def length_of(self, number: int) -> int:
        """Return how many bytes a part has. Raises: NotFound: there is no such part."""
        if not 1 <= number <= self.count:
            raise NotFound("part")
        return PART if number < self.count else self.declared.size - PART * (self.count - 1)


def begin(keyring: Keyring, room: str, declared: Declared) -> Arriving:
    """Begin a file, or go on with the one that the same person began in the same words.

    Raises:
        Denied: the actor may not add files there.
        Full: the file is larger than allowed, or no further file may be added.
        CaseDamaged: what is stored of the case does not belong together.
    """
    keyring.check_act()
    if room not in receive.rooms(keyring):
        raise Denied
    for one in arriving(keyring):
        if (one.compartment, one.declared) == (room, declared):
            return one
    left = limits.left(keyring)
    if declared.size > left.size:
        raise Full(left.bound, left.limit)
    uow = keyring.uow
    upload = Upload(
        id=new_id(),
        case_id=keyring.case.id,
        compartment=room,
        author=keyring.actor.person_id,
        day=uow.today(),
        count=declared.count,
        sealed=b"",
    )
    body = canonical.encode(msgspec.to_builtins(declared))
    recipient = keyring.identity(room).recipient
    upload.sealed = envelope.seal(_header(uow, upload), body, [recipient])
    uow.session.add(upload)
    uow.session.flush()
    return Arriving(upload.id, room, declared, upload.count, frozenset())


def arriving(keyring: Keyring) -> list[Arriving]:
    """Return the actor's own unfinished files in this case; what was tampered with is left out."""
    rows = keyring.uow.session.scalars(
        select(Upload)
        .where(Upload.case_id == keyring.case.id, Upload.author == keyring.actor.person_id)
        .order_by(Upload.id)
    )
    return [found for row in rows if (found := _read(keyring, row)) is not None]


def slot(keyring: Keyring, upload_id: str, number: int) -> Slot:
    """Return where a part goes.

    Raises:
        NotFound: the actor has begun no such file, or it has no such part.
        Full: the disk has no room for it.
    """
    one, row = _own(keyring, upload_id)
    most = one.length_of(number)
    uow = keyring.uow
    if uow.office.blobs.free() - uow.office.evidence.low_water < most:
        raise Full(limits.Bound.INSTANCE, 0)
    recipient = keyring.identity(row.compartment).recipient
    place = _place(uow, row)
    # Every part of a longer file is padded like the others: their number says enough.
    floor = FLOOR if one.count > 1 else envelope.EVIDENCE_FLOOR
    return Slot(place, row.author, recipient, row.id, most, number, row.count, floor)


def take(keyring: Keyring, upload_id: str, arrived: Arrived) -> None:
    """Note a part that has arrived; the same part twice counts once.

    Raises:
        NotFound: the actor has begun no such file, or it has no such part.
        Conflict: the part is shorter than it should be.
        Unavailable: the disk is full or read-only.
    """
    one, row = _own(keyring, upload_id)
    if arrived.length != one.length_of(arrived.number) or arrived.count != row.count:
        raise Conflict("part")
    if arrived.number in one.have:
        return
    kept = keep(arrived)
    keyring.uow.session.add(
        UploadPart(
            upload_id=row.id,
            number=kept.number,
            blob=kept.blob,
            digest=kept.digest,
            size=kept.size,
            signature=keyring.actor.person.signing.sign(
                Purpose.PART, _statement(keyring, row, kept.number, kept.digest)
            ),
        )
    )
    keyring.uow.session.flush()


def check(keyring: Keyring, upload_id: str) -> Manifest:
    """Open all parts of a file in order, and return the manifest that they make.

    Takes as long as the file is large; to be called outside a writing transaction.

    Raises:
        NotFound: the actor has begun no such file.
        Conflict: a part is still missing.
        CaseDamaged: a part is not what was sealed, or not what the same person sent.
    """
    one, row = _own(keyring, upload_id)
    if len(one.have) != one.count:
        raise Conflict("part")
    uow = keyring.uow
    parts = _parts(uow, row)
    _check_signed(keyring, row, parts)
    notes = tuple(
        PartNote(part.digest.hex(), one.length_of(number))
        for number, part in enumerate(parts, start=1)
    )
    draft = Manifest(
        name=one.declared.name,
        kind="",
        declared=one.declared.media_type,
        size=one.declared.size,
        sha256="0" * 64,
        day=row.day.isoformat(),
        parts=notes,
    )
    rows = [
        FilePart(item_id=row.id, number=part.number, count=row.count, blob=part.blob,
                 digest=part.digest, size=part.size)
        for part in parts
    ]  # fmt: skip
    identity = keyring.identity(row.compartment)
    place = _place(uow, row)
    sha256, head = hashlib.sha256(), b""
    with Content(uow.office.blobs, identity, place, row.author, row.id, draft, rows) as opened:
        for piece in opened.through():
            if len(head) < HEAD:
                head += piece[: HEAD - len(head)]
            sha256.update(piece)
    kind = kinds.kind_of(head, draft.name)
    return msgspec.structs.replace(draft, kind=kind, sha256=sha256.hexdigest())


def finish(keyring: Keyring, upload_id: str, manifest: Manifest) -> list[str]:
    """Add a file whose parts were checked: rows, manifest and leaf at once.

    Returns the blobs that nothing names any more, to be removed after the commit: those of a
    file that the actor had sent before.

    Raises:
        NotFound: the actor has begun no such file; it may be finished already.
        Conflict: its parts are not those that were checked.
        Denied: the actor no longer holds the compartment.
    """
    _, row = _own(keyring, upload_id)
    uow = keyring.uow
    parts = _parts(uow, row)
    if [part.digest.hex() for part in parts] != [part.digest for part in manifest.parts]:
        raise Conflict("part")
    if receive.is_known(keyring, row.compartment, manifest):
        return cancel(keyring, upload_id)
    kept = [
        Kept(part.number, row.count, part.blob, part.digest, part.size, note.length)
        for part, note in zip(parts, manifest.parts, strict=True)
    ]
    _forget(uow, row.id)
    receive.add(keyring, row.compartment, row.id, manifest, kept)
    return []


def cancel(keyring: Keyring, upload_id: str) -> list[str]:
    """Forget an unfinished file; returns its blobs, to be removed after the commit.

    Raises:
        NotFound: the actor has begun no such file.
    """
    row = keyring.uow.session.get(Upload, upload_id)
    if row is None or (row.case_id, row.author) != (keyring.case.id, keyring.actor.person_id):
        raise NotFound("upload")
    names = [part.blob for part in _parts(keyring.uow, row)]
    _forget(keyring.uow, row.id)
    return names


def sweep(uow: UnitOfWork) -> list[str]:
    """Forget what was begun before yesterday; returns the blobs, to be removed after the commit."""
    oldest = uow.today() - timedelta(days=1)
    old = uow.session.scalars(select(Upload).where(Upload.day < oldest)).all()
    names = [part.blob for row in old for part in _parts(uow, row)]
    for row in old:
        _forget(uow, row.id)
    return names


def forget_all(uow: UnitOfWork) -> None:
    """Forget every unfinished file, after a restore: a backup holds none of their parts."""
    uow.session.execute(delete(UploadPart))
    uow.session.execute(delete(Upload))


def _own(keyring: Keyring, upload_id: str) -> tuple[Arriving, Upload]:
    """Return an unfinished file of the actor in this case. Raises: NotFound, CaseDamaged."""
    row = keyring.uow.session.get(Upload, upload_id)
    if row is None or (row.case_id, row.author) != (keyring.case.id, keyring.actor.person_id):
        raise NotFound("upload")
    found = _read(keyring, row)
    if found is None:
        raise CaseDamaged("upload")
    return found, row


def _read(keyring: Keyring, row: Upload) -> Arriving | None:
    uow = keyring.uow
    if not keyring.holds(row.compartment):
        return None
    try:
        identity = keyring.identity(row.compartment)
        body = canonical.decode(envelope.unseal(row.sealed, identity, _header(uow, row)))
        declared = msgspec.convert(body, Declared)
    except (CryptoError, CaseDamaged, msgspec.ValidationError):
        return None
    if row.count != declared.count:
        return None
    have = frozenset(part.number for part in _parts(uow, row))
    return Arriving(row.id, row.compartment, declared, row.count, have)


def _check_signed(keyring: Keyring, row: Upload, parts: Sequence[UploadPart]) -> None:
    """Compare the parts with what their sender signed as each arrived.

    Until a file is finished no leaf names its parts, and its sender's signature under the
    manifest would cover whatever lay there.

    Raises:
        CaseDamaged: one was exchanged.
    """
    key = keyring.actor.person.signing.verify_key
    try:
        for part in parts:
            said = _statement(keyring, row, part.number, part.digest)
            signatures.verify(key, Purpose.PART, said, part.signature)
    except CryptoError as error:
        raise CaseDamaged("part of an unfinished file") from error


def _statement(keyring: Keyring, row: Upload, number: int, digest: bytes) -> dict[str, str | int]:
    return {
        "instance": keyring.uow.office.instance_id,
        "case": row.case_id,
        "item": row.id,
        "number": number,
        "count": row.count,
        "sha256": digest.hex(),
    }


def _parts(uow: UnitOfWork, row: Upload) -> Sequence[UploadPart]:
    return uow.session.scalars(
        select(UploadPart).where(UploadPart.upload_id == row.id).order_by(UploadPart.number)
    ).all()


def _forget(uow: UnitOfWork, upload_id: str) -> None:
    uow.session.execute(delete(UploadPart).where(UploadPart.upload_id == upload_id))
    uow.session.execute(delete(Upload).where(Upload.id == upload_id))


def _place(uow: UnitOfWork, row: Upload) -> items.Place:
    return items.Place(uow.office.instance_id, row.case_id, row.compartment, row.day)


def _header(uow: UnitOfWork, row: Upload) -> envelope.Header:
    return envelope.Header(
        instance=uow.office.instance_id,
        case=row.case_id,
        compartment=row.compartment,
        item=row.id,
        version=1,
        kind=KIND,
        author=row.author,
        day=row.day.isoformat(),
    )
