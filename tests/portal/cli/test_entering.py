"""Commands that show an officer's own things first want to know who is there."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from casework.keys import factors
from casework.keys.tables import FactorRow
from portal.cli.options import opened
from tests.casework.codes import code_at
from tests.portal.cli.conftest import PASSPHRASE, SECRET, STRICT, Run
from tests.portal.cli.people import signed_in

OWN = ("sessions", "notices", "codes", "trail", "bursts", "numbers")
BOSS = PASSPHRASE.format("inspektur")


def now(**later: float) -> str:
    return code_at(SECRET, datetime.now(UTC) + timedelta(**later))


@pytest.mark.parametrize("command", OWN)
def test_nothing_is_shown_to_who_cannot_sign_in(run: Run, founded: Path, command: str) -> None:
    """A wrong passphrase, a name that nobody has, a wrong code: one line, and nothing besides."""
    for username, typed, told in (
        ("inspektur", "kalimat yang lain\n", "the name or the passphrase is wrong"),
        ("siapa", f"{BOSS}\n", "the name or the passphrase is wrong"),
        ("inspektur", f"{BOSS}\n000000\n", "the code is wrong, or was used before"),
    ):
        answer = run(command, founded, "--username", username, text=typed, **STRICT)
        assert (answer.exit_code, answer.stdout) == (1, "")
        assert answer.stderr == f"suaka: {told}\n"


@pytest.mark.parametrize("command", OWN)
def test_with_passphrase_and_code_it_answers(run: Run, founded: Path, command: str) -> None:
    answer = run(command, founded, "--username", "inspektur", text=f"{BOSS}\n{now()}\n", **STRICT)
    assert answer.exit_code == 0, answer.stderr
    assert answer.stdout
    assert BOSS not in answer.output


def test_somebody_suspended_is_not_let_in(run: Run, founded: Path) -> None:
    who = ("--by", "inspektur", "--username", "tim", "--reason", "SK 2", "--yes")
    assert run("suspend", founded, *who, text=f"{BOSS}\n").exit_code == 0
    answer = run("sessions", founded, "--username", "tim", text=f"{PASSPHRASE.format('tim')}\n")
    assert answer.exit_code == 1
    assert "not in office" in answer.stderr


def test_who_comes_after_many_wrong_codes_is_told(run: Run, founded: Path) -> None:
    """Here as on the page: the next right code starts the count anew, so it is the last chance."""
    for _ in range(factors.FREE_MISSES):
        text = f"{BOSS}\n000000\n"
        run("sessions", founded, "--username", "inspektur", text=text, **STRICT)
    with opened(founded) as (office, _):
        made = factors.new_codes()
        with office.write() as uow:
            actor = signed_in(founded, "inspektur")
            missed = uow.session.get_one(FactorRow, actor.person_id).missed
            assert missed == factors.FREE_MISSES
            factors.change_codes(uow, actor, made)
            uow.session.get_one(FactorRow, actor.person_id).missed = missed
    text = f"{BOSS}\n{made[0]}\n"
    told = run("sessions", founded, "--username", "inspektur", text=text, **STRICT).stdout
    assert "came with many wrong codes" in told
    assert "a recovery code; 9 are left" in told
    text = f"{BOSS}\n{now()}\n"
    told = run("sessions", founded, "--username", "inspektur", text=text, **STRICT).stdout
    assert told == "no session is open\n"
