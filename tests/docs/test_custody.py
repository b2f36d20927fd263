"""docs/custody.md is compared with running cases and with the code: who reads what."""

import re
from pathlib import Path

import pytest

from casework.case import custody
from casework.case.authority import FILE_ROOMS
from casework.errors import NotFound
from casework.law.profile import Profile
from casework.law.vocabulary import Compartment
from tests.casework import exhibits
from tests.casework.cases import STATES, Filed, copy_of, file_report
from tests.casework.conftest import close
from tests.casework.office import Bench, make_office

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "custody.md").read_text("utf-8")
NOBODY, LATER = "—", "made later"
RECOVERY, REPORTER, GUARDIAN = "recovery", "reporter", "guardian"


def rows_under(title: str) -> list[list[str]]:
    """The cells of each row of the table under a heading, the table's head left out."""
    section = re.split(r"\n#+ ", PAGE.split(f"# {title}\n")[1])[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:]]


def names(cell: str) -> set[str]:
    return set() if cell in (NOBODY, LATER) else {one.strip() for one in cell.split(",")}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return make_office(tmp_path_factory.mktemp("founded") / "office")


def shares_of(filed: Filed, compartment: str) -> dict[str, set[str]]:
    """Share -> names of who holds it, from the rows of a case that has just come in."""
    users = {one.person_id: user for user, one in filed.bench.officers.items()}
    found: dict[str, set[str]] = {}
    query = (
        'SELECT share, holder FROM "grant" WHERE case_id = :case AND compartment = :kind'
        " AND share <> 'whole'"
    )
    for share, holder in filed.rows(query, kind=compartment):
        found.setdefault(share, set()).add(users[holder])
    return found


def test_the_table_of_the_start_is_what_a_new_report_does(bench: Bench) -> None:
    filed = file_report(bench)
    holders = filed.holders()
    written = rows_under("At the start")
    assert {row[0] for row in written} == {kind.value for kind in Compartment}
    for kind, whole, first, second in written:
        assert (whole == LATER) == (kind not in holders), kind
        # The guardian of this office is its Inspektur.
        named = {"inspektur" if one == GUARDIAN else one for one in names(whole)}
        assert named == holders.get(kind, set()), kind
        shares = shares_of(filed, kind)
        assert (names(first), names(second)) == (
            shares.get("a", set()),
            shares.get("b", set()),
        ), kind


@pytest.mark.parametrize("state", STATES)
def test_the_table_of_states_is_what_a_case_does(bench: Bench, tmp_path: Path, state: str) -> None:
    own = copy_of(bench, tmp_path / "office")
    filed = file_report(own).bring_to(state)
    assert filed.state() == state
    holders = filed.holders()
    rows = {row[0]: row[1:] for row in rows_under("State by state")}
    assert set(rows) == set(STATES)
    for kind, cell in zip(("content", "handling", "investigation"), rows[state], strict=True):
        held = holders.get(kind, set())
        assert names(cell) == held - {RECOVERY, REPORTER}, (state, kind)
        if held:
            assert RECOVERY in held
            assert (REPORTER in held) == (kind == "content")
    assert holders["mailbox"] == {REPORTER}
    own.office.engine.dispose()
    own.office.keystore.engine.dispose()


def test_roles_that_hold_nothing_are_all_of_them(bench: Bench) -> None:
    """No transition and no start gives them anything; every other role comes to hold something."""
    profile: Profile = bench.office.profile
    given = {one.holder for rule in profile.transitions for one in rule.grants}
    given |= {name for start in profile.compartments for name in (*start.holders, *start.shares)}
    for role in profile.roles:
        if (role.may_guard and GUARDIAN in given) or (role.assignable and "assigned" in given):
            given.add(role.id)
    written = {row[0] for row in rows_under("Roles that never hold anything")}
    assert written == {role.id for role in profile.roles} - given


def test_the_events_that_move_keys_are_all_of_them() -> None:
    assert {row[0] for row in rows_under("What moves keys")} == set(custody.EVENTS)


def test_the_compartments_that_take_files_are_all_of_them() -> None:
    """And the reporter reads those of the contents alone."""
    rows = {row[0]: row[1:] for row in rows_under("Who reads a file")}
    assert list(rows)[:4] == ["content", "handling", "investigation", "aph"]
    assert set(list(rows)[:4]) == set(FILE_ROOMS)
    for room, (put, read) in list(rows.items())[:4]:
        assert (REPORTER in put, "never the reporter" not in read) == (room == "content",) * 2


@pytest.mark.parametrize("state", STATES)
def test_a_file_opens_to_who_the_table_of_states_names(
    bench: Bench, tmp_path: Path, state: str
) -> None:
    """A file that the reporter sends at that point; recovery opens it with the shares alone."""
    own = copy_of(bench, tmp_path / "office")
    filed = file_report(own).bring_to(state)
    file_id = exhibits.add(filed)
    written = {row[0]: row[1] for row in rows_under("State by state")}
    readers = set()
    for user in own.officers:
        try:
            assert exhibits.original(filed, user, file_id) == exhibits.PAPER
        except NotFound:
            continue
        readers.add(user)
    assert readers == names(written[state])
    assert [one.item_id for one in exhibits.listed(filed, REPORTER)] == [file_id]
    close(own)
