"""A demo instance that ``suaka demo`` made and ``suaka serve`` serves, for tests to visit."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.server import Server

COMMAND = str(Path(sys.executable).parent / "suaka")
_OFFICER = re.compile(r"^  (?!WBS-)\S.*?\s{2,}([a-z]+) +((?:[a-z]+ ?){7})$", re.MULTILINE)
_REPORTER = re.compile(r"^  (WBS-\w{8}) +(.+)$", re.MULTILINE)

CLOCK_VARIABLE = "TESTS_CLOCK_DAYS"
LATER = (
    sys.executable,
    *("-m", "granian", "--factory", "--interface", "asgi", "--no-ws"),
    *("--port", "{port}", "tests.e2e.later:application"),
)
"""The same server with a clock some days ahead; see ``tests/e2e/later.py``."""


@dataclass
class Demo:
    """A served demo: its address, and how its invented people sign in."""

    folder: Path
    server: Server
    officers: dict[str, str] = field(repr=False)
    """Passphrase of each officer, by user name."""
    reporters: dict[str, str] = field(repr=False)
    """Eight words of each reporter, by ticket."""

    @property
    def base(self) -> str:
        """The address to visit."""
        return self.server.base

    @property
    def database(self) -> Path:
        """The main database, for attacks from outside."""
        return self.folder / "data" / "suaka.db"


def make(folder: Path) -> None:
    """Make a demo in ``folder``, as a person would."""
    subprocess.run([COMMAND, "demo", str(folder)], check=True, capture_output=True)


def copy(
    made: Path, folder: Path, *, days_ahead: int = 0, settings: Mapping[str, str] | None = None
) -> Demo:
    """Copy a demo to ``folder`` and prepare its server, to be started by ``with demo.server``.

    The copies are independent: an instance lies in its folder and nowhere else. ``settings``:
    environment variables that replace settings of ``suaka.toml``.
    """
    shutil.copytree(made, folder)
    notes = (folder / "SIGN-IN.txt").read_text("utf-8")
    log = folder.with_suffix(".log")
    if days_ahead:
        environment = {
            "PORTAL_FOLDER": str(folder),
            "PORTAL_SURFACE": "both",
            CLOCK_VARIABLE: str(days_ahead),
            **(settings or {}),
        }
        server = Server(folder, log, LATER, environment)
    else:
        server = Server(folder, log, environment=settings)
    return Demo(folder, server, dict(_OFFICER.findall(notes)), dict(_REPORTER.findall(notes)))
