"""Working days and due moments (extraction §f.0, context §7).

The day of the trigger is day 0. A day-deadline ends at 23:59:59 in the time zone of the
profile; clock hours run through nights and holidays. Everything here is computed from the
calendar version that is passed in, so that a deadline can be re-computed and explained.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from casework.law.schema import Deadline, ServiceHours
from casework.law.vocabulary import REPORTER, Basis, DayKind, Direction

_ONE_DAY = timedelta(days=1)
_LAST_SECOND = time(23, 59, 59)
_WEEKEND = frozenset({6, 7})
_DAYS_OFF = frozenset(DayKind) - {DayKind.HARI_KERJA_PENGGANTI}


@dataclass(frozen=True, slots=True)
class HolidayCalendar:
    """One version of the holiday table, with what counts as a day off.

    ``days``: the kinds that a date has (one date can be a national holiday and a local day).
    ``weekend``: ISO weekdays, Monday 1. ``days_off``: kinds that are not working days.
    A ``hari_kerja_pengganti`` is a working day whatever else the date is.
    """

    version: int
    days: Mapping[date, frozenset[DayKind]] = field(default_factory=dict, repr=False)
    weekend: frozenset[int] = _WEEKEND
    days_off: frozenset[DayKind] = _DAYS_OFF

    def __post_init__(self) -> None:
        """Freeze the table. Raises: ValueError: if the weekend leaves no working weekday."""
        if not self.weekend < frozenset(range(1, 8)):
            raise ValueError("a weekend is some, not all, of the ISO weekdays 1 to 7")
        object.__setattr__(self, "days", MappingProxyType(dict(self.days)))

    @classmethod
    def from_rows(
        cls,
        version: int,
        rows: Iterable[tuple[date, DayKind]],
        *,
        weekend: Iterable[int] = _WEEKEND,
        days_off: Iterable[DayKind] = _DAYS_OFF,
    ) -> "HolidayCalendar":
        """Build a calendar from table rows, of which several may name the same date."""
        days: dict[date, frozenset[DayKind]] = {}
        for day, kind in rows:
            days[day] = days.get(day, frozenset()) | {kind}
        return cls(version, days, frozenset(weekend), frozenset(days_off))

    def is_working_day(self, day: date) -> bool:
        """Return whether offices work on ``day``."""
        kinds = self.days.get(day, frozenset())
        if DayKind.HARI_KERJA_PENGGANTI in kinds:
            return True
        return day.isoweekday() not in self.weekend and self.days_off.isdisjoint(kinds)

    def years_without(self, kind: DayKind, first: date, last: date) -> tuple[int, ...]:
        """Return the years of a span in which no day of ``kind`` is entered (yet)."""
        known = {day.year for day, kinds in self.days.items() if kind in kinds}
        return tuple(year for year in range(first.year, last.year + 1) if year not in known)


@dataclass(frozen=True, slots=True)
class Due:
    """When something is due.

    ``day``: local date. ``instant``: the last moment, in UTC. ``warn_day``: the earlier reading
    of an ambiguous unit, by which an office stays safe either way; otherwise None.
    """

    day: date
    instant: datetime
    warn_day: date | None = None

    def is_past(self, now: datetime) -> bool:
        """Return whether the due second has gone by. Raises: ValueError: for a naive clock."""
        return _aware(now) >= self.instant + timedelta(seconds=1)


def next_working_day(calendar: HolidayCalendar, day: date) -> date:
    """Return ``day`` if it is a working day, else the first one after it."""
    while not calendar.is_working_day(day):
        day += _ONE_DAY
    return day


def add_working_days(calendar: HolidayCalendar, start: date, n: int) -> date:
    """Return the ``n``-th working day after ``start``, or ``start`` itself for 0.

    Raises:
        ValueError: if ``n`` is negative.
    """
    return _step_working_days(calendar, start, n, _ONE_DAY)


def subtract_working_days(calendar: HolidayCalendar, start: date, n: int) -> date:
    """Return the ``n``-th working day before ``start``. Raises: ValueError: if negative."""
    return _step_working_days(calendar, start, n, -_ONE_DAY)


def working_days_between(calendar: HolidayCalendar, start: date, end: date) -> int:
    """Return how many working days lie after ``start`` up to and including ``end``.

    With ``end`` before ``start`` the count is that of the reverse span, negative. The cost is that
    of the holiday table, however long the span.
    """
    if end < start:
        return -working_days_between(calendar, end, start)
    weeks, rest = divmod((end - start).days, 7)
    weekdays = weeks * (7 - len(calendar.weekend)) + sum(
        (start + timedelta(days=n)).isoweekday() not in calendar.weekend for n in range(1, rest + 1)
    )
    return weekdays + sum(
        calendar.is_working_day(day) - (day.isoweekday() not in calendar.weekend)
        for day in calendar.days
        if start < day <= end
    )


def due(
    rule: Deadline,
    calendar: HolidayCalendar,
    tz: ZoneInfo,
    start: date | datetime,
) -> Due:
    """Return when ``rule`` falls due if its clock starts at ``start``.

    ``start`` is a local date, or an instant whose date is taken in ``tz``. Where the unit is
    ambiguous the later reading binds; an office also gets the earlier one as ``warn_day``. A
    reporter's window never ends on a day off.

    Raises:
        ValueError: for a naive instant, or clock hours from a bare date.
    """
    if rule.basis is Basis.HOURS:
        if not isinstance(start, datetime):
            raise ValueError("clock hours start at an instant")
        hours = timedelta(hours=rule.amount)
        instant = _aware(start).astimezone(UTC)
        instant = instant + hours if rule.direction is Direction.AFTER else instant - hours
        return Due(instant.astimezone(tz).date(), instant)
    day_0 = local_day(start, tz)
    day = early = _count(rule, rule.basis, calendar, day_0)
    if rule.early_basis is not None:
        other = _count(rule, rule.early_basis, calendar, day_0)
        early, day = min(day, other), max(day, other)
    if rule.responsible == REPORTER:
        return _end_of(next_working_day(calendar, day), tz, None)
    return _end_of(day, tz, early if early < day else None)


def local_day(moment: date | datetime, tz: ZoneInfo) -> date:
    """Return the date of an instant in ``tz``; a date stays. Raises: ValueError: if naive."""
    return _aware(moment).astimezone(tz).date() if isinstance(moment, datetime) else moment


def legal_receipt_day(
    hours: ServiceHours,
    calendar: HolidayCalendar,
    tz: ZoneInfo,
    received: datetime,
) -> date:
    """Return the day on which a submission counts as received (extraction §f.0 rule 5).

    Inside service hours that is its own day; otherwise the day of the next opening.
    """
    local = _aware(received).astimezone(tz)
    missed = local.time() > hours.closes
    return next_working_day(calendar, local.date() + _ONE_DAY if missed else local.date())


def _step_working_days(calendar: HolidayCalendar, start: date, n: int, step: timedelta) -> date:
    if n < 0:
        raise ValueError("a number of working days is not negative")
    day = start
    while n:
        day += step
        n -= calendar.is_working_day(day)
    return day


def _count(rule: Deadline, basis: Basis, calendar: HolidayCalendar, day_0: date) -> date:
    after = rule.direction is Direction.AFTER
    if basis is Basis.WORKING:
        step = add_working_days if after else subtract_working_days
        return step(calendar, day_0, rule.amount)
    span = timedelta(days=rule.amount)
    return day_0 + span if after else day_0 - span


def _end_of(day: date, tz: ZoneInfo, warn_day: date | None) -> Due:
    last = datetime.combine(day, _LAST_SECOND, tzinfo=tz)
    return Due(day, last.astimezone(UTC), warn_day)


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return moment
