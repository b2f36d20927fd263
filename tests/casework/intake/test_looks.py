"""The reporter is told which roles opened the report and on which day, and never who."""

from casework.handling import opening
from casework.intake.looks import Look
from tests.casework.cases import Filed, file_report, join
from tests.casework.office import Bench


def opened(filed: Filed, user: str) -> None:
    with filed.bench.office.write() as uow:
        opening.note(uow, filed.bench[user], filed.case_id)


def label(filed: Filed, role: str) -> str:
    return filed.profile.role(role).label


def test_before_anybody_opened_it_nobody_is_named(filed: Filed) -> None:
    assert filed.mailbox().looks == ()


def test_roles_by_day_the_latest_first(filed: Filed) -> None:
    with filed.bench.office.read() as uow:
        first = uow.today()
    opened(filed, "operator")
    opened(filed, "inspektur")
    opened(filed, "operator")
    filed.bench.clock.advance(days=3)
    opened(filed, "inspektur")
    with filed.bench.office.read() as uow:
        second = uow.today()
    looks = filed.mailbox().looks
    assert [look.day for look in looks] == [second, first]
    assert looks[0] == Look(second, (label(filed, "inspektur"),))
    assert set(looks[1].roles) == {label(filed, "operator"), label(filed, "inspektur")}


def test_who_it_was_cannot_be_told(bench: Bench) -> None:
    """Two officers of one role leave one word; no name, no id and no number of looks."""
    join(bench, {"kedua": ("operator",)})
    filed = file_report(bench)
    opened(filed, "operator")
    once = filed.mailbox().looks
    opened(filed, "kedua")
    opened(filed, "operator")
    assert filed.mailbox().looks == once
    for officer in filed.bench.officers.values():
        assert officer.person_id not in repr(once)


def test_a_look_that_nobody_signed_is_not_told(filed: Filed) -> None:
    opened(filed, "operator")
    assert filed.mailbox().looks
    filed.tamper(
        "UPDATE leaf SET signature = zeroblob(65) WHERE case_id = :case AND event <> 'submit'"
    )
    assert filed.mailbox().looks == ()
