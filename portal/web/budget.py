"""What new work may cost the instance as a whole; nobody is told apart by address.

`KdfLane` bounds how many key derivations run at once and how many may wait; `Burst` bounds how
many new reports may begin in a stretch of time. Above either, `Busy` says when to try again.
"""

import math
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import anyio

from portal.web.refusals import Busy

PER_OWNER: Final = 2
"""Places of a lane that one form may take at once: enough for a double click."""


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
        self._owned: Counter[bytes] = Counter()

    @asynccontextmanager
    async def place(self, owner: bytes | None = None) -> AsyncIterator[None]:
        """Wait for a place and hold it for the length of the block.

        An `owner` (a form's token) has at most `PER_OWNER` places, so that nobody fills the lane
        by sending one form over and over.

        Raises:
            Busy: at once, if the queue is full, or the owner's places are.
        """
        full = self._inside >= self._concurrency + self._queue
        if full or (owner is not None and self._owned[owner] >= PER_OWNER):
            raise Busy(math.ceil(self._inside / self._concurrency * self._seconds_each))
        self._inside += 1
        if owner is not None:
            self._owned[owner] += 1
        try:
            async with self._places:
                yield
        finally:
            self._inside -= 1
            if owner is not None:
                # Subtracting drops what falls to zero: a token is not remembered.
                self._owned -= Counter([owner])


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
