"""``suaka witness``: a whole round over a socket, by file, and from tiles; refusals in one line."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread

import httpx
import pytest

from crypto.handover import Handover
from crypto.note import NoteKey
from crypto.witness_request import AddCheckpoint, cosignatures
from portal.wiring import utc_now
from tests.portal.cli.conftest import Run
from tests.witness.logs import ORIGIN, Log
from witness.keeper import Keeper

ROOT = Path(__file__).resolve().parents[3]
SUAKA = (sys.executable, "-c", "from portal.cli import main; main()")
STOP_SECONDS = 15
NAME = "saksi.example.go.id"


@pytest.fixture(scope="module")
def log() -> Log:
    return Log(600)


@pytest.fixture(scope="module")
def fork() -> Log:
    return Log(600, story=b"lain", since=300)


@pytest.fixture
def folder(run: Run, tmp_path: Path, log: Log) -> Path:
    made = tmp_path / "saksi"
    assert run("witness", "init", made, "--name", NAME).exit_code == 0
    assert run("witness", "trust", made, log.vkey).exit_code == 0
    return made


def put(path: Path, request: AddCheckpoint) -> Path:
    path.write_text(request.to_text(), "utf-8")
    return path


def rows(run: Run, folder: Path) -> list[list[str]]:
    return [line.split() for line in run("witness", "status", folder).stdout.splitlines()[1:]]


class TestFolder:
    def test_init_prints_the_key_that_key_prints_again(self, run: Run, tmp_path: Path) -> None:
        made = run("witness", "init", tmp_path / "w", "--name", NAME)
        assert NoteKey.from_text(made.stdout.strip()).name == NAME
        assert run("witness", "key", tmp_path / "w").stdout == made.stdout
        again = run("witness", "init", tmp_path / "w", "--name", NAME)
        assert (again.exit_code, again.stdout) == (1, "")
        assert run("witness", "key", tmp_path / "w").stdout == made.stdout

    def test_a_name_that_is_none_is_wrong_usage(self, run: Run, tmp_path: Path) -> None:
        assert run("witness", "init", tmp_path / "w", "--name", "a b").exit_code == 2
        assert not (tmp_path / "w").exists()

    def test_trust_tells_a_further_key(self, run: Run, folder: Path) -> None:
        answer = run("witness", "trust", folder, Log(1, seed=2).vkey)
        assert answer.stdout.startswith(f"{ORIGIN}: key ")
        assert answer.stdout.endswith(" is trusted, 2 in all\n")
        refused = run("witness", "trust", folder, "nonsense")
        assert (refused.exit_code, refused.stderr) == (
            1,
            "suaka: this is not the public key of a log\n",
        )

    def test_a_key_or_a_hand_over_and_not_both(
        self, run: Run, folder: Path, tmp_path: Path, log: Log
    ) -> None:
        """The whole way of a hand-over is in test_log.py."""
        stray = tmp_path / "surat"
        stray.write_text("surat")
        assert run("witness", "trust", folder).exit_code == 2
        assert run("witness", "trust", folder, log.vkey, "--handover", stray).exit_code == 2
        for text in ("surat", log.signed(10).to_text()):
            stray.write_text(text)
            answer = run("witness", "trust", folder, "--handover", stray)
            assert answer.exit_code == 1
            assert "no hand-over of a log's key" in answer.stderr

    def test_all_notes_of_a_log_are_followed_and_a_leaked_key_is_distrusted(
        self, run: Run, folder: Path, tmp_path: Path, log: Log
    ) -> None:
        signers = [log.signer, *(Log(1, seed=seed).signer for seed in (2, 3))]
        first, second, third = (one.key.key_id.hex() for one in signers)
        notes = [Handover(None, log.signer.key, 0).sign(signers[:1])]
        notes += [
            Handover(old.key, new.key, size).sign((old, new))
            for (old, new), size in zip(pairwise(signers), (10, 20), strict=True)
        ]
        file = tmp_path / "serah-terima"
        file.write_text("\n".join(one.to_text() for one in notes))
        answer = run("witness", "trust", folder, "--handover", file)
        assert answer.stdout == f"{ORIGIN}: key {third} is trusted, 3 in all\n"
        for _ in range(2):
            answer = run("witness", "distrust", folder, first)
            assert answer.stdout == f"{ORIGIN}: key {first} is not trusted any more\n"
        shown = run("witness", "trusted", folder).stdout.splitlines()
        assert [line.split(maxsplit=2)[1:] for line in shown[1:]] == [
            [first, "no"],
            [second, "up to 20"],
            [third, "always"],
        ]
        put(tmp_path / "in", log.request(0, 5))
        answer = run("witness", "sign", folder, tmp_path / "in", "-o", tmp_path / "out")
        assert "counts no more" in answer.stderr
        assert "trust its new one first" in run("witness", "distrust", folder, third).stderr
        assert "names no key" in run("witness", "distrust", folder, "00000000").stderr
        again = run("witness", "trust", folder, log.vkey)
        assert again.stdout == f"{ORIGIN}: key {first} is trusted, 3 in all\n"

    @pytest.mark.parametrize(
        "command", ["key", "status", "trust", "distrust", "trusted", "sign", "fetch", "serve"]
    )
    def test_where_no_witness_is(self, run: Run, tmp_path: Path, command: str) -> None:
        (tmp_path / "in").touch()
        more: dict[str, tuple[object, ...]] = {
            "trust": ("x",),
            "distrust": ("x",),
            "sign": (tmp_path / "in", "-o", tmp_path / "out"),
            "fetch": ("x",),
        }
        answer = run("witness", command, tmp_path / "none", *more.get(command, ()))
        assert answer.exit_code == 1
        assert "No such file" in answer.stderr

    def test_others_may_not_read_the_key(self, run: Run, folder: Path) -> None:
        (folder / "witness.key").chmod(0o644)
        assert "chmod 600" in run("witness", "key", folder).stderr


class TestByFile:
    def test_a_round(self, run: Run, folder: Path, tmp_path: Path, log: Log) -> None:
        key = Keeper.open(folder).key
        for old, new in ((0, 10), (10, 600)):
            request = log.request(old, new)
            out = tmp_path / f"answer-{new}"
            answer = run("witness", "sign", folder, put(tmp_path / "in", request), "-o", out)
            assert answer.stdout == f"{ORIGIN}: cosigned at size {new}\n"
            assert cosignatures(out.read_bytes(), request.signed, [key])
        day = f"{utc_now():%Y-%m-%d}"
        assert rows(run, folder) == [[ORIGIN, "600", day, "2", "0", "0"]]

    def test_an_answer_that_was_lost_can_be_had_again(
        self, run: Run, folder: Path, tmp_path: Path, log: Log
    ) -> None:
        put(tmp_path / "in", log.request(0, 10))
        for name in ("a", "b"):
            assert (
                run("witness", "sign", folder, tmp_path / "in", "-o", tmp_path / name).exit_code
                == 0
            )
        assert rows(run, folder)[0][3] == "1"

    def test_an_answer_writes_over_nothing(
        self, run: Run, folder: Path, tmp_path: Path, log: Log
    ) -> None:
        out = tmp_path / "out"
        out.write_text("letter")
        put(tmp_path / "in", log.request(0, 10))
        assert run("witness", "sign", folder, tmp_path / "in", "-o", out).exit_code == 1
        assert out.read_text() == "letter"
        assert rows(run, folder)[0][1] == "-"

    def test_what_is_wrong_is_said_in_one_line(
        self, run: Run, folder: Path, tmp_path: Path, log: Log, fork: Log
    ) -> None:
        out = tmp_path / "out"

        def refused(request: AddCheckpoint) -> str:
            put(tmp_path / "in", request)
            answer = run("witness", "sign", folder, tmp_path / "in", "-o", out)
            assert (answer.exit_code, answer.stdout) == (1, "")
            assert not out.exists()
            return answer.stderr

        put(tmp_path / "in", log.request(0, 400))
        run("witness", "sign", folder, tmp_path / "in", "-o", tmp_path / "first")
        assert "has size 400" in refused(log.request(300, 500))
        assert "does not trust" in refused(Log(5, origin="x").request(0, 5))
        assert "no trusted key" in refused(Log(5, seed=3).request(0, 5))
        assert "NOT COSIGNED" in refused(fork.request(400, 400))
        assert "NOT COSIGNED" in refused(fork.request(0, 400))
        assert "NOT COSIGNED" in refused(fork.request(400, 500))
        with pytest.MonkeyPatch.context() as full:
            full.setattr("witness.record.MOST_CONFLICTS", 1)
            assert "is not kept" in refused(Log(400, story=b"ketiga").request(400, 400))
        (tmp_path / "in").write_text("surat")
        answer = run("witness", "sign", folder, tmp_path / "in", "-o", out)
        assert "is not a request to a witness" in answer.stderr
        status = run("witness", "status", folder)
        assert status.exit_code == 1
        assert rows(run, folder)[0][3:] == ["1", "1", "1"]
        assert "two trees of one size" in status.stdout


class TestServing:
    @pytest.fixture
    def served(self, folder: Path, tmp_path: Path) -> Iterator[Path]:
        path = tmp_path / "s.sock"
        with (tmp_path / "log").open("wb") as out:
            process = subprocess.Popen(
                [*SUAKA, "witness", "serve", str(folder), "--uds", str(path)],
                cwd=ROOT,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        try:
            for _ in range(600):
                if answers(path):
                    break
                assert process.poll() is None, (tmp_path / "log").read_text()
                time.sleep(0.05)
            yield path
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_SECONDS)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def test_a_round_over_a_socket(
        self, served: Path, folder: Path, tmp_path: Path, log: Log
    ) -> None:
        key = Keeper.open(folder).key
        with connection(served) as client:
            assert post(client, log.request(0, 10)).status_code == 200
            behind = post(client, log.request(0, 600))
            assert (behind.status_code, behind.content) == (409, b"10\n")
            assert behind.headers["content-type"] == "text/x.tlog.size"
            request = log.request(10, 600)
            answer = post(client, request)
            (line,) = cosignatures(answer.content, request.signed, [key])
            stated = datetime.fromtimestamp(key.check(request.signed.text.encode(), line.data), UTC)
            assert abs(utc_now() - stated) < timedelta(hours=1)
            assert client.get("/").status_code == 404
        assert Keeper.open(folder).history(ORIGIN) == [10, 600]
        assert served.stat().st_mode & 0o777 == 0o660
        assert (tmp_path / "log").read_text().splitlines() == [
            f"{NAME}: {served} (Ctrl-C stops it)"
        ]


def connection(path: Path) -> httpx.Client:
    transport = httpx.HTTPTransport(uds=str(path))
    return httpx.Client(base_url="http://witness", transport=transport, timeout=20)


def post(client: httpx.Client, request: AddCheckpoint) -> httpx.Response:
    return client.post("/add-checkpoint", content=request.to_text().encode())


def answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


class Site:
    """A web server that shows files, redirects, and says too much."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.headers: dict[str, str] = {}
        self.status = 200
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = site.files.get(self.path)
                self.send_response(404 if body is None else site.status)
                for name, value in site.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/log"

    def show(self, log: Log) -> None:
        self.files = {f"/log/{path}": body for path, body in log.files().items()}


