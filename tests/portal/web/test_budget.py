"""portal.web.budget: the instance does a bounded amount of work, and says when to come back."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from casework.store.rations import Allowance, Rations
from crypto.kdf import Kdf, stretch
from portal.web.budget import Budget, KdfLane
from portal.web.refusals import Busy
from portal.web.run import run
from tests.portal.web.conftest import Clock

GUESTS = """
import os, sys
from pathlib import Path
import anyio
from casework.store.rations import Rations
from crypto.kdf import Kdf, stretch
from portal.web.budget import KdfLane
from portal.web.run import run

folder, meter = Path(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND)

def work() -> None:
    os.write(meter, b"+")
    stretch(b"", bytes(16), Kdf(4096, 2, 1))
    os.write(meter, b"-")

async def main() -> None:
    lane = KdfLane(Rations(folder).places("a", 2), 20)

    async def guest() -> None:
        async with lane.place():
            await run(work)

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(guest)

anyio.run(main)
"""

Open = Callable[[int, int], KdfLane]


@pytest.fixture
def rations(tmp_path: Path) -> Iterator[Rations]:
    opened = Rations(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def lane(rations: Rations) -> Open:
    """Open the lane as one process sees it: places of all, a queue of its own."""
    return lambda places, queue: KdfLane(rations.places("a", places), queue)


def at_most(meter: bytes) -> int:
    """How many were inside at once, of a record of comings and goings."""
    inside = most = 0
    for sign in meter.decode():
        inside += 1 if sign == "+" else -1
        most = max(most, inside)
    assert inside == 0
    return most


async def _enter(lane: KdfLane, guests: int) -> tuple[int, int, list[int]]:
    """Send guests into a lane that nobody leaves yet; return most at once, served, refusals."""
    inside = most = served = 0
    refused: list[int] = []
    leave = anyio.Event()

    async def guest() -> None:
        nonlocal inside, most, served
        try:
            async with lane.place():
                inside += 1
                most = max(most, inside)
                await leave.wait()
                inside -= 1
                served += 1
        except Busy as busy:
            refused.append(busy.retry_after)

    async with anyio.create_task_group() as tasks:
        for _ in range(guests):
            tasks.start_soon(guest)
        await anyio.wait_all_tasks_blocked()
        leave.set()
    return most, served, refused


def test_a_lane_bounds_who_is_inside_and_who_waits(lane: Open) -> None:
    """Two at once, three waiting, the rest turned away at once; nobody who waits is lost."""
    most, served, refused = anyio.run(_enter, lane(2, 3), 9)
    assert (most, served, len(refused)) == (2, 5, 4)
    assert all(seconds >= 1 for seconds in refused)


def test_a_lane_is_free_again_afterwards(lane: Open) -> None:
    """Places come back, also those of a guest who failed or was cancelled."""

    async def scenario() -> tuple[int, int, list[int]]:
        narrow = lane(1, 0)
        with pytest.raises(ZeroDivisionError):
            async with narrow.place():
                raise ZeroDivisionError
        with anyio.move_on_after(0):
            async with narrow.place():
                await anyio.sleep_forever()
        return await _enter(narrow, 1)

    assert anyio.run(scenario) == (1, 1, [])


def test_a_cancelled_waiter_gives_its_turn_back(lane: Open) -> None:
    """A client who leaves the queue makes room in it."""

    async def scenario() -> None:
        narrow = lane(1, 1)
        async with narrow.place():
            with anyio.move_on_after(0.01):
                async with narrow.place():
                    pytest.fail("two were inside")
            async with anyio.create_task_group() as tasks:

                async def wait() -> None:
                    async with narrow.place():
                        pass

                tasks.start_soon(wait)
                await anyio.wait_all_tasks_blocked()
                tasks.cancel_scope.cancel()

    anyio.run(scenario)


def test_nobody_fills_the_lane_with_one_form(lane: Open) -> None:
    """Of one owner two hold or wait for a place; a third is turned away, and others are not."""

    async def scenario() -> None:
        narrow = lane(1, 9)
        refused: list[bytes] = []
        served: list[bytes] = []

        async def guest(whose: bytes) -> None:
            try:
                async with narrow.place(whose):
                    served.append(whose)
            except Busy:
                refused.append(whose)

        async with narrow.place(), anyio.create_task_group() as tasks:
            for whose in (b"a", b"a", b"a", b"b", b"a"):
                tasks.start_soon(guest, whose)
            await anyio.wait_all_tasks_blocked()
            assert refused == [b"a", b"a"]
            tasks.cancel_scope.cancel()
        assert served == []
        for _ in range(3):
            await guest(b"a")
        assert served == [b"a"] * 3

    anyio.run(scenario)


def test_a_queue_shorter_than_nothing_is_refused(lane: Open) -> None:
    """A wrong setting shows at start."""
    with pytest.raises(ValueError, match="lane"):
        lane(1, -1)


def test_whoever_comes_first_is_served_first(lane: Open) -> None:
    """Nobody who comes later passes those who wait, not even at the moment a place is left."""

    async def scenario() -> None:
        narrow = lane(1, 9)
        order: list[int] = []

        async def guest(number: int) -> None:
            async with narrow.place():
                order.append(number)

        async with anyio.create_task_group() as tasks:
            async with narrow.place():
                for number in range(5):
                    tasks.start_soon(guest, number)
                    await anyio.wait_all_tasks_blocked()
            tasks.start_soon(guest, 5)
        assert order == [0, 1, 2, 3, 4, 5]

    anyio.run(scenario)


def test_places_that_another_process_holds_are_waited_for(lane: Open, rations: Rations) -> None:
    """Or refused at once where nobody may wait."""

    async def scenario() -> None:
        held = rations.places("a", 1).take()
        assert held is not None
        with pytest.raises(Busy):
            async with lane(1, 0).place():
                pytest.fail("two were inside")
        inside = anyio.Event()

        async def guest() -> None:
            async with lane(1, 1).place():
                inside.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(guest)
            await anyio.wait_all_tasks_blocked()
            assert not inside.is_set()
            held.leave()
            with anyio.fail_after(10):
                await inside.wait()

    anyio.run(scenario)


def test_a_rush_in_one_process_does_not_starve_another(lane: Open) -> None:
    """A guest of the one comes in while a hundred of the other are still waiting."""

    async def scenario() -> None:
        crowded, quiet = lane(1, 100), lane(1, 1)
        order: list[str] = []

        async def guest(where: KdfLane, name: str) -> None:
            async with where.place():
                order.append(name)
                await run(stretch, b"", bytes(16), Kdf(1024, 1, 1))

        async with anyio.create_task_group() as tasks:
            for _ in range(100):
                tasks.start_soon(guest, crowded, "many")
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(guest, quiet, "one")
        assert order.index("one") < 100

    anyio.run(scenario)


def test_two_processes_never_work_more_than_allowed(tmp_path: Path) -> None:
    """Forty key stretchings of two real processes: never three at once, and none is lost."""
    meter = tmp_path / "meter"
    meter.touch()
    command = [sys.executable, "-c", GUESTS, str(tmp_path), str(meter)]
    running = [subprocess.Popen(command) for _ in range(2)]
    assert [one.wait() for one in running] == [0, 0]
    assert meter.read_bytes().count(b"+") == 40
    assert at_most(meter.read_bytes()) == 2


def test_a_budget_says_when_to_come_back(rations: Rations, clock: Clock) -> None:
    """Two at once, then one with each full minute; what was taken for nothing comes back."""

    async def scenario() -> None:
        clock.now -= clock.now % 60
        budget = Budget(rations, "a", Allowance(2, 1), clock)
        for _ in range(2):
            assert not await budget.is_used_up()
            await budget.take()
        assert await budget.is_used_up()
        clock.now += 15
        with pytest.raises(Busy) as refused:
            await budget.take()
        assert refused.value.retry_after == 105
        await budget.give_back()
        await budget.take()
        clock.now += 104
        assert await budget.is_used_up()
        clock.now += 1
        await budget.take()

    anyio.run(scenario)


def test_above_the_budget_a_page_says_when(client: TestClient[Litestar]) -> None:
    """503 with Retry-After, and the same number in words for the reader."""
    assert client.post("/baru").status_code == 200
    response = client.post("/baru")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "120"
    assert "120 detik" in response.text
