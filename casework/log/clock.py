"""The fixed clock of published checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BLOCK: Final = 256
"""Leaves of one tile (c2sp.org/tlog-tiles): published sizes are multiples of it."""

HOUR_SECONDS: Final = 3600


@dataclass(frozen=True)
class Clock:
    """How often checkpoints are published, in hours, and by how many leaves each is larger.

    ``leaves`` is a multiple of 256. If more acts than that fall into one period, the size of the
    next checkpoint tells of it.
    """

    hours: int = 6
    leaves: int = BLOCK

    def beginning(self, seconds: float) -> int:
        """Return the hour since 1970 (UTC) at which the period of a POSIX time began."""
        return int(seconds // HOUR_SECONDS) // self.hours * self.hours
