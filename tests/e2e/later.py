"""The portal with a clock that runs ahead, so that dates have passed; not part of Suaka."""

import os
from datetime import datetime, timedelta
from pathlib import Path

from litestar import Litestar

from portal import asgi, wiring
from portal.web.settings import Surface
from tests.e2e.demo import CLOCK_VARIABLE


def application() -> Litestar:
    """Return the application of the instance that the environment names, days ahead."""
    ahead = timedelta(days=int(os.environ[CLOCK_VARIABLE]))

    def clock() -> datetime:
        return wiring.utc_now() + ahead

    office, settings = wiring.load(Path(os.environ[asgi.FOLDER]), clock)
    return wiring.make_app(office, settings, Surface.BOTH)
