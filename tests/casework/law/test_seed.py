"""The first holiday rows hold collective leave as well as national holidays (context §7.2)."""

from datetime import date

from casework.law.seed import seed_days
from casework.law.vocabulary import DayKind


def count(year: int, kind: DayKind) -> int:
    return len({day for day, found, _ in seed_days([year]) if found is kind})


def test_the_joint_decree_of_2026_is_seeded_with_both_categories() -> None:
    assert count(2026, DayKind.LIBUR_NASIONAL) == 17
    assert count(2026, DayKind.CUTI_BERSAMA) == 8


def test_nyepi_is_national_and_christmas_eve_collective_leave() -> None:
    kinds = {(day, kind) for day, kind, _ in seed_days([2026])}
    assert (date(2026, 3, 19), DayKind.LIBUR_NASIONAL) in kinds
    assert (date(2026, 12, 24), DayKind.CUTI_BERSAMA) in kinds


def test_names_are_indonesian_and_rows_sorted_within_the_wanted_years() -> None:
    rows = seed_days([2027, 2026])
    assert rows == sorted(rows)
    assert {day.year for day, _, _ in rows} == {2026, 2027}
    assert "Hari Suci Nyepi" in " ".join(name for _, _, name in rows)


def test_balinese_days_are_not_seeded_because_the_package_has_none() -> None:
    galungan = date(2026, 6, 17)
    assert galungan not in {day for day, _, _ in seed_days([2026])}
