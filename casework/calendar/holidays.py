"""The holiday table in the database: seeded once, edited in new versions, never overwritten."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select, type_coerce
from sqlalchemy.types import NullType

from casework.calendar.tables import Calendar, Holiday
from casework.errors import NotFound
from casework.law.seed import seed_days
from casework.law.vocabulary import DayKind
from casework.law.workdays import HolidayCalendar
from crypto import canonical

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date

    from sqlalchemy.orm import Session

    from casework.law.profile import Profile
    from casework.store.unit import UnitOfWork

Row = tuple["date", DayKind, str]

EVENT: Final = "holidays"
"""Event of the leaf of an edit; ``calendar`` is its version, its object the digest of the days."""

FACT: Final = "holidays"
"""Fact of the leaf of the genesis: the digest of the days that were seeded."""

SEEDED: Final = 1
"""The version that is made from public data; all others are edits."""

YEARS: Final = 3
"""Years that an instance is seeded for, the one in which it is made first."""


def latest_version(session: Session) -> int:
    """Return the number of the newest calendar version. Raises: NotFound: none was seeded."""
    version: int | None = session.scalar(select(func.max(Calendar.version)))
    if version is None:
        raise NotFound("holiday table")
    return version


def rows_of(session: Session, version: int) -> list[Row]:
    """Return the days of one version: (date, kind, name), in order of date."""
    found = session.execute(
        select(Holiday.day, Holiday.kind, Holiday.name)
        .where(Holiday.calendar == version)
        .order_by(Holiday.day, Holiday.kind)
    )
    return [(day, DayKind(kind), name) for day, kind, name in found]


def digest_of(session: Session, version: int) -> str:
    """Return the hex SHA-256 by which a leaf names the days of a version.

    It is that of the canonical JSON ``[[DAY, KIND, NAME], …]``, by day and kind. Whatever stands
    in the rows is taken as it is.

    Raises:
        Malformed: values of a type that the program never writes.
    """
    found = session.execute(
        select(type_coerce(Holiday.day, NullType()), Holiday.kind, Holiday.name)
        .where(Holiday.calendar == version)
        .order_by(Holiday.day, Holiday.kind)
    )
    return _digest((str(day), kind, name) for day, kind, name in found)


def is_seed(session: Session, version: int) -> bool:
    """Return whether a version holds the days that this program would seed in its year."""
    made = session.scalar(
        select(type_coerce(Calendar.created, NullType())).where(Calendar.version == version)
    )
    try:
        first = int(str(made)[:4])
        rows = seed_days(range(first, first + YEARS))
        return digest_of(session, version) == _digest(
            (day.isoformat(), kind.value, name) for day, kind, name in rows
        )
    except ValueError:
        return False


def calendar_for(session: Session, profile: Profile) -> HolidayCalendar:
    """Return the newest calendar, with the working week of a profile."""
    version = latest_version(session)
    return HolidayCalendar.from_rows(
        version,
        ((day, kind) for day, kind, _ in rows_of(session, version)),
        weekend=profile.working_week.weekend,
        days_off=profile.working_week.days_off,
    )


def seed(uow: UnitOfWork, years: Iterable[int]) -> int:
    """Store the first version from the public holiday data of the given years; return it."""
    return add_version(uow, seed_days(years), "seed")


def add_version(uow: UnitOfWork, rows: Iterable[Row], source: str) -> int:
    """Store a new version of the whole table and return its number.

    Deadlines keep counting with their version until they are recomputed
    (:func:`casework.handling.recount.recount`).
    """
    version = (uow.session.scalar(select(func.max(Calendar.version))) or 0) + 1
    uow.session.add(Calendar(version=version, created=uow.today(), source=source))
    uow.session.flush()
    for day, kind, name in rows:
        uow.session.add(Holiday(calendar=version, day=day, kind=kind.value, name=name))
    uow.session.flush()
    return version


def _digest(rows: Iterable[tuple[str, str, str]]) -> str:
    return hashlib.sha256(canonical.encode([list(row) for row in rows])).hexdigest()


def edit(
    uow: UnitOfWork, add: Collection[Row], remove: Collection[tuple[date, DayKind]], source: str
) -> int:
    """Store a new version with days added and removed; return its number.

    Raises:
        NotFound: a day to remove is not in the table.
    """
    newest = rows_of(uow.session, latest_version(uow.session))
    kept = {(day, kind): name for day, kind, name in newest}
    for key in remove:
        if key not in kept:
            raise NotFound(key[0].isoformat())
        del kept[key]
    kept |= {(day, kind): name for day, kind, name in add}
    rows = [(day, kind, name) for (day, kind), name in sorted(kept.items())]
    return add_version(uow, rows, source)
