"""``suaka notices``: an officer's own address, set and removed on the terminal."""

from pathlib import Path

import pytest
from click.testing import Result

from portal.cli.options import opened
from tests.portal.cli.conftest import PASSPHRASE, Run

ADDRESS = "petugas@example.go.id"
MAIL = {"SUAKA_MAIL_HOST": "mail.example.go.id", "SUAKA_MAIL_SENDER": "suaka@example.go.id"}


def ask(run: Run, folder: Path, *more: str, who: str = "operator", **environment: str) -> Result:
    text = f"{PASSPHRASE.format(who)}\n"
    return run("notices", folder, "--username", who, *more, text=text, **environment)


def count(folder: Path, event: str) -> int:
    with opened(folder) as (office, _), office.engine.connect() as connection:
        query = "SELECT count(*) FROM leaf WHERE event = ?"
        return int(connection.exec_driver_sql(query, (event,)).scalar_one())


def test_it_is_set_shown_and_removed(run: Run, founded: Path) -> None:
    """Each officer has their own, each change leaves its trace, and the trace does not name it."""
    assert ask(run, founded).stdout.startswith("address: none\n")
    assert ask(run, founded, "--set", ADDRESS).stdout.startswith(f"address: {ADDRESS}\n")
    assert ask(run, founded).stdout.startswith(f"address: {ADDRESS}\n")
    assert ask(run, founded, who="verifikator").stdout.startswith("address: none\n")
    assert ask(run, founded, "--remove").stdout.startswith("address: none\n")
    assert ask(run, founded).stdout.startswith("address: none\n")
    assert count(founded, "notice_address_changed") == 2


def test_it_says_what_is_sent_and_when(run: Run, founded: Path) -> None:
    assert "sends no mail" in ask(run, founded).stdout
    told = ask(run, founded, **MAIL).stdout
    assert "on working days at 08.00, 13.00" in told
    assert "All that it says: " in told


@pytest.mark.parametrize("address", ["", "petugas", "a@b", "a@example.id\nBcc: b@example.id"])
def test_what_is_no_address_is_refused_before_anything_is_asked(
    run: Run, founded: Path, address: str
) -> None:
    """So that no code of the authenticator is used up for nothing."""
    ask(run, founded, "--set", ADDRESS)
    answer = run("notices", founded, "--username", "operator", "--set", address, text="")
    assert answer.exit_code == 1
    assert answer.stderr == "suaka: address: one plain mail address\n"
    assert ask(run, founded).stdout.startswith(f"address: {ADDRESS}\n")


def test_setting_and_removing_at_once_is_wrong_usage(run: Run, founded: Path) -> None:
    assert ask(run, founded, "--set", ADDRESS, "--remove").exit_code == 2
