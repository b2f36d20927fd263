"""The items of a case against the leaves that brought them, and what lies sealed in their name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from casework.audit.findings import MOST, Finding, What
from casework.case import items
from casework.case.past import SUBMIT
from casework.errors import NotFound
from casework.evidence.manifest import parts_digest
from casework.log.tables import Leaf
from casework.store.blobs import BlobMissing
from crypto.errors import CryptoError, Tampered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from casework.audit.findings import Counts, Findings
    from casework.case.past import Past
    from casework.case.tables import Case, Item, Part
    from casework.evidence.tables import FilePart
    from casework.keys.members import Roster
    from casework.store.unit import UnitOfWork

STEP: Final = 1024 * 1024
"""Bytes of a blob that are hashed at once."""

_SEARCHES: Final = 100
"""How many digests are looked for in all leaves, so that damage of everything still ends."""


@dataclass
class Items:
    """The look at the items of cases; ``sealed``: blobs are read, too."""

    uow: UnitOfWork
    roster: Roster
    findings: Findings
    counts: Counts
    sealed: bool
    _searches: int = 0

    def look(
        self,
        case: Case,
        past: Past,
        rows: Sequence[Item],
        texts: Mapping[str, Sequence[Part]],
        files: Mapping[str, Sequence[FilePart]],
    ) -> None:
        """Compare the items of one case."""
        self.counts.items += len(rows)
        brought: dict[int, list[Item]] = {}
        digests = {row.digest for row in rows}
        for row in rows:
            brought.setdefault(row.leaf, []).append(row)
            self._item(case, past, row)
            self._text(case, row, texts.get(row.id, ()), digests)
            self._file(case, past, row, files.get(row.id, ()))
        for number, body in past.bodies.items():
            if body is not None:
                self._lacking(case, number, body, brought.get(number, []), files)

    def _item(self, case: Case, past: Past, row: Item) -> None:
        """An item is signed by its author, whose own leaf names it."""
        try:
            items.check_signature(
                self.uow.office.instance_id, row, lambda one: self._key_of(case, past, one)
            )
        except CryptoError:
            self._tell(What.ITEM_UNSIGNED, case, row.id)
        if row.leaf not in past.bodies:
            self._tell(What.ITEM_ADDED, case, row.id)
            return
        body = past.bodies[row.leaf]
        if body is None:
            return  # the leaf itself is told of
        digest = row.digest.hex()
        if digest not in body.get("objects", ()):
            moved = self._is_named(past, digest)
            self._tell(What.ITEM_MOVED if moved else What.ITEM_CHANGED, case, row.id)
        elif body.get("actor") != row.author:
            self._tell(What.ITEM_UNSIGNED, case, row.id)

    def _text(self, case: Case, row: Item, parts: Sequence[Part], digests: set[bytes]) -> None:
        """The sealed text of an item is one part, whose hash the item names."""
        if not parts:
            self._tell(What.TEXT_GONE, case, row.id)
        for part in parts:
            found = hashlib.sha256(part.sealed).digest()
            if (part.number, part.count) != (1, 1):
                self._tell(What.TEXT_ADDED, case, row.id)
            elif found != row.digest and found in digests:
                self._tell(What.TEXT_MOVED, case, row.id)
            elif found != row.digest or part.digest != row.digest:
                self._tell(What.TEXT_CHANGED, case, row.id)

    def _file(self, case: Case, past: Past, row: Item, parts: Sequence[FilePart]) -> None:
        """The parts of a file are all there, in the order that the leaf names."""
        if not parts:
            return
        body = past.bodies.get(row.leaf)
        if body is not None and parts_digest(one.digest for one in parts) not in body.get(
            "objects", ()
        ):
            self._tell(What.FILE_CHANGED, case, row.id)
        if any(
            (part.number, part.count) != (number, len(parts))
            for number, part in enumerate(parts, start=1)
        ):
            self._tell(What.FILE_CHANGED, case, row.id)
        if self.sealed:
            for part in parts:
                self._blob(case, row, part)

    def _blob(self, case: Case, row: Item, part: FilePart) -> None:
        self.counts.blobs += 1
        name = f"{part.blob} of item {row.id}"
        digest, at = hashlib.sha256(), 0
        try:
            blob = self.uow.office.blobs.open(part.blob)
        except BlobMissing:
            self._tell(What.BLOB_GONE, case, name)
            return
        try:
            while piece := blob.read_at(at, STEP):
                digest.update(piece)
                at += len(piece)
        except BlobMissing:
            self._tell(What.BLOB_GONE, case, name)
            return
        finally:
            blob.close()
        self.counts.bytes += at
        if (at, digest.digest()) != (part.size, part.digest):
            self._tell(What.BLOB_CHANGED, case, name)

    def _lacking(
        self,
        case: Case,
        number: int,
        body: Mapping[str, Any],
        brought: Sequence[Item],
        files: Mapping[str, Sequence[FilePart]],
    ) -> None:
        """Whatever a leaf brought is there, and once: its items, and a file where it names one."""
        once = {row.digest: row for row in reversed(brought)}
        twice = [row for row in brought if once[row.digest] is not row]
        lacking = int(body.get("items", 0)) - len(once)
        for _ in range(min(lacking, MOST)):
            self._tell(What.ITEM_GONE, case, "", number)
        for row in (*twice, *list(once.values())[: max(-lacking, 0)]):
            self._tell(What.ITEM_ADDED, case, row.id, number)
        if body.get("event") == SUBMIT or lacking or twice:
            return
        attached = len(body.get("objects", ())) - len(brought) - len(body.get("granted", ()))
        there = sum(1 for row in brought if files.get(row.id))
        if there < attached:
            self._tell(What.FILE_GONE, case, brought[0].id if brought else "", number)
        elif there > attached:
            self._tell(What.FILE_ADDED, case, brought[0].id if brought else "", number)

    def _is_named(self, past: Past, digest: str) -> bool:
        """Return whether another leaf names something sealed: first of the case, then of any."""
        if any(
            digest in body.get("objects", ()) for body in past.bodies.values() if body is not None
        ):
            return True
        self._searches += 1
        if self._searches > _SEARCHES:
            return False
        query = select(Leaf.number).where(Leaf.body.contains(digest)).limit(1)
        return self.uow.session.scalar(query) is not None

    def _key_of(self, case: Case, past: Past, person_id: str) -> bytes:
        if person_id == case.reporter and past.reporter is not None:
            return past.reporter.verify_key
        try:
            return self.roster.verify_key_of(person_id)
        except NotFound as error:
            raise Tampered("nobody vouches for an author") from error

    def _tell(self, what: What, case: Case, name: str, leaf: int | None = None) -> None:
        self.findings.add(Finding(what, case=case.id, ticket=case.ticket, name=name, leaf=leaf))
