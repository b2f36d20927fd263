"""Very many cases opened by one officer on one day: told for two weeks, and of one's own cases."""

from dataclasses import replace

import pytest

from casework.errors import Denied
from casework.handling import bursts, opening
from tests.casework.cases import Filed, file_report
from tests.casework.office import Bench

MANY = 3


@pytest.fixture
def watched(bench: Bench) -> tuple[Bench, list[Filed]]:
    """An office where more than three cases a day are many, with five reports."""
    bench.office = replace(bench.office, many_cases=MANY)
    return bench, [file_report(bench) for _ in range(5)]


def look(bench: Bench, user: str, cases: list[Filed]) -> None:
    for filed in cases:
        with bench.office.write() as uow:
            opening.note(uow, bench[user], filed.case_id)


def told(bench: Bench, user: str = "inspektur") -> list[tuple[str, int]]:
    with bench.office.read() as uow:
        return [(one.name, one.cases) for one in bursts.recent(uow, bench[user])]


def test_only_more_than_the_limit_is_told(watched: tuple[Bench, list[Filed]]) -> None:
    bench, cases = watched
    look(bench, "operator", cases[:MANY])
    look(bench, "operator", cases[:MANY])
    assert told(bench) == []
    look(bench, "operator", cases)
    assert told(bench) == [("Contoh Operator", 5)]


def test_days_are_counted_apart(watched: tuple[Bench, list[Filed]]) -> None:
    bench, cases = watched
    look(bench, "operator", cases[:3])
    bench.clock.advance(days=1)
    look(bench, "operator", cases[2:])
    assert told(bench) == []


def test_it_is_told_for_fourteen_days(watched: tuple[Bench, list[Filed]]) -> None:
    bench, cases = watched
    look(bench, "operator", cases)
    bench.clock.advance(days=13)
    assert told(bench) == [("Contoh Operator", 5)]
    bench.clock.advance(days=1)
    assert told(bench) == []


def test_the_guardians_own_bursts_are_told_too(watched: tuple[Bench, list[Filed]]) -> None:
    bench, cases = watched
    look(bench, "inspektur", cases)
    assert told(bench) == [("Contoh Inspektur", 5)]


def test_cases_that_the_viewer_does_not_hold_are_not_counted(
    watched: tuple[Bench, list[Filed]],
) -> None:
    """The number must not say how many reports there are that the guardian may not know of."""
    bench, cases = watched
    look(bench, "operator", cases)
    for filed in cases[:2]:
        filed.tamper(
            'DELETE FROM "grant" WHERE case_id = :case AND holder = :holder',
            holder=bench["inspektur"].person_id,
        )
    assert told(bench) == []


@pytest.mark.parametrize("user", ["operator", "verifikator", "irban", "tim", "pengawas", "admin"])
def test_nobody_else_is_told(watched: tuple[Bench, list[Filed]], user: str) -> None:
    bench, cases = watched
    look(bench, "operator", cases)
    with pytest.raises(Denied):
        told(bench, user)
