"""``suaka passphrase``, ``factor`` and ``codes``: one's own secrets, without a browser."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from casework.errors import Denied
from casework.keys import factors
from casework.keys.sessions import Kind
from portal.cli import factors as terminal
from portal.cli.options import FORGET_SCREEN, opened
from tests.canary import sweep
from tests.casework.codes import code_at
from tests.portal.cli.conftest import PASSPHRASE, STRICT, Run
from tests.portal.cli.terminal import Terminal

NEW = "lemari hujan kuda sepatu gerbang"
OFF = {"SUAKA_STAFF_SECOND_FACTOR": "false"}
SECRET = "A234" * 8
FORGOTTEN = re.escape(FORGET_SCREEN)


@pytest.fixture(autouse=True)
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every officer here is asked for a second factor."""
    for name, value in STRICT.items():
        monkeypatch.setenv(name, value)


def give(folder: Path, username: str) -> factors.NewFactor:
    """Give an officer of an instance an authenticator."""
    made = factors.NewFactor(SECRET, factors.new_codes())
    with opened(folder) as (office, _):
        actor = terminal.signed_in(office, username, PASSPHRASE.format(username))
        with office.write() as uow:
            factors.store(uow, actor, made, 0)
    return made


def take_factor(folder: Path) -> None:
    """Take every second factor away, as whoever writes the database can."""
    with opened(folder) as (office, _), office.engine.begin() as connection:
        assert connection.exec_driver_sql("DELETE FROM factor").rowcount > 0


def now(**later: float) -> str:
    return code_at(SECRET, datetime.now(UTC) + timedelta(**later))


def change(run: Run, folder: Path, *lines: str, username: str = "operator") -> str:
    text = "".join(f"{line}\n" for line in lines)
    answer = run("passphrase", folder, "--username", username, text=text)
    assert not any(line in answer.output for line in lines if line)
    return f"{answer.exit_code} {answer.stdout}{answer.stderr}"


def signs_in(folder: Path, username: str, passphrase: str) -> bool:
    with opened(folder) as (office, _):
        try:
            terminal.signed_in(office, username, passphrase)
        except Denied:
            return False
    return True


def test_a_passphrase_is_changed_with_a_code(run: Run, founded: Path) -> None:
    """Never shown, never left on the disk; every session of the officer ends."""
    give(founded, "operator")
    old = PASSPHRASE.format("operator")
    with opened(founded) as (office, _):
        actor = terminal.signed_in(office, "operator", old)
        moment = int(office.clock().timestamp())
        cookie = office.sessions.open(Kind.STAFF, actor.person_id, actor.person.seed, moment)
    assert change(run, founded, old, now(), NEW).startswith("0 ")
    assert signs_in(founded, "operator", NEW)
    assert not signs_in(founded, "operator", old)
    with opened(founded) as (office, _):
        assert office.sessions.resume(cookie, int(office.clock().timestamp())) is None
    assert sweep([founded], [NEW, old]) == []


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("bukan itu", "", NEW), "the name or the passphrase is wrong"),
        (("{old}", "", NEW), "the code is wrong, or was used before"),
        (("{old}", "{early}", NEW), "by this much, or behind if negative: +7 h"),
        (("{old}", "{code}", "pendek"), "passphrase: 15 to 256 characters"),
        (("{old}", "{code}", "Contoh operator 1975!"), "too easily guessed"),
        (("{old}", "{code}", "{old}"), "must differ"),
    ],
)
def test_what_is_wrong_changes_nothing(
    run: Run, founded: Path, lines: tuple[str, ...], told: str
) -> None:
    give(founded, "operator")
    old = PASSPHRASE.format("operator")
    typed = [line.format(old=old, code=now(), early=now(hours=7)) for line in lines]
    said = change(run, founded, *typed)
    assert said.startswith("1 ")
    assert told in said
    assert signs_in(founded, "operator", old)


def test_a_code_works_once_at_the_terminal_too(run: Run, founded: Path) -> None:
    give(founded, "operator")
    code, old = now(), PASSPHRASE.format("operator")
    assert change(run, founded, old, code, NEW).startswith("0 ")
    assert "used before" in change(run, founded, NEW, code, f"{NEW} lain")


