"""A server under test: a real process on a free port of this machine."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

READY_SECONDS = 60.0
STOP_SECONDS = 15.0
_POLL_SECONDS = 0.05

SUAKA = (str(Path(sys.executable).parent / "suaka"), "serve", "{folder}", "--port", "{port}")
"""How an instance is served; ``{folder}`` and ``{port}`` are filled in."""


def free_port() -> int:
    """Return a TCP port of the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def group_members(group: int) -> list[int]:
    """Return the processes of a group that still run; ended ones that nobody reaped are none."""
    members: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it may have ended meanwhile
                state, _, its_group, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
                if state != "Z" and int(its_group) == group:
                    members.append(int(entry.name))
    return members


class ServerError(Exception):
    """The server ended or stayed silent; the message ends with what it had written."""


class Server:
    """Runs a command until the block ends.

    ``log`` receives standard output and error, so that a canary sweep can search them. The
    process leads a group of its own, so that its workers end with it.
    """

    def __init__(
        self,
        folder: Path,
        log: Path,
        command: Sequence[str] = SUAKA,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.log = log
        self._command = [part.format(folder=folder, port=self.port) for part in command]
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the leader, for a look into /proc."""
        return self._running().pid

    def start(self) -> None:
        """Start the process and return as soon as it answers HTTP, whatever the status.

        Raises:
            ServerError: if it ends, or does not answer within ``READY_SECONDS``.
        """
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        for _ in range(int(READY_SECONDS / _POLL_SECONDS)):
            if self._answers():
                return
            try:
                code = self._process.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            raise ServerError(f"the server ended with {code}:\n{self._tail()}")
        self.kill()
        raise ServerError(f"the server did not answer:\n{self._tail()}")

    def stop(self) -> int:
        """Ask the server to end, and return its exit code.

        Raises:
            ServerError: if it had to be killed after ``STOP_SECONDS``.
        """
        process = self._running()
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise ServerError(f"the server did not stop:\n{self._tail()}") from None
        finally:
            self.kill()

    def kill(self) -> None:
        """End the server and its workers at once, as a power failure would."""
        process = self._running()
        with contextlib.suppress(ProcessLookupError):  # the group may be gone already
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for _ in range(int(STOP_SECONDS / _POLL_SECONDS)):
            if not group_members(process.pid):
                break
            time.sleep(_POLL_SECONDS)
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self.stop()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ServerError("the server is not running")
        return self._process

    def _answers(self) -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            opener.open(self.base + "/", timeout=5).close()
        except urllib.error.HTTPError as answer:
            answer.close()
        except OSError:
            return False
        return True

    def _tail(self) -> str:
        return self.log.read_bytes()[-2000:].decode("utf-8", "replace")
