"""Whether an inbox slows down with the number of cases: 100,000 against 1,000.

Run with `python -m bench.inbox`; takes about a minute and 1.5 GB of disk. Two instances are
filled with invented cases by SQL, served side by side and asked in turns: by the guardian, who
sees all, and by an operator with forty cases among them. Measured is the domain's own page
(`desk.page`) and the whole answer over HTTP.
"""

from __future__ import annotations

import shutil
import statistics
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from sqlalchemy import select

from bench._cases import FEW, fill
from bench._instance import Client, passphrases, served, temporary_demo
from casework.case.tables import DeskEntry
from casework.handling import desk
from casework.handling.desk import Cursor, Filters
from casework.keys.tables import Person
from portal import wiring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from casework.store.office import Office

ROUNDS = 5
REPEAT = 10
SMALL, LARGE = 1_000, 100_000
TARGET = 1.5
OFFICERS: Final = {"inspektur": "guardian, all cases", "operator": f"operator, {FEW} cases"}
ATTENTION = "perhatian"

VIEWS: Final[Mapping[str, Mapping[str, str]]] = {
    "everything": {},
    "one status": {"status": "diverifikasi"},
    "one category": {"kategori": "a"},
    "status and category": {"status": "diverifikasi", "kategori": "a"},
    "needs attention": {"status": ATTENTION},
}
"""What is asked for, as the page's own form sends it."""


@dataclass(frozen=True)
class Stand:
    """One served instance: its office, and a signed-in client and the id of each officer."""

    office: Office
    clients: Mapping[str, Client]
    people: Mapping[str, str]

    def filters(self, view: Mapping[str, str]) -> Filters:
        """Return what a view asks of the domain."""
        attention = None
        if view.get("status") == ATTENTION:
            attention = tuple(one.id for one in self.office.profile.states if one.rejected)
        state = view.get("status") if attention is None else None
        return Filters(state=state, category=view.get("kategori"), attention=attention)

    def page(self, user: str, view: Mapping[str, str], after: Cursor | None) -> desk.Page:
        """Ask the domain for a page."""
        with self.office.read() as uow:
            return desk.page(uow, self.people[user], self.filters(view), after)

    def fetch(self, user: str, view: Mapping[str, str], after: Cursor | None) -> None:
        """Ask the server for a page."""
        place = {"sesudah": f"{after.due.isoformat()}_{after.case_id}"} if after else {}
        answer = self.clients[user].get(f"/petugas?{urlencode({**view, **place})}")
        assert answer.status == 200, answer.status

    def middle(self, user: str, view: Mapping[str, str]) -> Cursor:
        """Return a place half-way down a view; of what needs attention, where the overdue end.

        There the next rows are furthest away: after all cases that are not due yet.
        """
        wanted = self.filters(view)
        with self.office.read() as uow:
            rows = uow.session.execute(
                select(DeskEntry.due, DeskEntry.case_id, DeskEntry.state, DeskEntry.category)
                .where(DeskEntry.person == self.people[user])
                .order_by(DeskEntry.due, DeskEntry.case_id)
            ).all()
            today = uow.today()
        places = [
            Cursor(row.due, row.case_id)
            for row in rows
            if wanted.state in (None, row.state)
            and wanted.category in (None, row.category)
            and (wanted.attention is None or row.state in wanted.attention or row.due < today)
        ]
        if wanted.attention is not None:
            return [place for place in places if place.due < today][-1]
        return places[len(places) // 2]


@contextmanager
def stand(folder: Path, count: int) -> Iterator[Stand]:
    """Fill an instance, serve it, and sign its officers in."""
    office, _ = wiring.load(folder)
    with office.read() as uow:
        found = uow.session.execute(select(Person.username, Person.id))
        people = {username: person for username, person in found if username in OFFICERS}
        today = uow.today().isoformat()
    profile = office.profile
    fill(wiring.Paths(folder).database, count, today, profile.id, profile.version)
    known = passphrases(folder)
    with served(folder) as port, ExitStack() as closing:
        clients = {}
        for user in OFFICERS:
            clients[user] = Client(port)
            closing.callback(clients[user].close)
            clients[user].sign_in(user, known[user])
        yield Stand(office, clients, people)


def once(work: Callable[[], object]) -> float:
    """Return the time of one call in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(name: str, small: Callable[[], object], large: Callable[[], object]) -> float:
    """Print and return how much longer the large instance takes.

    The two are asked in turns, and a round counts with its fastest call of each: whatever else
    the machine does can only make a call slower.
    """
    ratios, before, after = [], [], []
    for _ in range(ROUNDS):
        pairs = [(once(small), once(large)) for _ in range(REPEAT)]
        before.append(min(pair[0] for pair in pairs))
        after.append(min(pair[1] for pair in pairs))
        ratios.append(after[-1] / before[-1])
    ratio = statistics.median(ratios)
    print(
        f"  {name:<40}{statistics.median(before) * 1000:7.2f} ms"
        f"{statistics.median(after) * 1000:9.2f} ms   ratio {ratio:5.2f}"
    )
    return ratio


def compare_all(small: Stand, large: Stand) -> float:
    """Compare every view of every officer; return the worst ratio."""
    worst = 0.0
    for user, who in OFFICERS.items():
        print(f"{who}: {SMALL:,} and {LARGE:,} cases")
        for view, query in VIEWS.items():
            if query.get("status") == ATTENTION and user != "inspektur":
                continue
            for place in ("first", "middle"):
                first = place == "first"
                at = [None if first else one.middle(user, query) for one in (small, large)]
                for kind in ("page", "fetch"):
                    works = [
                        partial(getattr(one, kind), user, query, where)
                        for one, where in zip((small, large), at, strict=True)
                    ]
                    label = "domain" if kind == "page" else "http"
                    worst = max(worst, compare(f"{view}, {place} page, {label}", *works))
    return worst


def main() -> None:
    """Make two instances, compare them, and leave nothing behind."""
    with temporary_demo() as folder, ExitStack() as stands:
        other = folder.with_name("large")
        shutil.copytree(folder, other)
        small = stands.enter_context(stand(folder, SMALL))
        large = stands.enter_context(stand(other, LARGE))
        print(f"time of an inbox page, median of {ROUNDS} (target {TARGET})")
        print(f"worst ratio: {compare_all(small, large):.2f}")


if __name__ == "__main__":
    main()
