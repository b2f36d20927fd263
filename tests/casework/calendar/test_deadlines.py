"""Clocks: opened, met and stopped by acts; counted again when holidays change."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from casework.calendar import deadlines, holidays
from casework.calendar.tables import MET, RUNNING, STOPPED
from casework.errors import InvalidInput
from casework.law.engine import DocumentRef
from casework.law.vocabulary import DayKind
from tests.casework.cases import Filed, copy_of, file_report, texts, way
from tests.casework.office import Bench

CLOCKS: dict[str, dict[str, str]] = {
    "submitted": {"first_reaction": RUNNING, "acknowledgement": RUNNING, "feedback": RUNNING},
    "terkirim": {
        "first_reaction": MET,
        "acknowledgement": MET,
        "feedback": RUNNING,
        "verification": RUNNING,
    },
    "ditolak": {"first_reaction": MET, "acknowledgement": MET, "feedback": MET},
}
CLOCKS["ditolak_berkas_tidak_lengkap"] = CLOCKS["terkirim"] | {
    "verification": MET,
    "completion": RUNNING,
}
CLOCKS["diverifikasi"] = CLOCKS["terkirim"] | {"verification": MET, "analysis": RUNNING}
CLOCKS["diteruskan"] = CLOCKS["diverifikasi"] | {"analysis": MET, "direction": RUNNING}
CLOCKS["telaah_awal"] = CLOCKS["diteruskan"] | {"direction": MET, "preliminary_review": RUNNING}
CLOCKS["diselidiki"] = CLOCKS["telaah_awal"] | {"preliminary_review": MET, "examination": RUNNING}
CLOCKS["selesai"] = CLOCKS["diselidiki"] | {"examination": MET, "feedback": MET}

ROWS = "SELECT rule, status FROM deadline WHERE case_id = :case"


@pytest.mark.parametrize("state", CLOCKS)
def test_each_act_opens_and_ends_exactly_its_clocks(filed: Filed, state: str) -> None:
    filed.bring_to(state)
    assert dict(filed.rows(ROWS)) == CLOCKS[state]
    assert len(filed.rows(ROWS)) == len(CLOCKS[state])


def test_a_rejection_stops_what_it_does_not_meet(filed: Filed) -> None:
    """The clock of an earlier review request does not run on in a rejected case."""
    filed.bench.clock.advance(days=20)
    filed.do("reporter", "request_review_overdue")
    filed.do("operator", "reject")
    assert dict(filed.rows(ROWS))["review_answer"] == STOPPED


def test_a_clock_that_starts_again_counts_once(filed: Filed) -> None:
    filed.bring_to("diteruskan")
    filed.do("inspektur", "return")
    rows = [status for rule, status in filed.rows(ROWS) if rule == "analysis"]
    assert sorted(rows) == [MET, RUNNING]


def test_opening_a_running_clock_stops_the_old_one(filed: Filed) -> None:
    with filed.bench.office.write() as uow:
        deadlines.open_all(uow, filed.profile, filed.case_id, ["feedback"])
    rows = [status for rule, status in filed.rows(ROWS) if rule == "feedback"]
    assert sorted(rows) == [RUNNING, STOPPED]


def test_a_clock_ends_met_or_stopped(filed: Filed) -> None:
    with filed.bench.office.write() as uow, pytest.raises(ValueError, match="met or stopped"):
        deadlines.close(uow, filed.case_id, ["feedback"], RUNNING)


def test_a_clock_has_lapsed_the_day_after_its_last_day(filed: Filed) -> None:
    with filed.bench.office.read() as uow:
        last = next(
            row.due
            for row in deadlines.running(uow.session, filed.case_id)
            if row.rule == "first_reaction"
        )
        assert deadlines.lapsed(uow.session, filed.case_id, last) == frozenset()
        after = deadlines.lapsed(uow.session, filed.case_id, last + timedelta(days=1))
        assert after == {"first_reaction"}


def test_three_working_days_over_a_weekend(bench: Bench) -> None:
    """Friday 27 November: Monday, Tuesday, Wednesday."""
    bench.clock.advance(days=4)
    filed = file_report(bench)
    assert filed.receipt.received == date(2026, 11, 27)
    assert filed.receipt.first_reaction == date(2026, 12, 2)


def test_the_day_is_the_offices_day(bench: Bench) -> None:
    """At 16:30 UTC it is half past midnight of the next day in Bali."""
    bench.clock.advance(hours=14, minutes=30)
    assert file_report(bench).receipt.received == date(2026, 11, 24)


def _dues(filed: Filed) -> dict[str, date]:
    with filed.bench.office.read() as uow:
        return {row.rule: row.due for row in deadlines.running(uow.session, filed.case_id)}


def _recompute(filed: Filed) -> None:
    with filed.bench.office.write() as uow:
        assert deadlines.recompute(uow, {filed.case_id: filed.profile}) <= {filed.case_id}


def test_a_new_holiday_extends_and_a_removed_one_shortens_an_officers_clock(filed: Filed) -> None:
    """A reporter's window grows with a holiday and never shrinks again."""
    filed.bring_to("ditolak_berkas_tidak_lengkap")
    before = _dues(filed)
    closed = [(date(2026, 11, day), DayKind.CUTI_BERSAMA, "Cuti contoh") for day in (25, 26)]
    with filed.bench.office.write() as uow:
        holidays.edit(uow, closed, (), "uji")
    _recompute(filed)
    longer = _dues(filed)
    assert longer["completion"] > before["completion"]
    with filed.bench.office.write() as uow:
        holidays.edit(uow, (), [row[:2] for row in closed], "uji")
    _recompute(filed)
    assert _dues(filed)["completion"] == longer["completion"]
    filed.do("reporter", "complete")
    officers = _dues(filed)["verification"]
    with filed.bench.office.write() as uow:
        holidays.edit(uow, closed, (), "uji")
    _recompute(filed)
    assert _dues(filed)["verification"] > officers
    with filed.bench.office.write() as uow:
        holidays.edit(uow, (), [row[:2] for row in closed], "uji")
    _recompute(filed)
    assert _dues(filed)["verification"] == officers
    query = "SELECT DISTINCT calendar FROM deadline WHERE case_id = :case AND status = 'running'"
    assert filed.rows(query) == [(5,)]


