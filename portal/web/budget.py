"""What new work may cost the instance as a whole; nobody is told apart by address.

`KdfLane` bounds how many key derivations run at once and how many may wait; `Budget` bounds how
much of something may begin in a stretch of time. Both hold for all processes of the instance
together. Above either, `Busy` says when to try again.
"""

import math
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import anyio

from casework.store.rations import Allowance, Place, Places, Rations
from portal.web.refusals import Busy
from portal.web.run import run

PER_OWNER: Final = 2
"""Places of a lane that one form or officer may take at once: enough for a double click."""

PAUSE: Final = 0.005
"""Seconds between two looks for a free place, by the first of those who wait in a process."""


class KdfLane:
    """The instance's places of one kind, and `queue` in this process who wait for one.

    Within a process it is first come first served. Processes look for a free place one as often
    as the other, whoever gave it back, so that a rush in one does not keep the others waiting.
    """

    def __init__(self, places: Places, queue: int, *, seconds_each: float = 1.0) -> None:
        """Open a lane; `seconds_each` is how long one holder takes, to estimate the wait.

        Raises:
            ValueError: if `queue` is negative.
        """
        if queue < 0:
            raise ValueError("a lane needs a queue of zero or more")
        self._places = places
        self._queue = queue
        self._seconds_each = seconds_each
        self._turn = anyio.Lock()
        self._waiting = 0
        self._owned: Counter[bytes] = Counter()

    @asynccontextmanager
    async def place(self, owner: bytes | None = None) -> AsyncIterator[None]:
        """Wait for a place and hold it for the length of the block.

        An `owner` (a form's token, an officer) has at most `PER_OWNER` places of each process, so
        that nobody fills the lane by sending one form over and over.

        Raises:
            Busy: at once, if the queue is full, or the owner's places are.
            Unavailable: the runtime directory is of no use.
        """
        if owner is not None and self._owned[owner] >= PER_OWNER:
            raise self._busy()
        if owner is not None:
            self._owned[owner] += 1
        try:
            place = await self._enter()
            try:
                yield
            finally:
                place.leave()
        finally:
            if owner is not None:
                # Subtracting drops what falls to zero: a token is not remembered.
                self._owned -= Counter([owner])

    async def _enter(self) -> Place:
        place = None if self._waiting else self._places.take()
        if place is not None:
            return place
        if self._waiting >= self._queue:
            raise self._busy()
        self._waiting += 1
        try:
            async with self._turn:
                # Another process gives no sign when it leaves a place.
                while (place := self._places.take()) is None:  # noqa: ASYNC110
                    await anyio.sleep(PAUSE)
                return place
        finally:
            self._waiting -= 1

    def _busy(self) -> Busy:
        ahead = self._places.count + self._waiting
        return Busy(math.ceil(ahead / self._places.count * self._seconds_each))


class Budget:
    """A bucket of tokens for the whole instance, filled up by the minute."""

    def __init__(
        self, rations: Rations, name: str, allowance: Allowance, clock: Callable[[], int]
    ) -> None:
        """Share the bucket `name` of `rations`; `clock` returns seconds since the epoch."""
        self._rations = rations
        self._name = name
        self._allowance = allowance
        self._clock = clock

    async def take(self) -> None:
        """Take one token.

        Raises:
            Busy: if there is none; it says in how many seconds there will be.
            Unavailable: the runtime directory is of no use.
        """
        wait = await run(self._rations.take, self._name, self._allowance, self._clock())
        if wait:
            raise Busy(wait)

    async def is_used_up(self) -> bool:
        """Say whether there is no token just now. Raises: Unavailable."""
        return await run(self._rations.wait, self._name, self._allowance, self._clock()) > 0

    async def give_back(self) -> None:
        """Put a token back that was taken for nothing. Raises: Unavailable."""
        await run(self._rations.give_back, self._name)
