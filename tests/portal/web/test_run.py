"""portal.web.run: use cases run beside the event loop, to their end."""

import threading

import anyio
import pytest

from portal.web.run import THREADS, run


def test_a_use_case_runs_in_a_worker_thread() -> None:
    """The event loop's own thread does no blocking work; arguments and result pass through."""

    async def scenario() -> tuple[int, bool]:
        here = threading.get_ident()
        total = await run(lambda a, b: a + b, 1, b=2)
        return total, here == await run(threading.get_ident)

    assert anyio.run(scenario) == (3, False)


def test_what_a_use_case_raises_arrives() -> None:
    """Refusals of the domain reach the handler as they are."""

    async def scenario() -> None:
        with pytest.raises(ZeroDivisionError):
            await run(lambda: 1 // 0)

    anyio.run(scenario)


def test_a_use_case_is_finished_even_if_its_client_leaves() -> None:
    """Cancelling the request does not abandon a commit half way."""
    finished = threading.Event()
    started = threading.Event()
    proceed = threading.Event()

    def work() -> None:
        started.set()
        assert proceed.wait(10)
        finished.set()

    async def scenario() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run, work)
            await anyio.to_thread.run_sync(started.wait)
            tasks.cancel_scope.cancel()
            proceed.set()

    anyio.run(scenario)
    assert finished.is_set()


def test_the_number_of_workers_is_bounded() -> None:
    """However many requests come, only so many use cases run at once; none is lost."""
    leave = threading.Event()
    done: list[bool] = []

    async def scenario() -> int:
        before = set(threading.enumerate())
        async with anyio.create_task_group() as tasks:
            for _ in range(THREADS * 3):
                tasks.start_soon(run, lambda: done.append(leave.wait(10)))
            # Each call now waits for a worker or inside one, so no further worker can appear.
            await anyio.wait_all_tasks_blocked()
            workers = len(set(threading.enumerate()) - before)
            leave.set()
        return workers

    assert anyio.run(scenario) == THREADS
    assert done == [True] * THREADS * 3
