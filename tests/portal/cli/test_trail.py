"""``suaka trail`` and ``suaka bursts``: who did what, for who audits, and no contents."""

import re
from contextlib import closing
from pathlib import Path

import pysqlite3
import pytest
from click.testing import Result

from casework.handling import opening
from casework.intake import report, submit
from casework.log import leaf
from portal.cli.options import opened
from tests.portal.cli.conftest import PASSPHRASE, Run
from tests.portal.cli.people import newcomer, signed_in

OTHERS = ("operator", "verifikator", "irban", "tim")
ESCAPE = "\x1b[2J"


def ask(
    run: Run, folder: Path, *more: object, who: str = "inspektur", command: str = "trail",
    **environment: str,
) -> Result:  # fmt: skip
    text = f"{PASSPHRASE.format(who)}\n"
    return run(command, folder, "--username", who, *more, text=text, **environment)


def rows(answer: Result) -> list[str]:
    """The lines of the table below its head."""
    assert answer.exit_code == 0, answer.stderr
    lines = answer.stdout.splitlines()
    head = next(number for number, line in enumerate(lines) if line.startswith("DAY "))
    return lines[head + 1 :]


def change(folder: Path, statement: str, *values: object) -> None:
    """Write to the database behind everybody's back."""
    with closing(pysqlite3.connect(folder / "data" / "suaka.db")) as connection, connection:
        assert connection.execute(statement, values).rowcount > 0


def fill(folder: Path, count: int) -> None:
    """Add leaves that time alone brings about."""
    with opened(folder) as (office, _), office.write() as uow:
        for _ in range(count):
            leaf.append(uow, leaf.Draft("holidays", leaf.SYSTEM))


def suspend_tim(run: Run, folder: Path) -> None:
    who = ("--by", "inspektur", "--username", "tim", "--reason", "SK 2", "--yes")
    text = f"{PASSPHRASE.format('inspektur')}\n"
    assert run("suspend", folder, *who, text=text).exit_code == 0


@pytest.fixture
def ticket(founded: Path) -> str:
    with opened(founded) as (office, _), office.engine.connect() as connection:
        return str(connection.exec_driver_sql('SELECT ticket FROM "case"').scalar())


def test_it_shows_who_did_what_and_no_contents(run: Run, founded: Path, ticket: str) -> None:
    newcomer(run, founded)
    who = ("--by", "inspektur", "--username", "operator", "--successor", "baru", "--yes")
    text = f"{PASSPHRASE.format('inspektur')}\n"
    assert run("offboard", founded, *who, "--reason", "SK 3", text=text).exit_code == 0
    answer = ask(run, founded)
    told = [re.split(" {2,}", line)[1:] for line in rows(answer)]
    mine, whole = "Contoh inspektur", "whole"
    assert told[:4] == [
        [mine, "roster_changed", whole],
        [mine, "handed_over", ticket, whole, "(Contoh operator, Contoh Baru)"],
        [mine, "roster_changed", whole],
        ["system", "enrolled", whole, "(Contoh Baru)"],
    ]
    assert ["reporter", "submit", ticket, whole] in told
    assert "Barang kantor" not in answer.stdout


@pytest.mark.parametrize("command", ["trail", "bursts"])
@pytest.mark.parametrize("username", OTHERS)
def test_every_other_role_is_refused_and_learns_nothing(
    run: Run, founded: Path, ticket: str, command: str, username: str
) -> None:
    """Neither whether a ticket exists nor who works here."""
    told = set()
    filters = [(), ("--case", ticket), ("--case", "WBS-00000000"), ("--person", "siapa")]
    for more in filters if command == "trail" else [()]:
        answer = ask(run, founded, *more, who=username, command=command)
        assert (answer.exit_code, answer.stdout) == (1, "")
        told.add(answer.stderr)
    assert len(told) == 1
    assert "audits see" in told.pop()


def test_it_is_filtered_by_person_case_kind_and_day(run: Run, founded: Path, ticket: str) -> None:
    suspend_tim(run, founded)
    (mine,) = rows(ask(run, founded, "--person", "Inspektur"))
    assert "roster_changed" in mine
    (theirs,) = rows(ask(run, founded, "--case", ticket.lower().replace("-", " ")))
    assert "submit" in theirs
    day = theirs.split()[0]
    assert rows(ask(run, founded, "--event", "submit", "--since", day, "--until", day)) == [theirs]
    for more in (
        ("--person", "tim"), ("--person", "system", "--event", "submit"), ("--event", "apa"),
        ("--until", "2020-01-01"), ("--since", "2999-01-01"), ("--case", ticket, "--event", "x"),
    ):  # fmt: skip
        assert ask(run, founded, *more).stdout == "no record matches\n", more


