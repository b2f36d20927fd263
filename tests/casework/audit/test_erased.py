"""An erasure is told of, and what it leaves behind is still held against whoever signed it."""

import pytest

from casework.audit.findings import What
from casework.audit.verify import verify
from casework.log import erase
from casework.log.leaf import SYSTEM
from portal.cli import checks_office
from portal.cli.findings import OK
from tests.casework.audit.instances import Everything, after, forget_case
from tests.casework.audit.test_attacks import numbers_of


@pytest.fixture(scope="module")
def emptied(honest: Everything, tmp_path_factory: pytest.TempPathFactory) -> Everything:
    """An instance in which a case that officers worked on was erased."""
    made = honest.copy(tmp_path_factory.mktemp("emptied") / "office")
    forget_case(made.bench, made.closed)
    with made.bench.office.write() as uow:
        erase.erase(uow, made.bench["inspektur"], made.closed.case_id, "Masa simpan\u202e lewat")
    return made


def test_each_erasure_is_a_notice(emptied: Everything) -> None:
    """Where it stands, how many leaves it emptied, and why."""
    erased = len(numbers_of(emptied.closed))
    with emptied.bench.office.read() as uow:
        report = verify(uow)
    assert report.sound
    first, last = report.findings
    assert {one.what for one in report.findings} == {What.ERASED}
    assert first.name.endswith("leaves: Masa simpan berakhir")
    assert last.name == f"{erased} leaves: Masa simpan\u202e lewat"
    assert first.leaf is not None
    assert last.leaf is not None
    assert first.leaf < last.leaf


def officers_leaf(emptied: Everything) -> int:
    query = "SELECT min(number) FROM leaf WHERE case_id = :case AND event = 'accept'"
    return int(emptied.closed.scalar(query))


@pytest.mark.parametrize("column", ["signature", "actor"])
def test_an_erased_leaf_is_still_its_officers(emptied: Everything, column: str) -> None:
    value = {"signature": "zeroblob(65)", "actor": ":admin"}[column]
    number = officers_leaf(emptied)
    report = after(emptied, f"UPDATE leaf SET {column} = {value} WHERE number = {number}")
    assert [(one.what, one.leaf) for one in report.findings] == [(What.LEAF_UNSIGNED, number)]


def test_whom_no_roster_knows_is_not_asked(emptied: Everything) -> None:
    """A reporter's keys are gone with the case."""
    (number,) = numbers_of(emptied.closed)[:1]
    actor = emptied.closed.scalar(f"SELECT actor FROM leaf WHERE number = {number}")
    assert actor == emptied.closed.reporter.person_id != SYSTEM
    statement = f"UPDATE leaf SET signature = zeroblob(65) WHERE number = {number}"
    assert after(emptied, statement).findings == ()


def test_the_doctor_does_not_worry_about_erasures(emptied: Everything) -> None:
    told = list(checks_office.log(emptied.bench.office, None))  # type: ignore[arg-type]
    assert [one.level for one in told] == [OK]
