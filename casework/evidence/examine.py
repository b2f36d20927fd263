"""An officer looks at a file: first it is examined, and every look leaves its trace.

Examining has the file scanned where a scanner is set up, and makes a cleaned copy in the
confined process; both results are sealed beside the file. What officers see and pass on by
default is that copy. The original is opened with a reason only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from sqlalchemy import select

from casework.case import custody, items
from casework.case.act import Act
from casework.case.authority import FILE_ROOMS, may_hold
from casework.case.keyring import CaseDamaged
from casework.case.tables import Item
from casework.errors import Conflict, InvalidInput
from casework.evidence import receive
from casework.evidence.files import content, find
from casework.evidence.incoming import Incoming, Slot, keep
from casework.evidence.manifest import Manifest, notes
from casework.intake.report import LONG
from casework.log import leaf as leaves
from casework.log.leaf import Draft, append
from casework.log.tables import Leaf
from casework.store.base import new_id
from sandbox.contract import (
    AUDIO,
    IMAGES,
    INPUT_LIMIT,
    VIDEO,
    Failed,
    Failure,
    FileKind,
    Result,
    Task,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from casework.case.keyring import Keyring
    from casework.evidence.files import Content, File
    from casework.evidence.incoming import Arrived
    from casework.store.office import Office

FILE: Final = "evidence"
FORM: Final = "form"
"""What a leaf says of a look: the file's item id, and in which form it was seen."""

ORIGINAL, CLEAN, PICTURE = "original", "clean", "picture"
"""Forms: as it came; the cleaned copy, taken along or played; drawn anew, or shown as text."""

DRAWN: Final = IMAGES | {FileKind.PDF}
"""Kinds that are shown as pictures."""

READ: Final = frozenset({FileKind.TEXT, FileKind.CSV})
"""Kinds that are shown as text."""

PLAYED: Final = AUDIO | VIDEO
"""Kinds that play in the page."""


