"""First rows for the versioned holiday table, from the PyPI package ``holidays``.

Only for seeding: deadlines are computed from the table (context §7.2), never from the package,
which knows neither local days nor changes made within a year.
"""

from collections.abc import Iterable
from datetime import date

import holidays

from casework.law.vocabulary import DayKind

SeedDay = tuple[date, DayKind, str]

# The package's default leaves out the collective leave (*cuti bersama*).
_CATEGORIES = {"public": DayKind.LIBUR_NASIONAL, "government": DayKind.CUTI_BERSAMA}


def seed_days(years: Iterable[int]) -> list[SeedDay]:
    """Return (date, kind, Indonesian name) for every day off of ``years``, sorted."""
    wanted = sorted(set(years))
    rows: list[SeedDay] = []
    for category, kind in _CATEGORIES.items():
        found = holidays.country_holidays("ID", years=wanted, categories=(category,), language="id")
        rows += [(day, kind, name) for day, name in found.items() if day.year in wanted]
    return sorted(rows)