@pytest.fixture
def site() -> Iterator[Site]:
    one = Site()
    thread = Thread(target=one.server.serve_forever, args=(0.01,))
    thread.start()
    yield one
    one.server.shutdown()
    thread.join()
    one.server.server_close()


class TestFetching:
    def test_a_round_from_tiles(self, run: Run, folder: Path, site: Site, tmp_path: Path) -> None:
        key = Keeper.open(folder).key
        for size in (100, 256, 257, 600):
            part = Log(size)
            site.show(part)
            answer = run("witness", "fetch", folder, f"{site.url}/")
            assert answer.exit_code == 0, answer.stderr
            assert cosignatures(answer.stdout.encode(), part.signed(size), [key])
        out = tmp_path / "out"
        assert run("witness", "fetch", folder, site.url, "-o", out).stdout == ""
        assert cosignatures(out.read_bytes(), Log(600).signed(600), [key])
        assert Keeper.open(folder).history(ORIGIN) == [100, 256, 257, 600]

    def test_what_a_site_cannot_do(self, run: Run, folder: Path, site: Site, fork: Log) -> None:
        def refused() -> str:
            answer = run("witness", "fetch", folder, site.url)
            assert (answer.exit_code, answer.stdout) == (1, "")
            return answer.stderr

        assert "does not serve a log" in refused()
        site.show(Log(400))
        assert run("witness", "fetch", folder, site.url).exit_code == 0
        log = Log(600)
        site.show(log)
        for site.status in (301, 302, 500, 204):
            site.headers = {"location": site.url + "2/checkpoint"}
            assert f"status {site.status}" in refused()
        site.status, site.headers = 200, {"content-encoding": "gzip"}
        assert "status 200" in refused()
        site.headers = {}
        site.files["/log/checkpoint"] += bytes(300_000)
        assert "more than" in refused()
        site.show(log)
        site.files["/log/tile/0/001"] += b"x"
        assert "more than 8192" in refused()
        site.show(log)
        del site.files["/log/tile/0/001"]
        assert "tile/0/001" in refused()
        site.show(log)
        tile = site.files["/log/tile/0/001"]
        site.files["/log/tile/0/001"] = tile[:-1] + bytes([tile[-1] ^ 1])
        refused()
        site.show(Log(300))
        assert "older checkpoint" in refused()
        site.show(fork)
        assert "NOT COSIGNED" in refused()
        assert Keeper.open(folder).history(ORIGIN) == [400]

    def test_what_the_tiles_explain_is_dropped(
        self, run: Run, folder: Path, site: Site, tmp_path: Path
    ) -> None:
        log, fork = Log(600), Log(500, story=b"lain", since=300)
        put(tmp_path / "in", log.request(0, 300))
        run("witness", "sign", folder, tmp_path / "in", "-o", tmp_path / "first")
        for one in (log.signed(400), fork.signed(500)):
            put(tmp_path / "in", AddCheckpoint(300, (), one))
            run("witness", "sign", folder, tmp_path / "in", "-o", tmp_path / "out")
        assert rows(run, folder)[0][5] == "2"
        site.show(log)
        assert run("witness", "fetch", folder, site.url).exit_code == 0
        assert rows(run, folder)[0][5] == "1"

    def test_only_http(self, run: Run, folder: Path, tmp_path: Path) -> None:
        for url in ("ftp://x.example", f"file://{tmp_path}", "x", "http://", "http://[::1"):
            answer = run("witness", "fetch", folder, url)
            assert answer.exit_code == 1
            assert "unexpected" not in answer.stderr

    def test_nobody_there(self, run: Run, folder: Path, site: Site) -> None:
        answer = run("witness", "fetch", folder, "http://127.0.0.1:1/log")
        assert "cannot be read: ConnectError" in answer.stderr
        proxied = run("witness", "fetch", folder, site.url, "--proxy", "nonsense")
        assert "not an address of a proxy" in proxied.stderr
