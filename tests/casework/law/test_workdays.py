"""Working days and due moments follow extraction §f.0 and the vectors of context §7.5."""

from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.law.profile import Profile
from casework.law.schema import Deadline, ServiceHours
from casework.law.seed import seed_days
from casework.law.vocabulary import Basis, DayKind, Direction
from casework.law.workdays import (
    HolidayCalendar,
    add_working_days,
    due,
    legal_receipt_day,
    local_day,
    next_working_day,
    subtract_working_days,
    working_days_between,
)

ROWS = [(day, kind) for day, kind, _ in seed_days([2025, 2026, 2027])]
FULL = HolidayCalendar.from_rows(1, ROWS)
PUBLIC = HolidayCalendar.from_rows(1, ROWS, days_off=[DayKind.LIBUR_NASIONAL])
BALI_DAYS = [(date(2027, 1, day), DayKind.DISPENSASI_DAERAH) for day in (12, 13, 14)]
BALI = HolidayCalendar.from_rows(2, ROWS + BALI_DAYS)

WIB, WITA, WIT = ZoneInfo("Asia/Pontianak"), ZoneInfo("Asia/Makassar"), ZoneInfo("Asia/Jayapura")

FRI_13_MAR = date(2026, 3, 13)
MON_23_NOV = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("start", "n", "public_only", "with_leave"),
    [
        (FRI_13_MAR, 3, date(2026, 3, 18), date(2026, 3, 25)),
        (FRI_13_MAR, 10, date(2026, 3, 30), date(2026, 4, 6)),
        (FRI_13_MAR, 14, date(2026, 4, 6), date(2026, 4, 10)),
        (FRI_13_MAR, 60, date(2026, 6, 15), date(2026, 6, 24)),
        (date(2026, 12, 18), 5, date(2026, 12, 28), date(2026, 12, 29)),
        (date(2026, 12, 18), 10, date(2027, 1, 6), date(2027, 1, 7)),
        (date(2025, 3, 27), 3, date(2025, 4, 3), date(2025, 4, 10)),
        (MON_23_NOV, 14, date(2026, 12, 11), date(2026, 12, 11)),
        (MON_23_NOV, 60, date(2027, 2, 18), date(2027, 2, 22)),
        (date(2027, 1, 11), 3, date(2027, 1, 14), date(2027, 1, 14)),
    ],
)
def test_the_vectors_of_context_7_5(
    start: date, n: int, public_only: date, with_leave: date
) -> None:
    assert add_working_days(PUBLIC, start, n) == public_only
    assert add_working_days(FULL, start, n) == with_leave


def test_local_days_off_of_bali_move_the_due_day() -> None:
    assert add_working_days(BALI, date(2027, 1, 11), 3) == date(2027, 1, 19)


class Counting(HolidayCalendar):
    """Counts how often a day is looked at."""

    looked: ClassVar[int] = 0

    def is_working_day(self, day: date) -> bool:
        type(self).looked += 1
        return super().is_working_day(day)


def test_the_distance_to_the_end_of_time_costs_no_more_than_that_to_tomorrow() -> None:
    """A due day of the year 9999, however it came there, does not hold an inbox up."""
    calendar = Counting(1, FULL.days)
    weeks = (date.max - MON_23_NOV).days // 7
    found = working_days_between(calendar, MON_23_NOV, date.max)
    assert weeks * 5 - len(FULL.days) <= found <= weeks * 5 + 5
    assert working_days_between(calendar, date.max, date.min) < -weeks * 5
    assert Counting.looked <= 2 * (len(FULL.days) + 7)


def test_local_days_can_count_as_working_without_losing_a_national_holiday_on_the_same_date() -> (
    None
):
    nyepi = date(2026, 3, 19)
    rows = [*ROWS, (nyepi, DayKind.DISPENSASI_DAERAH), *BALI_DAYS]
    strict = HolidayCalendar.from_rows(
        3, rows, days_off=[DayKind.LIBUR_NASIONAL, DayKind.CUTI_BERSAMA]
    )
    assert not strict.is_working_day(nyepi)
    assert strict.is_working_day(date(2027, 1, 12))


