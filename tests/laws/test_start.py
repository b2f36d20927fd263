"""A newcomer starts with one command, from a checkout or from an installed wheel."""

import hashlib
import os
import shutil
import signal
import site
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pysqlite3
import pytest

from tests.laws import rules

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 15
FIRST_ANSWER_SECONDS = 5
TOOLS = ("cat", "cut", "dirname", "env", "git", "make", "rm", "sh", "sha256sum")


def copy_of_the_tree(target: Path) -> Path:
    """What a clone would hold."""
    for name in rules.files_of(ROOT):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target / name)
    return target


def environment_of(folder: Path) -> Path:
    """A virtual environment without any package of its own; return its site folder."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    return packages


def libraries() -> str:
    """The folder where the libraries of this run are installed."""
    return next(path for path in site.getsitepackages() if Path(path, "litestar").is_dir())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(f"http://127.0.0.1:{port}/", timeout=5).close()
    except urllib.error.HTTPError as answer:
        answer.close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout after its first `make serve` installed the requirements; no demo yet."""
    folder = copy_of_the_tree(tmp_path_factory.mktemp("clone").resolve())
    packages = environment_of(folder / ".venv")
    (packages / "run.pth").write_text(f"{folder}\n{libraries()}\n")
    script = folder / ".venv" / "bin" / "suaka"
    script.write_text(f"#!{folder}/.venv/bin/python\nfrom portal.cli import main\nmain()\n")
    script.chmod(0o755)
    # The stamp of tools/bootstrap: what it installed, where, for which interpreter.
    digest = hashlib.sha256(f"{folder}\n".encode())
    digest.update(subprocess.check_output([folder / ".venv" / "bin" / "python", "-V"]))
    for name in ("pyproject.toml", "requirements/build.txt", "requirements/run.txt"):
        digest.update((folder / name).read_bytes())
    (folder / ".venv" / "suaka-run").write_text(f"{digest.hexdigest()}\n")
    (folder / "bin").mkdir()
    for name in TOOLS:
        (folder / "bin" / name).symlink_to(str(shutil.which(name)))
    (folder / "bin" / "python3").symlink_to(sys.executable)
    return folder


class Served:
    """One `make serve` with nothing on the path but the three prerequisites and a shell."""

    def __init__(self, clone: Path) -> None:
        self.port = free_port()
        self.log = clone / f"serve-{self.port}.log"
        environment = {"PATH": str(clone / "bin"), "HOME": str(clone), "LANG": "C.UTF-8"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["make", "serve", f"PORT={self.port}"],
                cwd=clone,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        started = time.monotonic()
        while not answers(self.port):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() - started < 120, self.log.read_text()
            time.sleep(0.02)
        self.seconds = time.monotonic() - started

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(STOP_SECONDS)


def contents(folder: Path) -> dict[str, bytes]:
    """Everything that a start could make again; run/ is ephemeral, -shm and -wal are SQLite's.

    A server that runs publishes checkpoints of the log, so the main database counts by the rows
    that making a demo writes.
    """
    return {
        str(path.relative_to(folder)): rows(path) if path.name == "suaka.db" else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.parent.name != "run" and not path.name.endswith(("-shm", "-wal"))
    }


def rows(database: Path) -> bytes:
    with closing(pysqlite3.connect(database)) as connection:
        found = [
            sorted(connection.execute(f'SELECT * FROM "{table}"'))
            for table in ("person", "roster", "case", "item", "grant", "leaf", "log_key")
        ]
    return repr(found).encode()


@pytest.fixture(scope="module")
def started(clone: Path) -> Iterator[tuple[Path, str]]:
    """The checkout after its first start, and what that start printed."""
    served = Served(clone)
    served.stop()
    yield clone, served.log.read_text()
    shutil.rmtree(clone / "var")


def test_the_first_start_makes_a_demo_and_says_how_to_sign_in(started: tuple[Path, str]) -> None:
    clone, said = started
    assert (clone / "var" / "demo" / "suaka.toml").exists()
    assert "Officers sign in at /petugas/masuk:" in said
    assert "http://127.0.0.1:" in said
    assert "Traceback" not in said


def test_the_second_start_is_quick_and_makes_nothing_again(started: tuple[Path, str]) -> None:
    clone, said = started
    before = contents(clone / "var" / "demo")
    served = Served(clone)
    served.stop()
    assert contents(clone / "var" / "demo") == before
    assert "Making" not in served.log.read_text()
    assert "Making" in said
    assert served.seconds < FIRST_ANSWER_SECONDS * loaded()


def loaded() -> float:
    """How much slower than idle this machine is now: runnable processes per core, at least 1."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def test_a_checkout_without_prerequisites_names_their_packages(clone: Path) -> None:
    bare = clone / "bare"
    bare.mkdir()
    for name in ("cat", "cut", "dirname", "env", "make", "rm", "sh", "sha256sum"):
        (bare / name).symlink_to(str(shutil.which(name)))
    moved = clone / ".venv" / "suaka-run"
    moved.rename(moved.with_suffix(".away"))
    try:
        answer = subprocess.run(
            ["make", "serve"],
            cwd=clone,
            env={"PATH": str(bare)},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        moved.with_suffix(".away").rename(moved)
    assert answer.returncode != 0
    assert "apt install git python3 python3-venv" in answer.stderr


def test_the_installed_wheel_makes_a_demo_from_any_folder(tmp_path: Path) -> None:
    source = copy_of_the_tree(tmp_path / "source")
    packages = environment_of(tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"),
            *("--no-deps", "--no-index", "--no-build-isolation", str(source)),
        ],
        cwd=elsewhere,
        env={**os.environ, "PYTHONWARNINGS": "default", "PYTHONPATH": libraries()},
        check=True,
    )
    shutil.rmtree(source)
    (packages / "libraries.pth").write_text(f"{libraries()}\n")
    command = str(tmp_path / "venv" / "bin" / "suaka")
    environment = {"PATH": os.environ["PATH"], "HOME": str(elsewhere)}

    def suaka(*args: str) -> str:
        return subprocess.run(
            [command, *args],
            cwd=elsewhere,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    where = "import portal; print(portal.__file__)"
    found = subprocess.check_output([str(python), "-c", where], cwd=elsewhere, text=True)
    assert found.startswith(str(packages))
    assert suaka("--version").startswith("suaka, version ")
    assert "Officers sign in" in suaka("demo", "demo")
    assert "ok   schema" in suaka("doctor", "demo")
    page = (
        "from pathlib import Path\n"
        "from litestar.testing import TestClient\n"
        "from portal import wiring\n"
        "app = wiring.make_app(*wiring.load(Path('demo')))\n"
        "with TestClient(app) as client:\n"
        "    print(client.get('/').status_code, client.get('/static/suaka.css').status_code)\n"
    )
    shown = subprocess.check_output(
        [str(python), "-c", page], cwd=elsewhere, env=environment, text=True
    )
    assert shown.split() == ["200", "200"]
