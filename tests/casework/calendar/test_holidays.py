"""The holiday table: new versions only, seeded once, edited on top."""

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from casework.calendar import holidays
from casework.errors import NotFound
from casework.law.vocabulary import DayKind
from tests.casework.office import Bench

DAY = (date(2026, 11, 24), DayKind.DISPENSASI_DAERAH, "Hari contoh")


def test_the_seed_has_both_kinds_of_days(bench: Bench) -> None:
    with bench.office.read() as uow:
        assert holidays.latest_version(uow.session) == 1
        kinds = {kind for _, kind, _ in holidays.rows_of(uow.session, 1)}
    assert {DayKind.LIBUR_NASIONAL, DayKind.CUTI_BERSAMA} <= kinds


def test_an_edit_is_a_new_version_and_the_old_one_stays(bench: Bench) -> None:
    with bench.office.write() as uow:
        old = holidays.rows_of(uow.session, 1)
        assert holidays.edit(uow, [DAY], (), "perubahan") == 2
        assert holidays.rows_of(uow.session, 1) == old
        assert set(holidays.rows_of(uow.session, 2)) == {*old, DAY}
        assert holidays.edit(uow, (), [DAY[:2]], "batal") == 3
        assert holidays.rows_of(uow.session, 3) == old


def test_only_a_day_in_the_table_can_be_removed(bench: Bench) -> None:
    with bench.office.write() as uow, pytest.raises(NotFound):
        holidays.edit(uow, (), [DAY[:2]], "salah")
    with bench.office.read() as uow:
        assert holidays.latest_version(uow.session) == 1


def test_counting_uses_the_newest_version(bench: Bench) -> None:
    profile = bench.office.profile
    with bench.office.write() as uow:
        assert holidays.calendar_for(uow.session, profile).is_working_day(DAY[0])
        closing = (DAY[0], DayKind.CUTI_BERSAMA, "Cuti contoh")
        holidays.edit(uow, [closing], (), "perubahan")
        calendar = holidays.calendar_for(uow.session, profile)
    assert calendar.version == 2
    assert not calendar.is_working_day(DAY[0])


def test_without_a_seed_nothing_is_counted(bench: Bench) -> None:
    with bench.office.write() as uow:
        for table in ("holiday", "calendar"):
            uow.session.execute(text(f"DELETE FROM {table}"))
        with pytest.raises(NotFound):
            holidays.calendar_for(uow.session, bench.office.profile)


@pytest.mark.parametrize(
    "values",
    [
        "(1, '2026-11-24', 'hari_lain', 'x')",
        "(1, '2026-11-24', 'libur_nasional', '')",
        "(9, '2026-11-24', 'libur_nasional', 'x')",
    ],
)
def test_the_database_refuses_what_is_no_holiday(bench: Bench, values: str) -> None:
    with bench.office.engine.connect() as connection, pytest.raises(IntegrityError):
        connection.execute(text(f"INSERT INTO holiday (calendar, day, kind, name) VALUES {values}"))
