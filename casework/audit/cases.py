"""Every case against its leaves, some at a time: what they prove, and all rows that hang on it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from sqlalchemy import exists, func, or_, select

from casework.audit.clocks import Clocks
from casework.audit.findings import STRANGE, Finding, What
from casework.audit.holders import Holders
from casework.audit.items import Items
from casework.calendar.tables import DeadlineRow
from casework.case import past as pasts
from casework.case.tables import Assignment, Case, CaseFlag, Compartment, Grant, Item, Part
from casework.evidence.tables import FilePart, Upload
from casework.keys.tables import Person
from casework.log import leaf as leaves
from casework.log.tables import Leaf
from crypto.persons import PublicKeys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from casework.audit.erasures import Bits
    from casework.audit.findings import Counts, Findings
    from casework.case.past import Past
    from casework.keys.members import Roster
    from casework.law.profile import Profile
    from casework.store.unit import UnitOfWork

AT_ONCE: Final = 50
"""Cases that are read together, if they are small."""

LEAVES_AT_ONCE: Final = 4096
"""Leaves of cases that are read together; a case of more is read alone."""

_OWNED: Final = (Item, Grant, Compartment, DeadlineRow, CaseFlag, Assignment, Upload)

T = TypeVar("T")


@dataclass(frozen=True)
class _Some:
    """Some cases and all rows of theirs, by case or by item."""

    said: dict[str, list[Leaf]]
    reporters: dict[str, PublicKeys]
    grants: dict[str, list[Grant]]
    compartments: dict[str, list[Compartment]]
    items: dict[str, list[Item]]
    clocks: dict[str, list[DeadlineRow]]
    texts: dict[str, list[Part]]
    files: dict[str, list[FilePart]]


class Cases:
    """The look at all cases, in the order of their ids."""

    def __init__(
        self,
        uow: UnitOfWork,
        roster: Roster,
        erased: Bits,
        findings: Findings,
        counts: Counts,
        *,
        sealed: bool,
    ) -> None:
        """Look at what ``sealed`` says, too: blobs, and the keys that grants are wrapped in."""
        self._uow, self._roster, self._erased = uow, roster, erased
        self._findings, self._counts = findings, counts
        self._sealed = sealed
        self._items = Items(uow, roster, findings, counts, sealed)
        self._holders = Holders(uow, roster, findings, counts, sealed)
        self._clocks = Clocks(uow, findings, counts)

    def look(self) -> Iterator[int]:
        """Look at every case; yield how many were done after each of several."""
        nameless = or_(Case.id.is_(None), Case.id <= "")
        for (ticket,) in self._uow.session.execute(select(Case.ticket).where(nameless)):
            name = f"a case without an id, ticket {ticket}"
            self._findings.add(Finding(What.UNREADABLE, name=name))
        for cases in self._groups():
            self._together(cases)
            yield len(cases)

    def strays(self) -> None:
        """Tell of leaves and rows of cases that are not there."""
        session = self._uow.session
        gone = (
            select(Leaf.case_id, Leaf.number, Leaf.body.is_(None))
            .where(Leaf.case_id.is_not(None), ~exists().where(Case.id == Leaf.case_id))
            .order_by(Leaf.case_id, Leaf.number)
            .execution_options(yield_per=1000)
        )
        told: str | None = None
        asked: str | None = None
        for row_case, number, empty in session.execute(gone):
            case_id = str(row_case)
            if not (empty and number in self._erased):
                if case_id != told:
                    told = case_id
                    self._findings.add(Finding(What.CASE_GONE, case=case_id, leaf=number))
            elif self._sealed and case_id != asked:
                asked = case_id
                if self._uow.keystore.holds_newer(case_id, 0):
                    self._findings.add(Finding(What.ERASED_LEFT, case=case_id, name="shred key"))
        for table in _OWNED:
            lost = select(table.case_id).where(~exists().where(Case.id == table.case_id)).distinct()
            for case_id in session.scalars(lost.execution_options(yield_per=1000)):
                name = table.__tablename__
                self._findings.add(Finding(What.STRAY, case=case_id, name=name))
        for part in (Part, FilePart):
            parts = select(part.item_id).where(~exists().where(Item.id == part.item_id)).distinct()
            for item_id in session.scalars(parts.execution_options(yield_per=1000)):
                self._findings.add(
                    Finding(What.STRAY, name=f"{part.__tablename__} of item {item_id}")
                )

    def _groups(self) -> Iterator[list[Case]]:
        """Yield all cases, as many together as have few enough leaves, and one at least."""
        session, last = self._uow.session, ""
        while True:
            query = select(Case.__table__).where(Case.id > last).order_by(Case.id).limit(AT_ONCE)
            cases = cast("list[Case]", session.execute(query).all())
            if not cases:
                return
            last = cases[-1].id
            counted = (
                select(Leaf.case_id, func.count())
                .where(Leaf.case_id.in_([case.id for case in cases]))
                .group_by(Leaf.case_id)
            )
            sizes = {row[0]: row[1] for row in session.execute(counted)}
            group: list[Case] = []
            total = 0
            for case in cases:
                total += sizes.get(case.id, 0)
                if group and total > LEAVES_AT_ONCE:
                    yield group
                    group, total = [], sizes.get(case.id, 0)
                group.append(case)
            yield group

    def _together(self, cases: Sequence[Case]) -> None:
        """Look at cases whose rows are read together, or, where some cannot be read, one by one.

        What was read is let go at the end: two such loads never lie in memory beside each other.
        """
        some = self._read(cases)
        if some is None and len(cases) == 1:
            self._tell(What.UNREADABLE, cases[0])
        elif some is None:
            for case in cases:
                self._together([case])
        else:
            for case in cases:
                self._counts.cases += 1
                try:
                    self._case(case, some)
                except STRANGE:
                    self._tell(What.UNREADABLE, case)

    def _read(self, cases: Sequence[Case]) -> _Some | None:
        try:
            return self._load(cases)
        except STRANGE:
            return None

    def _load(self, cases: Sequence[Case]) -> _Some:
        ids = [case.id for case in cases]
        said = self._by_case(Leaf, ids)
        for rows in said.values():
            rows.sort(key=lambda row: row.number)
        items = self._by_case(Item, ids)
        found = [row.id for rows in items.values() for row in rows]
        return _Some(
            said=said,
            reporters=self._reporters([case.reporter for case in cases]),
            grants=self._by_case(Grant, ids),
            compartments=self._by_case(Compartment, ids),
            items=items,
            clocks=self._by_case(DeadlineRow, ids),
            texts=self._by_item(Part, found),
            files=self._by_item(FilePart, found),
        )

    def _case(self, case: Case, some: _Some) -> None:
        rows = some.said.get(case.id, [])
        if any(row.body is None and row.number in self._erased for row in rows):
            self._tell(What.ERASED_LEFT, case)
            return
        keys = some.reporters.get(case.reporter)
        past = pasts.judged(self._uow.office, case, self._roster, rows, keys)
        self._chain(case, past, rows)
        profile = self._profile(case, past)
        if past.submission is None or profile is None:
            return
        self._items.look(case, past, some.items.get(case.id, []), some.texts, some.files)
        kinds = [row.kind for row in some.compartments.get(case.id, [])]
        self._holders.look(case, past, profile, some.grants.get(case.id, []), kinds)
        if past.whole:
            self._clocks.look(case, past, profile, some.clocks.get(case.id, []))

    def _chain(self, case: Case, past: Past, rows: Sequence[Leaf]) -> None:
        """Tell what the leaves of a case lack, and where its row says otherwise."""
        if past.submission is None:
            self._tell(What.CASE_UNTOLD, case)
        for row in rows:
            if past.bodies[row.number] is None and leaves.read(row) is not None:
                self._tell(What.LEAF_UNPROVEN, case, row.number)
        for number in sorted(past.breaks):
            self._tell(What.CASE_GAP, case, number)
        for column in past.doubts(case) if past.submission is not None else ():
            self._findings.add(
                Finding(What.CASE_CHANGED, case=case.id, ticket=case.ticket, name=column)
            )

    def _profile(self, case: Case, past: Past) -> Profile | None:
        first = past.submission
        return None if first is None else pasts.profile_of(self._uow.office, case, first)

    def _reporters(self, ids: Sequence[str]) -> dict[str, PublicKeys]:
        query = select(Person.id, Person.recipient, Person.verify_key).where(Person.id.in_(ids))
        return {
            row.id: PublicKeys(row.recipient, row.verify_key)
            for row in self._uow.session.execute(query)
        }

    def _by_case(self, table: type[T], ids: Sequence[str]) -> dict[str, list[T]]:
        return self._grouped(table, "case_id", ids)

    def _by_item(self, table: type[T], ids: Sequence[str]) -> dict[str, list[T]]:
        """Return rows by their item, in the order of their numbers."""
        return self._grouped(table, "item_id", ids, order="number")

    def _grouped(
        self, table: Any, column: str, ids: Sequence[str], order: str | None = None
    ) -> dict[str, list[T]]:
        columns = table.__table__.c
        found: dict[str, list[T]] = defaultdict(list)
        for start in range(0, len(ids), 500):
            query = select(table.__table__).where(columns[column].in_(ids[start : start + 500]))
            if order is not None:
                query = query.order_by(columns[column], columns[order])
            for row in self._uow.session.execute(query):
                found[getattr(row, column)].append(cast("T", row))
        return found

    def _tell(self, what: What, case: Case, leaf: int | None = None) -> None:
        self._findings.add(Finding(what, case=case.id, ticket=case.ticket, leaf=leaf))
