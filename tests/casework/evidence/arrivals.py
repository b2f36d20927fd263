"""Files that arrive in a case, whole or in parts, as the pages bring them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from casework.case.keyring import Keyring
from casework.case.tables import Item
from casework.evidence import files, parts, receive
from casework.evidence.files import Content, File
from casework.evidence.incoming import Arrived, Incoming, Slot
from casework.evidence.limits import PART
from casework.evidence.manifest import Described
from casework.evidence.parts import Arriving, Declared
from casework.keys.actor import Actor
from casework.store.office import Office
from tests.casework.cases import REPORTER, Filed

ROOM = "content"


@dataclass(frozen=True)
class Sender:
    """Somebody who sends files into one case."""

    office: Office
    actor: Actor
    case_id: str | None

    @contextmanager
    def reading(self) -> Iterator[Keyring]:
        with self.office.read() as uow:
            yield receive.keyring_of(uow, self.actor, self.case_id)

    @contextmanager
    def writing(self) -> Iterator[Keyring]:
        with self.office.write() as uow:
            yield receive.keyring_of(uow, self.actor, self.case_id)

    def slot(self, room: str = ROOM) -> Slot:
        with self.reading() as keyring:
            return receive.slot(keyring, room)[0]

    def store(self, slot: Slot, name: str, arrived: Arrived) -> str | None:
        with self.writing() as keyring:
            return receive.store(keyring, slot, Described(name, "text/plain"), arrived)

    def send(self, name: str, content: bytes, room: str = ROOM) -> str | None:
        """Send a file in one request."""
        slot = self.slot(room)
        with Incoming(self.office.blobs, slot) as incoming:
            incoming.write(content)
            return self.store(slot, name, incoming.finish())

    def begin(self, name: str, size: int, room: str = ROOM) -> Arriving:
        with self.writing() as keyring:
            return parts.begin(keyring, room, Declared(name, "video/mp4", size, 0))

    def part_slot(self, upload: str, number: int) -> Slot:
        with self.reading() as keyring:
            return parts.slot(keyring, upload, number)

    def take(self, upload: str, number: int, content: bytes, **changes: Any) -> None:
        """Send one part; ``changes`` to where it is sealed for."""
        slot = replace(self.part_slot(upload, number), **changes)
        with Incoming(self.office.blobs, slot) as incoming:
            incoming.write(content)
            arrived = incoming.finish()
            with self.writing() as keyring:
                parts.take(keyring, upload, arrived)

    def finish(self, upload: str) -> None:
        """Read the parts through and add the file, as the page does."""
        with self.reading() as keyring:
            manifest = parts.check(keyring, upload)
        with self.writing() as keyring:
            over = parts.finish(keyring, upload, manifest)
        for blob in over:
            self.office.blobs.remove(blob)

    def cancel(self, upload: str) -> None:
        with self.writing() as keyring:
            over = parts.cancel(keyring, upload)
        for blob in over:
            self.office.blobs.remove(blob)

    def send_in_parts(self, name: str, content: bytes, room: str = ROOM) -> str:
        """Send a file part by part; return its item's id."""
        found = self.begin(name, len(content), room)
        for number in range(1, found.count + 1):
            if number not in found.have:
                self.take(found.id, number, content[(number - 1) * PART : number * PART])
        self.finish(found.id)
        return found.id

    def unfinished(self) -> list[Arriving]:
        with self.reading() as keyring:
            return parts.arriving(keyring)

    def files(self) -> list[File]:
        with self.reading() as keyring:
            return files.files(keyring)

    @contextmanager
    def content(self, item_id: str) -> Iterator[Content]:
        """Open a file as the pages do. Fails if its manifest cannot be shown."""
        with self.reading() as keyring:
            found = files.find(keyring, item_id)
            assert found.manifest is not None, "manifest refused"
            row = keyring.uow.session.get_one(Item, item_id)
            opened = files.content(keyring, row, found.manifest)
        with opened:
            yield opened

    def read(self, item_id: str, start: int = 0, stop: int | None = None) -> bytes:
        with self.content(item_id) as opened:
            return b"".join(opened.read(start, opened.length if stop is None else stop))

    def whole(self, item_id: str) -> bytes:
        with self.content(item_id) as opened:
            return b"".join(opened.whole())


def sender(filed: Filed, user: str = REPORTER) -> Sender:
    """Somebody who can send files into a case."""
    office = filed.bench.office
    if user == REPORTER:
        return Sender(office, filed.reporter, None)
    return Sender(office, filed.bench[user], filed.case_id)


def noise(size: int, seed: str = "") -> bytes:
    """Bytes of which no two stretches are alike, the same each time."""
    return hashlib.shake_256(seed.encode()).digest(size)