def test_a_replacement_working_day_is_worked_even_at_a_weekend() -> None:
    saturday = date(2026, 11, 28)
    calendar = HolidayCalendar.from_rows(1, [(saturday, DayKind.HARI_KERJA_PENGGANTI)])
    assert add_working_days(calendar, date(2026, 11, 27), 1) == saturday


def test_a_six_day_week_is_a_setting() -> None:
    six_days = HolidayCalendar.from_rows(1, [], weekend=[7])
    assert add_working_days(six_days, date(2026, 11, 27), 1) == date(2026, 11, 28)


def test_a_calendar_without_any_working_weekday_is_refused() -> None:
    with pytest.raises(ValueError, match="weekend"):
        HolidayCalendar.from_rows(1, [], weekend=range(1, 8))


def test_a_calendar_cannot_be_changed_through_the_table_it_was_made_from() -> None:
    days = {date(2026, 11, 24): frozenset({DayKind.LIBUR_NASIONAL})}
    calendar = HolidayCalendar(1, days)
    days.clear()
    assert not calendar.is_working_day(date(2026, 11, 24))


def test_a_year_without_collective_leave_is_named_so_that_staff_can_be_warned() -> None:
    found = FULL.years_without(DayKind.CUTI_BERSAMA, date(2026, 10, 1), date(2028, 1, 5))
    assert found == (2028,)


def test_only_a_day_of_the_kind_asked_for_makes_a_year_known() -> None:
    rows = [(date(2026, 3, 20), DayKind.CUTI_BERSAMA), (date(2027, 3, 10), DayKind.LIBUR_NASIONAL)]
    calendar = HolidayCalendar.from_rows(1, rows)
    span = date(2026, 12, 31), date(2027, 1, 1)
    assert calendar.years_without(DayKind.CUTI_BERSAMA, *span) == (2027,)
    assert calendar.years_without(DayKind.LIBUR_NASIONAL, *span) == (2026,)


def test_a_calendar_is_shown_by_its_version_and_not_day_by_day() -> None:
    assert "version=1" in repr(FULL)
    assert "datetime.date" not in repr(FULL)


DAYS = st.dates(date(2025, 1, 1), date(2027, 6, 1))
AMOUNTS = st.integers(0, 40)
CALENDARS = st.builds(
    lambda rows, weekend: HolidayCalendar.from_rows(1, rows, weekend=weekend),
    st.lists(st.tuples(DAYS, st.sampled_from(DayKind)), max_size=40),
    st.sets(st.integers(1, 7), max_size=6),
) | st.just(FULL)


@given(CALENDARS, DAYS)
def test_zero_working_days_is_the_day_itself(calendar: HolidayCalendar, day: date) -> None:
    assert add_working_days(calendar, day, 0) == day == subtract_working_days(calendar, day, 0)


@given(CALENDARS, DAYS, st.integers(1, 40))
def test_a_due_day_is_never_a_day_off(calendar: HolidayCalendar, day: date, n: int) -> None:
    assert calendar.is_working_day(add_working_days(calendar, day, n))
    assert calendar.is_working_day(subtract_working_days(calendar, day, n))
    assert calendar.is_working_day(next_working_day(calendar, day))


@given(CALENDARS, DAYS, AMOUNTS, AMOUNTS)
def test_counting_on_is_the_same_as_counting_at_once(
    calendar: HolidayCalendar, day: date, a: int, b: int
) -> None:
    halfway = add_working_days(calendar, day, a)
    assert add_working_days(calendar, halfway, b) == add_working_days(calendar, day, a + b)


@given(CALENDARS, DAYS, DAYS, AMOUNTS)
def test_a_later_start_or_more_days_is_never_due_earlier(
    calendar: HolidayCalendar, one: date, other: date, n: int
) -> None:
    first, second = sorted([one, other])
    assert add_working_days(calendar, first, n) <= add_working_days(calendar, second, n)
    assert add_working_days(calendar, first, n) < add_working_days(calendar, first, n + 1)


