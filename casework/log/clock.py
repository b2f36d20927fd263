"""The fixed clock of published checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BLOCK: Final = 256
"""Leaves of one tile (c2sp.org/tlog-tiles): published sizes are multiples of it."""

_HOUR_SECONDS: Final = 3600


@dataclass(frozen=True)
class Clock:
    """How often checkpoints are published, in hours, and by how many leaves each is larger.

    ``leaves`` is a multiple of 256. If more acts than that fall into one period, the size of the
    next checkpoint tells of it.
    """

    hours: int = 6
    leaves: int = BLOCK

    def period(self, seconds: float) -> int:
        """Return the number of the period that a POSIX time lies in, counted since 1970."""
        return int(seconds // (self.hours * _HOUR_SECONDS))

    def begin(self, period: int) -> int:
        """Return the POSIX time at which a period begins."""
        return period * self.hours * _HOUR_SECONDS
