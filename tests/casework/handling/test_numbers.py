"""Numbers are true sums, never a case; small ones stay hidden; who is excluded sees no count."""

from datetime import date

import pytest

from casework.errors import Denied
from casework.handling import numbers
from casework.handling.disclosure import Shade
from casework.handling.numbers import Numbers, Table
from tests.casework.cases import Filed, file_report, leave
from tests.casework.office import Bench


def read(bench: Bench, user: str = "pengawas") -> Numbers:
    with bench.office.read() as uow:
        return numbers.read(uow, bench[user])


def shown(table: Table) -> dict[object, int | None]:
    return {label: count.value for label, count in table.rows}


@pytest.fixture
def busy(bench: Bench) -> tuple[Bench, list[Filed]]:
    """Six reports in November; seven in January, six of which were accepted."""
    found = [file_report(bench) for _ in range(6)]
    bench.clock.advance(days=40)
    found += [file_report(bench) for _ in range(7)]
    for filed in found[7:]:
        filed.do("operator", "accept")
    return bench, found


@pytest.mark.parametrize("user", ["operator", "verifikator", "irban", "tim", "admin"])
def test_only_who_monitors_or_audits_may_ask(bench: Bench, user: str) -> None:
    with pytest.raises(Denied):
        read(bench, user)


def test_neither_a_reporter_nor_who_left_may_ask(filed: Filed) -> None:
    with filed.bench.office.read() as uow, pytest.raises(Denied):
        numbers.read(uow, filed.reporter)
    leave(filed.bench, "pengawas")
    filed.bench.clock.advance(days=1)
    with pytest.raises(Denied):
        read(filed.bench)


def test_reports_are_counted_by_month(busy: tuple[Bench, list[Filed]]) -> None:
    """Twelve months, this one the last; older reports are not among them."""
    bench, _ = busy
    found = read(bench)
    months = [label for label, _ in found.received.rows]
    assert months[0] == date(2026, 2, 1)
    assert months[-1] == date(2027, 1, 1)
    assert len(months) == 12
    counts = dict(found.received.rows)
    assert counts[date(2026, 12, 1)].shade is Shade.SMALL
    assert found.received.total.value in (None, 13)
    assert {count.value for count in counts.values()} <= {None, 6, 7}
    bench.clock.advance(days=400)
    assert all(count.shade is Shade.SMALL for _, count in read(bench).received.rows)


def test_cases_are_counted_by_state_and_by_clock(busy: tuple[Bench, list[Filed]]) -> None:
    """Seven wait for the operator, six for the Verifikator; the old ones are late."""
    bench, _ = busy
    found = read(bench)
    assert {label for label, _ in found.states.rows} == {
        state.label for state in bench.office.profile.states
    }
    assert found.clocks.total.value == 13
    assert shown(found.clocks) == {"late": 6, "in_time": 7}


def test_small_numbers_are_hidden_with_what_would_give_them_away(bench: Bench) -> None:
    for _ in range(3):
        file_report(bench)
    found = read(bench)
    for table in (found.received, found.states, found.clocks):
        assert all(count.value is None for _, count in table.rows)
        assert table.total.value is None
    assert found.reaction is None


def test_the_first_reaction_is_the_first_act_or_message_of_an_officer(bench: Bench) -> None:
    """In working days, 0 on the same day; what the reporter adds and who merely looks is none."""
    cases = [file_report(bench) for _ in range(5)]
    cases[0].do("operator", "accept")
    cases[0].say("reporter", "x")
    bench.clock.advance(days=1)
    assert read(bench).reaction is None
    cases[1].say("operator", "Kami baca.")
    cases[2].do("operator", "reject")
    bench.clock.advance(days=6)
    cases[3].do("operator", "accept")
    assert read(bench).reaction is None, "four are too few"
    cases[4].do("operator", "accept")
    assert read(bench).reaction == 1.0


def test_nothing_names_a_case_a_person_or_a_ticket(busy: tuple[Bench, list[Filed]]) -> None:
    bench, cases = busy
    text = repr(read(bench))
    for filed in cases:
        for secret in (filed.case_id, filed.receipt.ticket, filed.reporter.person_id):
            assert secret not in text
    assert not [user for user in bench.officers if bench[user].person_id in text]


def test_who_audits_sees_sums_of_the_cases_held_alone(busy: tuple[Bench, list[Filed]]) -> None:
    """Otherwise the sum, less the own desk, were the number of reports about the leaders."""
    bench, cases = busy
    assert read(bench, "inspektur").clocks == read(bench).clocks
    assert not read(bench, "inspektur").everything
    for filed in cases[-2:]:
        filed.tamper(
            'DELETE FROM "grant" WHERE case_id = :case AND holder = :holder',
            holder=bench["inspektur"].person_id,
        )
    assert shown(read(bench, "inspektur").clocks) == {"late": 6, "in_time": 5}
    assert shown(read(bench).clocks) == {"late": 6, "in_time": 7}
    assert read(bench).everything
