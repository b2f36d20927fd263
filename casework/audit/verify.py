"""The whole log against everything that is stored, and against what others hold of it.

Nothing is written and nothing is decrypted. Memory depends on the largest case, or on some four
thousand leaves of smaller ones, on one chunk of the log, on how many checkpoints there are, and
beyond that on one bit for each leaf.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from casework.audit import calendars, people, places, published, stored
from casework.audit import outside as evidence
from casework.audit.cases import Cases
from casework.audit.erasures import Bits, erasures
from casework.audit.findings import STRANGE, Counts, Finding, Findings, Report, What
from casework.audit.leaves import Leaves
from casework.audit.tree import Tree
from casework.case.tables import Case
from casework.evidence.tables import FilePart, UploadPart
from casework.log.keys import LogKeys, origin_of
from casework.store.engine import Texts, lenient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from casework.audit.outside import Evidence
    from casework.audit.places import Place
    from casework.store.unit import UnitOfWork
    from crypto.note import NoteKey, SignedNote

    Progress = Callable[[int, int], None]
    Hashes = dict[int, bytes | None]

CASE_WEIGHT: Final = 10
"""What looking at a case takes, in leaves, for the bar that shows how far it has come."""

_NAMES: Final = 500
"""Blobs whose rows are looked for at once."""


def verify(
    uow: UnitOfWork,
    outside: Sequence[Evidence] = (),
    witnesses: Sequence[NoteKey] = (),
    progress: Progress | None = None,
    *,
    sealed: bool = True,
) -> Report:
    """Check everything; ``uow`` is one reading transaction, so that acts may go on meanwhile.

    ``outside`` is what :func:`casework.audit.outside.read` returned, ``witnesses`` keys whose
    cosignatures are verified. ``progress`` is called with the steps done, and with all of them.
    Without ``sealed``, what lies outside the database is not looked at: blobs and shred keys.
    """
    with lenient(uow.session.connection()) as texts:
        return _Run(uow, outside, witnesses, progress, texts, sealed=sealed).report()


T = TypeVar("T")


class _Run:
    """One audit."""

    def __init__(
        self,
        uow: UnitOfWork,
        outside: Sequence[Evidence],
        witnesses: Sequence[NoteKey],
        progress: Progress | None,
        texts: Texts,
        *,
        sealed: bool,
    ) -> None:
        self._uow, self._witnesses, self._sealed = uow, witnesses, sealed
        self._texts, self._ours = texts, True
        self._progress, self._done = progress, 0
        self._findings, self._counts = Findings(), Counts(outside=len(outside))
        self._size = self._steps = 0
        self._origin = origin_of(uow.office.instance_id)
        self._given = outside

    def report(self) -> Report:
        uow, findings, counts = self._uow, self._findings, self._counts
        self._ours = stored.compare_schema(uow, findings)
        self._read("types", lambda: stored.compare_types(uow, findings), None)
        self._size = self._read("tree", lambda: places.size_of(uow), 0)
        self._steps = self._size + self._read("cases", self._weight, 0)
        chain = self._read("roster", lambda: people.longest(uow, findings), None)
        erased = self._read(
            "erasures", lambda: erasures(uow, chain, self._size, findings), Bits(self._size)
        )
        none = LogKeys(())
        no_sizes: set[int] = set()
        known = self._read("log keys", lambda: published.known_keys(uow, findings, counts), none)
        given = evidence.judged(self._given, known, self._origin, findings)
        wanted = self._read("checkpoints", lambda: published.sizes(uow), no_sizes)
        wanted |= {one.said.size for one in given}
        indexes = {one.proof.index for one in given if one.proof is not None}
        looked = Leaves(uow, chain, erased, findings, counts)
        roots: Hashes = {}
        held: Hashes = dict.fromkeys(indexes)
        self._read("log", lambda: self._places(looked, wanted, roots, held), None)
        agreed = evidence.compare(given, roots, held, self._size, findings)
        notes = published.checkpoints(uow, known, roots, findings, counts)
        nobody = dict.fromkeys((key.name for key in self._witnesses), 0)
        vouched = self._read(
            "checkpoints",
            lambda: evidence.cosigned(_all(notes, agreed), self._witnesses, findings),
            nobody,
        )
        self._read("roster", lambda: people.compare(uow, chain, findings, counts), None)
        self._read("holidays", lambda: calendars.compare(uow, findings), None)
        if chain is not None:
            cases = Cases(uow, chain, erased, findings, counts, sealed=self._sealed)
            self._read("cases", lambda: self._cases(cases), None)
        if self._sealed:
            self._read("blobs", self._unnamed, None)
        if self._texts.strange:
            name = f"{self._texts.strange} times a text that is no UTF-8"
            findings.add(Finding(What.UNREADABLE, name=name))
        if counts.unread:
            findings.add(Finding(What.GRANTS_UNREAD, name=str(counts.unread)))
        self._step(0)
        return Report(
            findings=tuple(findings),
            numbers=dict(findings.counts),
            cases=frozenset(findings.cases),
            counts=counts,
            vouched=vouched,
        )

    def _weight(self) -> int:
        cases = self._uow.session.scalar(select(func.count()).select_from(Case)) or 0
        return CASE_WEIGHT * cases

    def _cases(self, looked: Cases) -> None:
        for done in looked.look():
            self._step(CASE_WEIGHT * done)
        looked.strays()

    def _read(self, name: str, look: Callable[[], T], otherwise: T) -> T:
        """Return what a look at some rows returns; values of impossible forms end it, not all.

        Nor does a table that is not as it should be, which was told before.
        """
        try:
            return look()
        except DBAPIError:
            if self._ours:
                raise  # the database itself cannot be read
            self._findings.add(Finding(What.UNREADABLE, name=name))
            return otherwise
        except STRANGE:
            self._findings.add(Finding(What.UNREADABLE, name=name))
            return otherwise

    def _places(self, leaves: Leaves, wanted: set[int], roots: Hashes, held: Hashes) -> None:
        """Look at every place; note the roots of all sizes wanted, and what ``held`` asks for."""
        tree = Tree(self._uow.session, self._findings)
        sizes = sorted({one for one in wanted if 0 <= one < self._size} | {self._size})
        at = 0
        while at < len(sizes) and sizes[at] == 0:
            roots[0] = tree.root()
            at += 1
        for chunk in places.Places(self._uow, self._findings, self._size).chunks():
            digests = []
            for place in chunk:
                self._look(leaves, place)
                digests.append(place.held)
                if place.number in held:
                    held[place.number] = place.held
            begun = 0
            while at < len(sizes) and sizes[at] <= tree.size + len(digests) - begun:
                end = begun + sizes[at] - tree.size
                tree.grow(digests[begun:end])
                roots[sizes[at]] = tree.root()
                begun, at = end, at + 1
            tree.grow(digests[begun:])
            tree.compare()
            self._step(len(chunk))
        tree.beyond()
        leaves.finish(self._size)

    def _look(self, leaves: Leaves, place: Place) -> None:
        try:
            leaves.look(place)
        except STRANGE:
            self._findings.add(Finding(What.UNREADABLE, leaf=place.number))

    def _unnamed(self) -> None:
        """Tell of blobs that no row names: an upload was cut short, or is going on just now."""
        session = self._uow.session
        there = self._uow.office.blobs.names(tidy=False)
        while names := list(islice(there, _NAMES)):
            named: set[str] = set()
            for column in (FilePart.blob, UploadPart.blob):
                named.update(session.scalars(select(column).where(column.in_(names))))
            for name in sorted(set(names) - named):
                self._findings.add(Finding(What.BLOB_UNNAMED, name=name))

    def _step(self, steps: int) -> None:
        self._done += steps
        if self._progress is not None:
            self._progress(self._done, self._steps)


def _all(
    notes: Iterator[tuple[str, int, SignedNote]], agreed: Sequence[Evidence]
) -> Iterator[tuple[str, int, SignedNote]]:
    yield from notes
    for one in agreed:
        yield one.name, one.said.size, one.note