@pytest.mark.parametrize(
    ("more", "code", "told"),
    [
        (("--person", "siapa"), 1, "not found: officer siapa"),
        (("--case", "WBS-00000000"), 1, "not found: ticket"),
        (("--case", "bukan tiket"), 1, "not found: ticket"),
        (("--since", "kemarin"), 2, "--since"),
        (("--rows", "0"), 2, "--rows"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(
    run: Run, founded: Path, more: tuple[str, ...], code: int, told: str
) -> None:
    """An empty table would read as if nobody had done anything."""
    answer = ask(run, founded, *more)
    assert (answer.exit_code, answer.stdout) == (code, "")
    assert told in answer.stderr


def test_a_withheld_case_is_no_other_than_one_that_never_was(
    run: Run, founded: Path, ticket: str
) -> None:
    boss = signed_in(founded, "inspektur").person_id
    change(founded, 'DELETE FROM "grant" WHERE holder = ?', boss)
    assert ask(run, founded, "--case", ticket).stderr == "suaka: not found: ticket\n"
    assert ticket not in ask(run, founded).stdout


def test_older_rows_are_never_left_out_in_silence(run: Run, founded: Path) -> None:
    """More than a page of the domain, and fewer rows than there are."""
    fill(founded, 60)
    only = ("--event", "holidays")
    assert len(rows(ask(run, founded, *only, "--rows", 60))) == 60
    *shown, last = rows(ask(run, founded, *only, "--rows", 55))
    assert (len(shown), "older" in last) == (55, True)
    *shown, last = rows(ask(run, founded, *only))
    assert (len(shown), "older" in last) == (50, True)


def test_what_was_changed_is_marked_and_commands_no_terminal(
    run: Run, founded: Path, ticket: str
) -> None:
    """Whoever writes to the database cannot wipe the screen that would show it."""
    change(founded, "UPDATE leaf SET event = ? WHERE event = 'submit'", f"submit{ESCAPE}")
    answer = ask(run, founded)
    assert ESCAPE not in answer.stdout
    (row,) = (line for line in rows(answer) if ticket in line)
    assert "submit?[2J" in row
    assert "CHANGED OR NOT SIGNED" in row


def test_a_gap_and_a_case_that_is_gone_are_told(run: Run, founded: Path, ticket: str) -> None:
    fill(founded, 2)
    change(founded, "DELETE FROM leaf WHERE number = (SELECT max(number) - 1 FROM leaf)")
    assert rows(ask(run, founded))[0].endswith("whole, THE ONE BEFORE IS GONE OR REPLACED")
    change(founded, 'DELETE FROM "case"')
    (row,) = rows(ask(run, founded, "--event", "submit"))
    assert ticket not in row
    assert re.split(" {2,}", row)[1:4] == ["unknown", "submit", "GONE"]


def test_many_cases_in_one_day_are_told(run: Run, founded: Path) -> None:
    """On the trail as on its page, and by themselves for a guardian; one's own among them."""
    quiet = ask(run, founded, command="bursts").stdout
    assert quiet == "nobody opened more than 25 cases on one day, in 14 days\n"
    with opened(founded, ready=True) as (office, _):
        text = {"position": "asn", "narrative": "Contoh."}
        submit.submit(office, submit.new_token(), report.parse(office.profile, text))
        with office.write() as uow:
            for case_id in uow.session.connection().exec_driver_sql('SELECT id FROM "case"'):
                for username in ("operator", "inspektur"):
                    opening.note(uow, signed_in(founded, username), case_id[0])
    few = {"SUAKA_STAFF_MANY_CASES": "1"}
    told = ask(run, founded, command="bursts", **few).stdout.splitlines()
    assert sorted(line.partition(", ")[2] for line in told) == [
        "Contoh operator opened 2 different ones",
        "you yourself opened 2 different ones",
    ]
    trail = ask(run, founded, **few).stdout.splitlines()
    assert trail[:2] == told
    assert trail[2].startswith("DAY ")
