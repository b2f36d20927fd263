"""After a change of holidays, clocks and desks move together."""

from datetime import date

from casework.calendar import holidays
from casework.handling import recount
from casework.law.vocabulary import DayKind
from tests.casework.cases import Filed, file_report
from tests.casework.handling.test_desk import derived, stored
from tests.casework.office import Bench

CLOSED = [(date(2026, 11, day), DayKind.CUTI_BERSAMA, "Cuti contoh") for day in (24, 25)]


def _edit(bench: Bench, *, undo: bool = False) -> int:
    with bench.office.write() as uow:
        if undo:
            holidays.edit(uow, (), [(day, kind) for day, kind, _ in CLOSED], "uji")
        else:
            holidays.edit(uow, CLOSED, (), "uji")
        return recount.recount(uow)


def test_an_edit_moves_clocks_and_desks_alike(filed: Filed) -> None:
    """The list never shows another date than the case."""
    before = stored(filed)
    assert _edit(filed.bench) == 1
    assert stored(filed) == derived(filed) != before
    assert _edit(filed.bench, undo=True) == 1
    assert stored(filed) == derived(filed) == before


def test_nothing_moves_when_nothing_changed(filed: Filed) -> None:
    with filed.bench.office.write() as uow:
        assert recount.recount(uow) == 0


def test_closed_cases_stay_as_they_are(bench: Bench) -> None:
    closed = file_report(bench).bring_to("ditolak")
    rows = closed.rows("SELECT rule, due, status FROM deadline WHERE case_id = :case ORDER BY rule")
    assert _edit(bench) == 0
    query = "SELECT rule, due, status FROM deadline WHERE case_id = :case ORDER BY rule"
    assert closed.rows(query) == rows
