"""The entry for the web server's worker: builds the application named by the environment.

``suaka serve`` sets the two variables; they are not settings of the instance.
"""

from __future__ import annotations

import os
import threading
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from casework.tick import tick
from portal import wiring
from portal.web.settings import Surface

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from litestar import Litestar

    from casework.store.office import Office

FOLDER: Final = "PORTAL_FOLDER"
SURFACE: Final = "PORTAL_SURFACE"
TICK_SECONDS: Final = 300


def application() -> Litestar:
    """Return the application of the instance and surface that the environment names."""
    office, settings = wiring.load(Path(os.environ[FOLDER]))
    wiring.require_ready(office)

    @asynccontextmanager
    async def ticking(_app: Litestar) -> AsyncIterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=_tick_until, args=(office, stop), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()

    return wiring.make_app(office, settings, Surface(os.environ[SURFACE]), lifespan=[ticking])


def _tick_until(office: Office, stop: threading.Event) -> None:
    while not stop.wait(TICK_SECONDS):
        tick(office)
