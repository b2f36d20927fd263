"""Officers of an instance that the commands made, as its tests need them."""

from pathlib import Path

from casework.keys import enrol
from casework.keys.actor import Actor
from portal.cli import factors as terminal
from portal.cli.options import opened
from tests.portal.cli.conftest import PASSPHRASE, Run


def signed_in(folder: Path, username: str) -> Actor:
    """An officer with unlocked keys."""
    with opened(folder) as (office, _):
        return terminal.signed_in(office, username, PASSPHRASE.format(username))


def newcomer(run: Run, folder: Path, role: str = "operator", username: str = "baru") -> None:
    """Enrol somebody, and let the Inspektur approve them."""
    with opened(folder) as (office, _):
        phrase = PASSPHRASE.format(username)
        who = (username, f"Contoh {username.title()}", "Staf", (role,), phrase)
        enrol.enrol(office, enrol.Applicant(*who))
    answer = run(
        *("approve", folder, "--by", "inspektur", "--username", username, "--reason", "SK 2"),
        text=f"y\n{PASSPHRASE.format('inspektur')}\n",
    )
    assert answer.exit_code == 0, answer.output
