"""``suaka serve`` and ``suaka tick``: refusals, the socket, a clean end, no trace of a visit."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.portal.cli.conftest import STRICT, Run
from tests.portal.cli.terminal import SUAKA

STOP_SECONDS = 15
CANARY = "kanari7391"


class Unix(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("suaka.test", timeout=20)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self._path)


def ask(path: Path, page: str) -> tuple[int, str]:
    """Visit a page; return status and where it leads."""
    with closing(Unix(path)) as visit:
        visit.request("GET", page, headers={"user-agent": CANARY})
        with visit.getresponse() as answer:
            return answer.status, answer.headers.get("location", "")


def answers(path: Path) -> bool:
    try:
        ask(path, "/")
    except OSError:
        return False
    return True


Serve = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def serve(founded: Path, tmp_path: Path) -> Iterator[Serve]:
    """Serve the instance on ``s.sock`` until it answers; the log goes to ``log``."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*args: str) -> subprocess.Popen[bytes]:
        path = tmp_path / "s.sock"
        with (tmp_path / "log").open("ab") as log:
            process = subprocess.Popen(
                [SUAKA, "serve", str(founded), "--uds", str(path), *args],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        running.append(process)
        for _ in range(600):
            if answers(path):
                return process
            assert process.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.05)
        raise AssertionError("the server does not answer")

    yield start
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_the_public_surface_on_a_socket_from_start_to_end(
    serve: Serve, tmp_path: Path, founded: Path
) -> None:
    path = tmp_path / "s.sock"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    process = serve("--surface", "public")
    assert path.stat().st_mode & 0o777 == 0o660
    assert ask(path, "/")[0] == 200
    assert ask(path, "/formulir")[0] == 200
    assert {ask(path, f"/petugas{more}")[0] for more in ("", "/", "/masuk", "/sesi")} == {404}
    assert ask(path, f"/{CANARY}?{CANARY}")[0] == 404

    second = subprocess.run(
        [SUAKA, "serve", str(founded), "--uds", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert second.stderr == f"suaka: {path} is in use by a server that runs\n"

    hanging = socket.socket(socket.AF_UNIX)
    hanging.connect(str(path))
    hanging.sendall(b"POST /masuk HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\na")
    process.send_signal(signal.SIGTERM)
    assert process.wait(STOP_SECONDS) == 0
    hanging.close()
    assert CANARY not in (tmp_path / "log").read_text()
    assert not list((founded / "data").glob("*.db-journal"))


def test_the_staff_surface_leads_to_its_pages_and_has_no_other(
    serve: Serve, tmp_path: Path
) -> None:
    path = tmp_path / "s.sock"
    process = serve("--surface", "staff")
    assert ask(path, "/") == (303, "/petugas")
    assert ask(path, "/petugas") == (303, "/petugas/masuk")
    assert ask(path, "/petugas/masuk")[0] == 200
    pages = ("/formulir", "/masuk", "/ruang", "/penjelasan", "/persiapan", "/saluran", "/tutup")
    assert {ask(path, page)[0] for page in pages} == {404}
    process.send_signal(signal.SIGTERM)
    assert process.wait(STOP_SECONDS) == 0


def test_a_port_in_use_is_one_clear_line(run: Run, founded: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = run("serve", founded, "--port", port)
    assert answer.exit_code == 1
    assert f"port {port} on 127.0.0.1 is in use" in answer.stderr


def test_an_address_of_another_machine_is_one_clear_line(run: Run, founded: Path) -> None:
    answer = run("serve", founded, SUAKA_WEB_HOST="192.0.2.1")
    assert answer.exit_code == 1
    assert "cannot listen on 192.0.2.1" in answer.stderr


def test_a_file_in_the_sockets_place_stays(run: Run, founded: Path, tmp_path: Path) -> None:
    file = tmp_path / "penting.txt"
    file.write_text("x")
    answer = run("serve", founded, "--uds", file)
    assert answer.exit_code == 1
    assert "it stays" in answer.stderr
    assert file.read_text() == "x"
    assert "not a folder" in run("serve", founded, "--uds", tmp_path / "tiada" / "s").stderr


@pytest.mark.parametrize("command", ["serve", "tick"])
def test_nothing_is_served_before_the_ceremony(run: Run, enrolled: Path, command: str) -> None:
    answer = run(command, enrolled)
    assert answer.exit_code == 1
    assert "the key ceremony is missing" in answer.stderr


def test_production_with_cheap_stretching_is_refused(run: Run, founded: Path) -> None:
    answer = run("serve", founded, SUAKA_INSTANCE_MODE="production", **STRICT)
    assert answer.exit_code == 1
    assert "below the floor for production: passphrase: argon2id:m=8,t=1,p=1" in answer.stderr


def test_tick_tells_what_it_did(run: Run, founded: Path) -> None:
    for _ in range(2):
        answer = run("tick", founded)
        assert answer.exit_code == 0
        assert answer.stdout.startswith("receipts closed: 0, sessions ended: 0, ")
