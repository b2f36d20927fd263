"""docs/log.md is true: its commands check what our code publishes, without our code."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from casework.intake import proof
from casework.log import checkpoints, keys, tree
from crypto.note import SignedNote
from tests.casework.cases import Filed, file_report
from tests.casework.office import Bench
from witness import tiles

PAGE = Path(__file__).resolve().parents[2] / "docs" / "log.md"


def block(language: str) -> str:
    """The one code block of the page under a language and, maybe, a file's name."""
    (code,) = re.findall(rf"(?ms)^```{re.escape(language)}\n(.*?)^```$", PAGE.read_text("utf-8"))
    return str(code)


def python(desk: Path, script: str, *arguments: str) -> CompletedProcess[str]:
    (desk / script).write_text(block(f"python {script}"), "utf-8")
    return subprocess.run(
        # -I: neither the tests' folder nor PYTHONPATH leads to our packages.
        [sys.executable, "-I", script, *arguments],
        cwd=desk,
        capture_output=True,
        text=True,
        check=False,
    )


def shell(desk: Path) -> CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-eu", "-c", block("sh")], cwd=desk, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def needs_openssl() -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed (Debian package: openssl)")


def publish(bench: Bench, desk: Path, name: str = "checkpoint") -> SignedNote:
    """Let the clock tick, and lay out what is public as an outsider gets it."""
    bench.clock.advance(hours=6)
    with bench.office.write() as uow:
        done = checkpoints.publish_due(uow)
        assert done is not None
        (desk / name).write_text(done.note.to_text(), "utf-8")
        lines = (f"{key.to_text()}\n" for key in keys.load(uow).all)
        (desk / "kunci").write_text("".join(lines), "utf-8")
        for number in range(done.tree.size // 256):
            path = desk / tiles.path_of(0, number, 256)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"".join(tree.row_of(uow.session, 0, 256 * number, 256)))
    return done.note


@pytest.mark.usefixtures("needs_openssl")
def test_the_commands_tell_who_signed(bench: Bench, tmp_path: Path) -> None:
    with bench.office.write() as uow:
        keys.rotate(uow, bytes(range(32)))
    note = publish(bench, tmp_path)
    done = shell(tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(note.text)
    (tmp_path / "checkpoint").write_text(note.to_text().replace("\n256\n", "\n512\n"), "utf-8")
    assert shell(tmp_path).returncode != 0


@pytest.mark.usefixtures("needs_openssl")
def test_the_script_follows_a_receipt_and_its_text(filed: Filed, tmp_path: Path) -> None:
    for _ in range(3):
        file_report(filed.bench)
    publish(filed.bench, tmp_path)
    with filed.bench.office.read() as uow:
        found = proof.evidence(uow, filed.reporter)
    (tmp_path / "r.txt").write_text(found.file, "utf-8")
    (tmp_path / "text").write_bytes(found.text)
    (tmp_path / "key").write_text(found.key.hex(), "utf-8")
    (tmp_path / "checkpoint").unlink()
    done = python(tmp_path, "receipt.py", "r.txt", "text", "key")
    assert done.returncode == 0, done.stderr
    assert found.ticket in done.stdout
    assert "exactly this text" in done.stdout
    assert shell(tmp_path).returncode == 0
    (tmp_path / "text").write_bytes(found.text + b" ")
    assert "another text" in python(tmp_path, "receipt.py", "r.txt", "text", "key").stderr
    (tmp_path / "r.txt").write_text(found.file.replace("\nindex ", "\nindex 1"), "utf-8")
    assert python(tmp_path, "receipt.py", "r.txt").returncode != 0


def test_the_script_tells_whether_a_log_only_grew(bench: Bench, tmp_path: Path) -> None:
    publish(bench, tmp_path, "old")
    file_report(bench)
    publish(bench, tmp_path, "middle")
    publish(bench, tmp_path, "new")
    for pair in (("old", "new"), ("middle", "new"), ("new", "new")):
        done = python(tmp_path, "grown.py", *pair, str(tmp_path))
        assert done.returncode == 0, done.stderr
    first = tmp_path / tiles.path_of(0, 0, 256)
    first.write_bytes(bytes([first.read_bytes()[0] ^ 1]) + first.read_bytes()[1:])
    assert "rewritten" in python(tmp_path, "grown.py", "old", "new", str(tmp_path)).stderr


def test_the_scripts_import_nothing_of_ours() -> None:
    for script in ("receipt.py", "grown.py"):
        imported = re.findall(r"(?m)^(?:import|from) (.+)$", block(f"python {script}"))
        assert imported
        assert not {"crypto", "casework", "portal", "witness"} & set(
            re.findall(r"\w+", " ".join(imported))
        )
