"""portal.web.budget: the instance does a bounded amount of work, and says when to come back."""

import anyio
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from portal.web.budget import Burst, KdfLane
from portal.web.refusals import Busy


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


def test_a_lane_bounds_who_is_inside_and_who_waits() -> None:
    """Two at once, three waiting, the rest turned away at once; nobody who waits is lost."""
    most, served, refused = anyio.run(_enter, KdfLane(2, 3), 9)
    assert (most, served, len(refused)) == (2, 5, 4)
    assert all(seconds >= 1 for seconds in refused)


def test_a_lane_is_free_again_afterwards() -> None:
    """Places come back, also those of a guest who failed or was cancelled."""

    async def scenario() -> tuple[int, int, list[int]]:
        lane = KdfLane(1, 0)
        with pytest.raises(ZeroDivisionError):
            async with lane.place():
                raise ZeroDivisionError
        with anyio.move_on_after(0):
            async with lane.place():
                await anyio.sleep_forever()
        return await _enter(lane, 1)

    assert anyio.run(scenario) == (1, 1, [])


def test_a_cancelled_waiter_gives_its_turn_back() -> None:
    """A client who leaves the queue makes room in it."""

    async def scenario() -> None:
        lane = KdfLane(1, 1)
        async with lane.place():
            with anyio.move_on_after(0.01):
                async with lane.place():
                    pytest.fail("two were inside")
            async with anyio.create_task_group() as tasks:

                async def wait() -> None:
                    async with lane.place():
                        pass

                tasks.start_soon(wait)
                await anyio.wait_all_tasks_blocked()
                tasks.cancel_scope.cancel()

    anyio.run(scenario)


def test_nobody_fills_the_lane_with_one_form() -> None:
    """Of one owner two hold or wait for a place; a third is turned away, and others are not."""

    async def scenario() -> None:
        lane = KdfLane(1, 9)
        refused: list[bytes] = []
        served: list[bytes] = []

        async def guest(whose: bytes) -> None:
            try:
                async with lane.place(whose):
                    served.append(whose)
            except Busy:
                refused.append(whose)

        async with lane.place(), anyio.create_task_group() as tasks:
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


@pytest.mark.parametrize(("concurrency", "queue"), [(0, 1), (1, -1)])
def test_a_lane_that_nobody_could_enter_is_refused(concurrency: int, queue: int) -> None:
    """A wrong setting shows at start."""
    with pytest.raises(ValueError, match="lane"):
        KdfLane(concurrency, queue)


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    """Three at once, then one per ten seconds, and the refusal says how long."""
    now = [0.0]
    bucket = Burst(rate=0.1, burst=3, clock=lambda: now[0])
    for _ in range(3):
        bucket.take()
    with pytest.raises(Busy) as refused:
        bucket.take()
    assert refused.value.retry_after == 10
    now[0] += 9
    with pytest.raises(Busy) as refused:
        bucket.take()
    assert refused.value.retry_after == 1
    now[0] += 1
    bucket.take()


def test_a_quiet_night_saves_up_no_more_than_a_burst() -> None:
    """The bucket has a brim."""
    now = [0.0]
    bucket = Burst(rate=1, burst=2, clock=lambda: now[0])
    now[0] += 10_000
    bucket.take()
    bucket.take()
    with pytest.raises(Busy):
        bucket.take()


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_bucket_that_lets_nothing_through_is_refused(rate: float, burst: int) -> None:
    """A wrong setting shows at start."""
    with pytest.raises(ValueError, match="bucket"):
        Burst(rate, burst, lambda: 0.0)


def test_above_the_budget_a_page_says_when(client: TestClient[Litestar]) -> None:
    """503 with Retry-After, and the same number in words for the reader."""
    assert client.post("/baru").status_code == 200
    response = client.post("/baru")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert "1 detik" in response.text
