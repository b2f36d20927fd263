"""``suaka offboard``: the same on a terminal, asked before it is done, and printed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result

from casework.keys import roster
from casework.keys.vocabulary import TenureState
from portal.cli.options import opened
from tests.casework.codes import code_at
from tests.portal.cli.conftest import PASSPHRASE, SECRET, STRICT, Run
from tests.portal.cli.people import newcomer


def offboard(
    run: Run, folder: Path, *more: str, by: str = "inspektur", who: str = "operator", text: str = ""
) -> Result:
    args = ("offboard", folder, "--by", by, "--username", who, "--reason", "SK 3")
    return run(*args, *more, text=f"{PASSPHRASE.format(by)}\n{text}")


def state_of(folder: Path, handle: str) -> TenureState:
    with opened(folder) as (office, _), office.read() as uow:
        known = roster.load(uow)
        return next(one[-1].state for one in known.people.values() if one[-1].handle == handle)


def ticket_of(folder: Path) -> str:
    with opened(folder) as (office, _), office.engine.connect() as connection:
        return str(connection.exec_driver_sql('SELECT ticket FROM "case"').scalar())


def test_the_record_is_printed_and_the_office_ends(run: Run, founded: Path) -> None:
    newcomer(run, founded)
    answer = offboard(run, founded, "--successor", "baru", text="y\n")
    assert answer.exit_code == 0, answer.output
    for told in (ticket_of(founded), "to Contoh Baru", "Reason: SK 3", "Contoh inspektur"):
        assert told in answer.stdout
    assert "tetap wajib merahasiakan" in answer.stdout
    assert PASSPHRASE.format("inspektur") not in answer.output
    assert state_of(founded, "operator") is TenureState.LEFT
    doctor = run("doctor", founded)
    assert "desks: agree with the keys" in doctor.output
    assert "log: whole" in doctor.output


def test_a_no_changes_nothing_and_yes_does_not_ask(run: Run, founded: Path) -> None:
    newcomer(run, founded)
    answer = offboard(run, founded, "--successor", "baru", text="n\n")
    assert (answer.exit_code, state_of(founded, "operator")) == (1, TenureState.ACTIVE)
    ticket = ticket_of(founded)
    answer = offboard(run, founded, "--case", f"{ticket.lower()}=BARU", "--yes")
    assert answer.exit_code == 0, answer.output
    assert "to Contoh Baru" in answer.stdout


@pytest.mark.parametrize(
    ("more", "people", "told"),
    [
        ((), ("operator", "inspektur"), "no successor is named"),
        (("--successor", "operator"), ("operator", "inspektur"), "must be somebody else"),
        (("--successor", "tiada"), ("operator", "inspektur"), "not found: officer tiada"),
        (("--case", "WBS-00000000=baru"), ("operator", "inspektur"), "not found: case"),
        ((), ("verifikator", "inspektur"), "last holder of a role"),
        ((), ("inspektur", "inspektur"), "nobody approves themselves"),
        ((), ("operator", "irban"), "may not approve"),
        ((), ("tiada", "inspektur"), "not found: officer tiada"),
    ],
)
def test_what_is_refused_says_why_and_changes_nothing(
    run: Run, founded: Path, more: tuple[str, ...], people: tuple[str, str], told: str
) -> None:
    who, by = people
    newcomer(run, founded)
    answer = offboard(run, founded, *more, "--yes", by=by, who=who)
    assert answer.exit_code == 1
    assert told in answer.stderr
    assert state_of(founded, "operator") is TenureState.ACTIVE


def test_a_case_without_a_name_is_wrong_usage(run: Run, founded: Path) -> None:
    newcomer(run, founded)
    answer = offboard(run, founded, "--case", ticket_of(founded), "--yes")
    assert answer.exit_code == 2
    assert "TICKET=USERNAME" in answer.stderr


def test_the_last_share_goes_only_knowingly(run: Run, founded: Path) -> None:
    newcomer(run, founded, "irban")
    answer = offboard(run, founded, "--yes", who="irban")
    assert answer.exit_code == 1
    assert "--give-up-shares" in answer.stderr
    assert offboard(run, founded, "--yes", "--give-up-shares", who="irban").exit_code == 0


def test_it_asks_for_the_second_factor(run: Run, founded: Path) -> None:
    """A passphrase alone ends nobody's office."""
    newcomer(run, founded)
    who = ("--by", "inspektur", "--username", "operator", "--successor", "baru")
    args = ("offboard", founded, *who, "--reason", "SK 3", "--yes")
    phrase = PASSPHRASE.format("inspektur")
    wrong = run(*args, text=f"{phrase}\n000000\n", **STRICT)
    assert wrong.exit_code == 1
    assert "the code is wrong" in wrong.stderr
    assert state_of(founded, "operator") is TenureState.ACTIVE
    code = code_at(SECRET, datetime.now(UTC))
    assert run(*args, text=f"{phrase}\n{code}\n", **STRICT).exit_code == 0
    assert state_of(founded, "operator") is TenureState.LEFT
