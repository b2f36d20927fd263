"""A kill -9 while files arrive leaves whole files or none, and nothing but what a sweep removes."""

import os
import secrets
import select as readiness
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from casework.evidence import sweeping
from casework.evidence.limits import PART
from casework.store.blobs import BlobFolder, NewBlob
from casework.store.office import Office
from casework.tick import tick
from tests.casework.cases import Filed, copy_of, file_report, reopened
from tests.casework.conftest import close
from tests.casework.evidence.arrivals import Sender, noise
from tests.casework.intake.test_kill import check, in_another_process, kill_soon
from tests.casework.office import Bench

KILLS = 6
LONG = PART + 70_000
ORPHANS = {
    "part without item": "SELECT count(*) FROM file_part WHERE item_id NOT IN"
    " (SELECT id FROM item WHERE kind = 'evidence')",
    "item without parts": "SELECT count(*) FROM item WHERE kind = 'evidence' AND id NOT IN"
    " (SELECT item_id FROM file_part)",
    "too few parts": "SELECT count(*) FROM (SELECT item_id FROM file_part GROUP BY item_id"
    " HAVING count(*) <> max(count))",
    "part of no upload": "SELECT count(*) FROM upload_part WHERE upload_id NOT IN"
    " (SELECT id FROM upload)",
    "blob of two": "SELECT count(*) FROM file_part WHERE blob IN (SELECT blob FROM upload_part)",
}


def content_of(name: str) -> bytes:
    return noise(int(name.split()[1]), name)


def carry_on(one: Sender, tick_pipe: Callable[[], None]) -> None:
    """Send files in every way, go on with what is unfinished, and give some up, for ever."""
    while True:
        for begun in one.unfinished()[:1]:
            one.send_in_parts(begun.declared.name, content_of(begun.declared.name))
            tick_pipe()
        name = f"{secrets.token_hex(4)} {secrets.randbelow(200_000)}"
        one.send(name, content_of(name))
        tick_pipe()
        name = f"{secrets.token_hex(4)} {LONG}"
        one.send_in_parts(name, content_of(name))
        tick_pipe()
        name = f"{secrets.token_hex(4)} 10"
        given_up = one.begin(name, 10)
        # Killed before it is given up, it is gone on with by the next process.
        one.take(given_up.id, 1, content_of(name))
        one.cancel(given_up.id)
        tick_pipe()


def inspect(office: Office) -> int:
    """Every row has its blob, every part its file; returns how many blobs a sweep removed."""
    check(office)
    with office.read() as uow:
        for what, query in ORPHANS.items():
            assert uow.session.scalar(text(query)) == 0, what
    found = sweeping.compare(office)
    assert found.missing == frozenset()
    assert sweeping.sweep(office) == len(found.orphans)
    assert sweeping.compare(office) == sweeping.Found(frozenset(), frozenset())
    return len(found.orphans)


def all_open(one: Sender) -> None:
    for file in one.files():
        assert file.manifest is not None
        assert one.whole(file.item_id) == content_of(file.manifest.name)


@pytest.fixture
def quiet(founded: Bench, tmp_path: Path) -> Filed:
    """A case whose office no process of ours has open."""
    bench = copy_of(founded, tmp_path / "office")
    bench.office = replace(
        bench.office, evidence=replace(bench.office.evidence, case_files=10_000, low_water=0)
    )
    filed = file_report(bench)
    close(bench)
    return filed


def sender_of(filed: Filed, office: Office) -> Sender:
    return Sender(office, filed.reporter, None)


def test_killed_at_random_moments_while_another_process_sweeps(quiet: Filed) -> None:
    bench = quiet.bench
    for turn in range(KILLS):

        def work(tick_pipe: Callable[[], None]) -> None:
            carry_on(sender_of(quiet, reopened(bench.office, bench.folder)), tick_pipe)

        child, pipe = in_another_process(work)
        office = reopened(bench.office, bench.folder)
        if turn % 2:
            while not readiness.select([pipe], [], [], 0)[0]:
                sweeping.sweep(office)
                tick(office)
        kill_soon(child, pipe)
        inspect(office)
        if turn == KILLS - 1:
            one = sender_of(quiet, office)
            all_open(one)
            assert len(one.files()) >= KILLS
        close(Bench(office, bench.clock, bench.folder))


class Deadly(BlobFolder):
    """A disk on which power fails just before or after a name is given or taken."""

    def __init__(self, folder: Path, moment: str) -> None:
        super().__init__(folder)
        self.moment = moment

    def fail(self, moment: str) -> None:
        if moment == self.moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def new(self) -> NewBlob:
        inner = super().new()
        keep = inner.keep

        def kept() -> str:
            self.fail("before a name")
            name = keep()
            self.fail("after a name")
            return name

        inner.keep = kept  # type: ignore[method-assign]
        return inner

    def remove(self, name: str) -> None:
        self.fail("before a removal")
        super().remove(name)
        self.fail("after a removal")


@pytest.mark.parametrize(
    ("moment", "orphans"),
    [("before a name", 0), ("after a name", 1), ("before a removal", 1), ("after a removal", 0)],
)
def test_killed_at_the_very_moment(quiet: Filed, moment: str, orphans: int) -> None:
    """Between blob and row, and between row and blob."""
    bench = quiet.bench

    def work(tick_pipe: Callable[[], None]) -> None:
        office = replace(
            reopened(bench.office, bench.folder), blobs=Deadly(bench.folder / "blobs", moment)
        )
        one = sender_of(quiet, office)
        begun = one.begin("a 10", 10)
        tick_pipe()
        one.take(begun.id, 1, content_of("a 10"))
        one.cancel(begun.id)

    child, pipe = in_another_process(work)
    assert os.read(pipe, 1)
    _, status = os.waitpid(child, 0)
    os.close(pipe)
    assert os.WTERMSIG(status) == signal.SIGKILL
    office = reopened(bench.office, bench.folder)
    one = sender_of(quiet, office)
    assert inspect(office) == orphans
    assert len(one.unfinished()) == (1 if "name" in moment else 0)
    assert one.send_in_parts("a 10", content_of("a 10"))
    assert inspect(office) == 0
    all_open(one)
    close(Bench(office, bench.clock, bench.folder))
