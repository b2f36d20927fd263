"""What new work may cost the instance as a whole; nobody is told apart by address.

`KdfLane` bounds how many key derivations run at once and how many may wait; `Burst` bounds how
many new reports may begin in a stretch of time. Above either, `Busy` says when to try again.
"""

import math
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio

from portal.web.refusals import Busy


class KdfLane:
    """At most `concurrency` holders at once and `queue` waiting behind them, first come first."""

    def __init__(self, concurrency: int, queue: int, *, seconds_each: float = 1.0) -> None:
        """Open a lane; `seconds_each` is how long one holder takes, to estimate the wait.

        Raises:
            ValueError: if nobody could ever enter, or `queue` is negative.
        """
        if concurrency < 1 or queue < 0:
            msg = "a lane needs room for one, and a queue of zero or more"
            raise ValueError(msg)
        self._places = anyio.Semaphore(concurrency)
        self._concurrency = concurrency
        self._queue = queue
        self._seconds_each = seconds_each
        self._inside = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a place and hold it for the length of the block.

        Raises:
            Busy: at once, if the queue is full.
        """
        if self._inside >= self._concurrency + self._queue:
            raise Busy(math.ceil(self._inside / self._concurrency * self._seconds_each))
        self._inside += 1
        try:
            async with self._places:
                yield
        finally:
            self._inside -= 1


class Burst:
    """A token bucket for the whole instance: `burst` at once, `rate` per second in the long run."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float]) -> None:
        """Start with a full bucket; `clock` returns monotonic seconds.

        Raises:
            ValueError: if `rate` or `burst` would never let anything through.
        """
        if rate <= 0 or burst < 1:
            msg = "a bucket needs a positive rate and room for one token"
            raise ValueError(msg)
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._at = clock()
        self._lock = threading.Lock()

    def take(self) -> None:
        """Take one token.

        Raises:
            Busy: if there is none; it says in how many seconds there will be.
        """
        with self._lock:
            now = self._clock()
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
            if self._tokens < 1:
                raise Busy(math.ceil((1 - self._tokens) / self._rate))
            self._tokens -= 1