class Examined(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an examination found.

    ``scan`` is a :class:`casework.evidence.scan.Outcome`, or empty where no scanner is set up;
    ``found`` the name that the scanner gives to what it found. ``failure`` says why there is no
    cleaned copy (a :class:`sandbox.contract.Failure`), empty where ``copy`` describes one.
    ``pages``: how many can be drawn, 0 if none.
    """

    file: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
    scan: str = ""
    found: Annotated[str, msgspec.Meta(max_length=200)] = ""
    failure: str = ""
    copy: Manifest | None = None
    pages: Annotated[int, msgspec.Meta(ge=0)] = 0


@dataclass(frozen=True)
class Examination:
    """An examination with the item that holds it."""

    item_id: str
    result: Examined


@dataclass(frozen=True)
class Prepared:
    """An examination that is not stored yet; ``arrived`` is the sealed copy, if there is one."""

    file: File
    result: Examined
    item_id: str
    arrived: Arrived | None = field(repr=False)


def latest(keyring: Keyring, file: File) -> Examination | None:
    """Return the newest examination of a file by an officer who held the file when signing it.

    Others on the roster have keys to sign with, too, and may remember to whom the compartment is
    sealed: what they say of a file, and a copy that they bring, is passed over.

    Raises:
        Denied: the actor does not hold the file's compartment.
    """
    bodies = keyring.past().bodies
    rows = [
        row
        for row in keyring.items()
        if row.kind == custody.EXAMINED
        and row.compartment == file.compartment
        and (bodies.get(row.leaf) or {}).get(FILE) == file.item_id
    ]
    for row in reversed(rows):
        found = _read(keyring, row, file)
        if found is not None:
            return found
    return None


def _read(keyring: Keyring, row: Item, file: File) -> Examination | None:
    leaf = keyring.past().bodies.get(row.leaf) or {}
    if leaf.get("event") != custody.EXAMINED or leaf.get("actor") != row.author:
        return None
    if not _held(keyring, row, date.fromisoformat(leaf["day"])):
        return None
    opened = keyring.open(row)
    if opened is None or row.digest.hex() not in leaf.get("objects", ()):
        return None
    try:
        result = msgspec.convert(dict(opened.body), Examined)
    except msgspec.ValidationError:
        return None
    return Examination(row.id, result) if result.file == file.item_id else None


def _held(keyring: Keyring, row: Item, day: date) -> bool:
    """Return whether an examiner could hold the compartment on that day, and had not lost it."""
    case = keyring.case
    profile = keyring.uow.office.catalogue.get(case.profile, case.profile_version)
    roles = keyring.roster.roles_on(row.author, day)
    return may_hold(profile, roles, row.compartment) and not keyring.past().had_lost(
        row.compartment, row.author, row.leaf
    )


def prepare(office: Office, original: Content, file: File, slot: Slot) -> Prepared:
    """Scan a file and clean a copy of it; takes as long as that takes, outside any transaction.

    Whatever fails in the confined process becomes part of the result. The caller closes
    ``arrived.blob`` when it is done.

    Raises:
        CaseDamaged: the original is not what was sealed.
        Unavailable: the disk is full or read-only.
    """
    if file.manifest is None:
        raise CaseDamaged("manifest")
    scan, found = "", ""
    if office.scanner is not None:
        verdict = office.scanner.scan(original.whole())
        scan, found = verdict.outcome.value, verdict.name
    kind = FileKind(file.manifest.kind)
    try:
        cleaned = office.jail.run(Task.CLEAN, _bounded(original), kind=kind)
    except Failed as failed:
        result = Examined(
            file=file.item_id,
            scan=scan,
            found=found,
            failure=failed.reason.value,
            pages=_pages(office, lambda: _bounded(original), kind),
        )
        return Prepared(file, result, slot.item_id, None)
    pages = _pages(office, lambda: iter((cleaned.data,)), cleaned.kind)
    arrived = _seal(office, slot, cleaned)
    copy = Manifest(
        name="",
        kind=cleaned.kind.value,
        declared="",
        size=arrived.length,
        sha256=arrived.sha256.hex(),
        day=slot.place.day.isoformat(),
        parts=notes([arrived]),
    )
    result = Examined(file=file.item_id, scan=scan, found=found, copy=copy, pages=pages)
    return Prepared(file, result, slot.item_id, arrived)


def _pages(office: Office, pieces: Callable[[], Iterator[bytes]], kind: FileKind) -> int:
    """Return how many pages can be drawn; 0 if the first one cannot."""
    if kind not in DRAWN:
        return 0
    try:
        return office.jail.run(Task.DRAW, pieces(), kind=kind).pages
    except Failed:
        return 0


def slot(keyring: Keyring, file: File) -> Slot:
    """Return where a cleaned copy of a file goes: beside it. Raises: Denied, CaseDamaged."""
    keyring.check_act()
    uow = keyring.uow
    place = items.Place(uow.office.instance_id, keyring.case.id, file.compartment, uow.today())
    recipient = keyring.identity(file.compartment).recipient
    return Slot(place, keyring.actor.person_id, recipient, new_id(), INPUT_LIMIT * 2)


def store(keyring: Keyring, prepared: Prepared) -> None:
    """Add an examination to the case, with its leaf.

    Raises:
        Denied: the actor no longer holds the compartment.
        CaseDamaged: what is stored of the case does not belong together.
        Unavailable: the disk is full or read-only.
    """
    parts = [] if prepared.arrived is None else [keep(prepared.arrived)]
    receive.put(
        keyring,
        custody.EXAMINED,
        {FILE: prepared.file.item_id},
        prepared.file.compartment,
        prepared.item_id,
        msgspec.to_builtins(prepared.result),
        parts,
    )


def draw(office: Office, opened: Content, kind: FileKind, page: int) -> Result:
    """Return one page of a file as a plain picture. Raises: Failed, CaseDamaged."""
    return office.jail.run(Task.DRAW, _bounded(opened), kind=kind, page=page)


def text(office: Office, opened: Content, kind: FileKind) -> str:
    """Return the beginning of a text as it can be shown. Raises: Failed, CaseDamaged."""
    return office.jail.run(Task.TEXT, _bounded(opened), kind=kind).data.decode()


def copy_of(keyring: Keyring, found: Examination) -> Content:
    """Open the cleaned copy that an examination made.

    Raises:
        CaseDamaged: it is not what was sealed.
        Conflict: there is none.
    """
    if found.result.copy is None:
        raise Conflict("copy")
    row = keyring.uow.session.get_one(Item, found.item_id)
    return content(keyring, row, found.result.copy)


def original_of(keyring: Keyring, file: File) -> Content:
    """Open an original. Raises: CaseDamaged: it is not what was sealed."""
    if file.manifest is None:
        raise CaseDamaged("manifest")
    row = keyring.uow.session.get_one(Item, file.item_id)
    return content(keyring, row, file.manifest)


def is_open(keyring: Keyring, file_id: str, form: str) -> bool:
    """Return whether the actor's own leaf of today says that they look at a file in this form."""
    actor, today = keyring.actor, keyring.uow.today().isoformat()
    key = actor.person.signing.verify_key
    rows = keyring.uow.session.scalars(
        select(Leaf).where(
            Leaf.actor == actor.person_id,
            Leaf.event == custody.FILE_OPENED,
            Leaf.day == keyring.uow.today(),
            Leaf.case_id == keyring.case.id,
        )
    )
    for row in rows:
        body = leaves.read(row) or {}
        said = tuple(body.get(name) for name in ("event", "actor", "day", FILE, FORM))
        if said == (
            custody.FILE_OPENED, actor.person_id, today, file_id, form,
        ) and leaves.is_signed(row, actor.person_id, lambda _: key):  # fmt: skip
            return True
    return False


def note(keyring: Keyring, file_id: str, form: str) -> None:
    """Write down that the actor looks at a file; before anything of it is shown.

    Raises:
        NotFound: there is no such file, or the actor may not know of it.
    """
    find(keyring, file_id)
    draft = Draft(
        custody.FILE_OPENED,
        keyring.actor.person_id,
        keyring.case.id,
        facts={"items": 0, "granted": [], "revoked": [], FILE: file_id, FORM: form},
    )
    append(keyring.uow, draft, keyring.actor.person.signing)
    keyring.forget_past()


def open_original(keyring: Keyring, file_id: str, reason: str, item_id: str) -> None:
    """Say why the original is opened; for the rest of the day the actor may.

    The reason is sealed where reporters cannot read it, if the actor holds such a compartment.
    The same ``item_id`` twice counts once.

    Raises:
        NotFound: there is no such file.
        InvalidInput: no reason, or too long a one.
        CaseDamaged: what is stored of the case does not belong together.
    """
    find(keyring, file_id)
    said = reason.strip()
    if not said:
        raise InvalidInput({"reason": "law.reason_required"})
    if len(said) > LONG:
        raise InvalidInput({"reason": "report.too_long"})
    act = Act(keyring)
    room = next(kind for kind in FILE_ROOMS if keyring.holds(kind))
    try:
        act.write(room, custody.FILE_REASON, {"text": said, FILE: file_id}, item_id)
    except Conflict:
        return
    act.finish(custody.FILE_OPENED, {FILE: file_id, FORM: ORIGINAL})


def _bounded(opened: Content) -> Iterator[bytes]:
    """Yield a file for the confined process, unless it is larger than that takes.

    Raises:
        Failed: it is.
    """
    if opened.length > INPUT_LIMIT:
        raise Failed(Failure.TOO_LARGE)
    return opened.whole()


def _seal(office: Office, slot: Slot, cleaned: Result) -> Arrived:
    incoming = Incoming(office.blobs, slot)
    try:
        incoming.write(cleaned.data)
        return incoming.finish()
    except BaseException:
        incoming.close()
        raise
