"""Run synchronous use cases in worker threads, so that the event loop never waits for a disk."""

from collections.abc import Callable
from functools import partial
from typing import Final, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

P = ParamSpec("P")
T = TypeVar("T")

THREADS: Final = 16
"""How many use cases of one process may run at once; the database serialises writers anyway."""

_LIMITER: Final[RunVar[CapacityLimiter]] = RunVar("portal-web-run")


async def run(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `fn` in a worker thread and return its result, or raise what it raises.

    A unit of work opens, commits and closes inside this one call. If the client goes away the
    call still runs to its end: a commit is never abandoned half way.
    """
    try:
        limiter = _LIMITER.get()
    except LookupError:
        limiter = CapacityLimiter(THREADS)
        _LIMITER.set(limiter)
    return await to_thread.run_sync(partial(fn, *args, **kwargs), limiter=limiter)