@pytest.fixture(scope="module")
def waiting(founded: Bench, tmp_path_factory: pytest.TempPathFactory) -> Filed:
    """A case that waits for its reporter, for many holiday tables."""
    own = copy_of(founded, tmp_path_factory.mktemp("waiting") / "office")
    return file_report(own).bring_to("ditolak_berkas_tidak_lengkap")


DAYS = st.sets(st.integers(1, 40), max_size=12)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(days=DAYS)
def test_no_holiday_table_takes_a_day_from_the_reporter(waiting: Filed, days: set[int]) -> None:
    before = _dues(waiting)["completion"]
    first = date(2026, 11, 23)
    rows = [
        (first + timedelta(days=day), DayKind.CUTI_BERSAMA, "Cuti contoh") for day in sorted(days)
    ]
    with waiting.bench.office.write() as uow:
        holidays.add_version(uow, rows, "uji")
    _recompute(waiting)
    assert _dues(waiting)["completion"] >= before


@pytest.mark.parametrize(
    ("day", "fits"),
    [
        (date.min, False),
        (date(2021, 11, 18), False),
        (date(2021, 11, 23), True),
        (date(2027, 11, 23), True),
        (date(2027, 11, 26), False),
        (date(9999, 12, 30), False),
        (date.max, False),
    ],
)
def test_a_document_is_of_our_time(filed: Filed, day: date, *, fits: bool) -> None:
    """From five years ago to a year ahead; no other date starts a clock or is recorded."""
    filed.bring_to("diteruskan")
    facts = replace(
        filed.facts("assign_team"), documents={"surat_tugas": DocumentRef("800/12/ST", day)}
    )
    if fits:
        filed.do("inspektur", "assign_team", facts)
        return
    leaves = len(filed.leaves())
    with pytest.raises(InvalidInput) as refused:
        filed.do("inspektur", "assign_team", facts)
    assert dict(refused.value.errors) == {"document.surat_tugas": "law.document_date"}
    assert len(filed.leaves()) == leaves


def test_a_document_that_is_not_asked_for_does_nothing(filed: Filed) -> None:
    """No form smuggles a date in, good or bad."""
    documents = {"surat_tugas": DocumentRef("800/12/ST", date.max)}
    filed.do("operator", "accept", replace(filed.facts("accept"), documents=documents))
    assert "surat_tugas" not in texts(filed.file("verifikator").pieces)


@pytest.mark.parametrize(
    "change", ["status = 'late'", "status = 'met'", "closed = '2026-11-23'", "rule = ''"]
)
def test_the_database_refuses_an_impossible_clock(filed: Filed, change: str) -> None:
    """A running clock has no end, and an ended one has."""
    with filed.bench.office.engine.connect() as connection, pytest.raises(Exception, match="CHECK"):
        connection.execute(text(f"UPDATE deadline SET {change} WHERE status = 'running'"))


def test_no_clock_stores_the_time_of_a_visit(filed: Filed) -> None:
    """Badung counts days, so no clock holds anything finer."""
    for user, transition in way("selesai"):
        filed.do(user, transition)
    for row in filed.rows("SELECT start, due, due_at, warn, closed FROM deadline"):
        assert row.due_at is None
        assert all(value is None or len(value) == 10 for value in row)
