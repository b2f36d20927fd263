"""Which lane a try at signing in waits in, and what wrong ones may cost.

Known devices (:mod:`casework.keys.devices`) have a lane and each a budget of its own; strangers
share another lane, slower, with one budget for all of them. However many strangers guess, officers
at their own computers do not wait for them; and a stolen token wears out its own budget only, after
which its tries count as a stranger's.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from casework.keys import devices
from casework.store.engine import Unavailable
from portal.web import cookies
from portal.web.run import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from litestar import Request
    from litestar.response import Response

    from portal.context import Portal
    from portal.web.budget import Budget, KdfLane

COOKIE: Final = "perangkat"
MAX_AGE: Final = devices.KNOWN_DAYS * 24 * 3600
"""Seconds for which a browser keeps its token; each good sign-in renews it."""


@dataclass(frozen=True)
class Door:
    """The way in for one try: where it waits, what it costs if it fails, whose device it is."""

    lane: KdfLane
    tries: Budget
    owner: bytes | None
    token: str = field(repr=False)

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """Hold a place in the lane for the length of the block; it counts as a wrong try.

        A good one gets it back (:func:`opened`). Counted before it is known which it is, so that
        nobody is spared by going away before the answer.

        Raises:
            Busy: the lane is full, or the budget is used up.
        """
        async with self.lane.place(self.owner):
            # Inside the lane, so that a rush which is not served does not use the budget up.
            await self.tries.take()
            yield


async def choose(portal: Portal, request: Request[Any, Any, Any], username: str) -> Door:
    """Return the door for a try at `username` from this browser."""
    token = cookies.only(request, COOKIE, tls=portal.settings.web.tls) or ""
    if token and (person := await run(_known, portal, token, username)):
        tries = portal.device_tries(devices.tries_of(token))
        if not await tries.is_used_up():
            return Door(portal.staff_lane, tries, person.encode(), token)
    return Door(portal.unknown_lane, portal.unknown_tries, None, token)


async def opened(portal: Portal, door: Door, response: Response[Any], person: str) -> None:
    """Take note of a good sign-in: it cost nothing, and its browser is a known device from now on.

    To be called once everything was right, the second factor included.
    """
    # Signing in must not fail for what only makes the next time easier.
    with suppress(Unavailable):
        await door.tries.give_back()
        token = await run(_remember, portal, person, door.token)
        tls = portal.settings.web.tls
        response.set_cookie(cookies.make(COOKIE, token, tls=tls, max_age=MAX_AGE))


def _known(portal: Portal, token: str, username: str) -> str | None:
    with portal.office.read() as uow:
        return devices.known(uow, token, username)


def _remember(portal: Portal, person: str, token: str) -> str:
    with portal.office.write() as uow:
        return devices.remember(uow, person, token)
