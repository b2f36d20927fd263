"""``suaka sessions``: an officer sees and ends the own sessions of the running server."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import Result

from casework.keys.actor import Actor
from casework.keys.sessions import Kind
from portal.cli.options import opened
from tests.portal.cli.conftest import PASSPHRASE, Run
from tests.portal.cli.people import signed_in

LINE = re.compile(r"^([0-9a-f]{12})  began \d{4}-\d\d-\d\d  last used \d{4}-\d\d-\d\d \d\d:\d\d$")


@dataclass
class Browser:
    """A session of a browser; the server keeps it in the instance's folder."""

    folder: Path
    actor: Actor
    cookie: str = ""

    def open(self) -> "Browser":
        with opened(self.folder) as (office, _):
            now = int(office.clock().timestamp())
            who = (self.actor.person_id, self.actor.person.seed)
            self.cookie = office.sessions.open(Kind.STAFF, *who, now)
        return self

    @property
    def is_open(self) -> bool:
        with opened(self.folder) as (office, _):
            return office.sessions.resume(self.cookie, int(office.clock().timestamp())) is not None


def open_two(folder: Path, username: str = "operator") -> tuple[Browser, Browser]:
    actor = signed_in(folder, username)
    return Browser(folder, actor).open(), Browser(folder, actor).open()


def ask(run: Run, folder: Path, *more: str, answer: str = "") -> Result:
    text = f"{PASSPHRASE.format('operator')}\n{answer}"
    return run("sessions", folder, "--username", "operator", *more, text=text)


def names(answer: Result) -> list[str]:
    assert answer.exit_code == 0, answer.stderr
    found = [LINE.match(line) for line in answer.stdout.splitlines()]
    return [one[1] for one in found if one is not None]


def test_only_ones_own_are_listed(run: Run, founded: Path) -> None:
    """Nothing in the list opens anything, and a colleague's session is not there."""
    mine, other = open_two(founded)
    open_two(founded, "verifikator")
    listed = ask(run, founded)
    assert len(set(names(listed))) == len(listed.stdout.splitlines()) == 2
    assert mine.cookie not in listed.stdout
    assert mine.is_open
    assert other.is_open


def test_one_is_ended_after_a_question(run: Run, founded: Path) -> None:
    mine, other = open_two(founded)
    name = names(ask(run, founded))[0]
    assert ask(run, founded, "--end", name, answer="n\n").exit_code == 1
    assert (mine.is_open, other.is_open) == (True, True)
    ended = ask(run, founded, "--end", name.upper(), answer="y\n")
    assert ended.exit_code == 0
    assert ended.stdout.endswith("ended: 1\n")
    assert {mine.is_open, other.is_open} == {True, False}
    assert name not in names(ask(run, founded))


def test_all_are_ended_and_nobody_elses(run: Run, founded: Path) -> None:
    mine, other = open_two(founded)
    colleague, _ = open_two(founded, "verifikator")
    assert ask(run, founded, "--all", answer="\n").exit_code == 1
    assert mine.is_open
    assert ask(run, founded, "--all", "--yes").stdout.endswith("ended: 2\n")
    assert (mine.is_open, other.is_open, colleague.is_open) == (False, False, True)
    assert ask(run, founded).stdout == "no session is open\n"


@pytest.mark.parametrize("name", ["", "0" * 12, "siapa"])
def test_what_is_not_there_is_not_found(run: Run, founded: Path, name: str) -> None:
    mine, _ = open_two(founded)
    answer = ask(run, founded, "--end", name, "--yes")
    assert answer.exit_code == 1
    assert answer.stderr == "suaka: not found: session\n"
    assert mine.is_open


def test_a_colleagues_session_is_not_found(run: Run, founded: Path) -> None:
    colleague, _ = open_two(founded, "verifikator")
    with opened(founded) as (office, _settings):
        now = int(office.clock().timestamp())
        theirs = [one.name for one in office.sessions.of_owner(colleague.actor.person_id, now)]
    for name in theirs:
        answer = ask(run, founded, "--end", name[:12], "--yes")
        assert answer.stderr == "suaka: not found: session\n"
    assert colleague.is_open


def test_one_and_all_is_wrong_usage(run: Run, founded: Path) -> None:
    assert ask(run, founded, "--all", "--end", "0" * 12).exit_code == 2
