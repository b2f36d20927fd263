"""``suaka numbers``: sums for who monitors or audits, small ones kept from view."""

from pathlib import Path

import pytest
from click.testing import Result

from casework.intake import report, submit
from portal.cli.options import opened
from tests.portal.cli.conftest import PASSPHRASE, Run
from tests.portal.cli.people import newcomer


def ask(run: Run, folder: Path, username: str) -> Result:
    text = f"{PASSPHRASE.format(username)}\n"
    return run("numbers", folder, "--username", username, text=text)


def submit_more(folder: Path, count: int) -> None:
    with opened(folder, ready=True) as (office, _):
        for _ in range(count):
            text = {"position": "asn", "narrative": "Contoh."}
            submit.submit(office, submit.new_token(), report.parse(office.profile, text))


@pytest.mark.parametrize("username", ["operator", "verifikator", "irban", "tim"])
def test_every_other_role_is_refused(run: Run, founded: Path, username: str) -> None:
    answer = ask(run, founded, username)
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert "only who monitors or audits" in answer.stderr


def test_a_small_number_is_not_told(run: Run, founded: Path) -> None:
    """One report of one month: neither its month nor its status nor the sum gives it away."""
    told = ask(run, founded, "inspektur").stdout
    assert told.startswith("Of the reports alone whose contents this officer holds.\n")
    lines = told.splitlines()
    assert not any(line.split()[-1:] == ["1"] for line in lines)
    assert sum(line.endswith("  under 5") for line in lines) > 12
    assert "  all      hidden" in lines
    assert "too few reports" in told


def test_who_monitors_reads_sums_and_what_they_cover(run: Run, founded: Path) -> None:
    newcomer(run, founded, "pengawas")
    submit_more(founded, 13)
    told = ask(run, founded, "baru").stdout
    assert told.startswith("Of all reports here, also those that the leaders")
    received = told.split("\nReceived\n")[1].split("\n\n")[0].splitlines()
    assert len(received) == 13
    assert received[-1].split() == ["all", "14"]
    assert "past its date" in told
