"""Files in cases for tests: add one, examine it, read it back, past no rule but the pages'."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, cast

from casework.case.keyring import Keyring
from casework.evidence import examine, parts, receive
from casework.evidence.examine import Examination, Examined, Prepared
from casework.evidence.files import File, files, find, may_lack
from casework.evidence.incoming import Arrived, Incoming, Slot
from casework.evidence.limits import PART
from casework.evidence.manifest import Described, Manifest, notes
from casework.keys.actor import Actor
from casework.law.vocabulary import Compartment
from casework.store.unit import UnitOfWork
from sandbox.contract import FileKind
from tests.casework.cases import REPORTER, Filed
from tests.casework.office import Bench

if TYPE_CHECKING:
    from casework.intake.receipt import Receipt

CONTENT = Compartment.CONTENT.value
PAPER = b"Kanari isi bukti: daftar barang yang dibawa pulang.\n" * 40


def actor_of(filed: Filed, user: str) -> Actor:
    return filed.reporter if user == REPORTER else filed.bench[user]


def keyring_of(filed: Filed, uow: UnitOfWork, user: str) -> Keyring:
    case_id = None if user == REPORTER else filed.case_id
    return receive.keyring_of(uow, actor_of(filed, user), case_id)


def seal(filed: Filed, slot: Slot, data: bytes) -> Arrived:
    incoming = Incoming(filed.bench.office.blobs, slot)
    incoming.write(data)
    return incoming.finish()


def add(
    filed: Filed,
    user: str = REPORTER,
    data: bytes = PAPER,
    room: str = CONTENT,
    name: str = "a.txt",
) -> str:
    """Let somebody add a file; returns its item id."""
    with filed.bench.office.read() as uow:
        slot, _ = receive.slot(keyring_of(filed, uow, user), room)
    arrived = seal(filed, slot, data)
    with filed.bench.office.write() as uow:
        described = Described(name, "text/plain")
        stored = receive.store(keyring_of(filed, uow, user), slot, described, arrived)
    arrived.blob.close()
    assert stored is not None
    return stored


def add_in_parts(filed: Filed, data: bytes, user: str = REPORTER, name: str = "b.mp4") -> str:
    """Let somebody send a file in parts, and finish it; returns its item id."""
    office = filed.bench.office
    declared = parts.Declared(name, "video/mp4", len(data), 1)
    with office.write() as uow:
        begun = parts.begin(keyring_of(filed, uow, user), CONTENT, declared)
    for number in range(1, begun.count + 1):
        with office.read() as uow:
            slot = parts.slot(keyring_of(filed, uow, user), begun.id, number)
        arrived = seal(filed, slot, data[PART * (number - 1) : PART * number])
        with office.write() as uow:
            parts.take(keyring_of(filed, uow, user), begun.id, arrived)
        arrived.blob.close()
    with office.read() as uow:
        manifest = parts.check(keyring_of(filed, uow, user), begun.id)
    with office.write() as uow:
        parts.finish(keyring_of(filed, uow, user), begun.id, manifest)
    return begun.id


def at_desk(bench: Bench, case_id: str) -> Filed:
    """A case for officers to work on, whose reporter the test does not need."""
    return Filed(bench, case_id, bench["operator"], cast("Receipt", None), b"")


def examined(
    file: File, slot: Slot, copy: Arrived | None, kind: FileKind = FileKind.TEXT, pages: int = 0
) -> Prepared:
    """What an examination comes to: a copy, or none because the file was damaged."""
    manifest = (
        None
        if copy is None
        else Manifest(
            name="",
            kind=kind.value,
            declared="",
            size=copy.length,
            sha256=copy.sha256.hex(),
            day=slot.place.day.isoformat(),
            parts=notes([copy]),
        )
    )
    result = Examined(
        file=file.item_id, failure="" if copy else "damaged", copy=manifest, pages=pages
    )
    return Prepared(file, result, slot.item_id, copy)


def examine_as(  # noqa: PLR0917 - who examines what, and what comes of it
    filed: Filed,
    user: str,
    file_id: str,
    copy: bytes | None = None,
    kind: FileKind = FileKind.TEXT,
    pages: int = 0,
) -> str:
    """Let an officer examine a file, with a copy of the test's making; returns the item id."""
    with filed.bench.office.read() as uow:
        keyring = keyring_of(filed, uow, user)
        file = find(keyring, file_id)
        slot = examine.slot(keyring, file)
    arrived = None if copy is None else seal(filed, slot, copy)
    prepared = examined(file, slot, arrived, kind, pages)
    with filed.bench.office.write() as uow:
        examine.store(keyring_of(filed, uow, user), prepared)
    if prepared.arrived is not None:
        prepared.arrived.blob.close()
    return slot.item_id


def latest(filed: Filed, user: str, file_id: str) -> Examination | None:
    with filed.bench.office.read() as uow:
        keyring = keyring_of(filed, uow, user)
        return examine.latest(keyring, find(keyring, file_id))


def listed(filed: Filed, user: str) -> list[File]:
    with filed.bench.office.read() as uow:
        return files(keyring_of(filed, uow, user))


def may_lack_some(filed: Filed, user: str) -> bool:
    with filed.bench.office.read() as uow:
        return may_lack(keyring_of(filed, uow, user))


def original(filed: Filed, user: str, file_id: str) -> bytes:
    """The original, as a download sends it."""
    with filed.bench.office.read() as uow:
        keyring = keyring_of(filed, uow, user)
        opened = examine.original_of(keyring, find(keyring, file_id))
    with closing(opened):
        return b"".join(opened.read(0, opened.length))


def blob_of(filed: Filed, item_id: str) -> Path:
    (name,) = filed.rows("SELECT blob FROM file_part WHERE item_id = :item", item=item_id)[0]
    return filed.bench.folder / "blobs" / str(name)
