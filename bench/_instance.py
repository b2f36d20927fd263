"""A real instance in a temporary folder, served by a real process on the loopback address."""

from __future__ import annotations

import re
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from portal.cli import demo
from tests.e2e.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

TIMEOUT = 120
"""Seconds after which an answer is given up."""

IDLE = 5
"""Seconds after which a connection is opened anew; the server ends idle ones."""

NO_LIMITS = {
    "SUAKA_LIMITS_REPORT_BURST": "100000",
    "SUAKA_LIMITS_REPORTS_PER_MINUTE": "100000",
}
"""The budget for new reports, out of the way: what is measured is the work, not the refusal."""


@dataclass(frozen=True)
class Answer:
    """What the server said, read to the last byte."""

    status: int
    body: str
    cookies: Mapping[str, str]


class Client:
    """One browser: a connection that is kept, and the cookies of a sign-in once there was one."""

    def __init__(self, port: int) -> None:
        """Talk to a port of the loopback address."""
        self._connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        self._cookies: dict[str, str] = {}
        self._used = time.monotonic()

    def get(self, path: str) -> Answer:
        """Fetch a page."""
        return self._ask("GET", path)

    def post(self, path: str, fields: Mapping[str, str]) -> Answer:
        """Send a form."""
        return self._ask("POST", path, urlencode(fields))

    def sign_in(self, username: str, passphrase: str) -> None:
        """Open an officer's session."""
        given = {"handle": username, "passphrase": passphrase}
        answer = self.post("/petugas/masuk", given)
        assert answer.status == 303, answer.status
        self._cookies.update(answer.cookies)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _ask(self, method: str, path: str, body: str | None = None) -> Answer:
        headers = {}
        if self._cookies:
            headers["cookie"] = "; ".join(
                f"{name}={value}" for name, value in self._cookies.items()
            )
        if body is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
        now = time.monotonic()
        if now - self._used > IDLE:
            self._connection.close()
        self._used = now
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        pairs = [one.partition(";")[0] for one in response.headers.get_all("set-cookie") or ()]
        cookies = {name: value for name, _, value in (pair.partition("=") for pair in pairs)}
        return Answer(response.status, response.read().decode(), cookies)


@contextmanager
def temporary_demo() -> Iterator[Path]:
    """Make an instance at production cost, with its officers and ceremony; remove it at the end."""
    with tempfile.TemporaryDirectory(prefix="suaka-bench-") as place:
        folder = Path(place) / "instance"
        demo.make(folder)
        yield folder


@contextmanager
def served(folder: Path, environment: Mapping[str, str] = NO_LIMITS) -> Iterator[int]:
    """Serve an instance with `suaka serve`; give the port, and stop it at the end."""
    log = folder.parent / f"{folder.name}.log"
    with Server(folder, log, environment=environment) as server:
        yield server.port


def passphrases(folder: Path) -> dict[str, str]:
    """Return the passphrase of each officer of a demo, by username."""
    notes = (folder / demo.NOTES).read_text(encoding="utf-8")
    found = {}
    for username, *_ in demo.PEOPLE:
        line = re.search(rf" {username} +(\S.*)$", notes, re.MULTILINE)
        assert line is not None
        found[username] = line[1].strip()
    return found


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Let `count` threads begin `work` at the same moment; return when all are done.

    Raises:
        RuntimeError: one of them failed.
    """
    gate = threading.Barrier(count)
    failed: list[str] = []

    def begin(number: int) -> None:
        gate.wait()
        try:
            work(number)
        except Exception as error:  # noqa: BLE001 - told to the thread that waits
            failed.append(repr(error))

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise RuntimeError(failed[0])
