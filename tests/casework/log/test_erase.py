"""Leaves are erased by the guardian alone, when nothing else of the case is left."""

import pytest
from sqlalchemy import select, text

from casework.audit.verify import verify
from casework.errors import Conflict, Denied, InvalidInput
from casework.keys import roster
from casework.log import erase, trail
from casework.log.tables import Leaf
from casework.log.trail import Filters
from tests.casework.audit.instances import forget_case
from tests.casework.cases import REPORTER, Filed, count, file_report
from tests.casework.office import Bench

REASON = "Masa simpan berakhir"


def run(bench: Bench, case_id: str, username: str = "inspektur", reason: str = REASON) -> int:
    with bench.office.write() as uow:
        return erase.erase(uow, bench[username], case_id, reason)


@pytest.fixture
def gone(bench: Bench) -> Filed:
    """A case that was worked on, and of which only leaves are left."""
    filed = file_report(bench).bring_to("terkirim")
    filed.say(REPORTER, "Terima kasih.")
    forget_case(bench, filed)
    return filed


def test_the_bodies_go_and_hashes_and_signatures_stay(gone: Filed) -> None:
    before = gone.rows("SELECT number, hash, signature FROM leaf WHERE case_id = :case")
    number = run(gone.bench, gone.case_id)
    assert gone.rows("SELECT number, hash, signature FROM leaf WHERE case_id = :case") == before
    assert not any(row[0] for row in gone.rows("SELECT body FROM leaf WHERE case_id = :case"))
    with gone.bench.office.read() as uow:
        said = erase.read(uow.session.get_one(Leaf, number), uow.office.instance_id)
        assert said is not None
        assert list(said.leaves) == [row[0] for row in before]
        assert said.reason == REASON
        assert verify(uow).sound


def test_life_goes_on_after_it(gone: Filed) -> None:
    run(gone.bench, gone.case_id)
    file_report(gone.bench).bring_to("terkirim")
    with gone.bench.office.read() as uow:
        assert verify(uow).sound


def test_nobody_but_the_guardian(gone: Filed) -> None:
    for username in ("operator", "irban", "admin"):
        with pytest.raises(Denied):
            run(gone.bench, gone.case_id, username)
    assert count(gone.bench.office, "leaf") > 0


@pytest.mark.parametrize("reason", ["", " ", "a\nb", "x" * 161])
def test_a_reason_is_one_line(gone: Filed, reason: str) -> None:
    with pytest.raises(InvalidInput):
        run(gone.bench, gone.case_id, reason=reason)


def test_not_while_anything_of_the_case_is_left(filed: Filed) -> None:
    leaves = count(filed.bench.office, "leaf")
    with pytest.raises(Conflict):
        run(filed.bench, filed.case_id)
    assert count(filed.bench.office, "leaf") == leaves


@pytest.mark.parametrize(
    "row",
    [
        "INSERT INTO case_flag VALUES (:case, 'x')",
        "INSERT INTO compartment VALUES (:case, 'content', '2026-11-23')",
        (
            "INSERT INTO person SELECT :reporter, 'reporter', NULL, zeroblob(1216), zeroblob(32),"
            " '2026-11-23'"
        ),
    ],
)
def test_not_while_a_single_row_is_left(gone: Filed, row: str) -> None:
    values = {"case": gone.case_id, "reporter": gone.reporter.person_id}
    with gone.bench.office.write() as uow:
        uow.session.execute(text("PRAGMA defer_foreign_keys=ON"))
        uow.session.execute(text(row), {k: v for k, v in values.items() if f":{k}" in row})
        with pytest.raises(Conflict):
            erase.erase(uow, gone.bench["inspektur"], gone.case_id, REASON)
        uow.session.rollback()


def test_not_twice_and_not_of_nothing(gone: Filed) -> None:
    run(gone.bench, gone.case_id)
    for case_id in (gone.case_id, "0" * 32):
        with pytest.raises(Conflict):
            run(gone.bench, case_id)


def test_the_trail_shows_them_as_erased(gone: Filed) -> None:
    """Neither as changed nor as a gap; the erasure itself stands there like any act."""
    run(gone.bench, gone.case_id)
    with gone.bench.office.read() as uow:
        rows = trail.read(uow, gone.bench["inspektur"], Filters()).rows
        erased = [row for row in rows if row.erased]
        numbers = set(uow.session.scalars(select(Leaf.number).where(Leaf.case_id == gone.case_id)))
    assert {row.number for row in erased} == numbers
    assert not any(row.gap for row in rows)
    assert all(row.sound for row in rows if not row.erased)


def test_a_body_that_only_vanished_is_not_erased(filed: Filed) -> None:
    filed.tamper("UPDATE leaf SET body = NULL WHERE case_id = :case")
    with filed.bench.office.read() as uow:
        chain = roster.load(uow)
        assert erase.erased(uow, chain, [1]) == frozenset()
        rows = trail.read(uow, filed.bench["inspektur"], Filters()).rows
    assert not any(row.erased for row in rows)
    assert any(not row.sound for row in rows)
