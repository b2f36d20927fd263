"""The entry for the web server's worker: builds the application named by the environment.

``suaka serve`` sets the two variables; they are not settings of the instance.
"""

from __future__ import annotations

import logging
import os
import threading
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from litestar import get
from litestar.response import Response

from casework.log.asking import Outcome
from casework.tick import tick
from portal import wiring
from portal.errors import place
from portal.web.pages import see_other
from portal.web.settings import STAFF_PATH, Surface

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from litestar import Litestar

    from casework.store.office import Office
    from casework.tick import Done

LOGGER: Final = logging.getLogger("suaka.tick")
FOLDER: Final = "PORTAL_FOLDER"
SURFACE: Final = "PORTAL_SURFACE"
TICK_SECONDS: Final = 300
OUTGROWN: Final = (
    "log: more acts in one period than log.leaves hides; what was published tells of it: "
    "raise log.leaves"
)
"""What the admin is told of a period, wherever the tick runs."""

WITNESSES: Final[Mapping[Outcome, str]] = MappingProxyType(
    {
        Outcome.FORKED: "has signed a log that this one does not continue: was an older copy put "
        "back? run suaka audit verify",
        Outcome.UNKNOWN: "refuses: it does not know this log, or the key that signs it (suaka "
        "witness trust), or another program answers at its address",
        Outcome.STRANGE: "answers, but with no signature that counts: is its address right, and "
        "are its clock and this machine's?",
    }
)
"""What the admin is told of a witness, after its name, at every tick until it is over."""

STOP_SECONDS: Final = 5
"""How long the end of the server waits for a tick; it may be cut off at any point."""


@get("/", sync_to_thread=False)
def to_inbox() -> Response[str]:
    """Lead from the root of the staff surface to its first page."""
    return see_other(STAFF_PATH)


def application() -> Litestar:
    """Return the application of the instance and surface that the environment names."""
    office, settings = wiring.load(Path(os.environ[FOLDER]))
    wiring.require_ready(office)
    surface = Surface(os.environ[SURFACE])

    @asynccontextmanager
    async def ticking(_app: Litestar) -> AsyncIterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=tick_until, args=(office, stop), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(STOP_SECONDS)

    app = wiring.make_app(office, settings, surface, lifespan=[ticking])
    if surface is Surface.STAFF:
        app.register(to_inbox)
    return app


def told(done: Done) -> Iterator[str]:
    """Yield each sentence that the admin is told after a tick, wherever it runs."""
    if done.outgrown:
        yield OUTGROWN
    for name, came in done.asked.items():
        if came in WITNESSES:
            yield f"log: the witness {name} {WITNESSES[came]}"


def tick_until(office: Office, stop: threading.Event, seconds: float = TICK_SECONDS) -> None:
    """Tick now and every so many seconds until told to stop; a failed tick is tried again.

    The log's line holds the error's type and its place in the code, and nothing of the data.
    """
    while not stop.is_set():
        try:
            for line in told(tick(office)):
                LOGGER.warning("%s", line)
        except Exception as failed:  # noqa: BLE001 - it must not end the thread
            where = place(failed.__traceback__)
            LOGGER.error("tick failed: %s at %s", type(failed).__name__, where)  # noqa: TRY400 - a traceback could hold data
        stop.wait(seconds)
