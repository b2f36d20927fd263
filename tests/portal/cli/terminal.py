"""A person at a terminal: starts a command on a pseudo-terminal, reads, types."""

import codecs
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

SUAKA = str(Path(sys.executable).parent / "suaka")
HEEDING = ("env", "--default-signal=INT", SUAKA)
"""The command as a person starts it: a shell's background jobs inherit that Ctrl-C is ignored."""

PATIENCE = 30.0
"""Seconds that a command may stay silent."""


class Terminal:
    """One command on a terminal of its own."""

    def __init__(self, *args: object) -> None:
        self.args: Sequence[str] = [*HEEDING, *(str(arg) for arg in args)]
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            self.args, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self._waiting = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def expect(self, pattern: str) -> str:
        """Read until the pattern appears; return all that came before its end."""
        while (found := re.search(pattern, self._waiting)) is None:
            piece = self._read()
            assert piece is not None, f"it ended without {pattern!r}: {self._waiting[-500:]}"
            self._waiting += piece
        seen, self._waiting = self._waiting[: found.end()], self._waiting[found.end() :]
        return seen

    def enter(self, line: str) -> None:
        """Type a line."""
        os.write(self._master, f"{line}\n".encode())

    def interrupt(self) -> None:
        """Press Ctrl-C until the command says something.

        One that arrives between the prompt and the read behind it waits for the read to end.
        """
        ready: list[int] = []
        while not ready and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            ready, _, _ = select.select([self._master], [], [], PATIENCE / 6)

    def end(self) -> tuple[int, str]:
        """Read to the end; return exit code and the rest of the output."""
        while (piece := self._read()) is not None:
            self._waiting += piece
        return self.process.wait(PATIENCE), self._waiting

    def _read(self) -> str | None:
        ready, _, _ = select.select([self._master], [], [], PATIENCE)
        assert ready, f"it is silent after {self._waiting[-500:]}"
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux says so when the other end is closed
            return None
        # A read may end in the middle of a character.
        return self._decoder.decode(data) if data else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)