@given(CALENDARS, DAYS, AMOUNTS)
def test_the_days_between_are_the_days_added(calendar: HolidayCalendar, day: date, n: int) -> None:
    end = add_working_days(calendar, day, n)
    assert working_days_between(calendar, day, end) == n
    assert working_days_between(calendar, end, day) == -n


@settings(max_examples=50)
@given(DAYS, st.integers(1, 40))
def test_one_more_holiday_never_brings_a_due_day_forward(day: date, n: int) -> None:
    plain = add_working_days(FULL, day, n)
    extra = HolidayCalendar.from_rows(2, [*ROWS, (plain, DayKind.PENUTUPAN_KANTOR)])
    assert add_working_days(extra, day, n) > plain


@pytest.mark.parametrize("move", [add_working_days, subtract_working_days])
def test_a_negative_number_of_days_is_refused(move: object) -> None:
    with pytest.raises(ValueError, match="not negative"):
        move(FULL, MON_23_NOV, -1)  # type: ignore[operator]


def rule(amount: int, basis: Basis = Basis.WORKING, **more: object) -> Deadline:
    fields = {"responsible": "operator", "legal": True, "article": "Pasal 1", **more}
    return Deadline(id="x", label="x", amount=amount, basis=basis, **fields)  # type: ignore[arg-type]


def test_a_day_deadline_ends_with_its_last_local_second() -> None:
    found = due(rule(3), FULL, WITA, MON_23_NOV)
    assert found.day == date(2026, 11, 26)
    assert found.warn_day is None
    assert found.instant == datetime(2026, 11, 26, 15, 59, 59, tzinfo=UTC)
    assert not found.is_past(datetime(2026, 11, 26, 23, 59, 59, 999999, tzinfo=WITA))
    assert found.is_past(datetime(2026, 11, 27, 0, 0, 0, tzinfo=WITA))


def test_half_past_eleven_at_night_in_pontianak_is_the_next_day_in_jayapura() -> None:
    sent = datetime(2026, 11, 23, 23, 30, tzinfo=WIB)
    assert local_day(sent, WIB) == MON_23_NOV
    assert local_day(sent, WIT) == date(2026, 11, 24)
    assert due(rule(1), FULL, WIB, sent).day == date(2026, 11, 24)
    assert due(rule(1), FULL, WIT, sent).day == date(2026, 11, 25)


def test_half_past_eleven_on_the_last_day_is_in_time_at_home_and_late_two_zones_east() -> None:
    last_night = datetime(2026, 11, 24, 23, 30, tzinfo=WIB)
    assert not due(rule(1), FULL, WIB, MON_23_NOV).is_past(last_night)
    assert due(rule(1), FULL, WIT, MON_23_NOV).is_past(last_night)


def test_calendar_days_run_through_holidays() -> None:
    assert due(rule(7, Basis.CALENDAR), FULL, WITA, FRI_13_MAR).day == date(2026, 3, 20)


def test_clock_hours_are_exact_through_nights_and_holidays() -> None:
    sent = datetime(2026, 3, 18, 23, 30, 15, tzinfo=WITA)
    found = due(rule(24, Basis.HOURS), FULL, WITA, sent)
    assert found.instant == sent + timedelta(hours=24)
    assert found.day == date(2026, 3, 19)


def test_a_span_before_a_date_runs_back_in_every_unit() -> None:
    noon = datetime(2026, 11, 23, 12, 0, tzinfo=WITA)
    before = due(rule(24, Basis.HOURS, direction=Direction.BEFORE), FULL, WITA, noon)
    assert before.instant == noon - timedelta(hours=24)
    days = due(rule(7, Basis.CALENDAR, direction=Direction.BEFORE), FULL, WITA, MON_23_NOV)
    assert days.day == date(2026, 11, 16)


