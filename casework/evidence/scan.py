"""Placeholder until the scanner is there."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What came out."""

    CLEAN = "clean"
    FOUND = "found"


@dataclass(frozen=True)
class Verdict:
    """A result."""

    outcome: Outcome
    name: str


class Scanner:
    """Finds nothing."""

    def scan(self, pieces: Iterable[bytes]) -> Verdict:
        """Find nothing."""
        del pieces
        return Verdict(Outcome.CLEAN, "")
