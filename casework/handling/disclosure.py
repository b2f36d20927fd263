"""Small numbers kept from view, and as many others as it takes that nobody can work them out.

A number below five can point at a person. It is hidden; and because the numbers beside it and
their sum could give it away, others are hidden with it (complementary suppression).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

THRESHOLD: Final = 5
"""Smallest count that is shown."""


class Shade(StrEnum):
    """How a number is shown: as it is, as less than five, or not because of others."""

    SHOWN = "shown"
    SMALL = "small"
    COVERED = "covered"


@dataclass(frozen=True)
class Count:
    """A number as it may be shown; ``value`` is ``None`` unless it is shown."""

    value: int | None
    shade: Shade


@dataclass(frozen=True)
class Protected:
    """A row of numbers and their sum, as they may be shown."""

    cells: tuple[Count, ...]
    total: Count


def protect(values: Sequence[int]) -> Protected:
    """Hide what is small, and what would give it away.

    Whoever knows all that is shown and this rule must still find at least four of the five values
    0 to 4 possible for each small number. Which others are hidden follows their place, not their
    size: size would tell something of what is hidden. Where hiding everything is not enough, the
    sum is hidden, too; it then does not say whether it is small itself.
    """
    hidden = [value < THRESHOLD for value in values]
    small = sum(hidden)
    covered = list(hidden)
    if small:
        start = hidden.index(True)
        for place in (*range(start, len(values)), *range(start)):
            if _is_open(values, covered, small):
                break
            covered[place] = True
    total = sum(values)
    safe = not small or _is_open(values, covered, small)
    return Protected(
        cells=tuple(
            _count(value, small=value < THRESHOLD, covered=cover)
            for value, cover in zip(values, covered, strict=True)
        ),
        total=_count(total, small=False, covered=not safe or total < THRESHOLD),
    )


def _is_open(values: Sequence[int], covered: Sequence[bool], small: int) -> bool:
    """Return whether the sum of what is hidden leaves every small number its whole range."""
    rest = sum(value for value, cover in zip(values, covered, strict=True) if cover)
    others = sum(covered) - small
    most = THRESHOLD - 1
    if not others:
        return most <= rest <= most * (small - 1)
    return rest >= others * THRESHOLD + most


def _count(value: int, *, small: bool, covered: bool) -> Count:
    if small:
        return Count(None, Shade.SMALL)
    return Count(None, Shade.COVERED) if covered else Count(value, Shade.SHOWN)