def test_clock_hours_cannot_start_at_a_bare_date_and_no_clock_is_naive() -> None:
    with pytest.raises(ValueError, match="instant"):
        due(rule(24, Basis.HOURS), FULL, WITA, MON_23_NOV)
    with pytest.raises(ValueError, match="time zone"):
        due(rule(3), FULL, WITA, datetime(2026, 11, 23, 8, 0))  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        due(rule(3), FULL, WITA, MON_23_NOV).is_past(datetime(2026, 11, 23))  # noqa: DTZ001


def ambiguous(amount: int, responsible: str) -> Deadline:
    return rule(amount, ambiguous=True, early_basis=Basis.CALENDAR, responsible=responsible)


def test_an_ambiguous_unit_warns_an_office_early_and_binds_it_late() -> None:
    found = due(ambiguous(10, "operator"), FULL, WITA, FRI_13_MAR)
    assert found.day == date(2026, 4, 6)
    assert found.warn_day == date(2026, 3, 23)


def test_an_ambiguous_window_of_a_reporter_closes_late_and_only_then() -> None:
    found = due(ambiguous(10, "reporter"), FULL, WITA, FRI_13_MAR)
    assert found.day == date(2026, 4, 6)
    assert found.warn_day is None


def test_a_reporters_window_moves_on_from_a_day_off_and_an_offices_does_not() -> None:
    ends_on_collective_leave = due(
        rule(5, Basis.CALENDAR, responsible="reporter"), FULL, WITA, FRI_13_MAR
    )
    assert ends_on_collective_leave.day == date(2026, 3, 25)
    assert due(rule(8, Basis.CALENDAR), FULL, WITA, FRI_13_MAR).day == date(2026, 3, 21)


def test_a_summons_is_due_working_days_before_the_examination() -> None:
    found = due(rule(7, direction=Direction.BEFORE), FULL, WITA, date(2026, 4, 6))
    # Back from 6 April over Good Friday: 2 and 1 April, 31, 30, 27, 26 and 25 March.
    assert found.day == date(2026, 3, 25)
    assert working_days_between(FULL, found.day, date(2026, 4, 6)) == 7


@pytest.mark.parametrize(
    ("received", "counts_as"),
    [
        (datetime(2026, 11, 20, 8, 0, tzinfo=WIB), date(2026, 11, 20)),
        (datetime(2026, 11, 20, 14, 0, tzinfo=WIB), date(2026, 11, 20)),
        (datetime(2026, 11, 20, 14, 0, 1, tzinfo=WIB), date(2026, 11, 23)),
        (datetime(2026, 11, 21, 10, 0, tzinfo=WIB), date(2026, 11, 23)),
        (datetime(2026, 12, 23, 20, 0, tzinfo=WIB), date(2026, 12, 28)),
    ],
)
def test_outside_service_hours_receipt_is_the_next_opening(
    received: datetime, counts_as: date
) -> None:
    hours = ServiceHours(opens=time(9), closes=time(14), article="Ps 15(2)")
    assert legal_receipt_day(hours, FULL, WIB, received) == counts_as


def test_the_windows_of_gowa_compute_with_both_readings(gowa: Profile) -> None:
    status = due(gowa.deadline("status_information"), FULL, ZoneInfo(gowa.tz), MON_23_NOV)
    assert status.day == date(2027, 2, 22)
    assert status.warn_day == date(2027, 1, 22)


def test_badungs_week_leaves_out_local_days(badung: Profile) -> None:
    week = badung.working_week
    calendar = HolidayCalendar.from_rows(
        2, ROWS + BALI_DAYS, weekend=week.weekend, days_off=week.days_off
    )
    first = due(badung.deadline("first_reaction"), calendar, ZoneInfo(badung.tz), date(2027, 1, 11))
    assert first.day == date(2027, 1, 19)


def test_a_span_that_ends_on_a_holiday_does_not_count_it() -> None:
    """25 December 2026 is a Friday and off; the Thursday before it is a collective leave day."""
    wednesday, friday = date(2026, 12, 23), date(2026, 12, 25)
    assert working_days_between(FULL, wednesday, friday) == 0
    assert working_days_between(FULL, date(2026, 12, 22), friday) == 1
