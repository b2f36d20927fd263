"""While an officer works, their keys are passed on to colleagues who came since."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from casework.errors import CaseworkError
from casework.handling import catchup
from casework.store.engine import Unavailable
from portal.web.run import run

if TYPE_CHECKING:
    from portal.context import Portal
    from portal.staff.officer import Officer


async def pass_on(portal: Portal, officer: Officer) -> None:
    """Look at a few of the officer's cases, before a page that shows some of them.

    Before, not after: what is given moves keys, and a page that was read meanwhile would be
    refused as seen too late. No page fails for it: what is wrong says so where it is opened, and
    the round goes on with the next page.
    """
    with suppress(CaseworkError, Unavailable):
        await run(catchup.pass_on, portal.office, officer.actor)
