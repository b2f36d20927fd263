"""Ask the clamd of this machine whether a file is known malware: INSTREAM of clamd(8).

Contents never travel over a network: a Unix socket or a loopback address, nothing else is taken.
Nothing is logged here, because a line would say when a file came.
"""

from __future__ import annotations

import os
import re
import select
import socket
import time
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Place = tuple[socket.AddressFamily, str | tuple[str, int]]

CHUNK: Final = 256 * 1024
"""Bytes of the largest chunk that is sent."""

NAME_MAX: Final = 100
"""Characters of a signature's name (or of a version) that are kept."""

CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 120.0

_ANSWER_MAX: Final = 4096
_PATH_MAX: Final = 107
"""Bytes of a Unix socket's path (unix(7): 108 with the closing NUL)."""

_LOOPBACK: Final = re.compile(r"(127\.0\.0\.1|\[::1\]):([1-9][0-9]{0,4})")
_PORT_MAX: Final = 65535
_FOUND: Final = re.compile(rb"stream: (.+) FOUND", re.DOTALL)
_TOO_LARGE: Final = b"INSTREAM size limit exceeded. ERROR"
_NOT_WHOLE: Final = "Heuristics.Limits.Exceeded"
"""What a clamd with ``AlertExceedsMax`` finds in a file that it has not looked at to the end."""


class Outcome(StrEnum):
    """What is known of a file afterwards."""

    CLEAN = "clean"
    """clamd read the whole file and knows nothing against it."""

    FOUND = "found"
    TOO_LARGE = "too_large"
    """The file is beyond a limit of clamd's own settings, so it was not looked at to the end."""

    UNAVAILABLE = "unavailable"
    """No clamd, no answer in time, or none that can be understood."""


@dataclass(frozen=True)
class Verdict:
    """An outcome; ``name`` is the signature's, printable ASCII, empty unless something is found."""

    outcome: Outcome
    name: str = ""


class _Silent(Exception):
    """Nobody answers at the address."""


def is_address(text: str) -> bool:
    """Return whether :class:`Scanner` takes this text as the address of a clamd."""
    try:
        _place(text)
    except ValueError:
        return False
    return True


class Scanner:
    """A clamd at one address; threads may share it, each call has a connection of its own.

    ``address``: absolute path of a Unix socket, ``127.0.0.1:3310`` or ``[::1]:3310``. ``connect``
    and ``total`` are seconds: for connecting, and for all that follows.

    Raises:
        ValueError: no such address, or one that is not on this machine.
    """

    def __init__(
        self, address: str, *, connect: float = CONNECT_SECONDS, total: float = TOTAL_SECONDS
    ) -> None:
        self._place = _place(address)
        self._connect = connect
        self._total = total

    def scan(self, pieces: Iterable[bytes]) -> Verdict:
        """Stream a file, in pieces of any size, and return what clamd says of it.

        Whatever clamd does, there is a verdict; only its whole answer to the whole file is
        ``clean``. What ``pieces`` raises passes through. Pieces are taken one by one, and no more
        of them once clamd has answered.
        """
        try:
            with self._talk() as talk:
                whole = talk.send(b"zINSTREAM\0") and all(map(talk.send, _frames(pieces)))
                return _verdict(talk.receive(), whole=whole)
        except _Silent:
            return Verdict(Outcome.UNAVAILABLE)

    def ping(self) -> str | None:
        """Return clamd's version with the day of its signatures, or nothing if it is silent."""
        if self._ask(b"zPING\0") != b"PONG":
            return None
        return _printable(self._ask(b"zVERSION\0"))

    def _ask(self, command: bytes) -> bytes:
        try:
            with self._talk() as talk:
                talk.send(command)
                return talk.receive()
        except _Silent:
            return b""

    @contextmanager
    def _talk(self) -> Iterator[_Talk]:
        family, place = self._place
        with socket.socket(family, socket.SOCK_STREAM) as line:
            try:
                line.settimeout(self._connect)
                line.connect(place)
            except OSError:
                raise _Silent from None
            yield _Talk(line, time.monotonic() + self._total)


class _Talk:
    """One connection, and the moment at which it is over."""

    def __init__(self, line: socket.socket, end: float) -> None:
        self._line = line
        self._end = end
        self._poll = select.poll()

    def send(self, data: bytes | memoryview) -> bool:
        """Send all of it; return False if clamd answered or hung up before, or time is over."""
        rest = memoryview(data)
        try:
            while rest:
                if self._wait(select.POLLIN | select.POLLOUT) != select.POLLOUT:
                    return False
                rest = rest[self._line.send(rest) :]
        except OSError:
            return False
        return True

    def receive(self) -> bytes:
        """Return the answer without its closing NUL; nothing if it does not come as a whole."""
        answer = b""
        try:
            while b"\0" not in answer and len(answer) < _ANSWER_MAX:
                self._wait(select.POLLIN)
                more = self._line.recv(_ANSWER_MAX)
                if not more:
                    break
                answer += more
        except OSError:
            return b""
        text, closing, _ = answer.partition(b"\0")
        return text if closing else b""

    def _wait(self, events: int) -> int:
        """Return which events came. Raises: TimeoutError."""
        left = self._end - time.monotonic()
        self._poll.register(self._line, events)
        ready = self._poll.poll(left * 1000) if left > 0 else []
        if not ready:
            raise TimeoutError
        self._line.settimeout(left)
        return ready[0][1]


def _frames(pieces: Iterable[bytes]) -> Iterator[bytes | memoryview]:
    """Yield lengths and chunks by turns, then the mark of the end: a length of zero."""
    for piece in pieces:
        for start in range(0, len(piece), CHUNK):
            chunk = memoryview(piece)[start : start + CHUNK]
            yield len(chunk).to_bytes(4, "big")
            yield chunk
    yield bytes(4)


def _verdict(answer: bytes, *, whole: bool) -> Verdict:
    found = _FOUND.fullmatch(answer)
    name = _printable(found[1]) if found else ""
    if answer == _TOO_LARGE or name.startswith(_NOT_WHOLE):
        return Verdict(Outcome.TOO_LARGE)
    if found:
        return Verdict(Outcome.FOUND, name)
    if answer == b"stream: OK" and whole:
        return Verdict(Outcome.CLEAN)
    return Verdict(Outcome.UNAVAILABLE)


def _printable(text: bytes) -> str:
    return "".join(chr(one) for one in text if ord(" ") <= one <= ord("~"))[:NAME_MAX]


def _place(address: str) -> Place:
    """Return the socket's family and where to connect. Raises: ValueError."""
    if address.startswith("/") and address.isprintable():
        if len(os.fsencode(address)) > _PATH_MAX:
            raise ValueError("the socket's path is too long")
        return socket.AF_UNIX, address
    parts = _LOOPBACK.fullmatch(address)
    if parts is None or int(parts[2]) > _PORT_MAX:
        raise ValueError("neither an absolute path nor a loopback address with a port")
    host, port = parts[1].strip("[]"), int(parts[2])
    return socket.AF_INET6 if ":" in host else socket.AF_INET, (host, port)
