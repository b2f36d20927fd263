"""``suaka demo``: whole, plainly a demo, made once, and never a real instance."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from casework.keys import accounts, roster
from portal import wiring
from portal.cli import demo
from portal.cli.options import close, opened
from tests.portal.cli.conftest import PRODUCTION, Run, files_of
from tests.portal.cli.terminal import HEEDING, SUAKA

OFFICER = re.compile(r"^  (?!WBS-)\S.*?\s{2,}([a-z]+) +((?:[a-z]+ ?){7})$", re.MULTILINE)
REPORTER = re.compile(r"^  (WBS-\w{8}) +(.+)$", re.MULTILINE)
BANNER = "Ini instans demo."


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A demo, and what was said while it was made. No test writes to it."""
    folder = tmp_path_factory.mktemp("demo") / "deep" / "demo"
    answer = subprocess.run(
        [SUAKA, "demo", str(folder)], check=True, capture_output=True, text=True
    )
    assert answer.stderr == ""
    return folder, answer.stdout


@pytest.fixture
def own(made: tuple[Path, str], tmp_path: Path) -> Path:
    """A demo of the test's own."""
    return Path(shutil.copytree(made[0], tmp_path / "demo"))


def test_every_role_can_sign_in_as_printed(made: tuple[Path, str]) -> None:
    folder, said = made
    with opened(folder, ready=True) as (office, _):
        printed = dict(OFFICER.findall(said))
        for username, passphrase in printed.items():
            keys = accounts.officer_keys(office, username, passphrase)
            with office.read() as uow:
                assert accounts.locate_and_unwrap(uow, keys) is not None
        with office.read() as uow:
            chain = roster.load(uow)
            held = {role.id for role in office.profile.roles if chain.active(role.id, uow.today())}
    assert held == {role.id for role in office.profile.roles}
    assert len(printed) == len(held)


def test_three_reports_stand_at_different_stages(made: tuple[Path, str]) -> None:
    folder, said = made
    with opened(folder) as (office, _), office.read() as uow:
        rows = uow.session.connection().exec_driver_sql('SELECT ticket, state FROM "case"')
        states = {row.ticket: row.state for row in rows}
    assert set(states) == {ticket for ticket, _ in REPORTER.findall(said)}
    assert set(states.values()) == {"submitted", "terkirim", "diteruskan"}


def test_it_is_sound_and_private(run: Run, made: tuple[Path, str]) -> None:
    answer = run("doctor", made[0])
    assert answer.exit_code == 0
    assert "bad " not in answer.stdout
    assert "Recovery shares" in made[1]


def test_the_second_start_makes_nothing_again(run: Run, own: Path) -> None:
    before = files_of(own)
    answer = run("demo", own)
    assert answer.exit_code == 0
    assert files_of(own) == before
    assert before[demo.NOTES].decode() in answer.stdout


@pytest.fixture
def client(own: Path) -> Iterator[TestClient[Litestar]]:
    """A browser on the demo."""
    office, settings = wiring.load(own)
    with TestClient(
        wiring.make_app(office, settings), base_url="http://127.0.0.1:8000"
    ) as opened_client:
        yield opened_client
    close(office)


@pytest.mark.parametrize(
    "path", ["/", "/penjelasan", "/persiapan", "/formulir", "/masuk", "/petugas/masuk", "/tiada"]
)
def test_every_page_says_that_it_is_a_demo(client: TestClient[Litestar], path: str) -> None:
    assert BANNER in client.get(path).text


def test_it_never_poses_as_a_real_instance(run: Run, own: Path) -> None:
    """Neither by the environment nor by an edited file, for no command that uses its keys."""
    for command in ("serve", "tick", "doctor"):
        answer = run(command, own, **PRODUCTION)
        assert answer.exit_code == 1
        assert "a demo cannot become a production instance" in answer.output
    toml = own / "suaka.toml"
    text = toml.read_text("utf-8").replace('mode = "demo"', 'mode = "production"')
    toml.write_text(text.replace("second_factor = false", "second_factor = true"))
    for command in ("serve", "tick", "doctor"):
        answer = run(command, own)
        assert answer.exit_code == 1
        assert "a demo cannot become a production instance" in answer.output
    answer = run("demo", own, "--serve")
    assert answer.exit_code == 1
    assert "a demo cannot become a production instance" in answer.stderr


def test_no_demo_is_made_under_a_real_name(run: Run, tmp_path: Path) -> None:
    answer = run("demo", tmp_path / "demo", **PRODUCTION)
    assert answer.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_a_real_instance_is_no_demo(run: Run, founded: Path) -> None:
    before = files_of(founded)
    answer = run("demo", founded)
    assert answer.exit_code == 1
    assert "is not a demo" in answer.stderr
    assert files_of(founded) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_demo_leaves_nothing_half_made(
    run: Run, tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "demo"
    process = subprocess.Popen(
        [*HEEDING, "demo", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not any(tmp_path.glob(".demo.making-*/data")):
        assert process.poll() is None
    os.kill(process.pid, number)
    _, said = process.communicate(timeout=60)
    assert process.returncode not in {0, None}
    assert "Traceback" not in said
    assert not folder.exists()
    if number is not signal.SIGKILL:
        assert list(tmp_path.iterdir()) == []
        return
    assert run("init", folder, "--name", "Inspektorat Contoh").exit_code == 0
    assert list(tmp_path.iterdir()) == [folder]
