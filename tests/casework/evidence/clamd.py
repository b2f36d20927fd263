"""A real clamd with one signature of our own, and sockets that only pretend to be one."""

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from casework.evidence.scan import Scanner

NEEDLE = b"suaka-contoh-perusak-91c2"
"""What the one signature matches; invented, harmless, in no public database."""

NAME = "Suaka.Uji.Contoh.UNOFFICIAL"
"""How clamd names it: it marks every signature that is not the vendor's."""

STREAM_MAX = 1024 * 1024
FILE_MAX = 512 * 1024
TRIES = 500
"""How often a clamd that is starting is asked, 20 ms apart."""


@dataclass(frozen=True)
class Clamd:
    """A daemon that runs: the address for :class:`Scanner`, and its process."""

    address: str
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def running(folder: Path) -> Iterator[Clamd]:
    """Run a clamd of our own that keeps everything in the folder; skip where there is none."""
    program = shutil.which("clamd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("clamd is not installed (Debian's clamav-daemon)")
    start = [program, f"--config-file={_configured(folder)}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(start, stdout=log, stderr=subprocess.STDOUT)
    try:
        clamd = Clamd(str(folder / "s"), process)
        _await(clamd, folder / "log")
        yield clamd
    finally:
        process.terminate()
        process.wait(20)


def _configured(folder: Path) -> Path:
    """Write database and configuration; no TCP, no network, no log but the standard output."""
    for name in ("db", "tmp"):
        (folder / name).mkdir(mode=0o700)
    (folder / "db" / "own.ndb").write_text(f"Suaka.Uji.Contoh:0:*:{NEEDLE.hex()}\n", "ascii")
    lines = {
        "LocalSocket": folder / "s",
        "DatabaseDirectory": folder / "db",
        "TemporaryDirectory": folder / "tmp",
        "Foreground": "yes",
        "StreamMaxLength": STREAM_MAX,
        "MaxFileSize": FILE_MAX,
        "AlertExceedsMax": "yes",
    }
    if os.geteuid() == 0:
        lines["User"] = "root"  # otherwise it would change to a user who cannot read the folder
    path = folder / "clamd.conf"
    path.write_text("".join(f"{key} {value}\n" for key, value in lines.items()), "utf-8")
    return path


def _await(clamd: Clamd, log: Path) -> None:
    for _ in range(TRIES):
        if Scanner(clamd.address, total=5).ping() is not None:
            return
        try:
            clamd.process.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        break
    pytest.fail(f"clamd did not start: {log.read_text('utf-8', 'replace')}")


@contextmanager
def pretending(
    folder: Path, act: Callable[[socket.socket], None], *, tcp: bool = False
) -> Iterator[str]:
    """Listen where a clamd would, and treat each connection as ``act`` does; yields the address."""
    server = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
    server.bind(("127.0.0.1", 0) if tcp else str(folder / "p"))
    server.listen()

    def serve() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            with line, suppress(OSError):  # the scanner may hang up whenever it wants
                act(line)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"127.0.0.1:{server.getsockname()[1]}" if tcp else str(folder / "p")
    finally:
        server.shutdown(socket.SHUT_RDWR)
        thread.join(20)
        server.close()
        assert not thread.is_alive()


def command(line: socket.socket) -> bytes:
    """Read the command, without its NUL, and nothing of what follows it."""
    read = b""
    while not read.endswith(b"\0"):
        byte = line.recv(1)
        if not byte:
            raise ConnectionError
        read += byte
    return read[:-1]


def frames(line: socket.socket) -> list[bytes]:
    """Read a whole stream: its chunks, without the mark of the end."""
    chunks = []
    with line.makefile("rb") as file:
        while size := int.from_bytes(file.read(4), "big"):
            chunks.append(file.read(size))
    return chunks