def test_an_instance_without_second_factors_asks_for_none(
    run: Run, founded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in OFF.items():
        monkeypatch.setenv(name, value)
    assert change(run, founded, PASSPHRASE.format("operator"), NEW).startswith("0 ")
    for command in ("factor", "codes"):
        answer = run(command, founded, "--username", "operator", text=f"{NEW}\n")
        assert answer.exit_code == 1
        assert "no second factor" in answer.stderr


def test_a_drawn_one_never_runs_into_a_pipe(run: Run, founded: Path) -> None:
    give(founded, "inspektur")
    old = PASSPHRASE.format("inspektur")
    said = change(run, founded, old, now(), NEW, username="inspektur")
    assert said.startswith("1 ")
    assert "on a terminal only" in said
    assert signs_in(founded, "inspektur", old)


def test_a_leader_types_back_what_was_drawn(founded: Path) -> None:
    """Seven words, shown until Enter, then wiped from the screen and typed from the paper."""
    give(founded, "inspektur")
    old = PASSPHRASE.format("inspektur")
    with Terminal("passphrase", founded, "--username", "inspektur") as screen:
        screen.expect("Passphrase: ")
        screen.enter(old)
        screen.expect("Code of the authenticator: ")
        screen.enter(now())
        seen = screen.expect("when they are written down.")
        words = re.findall(r"^ {4}((?:[a-z]+ ){6}[a-z]+)\r?$", seen, re.MULTILINE)
        screen.enter("")
        screen.expect(f"{FORGOTTEN}Type the words from the paper: ")
        screen.enter(words[0])
        code, rest = screen.end()
    assert (code, len(words)) == (0, 1)
    assert words[0] not in rest
    assert signs_in(founded, "inspektur", words[0])
    assert not signs_in(founded, "inspektur", old)


def read_new(screen: Terminal) -> str:
    """The secret on the screen, which the drawing stands above."""
    seen = screen.expect("Code that it shows now: ")
    assert "▄" in seen
    key = re.search(r"key: ((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})", seen)
    assert key is not None
    secret = key[1].replace(" ", "")
    assert f"secret={secret}" in seen
    return secret


def test_a_new_authenticator_on_the_terminal(founded: Path) -> None:
    """A code of the old one first; then its secret, a code of it, ten codes, an empty screen."""
    old = give(founded, "operator")
    with Terminal("factor", founded, "--username", "operator") as screen:
        screen.expect("Passphrase: ")
        screen.enter(PASSPHRASE.format("operator"))
        screen.expect("Code of the authenticator: ")
        screen.enter(now())
        secret = read_new(screen)
        screen.enter("000")
        screen.expect("try the next one\r\nCode that it shows now: ")
        screen.enter(code_at(secret, datetime.now(UTC)))
        seen = screen.expect("when they are written down.")
        codes = re.findall(r"\d+\. ((?:[2-9a-z]{4}-){2}[2-9a-z]{4})", seen)
        screen.enter("")
        screen.expect(FORGOTTEN)
        code, _ = screen.end()
    assert (code, len(set(codes))) == (0, 10)
    with opened(founded) as (office, _):
        actor = terminal.signed_in(office, "operator", PASSPHRASE.format("operator"))
        assert factors.prove(office, actor, codes[0]).codes_left == 9
        with pytest.raises(factors.WrongCode):
            factors.prove(office, actor, old.codes[0])
        late = code_at(secret, datetime.now(UTC) + timedelta(seconds=30))
        factors.prove(office, actor, late)
    assert sweep([founded], [secret, *codes]) == []


def test_without_a_code_of_the_old_one_there_is_no_new_one(run: Run, founded: Path) -> None:
    give(founded, "operator")
    text = f"{PASSPHRASE.format('operator')}\n12\n"
    answer = run("factor", founded, "--username", "operator", text=text)
    assert answer.exit_code == 1
    assert "secret=" not in answer.output


def test_a_code_that_never_comes_stores_nothing(run: Run, founded: Path) -> None:
    """An officer who has none yet, and three wrong codes: there is still none."""
    take_factor(founded)
    text = f"{PASSPHRASE.format('operator')}\n1\n2\n3\n"
    answer = run("factor", founded, "--username", "operator", text=text)
    assert answer.exit_code == 1
    assert "the code is wrong" in answer.stderr
    with opened(founded) as (office, _), office.read() as uow:
        actor = terminal.signed_in(office, "operator", PASSPHRASE.format("operator"))
        assert not factors.exists(uow, actor.person_id)


def test_unused_recovery_codes_are_counted(run: Run, founded: Path) -> None:
    made = give(founded, "operator")
    old = PASSPHRASE.format("operator")
    answer = run("codes", founded, "--username", "operator", text=f"{old}\n{made.codes[4]}\n")
    assert answer.stdout.splitlines()[1:] == ["unused recovery codes: 9"]
    answer = run("codes", founded, "--username", "operator", text=f"{old}\n{now()}\n")
    assert answer.stdout == "unused recovery codes: 9\n"
    assert made.codes[0] not in answer.output


def test_new_recovery_codes_never_run_into_a_pipe(run: Run, founded: Path) -> None:
    """Nothing is asked and nothing is replaced."""
    made = give(founded, "operator")
    text = f"{PASSPHRASE.format('operator')}\n{now()}\n"
    answer = run("codes", founded, "--username", "operator", "--new", text=text)
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert "this needs a terminal" in answer.stderr
    with opened(founded) as (office, _):
        actor = terminal.signed_in(office, "operator", PASSPHRASE.format("operator"))
        assert factors.prove(office, actor, made.codes[0]).codes_left == 9


def test_new_recovery_codes_on_the_terminal(founded: Path) -> None:
    """Ten others, shown until Enter; the authenticator stays, the old sheet opens nothing."""
    old = give(founded, "operator")
    with Terminal("codes", founded, "--username", "operator", "--new") as screen:
        screen.expect("Passphrase of operator: ")
        screen.enter(PASSPHRASE.format("operator"))
        screen.expect("Code of the authenticator: ")
        screen.enter(old.codes[0])
        seen = screen.expect("when they are written down.")
        codes = re.findall(r"\d+\. ((?:[2-9a-z]{4}-){2}[2-9a-z]{4})", seen)
        screen.enter("")
        screen.expect(FORGOTTEN)
        code, _ = screen.end()
    assert (code, len(set(codes) - set(old.codes))) == (0, 10)
    with opened(founded) as (office, _):
        actor = terminal.signed_in(office, "operator", PASSPHRASE.format("operator"))
        factors.prove(office, actor, now())
        with pytest.raises(factors.WrongCode):
            factors.prove(office, actor, old.codes[1])
        assert factors.prove(office, actor, codes[9]).codes_left == 9
    assert sweep([founded], codes) == []


@pytest.mark.parametrize("command", ["passphrase", "factor"])
def test_a_missing_factor_is_named(run: Run, founded: Path, command: str) -> None:
    """Where a passphrase is to be changed; a first authenticator is what factor is for."""
    take_factor(founded)
    text = f"{PASSPHRASE.format('operator')}\n123456\n{NEW}\n"
    answer = run(command, founded, "--username", "operator", text=text)
    assert answer.exit_code == 1
    assert ("no second factor of their own making" in answer.stderr) == (command == "passphrase")
