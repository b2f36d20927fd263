"""Every leaf against the tree: its hash, its body, its columns, its day, and whom it follows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.audit.findings import MOST, Finding, What
from casework.errors import NotFound
from casework.keys.vocabulary import GENESIS, ROSTER_CHANGED
from casework.log import leaf as leaves
from casework.log.tables import Leaf, Node
from crypto.errors import Tampered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casework.audit.erasures import Bits
    from casework.audit.findings import Counts, Findings
    from casework.audit.places import Place
    from casework.keys.members import Roster
    from casework.store.unit import UnitOfWork


@dataclass
class Leaves:
    """The look at every place, in order.

    ``strange`` are hashes that do not stand where they should, with the finding that it comes to
    if the tree holds them elsewhere, and the one if it does not; :data:`MOST` findings at most.
    ``day`` is the latest of all leaves so far, ``changed`` the latest on which the roster changed.
    """

    uow: UnitOfWork
    roster: Roster | None
    erased: Bits
    findings: Findings
    counts: Counts
    _before: bytes | None = None
    _day: date = date.min
    _changed: date = date.min
    _suspects: int = 0
    _strange: dict[bytes, list[tuple[int, What, What]]] = field(default_factory=dict)

    def look(self, place: Place) -> None:
        """Judge one place; places come in order."""
        before, self._before = self._before, place.held
        self.counts.places += 1
        if place.dummy:
            self.counts.dummies += 1
            return
        number, row = place.number, place.row
        if row is None:
            self._tell(What.LEAF_GONE, number)
            return
        self.counts.leaves += 1
        in_place = row.hash == place.held
        if not in_place:
            self._suspect(row.hash, number, What.LEAF_MOVED, What.LEAF_CHANGED)
        if row.body is None:
            self._bare(row)
            return
        if number in self.erased:
            self._tell(What.BODY_BACK, number, row.case_id)
        body = leaves.read(row)
        if body is None:
            self._tell(What.BODY_CHANGED, number, row.case_id)
            return
        if not leaves.is_searchable(row, body) or body.get("instance") != self._instance:
            self._tell(What.COLUMNS_CHANGED, number, row.case_id)
        else:
            self._dated(row)
        if in_place:
            self._follows(number, body, before)
        if body.get("case") is None and not self._is_signed(row, str(body.get("actor"))):
            self._tell(What.LEAF_UNSIGNED, number)

    def finish(self, size: int) -> None:
        """Tell of rows beyond the tree, and what became of hashes that stood astray."""
        beyond = select(Leaf.number).where((Leaf.number >= size) | (Leaf.number < 0))
        for number in self.uow.session.scalars(beyond.execution_options(yield_per=MOST)):
            self._tell(What.LEAF_BEYOND, number)
        if not self._strange:
            return
        every = select(Node.position, Node.hash).where(Node.level == 0)
        rows = self.uow.session.execute(every.execution_options(yield_per=MOST))
        there = {row.hash: row.position for row in rows if row.hash in self._strange}
        for digest, told in self._strange.items():
            for number, moved, gone in told:
                at = there.get(digest)
                if at is None:
                    self._tell(gone, number)
                else:
                    self.findings.add(Finding(moved, leaf=number, name=str(at)))

    @property
    def _instance(self) -> str:
        return self.uow.office.instance_id

    def _bare(self, row: Leaf) -> None:
        """A body may be gone if a guardian erased it, and only that of a case ever is.

        An officer's signature still shows whose leaf it was; it needs the hash alone.
        """
        if row.number not in self.erased or row.case_id is None:
            self._tell(What.BODY_GONE, row.number, row.case_id)
            return
        self.counts.erased += 1
        known = self.roster is not None and row.actor in self.roster.people
        if known and not self._is_signed(row, row.actor):
            self._tell(What.LEAF_UNSIGNED, row.number, row.case_id)

    def _follows(self, number: int, body: Mapping[str, object], before: bytes | None) -> None:
        named = body.get("log")
        if named == (None if before is None else before.hex()):
            return
        digest = b""
        if isinstance(named, str):
            try:
                digest = bytes.fromhex(named)
            except ValueError:
                digest = b""
        self._suspect(digest, number, What.LINK_MOVED, What.LINK_GONE)

    def _dated(self, row: Leaf) -> None:
        """Compare the day that a leaf names with those before it.

        An officer is judged by the roster of the day that they sign for: one who has left could
        sign for a day on which they were still there.
        """
        if row.day < self._changed and self._is_officer(row.actor):
            self._tell(What.LEAF_BACKDATED, row.number, row.case_id)
        elif row.day < self._day:
            self.findings.add(Finding(What.CLOCK_BACK, leaf=row.number, name=row.day.isoformat()))
        self._day = max(self._day, row.day)
        if row.event in {GENESIS, ROSTER_CHANGED}:
            self._changed = max(self._changed, row.day)

    def _is_officer(self, actor: str) -> bool:
        return self.roster is not None and actor in self.roster.people

    def _is_signed(self, row: Leaf, actor: str) -> bool:
        return leaves.is_signed(row, actor, self._key_of)

    def _key_of(self, person_id: str) -> bytes:
        try:
            if self.roster is not None:
                return self.roster.verify_key_of(person_id)
        except NotFound as error:
            raise Tampered("nobody vouches for a signer") from error
        raise Tampered("nobody vouches for anybody")

    def _suspect(self, digest: bytes, number: int, moved: What, gone: What) -> None:
        if self._suspects < MOST:
            self._suspects += 1
            self._strange.setdefault(digest, []).append((number, moved, gone))
        else:
            self._tell(gone, number)

    def _tell(self, what: What, number: int, case_id: str | None = None) -> None:
        self.findings.add(Finding(what, leaf=number, case=case_id or ""))
