"""What is installed is pinned, and what is missing is named."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("build", "lock", "run", "test")
NEEDED_BY_THE_SCRIPT = ("cat", "cut", "dirname", "env", "rm", "sh", "sha256sum")


def pins(lock: str) -> dict[str, tuple[str, int]]:
    """Return requirement -> (version, number of hashes)."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
    requirements = re.split(r"\n(?=\S)", "\n".join(re.findall(r"^(?!\s*#).+", text, re.MULTILINE)))
    found = {}
    for requirement in requirements:
        match = re.match(r"([a-z0-9.\-]+)(?:\[[a-z,]+\])?==([^\s;]+)", requirement)
        assert match, f"not pinned: {requirement[:60]}"
        found[match[1]] = (match[2], len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", requirement)))
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_by_version_and_hash(lock: str) -> None:
    assert pins(lock)
    assert [name for name, (_, hashes) in pins(lock).items() if not hashes] == []


def test_tests_run_with_the_versions_that_are_deployed() -> None:
    deployed, tested = pins("run"), pins("test")
    assert {name for name in deployed if tested.get(name, ("",))[0] != deployed[name][0]} == set()


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout on a machine that has the shell and its usual tools, and nothing more."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "bootstrap", tmp_path / "tools")
    (tmp_path / "bin").mkdir()
    for name in NEEDED_BY_THE_SCRIPT:
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    return tmp_path


def start(checkout: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "tools" / "bootstrap"],
        env={"PATH": str(checkout / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_missing_prerequisite_is_named_with_the_package_that_brings_it(bare: Path) -> None:
    answer = start(bare)
    assert answer.returncode == 1
    assert "3.11" in answer.stderr
    assert answer.stderr.strip().endswith("apt install git make python3 python3-venv")
    assert not (bare / ".venv").exists()


def test_a_python_without_venv_is_named_alone(bare: Path) -> None:
    for name in ("git", "make"):
        (bare / "bin" / name).symlink_to(bare / "bin" / "cat")
    python = bare / "bin" / "python3"
    python.write_text('#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\n')
    python.chmod(0o755)
    answer = start(bare)
    assert answer.returncode == 1
    assert answer.stderr.strip().endswith("apt install python3-venv")


def test_a_python_that_is_too_old_is_named(bare: Path) -> None:
    for name in ("git", "make"):
        (bare / "bin" / name).symlink_to(bare / "bin" / "cat")
    python = bare / "bin" / "python3"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    assert "version 3.11 or newer" in start(bare).stderr
