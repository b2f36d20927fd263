"""How fast a file goes in and comes out, sealed on the way, and how much memory that takes.

Run with `python -m bench.evidence`; takes a minute or two, and 2 GiB of disk. One file of 1 GiB
goes through a running server by the plain form and is taken out again; the same bytes are sealed
by bare ChaCha20-Poly1305 in this process, and read and dropped by the same kind of server. Each
round measures all of them one after the other; a ratio is that of neighbours.
"""

from __future__ import annotations

import re
import secrets
import statistics
import sys
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from bench._instance import Client, in_threads, passphrases, served, temporary_demo
from portal.cli import demo
from tests.e2e.server import Server, group_members

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1024 * 1024
SIZE = 1024 * MIB
ROUNDS = 3
AT_ONCE = 8
CHUNK = 64 * 1024
TARGET = 0.35
MEMORY_TARGET = 32 * MIB
BLOCK = secrets.token_bytes(MIB)
"""Repeated: what is in a file makes no difference to a cipher."""

NO_LIMITS = {
    "SUAKA_EVIDENCE_FILE_MIB": "2048",
    "SUAKA_EVIDENCE_CASE_MIB": "65536",
    "SUAKA_EVIDENCE_CASE_FILES": "1000",
}
DISCARD = (
    str(Path(sys.executable).parent / "granian"), "bench._discard:application",
    "--interface", "asgi", "--host", "127.0.0.1", "--port", "{port}",
    "--no-access-log", "--no-ws",
)  # fmt: skip
BOUNDARY = "bench7MA4YWxkTrZu0gW"


@dataclass(frozen=True)
class Session:
    """A signed-in browser: its port, its cookie, and the tokens of its forms."""

    port: int
    cookie: str


def cipher() -> float:
    """Return the seconds that the bare cipher takes for SIZE bytes, in chunks of 64 KiB."""
    aead, data, room = ChaCha20Poly1305(bytes(32)), BLOCK[:CHUNK], bytearray(CHUNK + 16)
    start = time.perf_counter()
    for number in range(SIZE // CHUNK):
        aead.encrypt_into(number.to_bytes(12, "big"), data, None, room)
    return time.perf_counter() - start


def send(port: int, path: str, head: bytes, size: int, headers: dict[str, str]) -> int:
    """Send `head`, `size` bytes and the end of a form; return the status."""
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()
    connection = HTTPConnection("127.0.0.1", port, timeout=600, blocksize=MIB)
    connection.putrequest("POST", path)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.putheader("content-type", f"multipart/form-data; boundary={BOUNDARY}")
    connection.putheader("content-length", str(len(head) + size + len(tail)))
    connection.endheaders(head)
    for _ in range(size // MIB):
        connection.send(BLOCK)
    connection.send(BLOCK[: size % MIB] + tail)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


def upload(session: Session, name: str, size: int, path: str) -> float:
    """Send one file by the plain form; return the seconds."""
    page = fetch(session, path)[1].decode()
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
    at = page.index("multipart/form-data")
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page[at:]))
    assert fields
    head = "".join(
        f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in hidden.items()
    )
    head += (
        f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="files"; filename="{name}"\r\n'
        "content-type: application/octet-stream\r\n\r\n"
    )
    start = time.perf_counter()
    status = send(session.port, path, head.encode(), size, {"cookie": session.cookie})
    assert status == 303, status
    return time.perf_counter() - start


def fetch(session: Session, path: str) -> tuple[int, bytes]:
    """Return status and body of a page."""
    connection = HTTPConnection("127.0.0.1", session.port, timeout=600)
    connection.request("GET", path, headers={"cookie": session.cookie})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


def download(session: Session, path: str) -> float:
    """Take a file out, and drop it; return the seconds."""
    connection = HTTPConnection("127.0.0.1", session.port, timeout=600)
    start = time.perf_counter()
    connection.request("GET", path, headers={"cookie": session.cookie})
    response = connection.getresponse()
    assert response.status == 200, response.status
    size = 0
    while piece := response.read(MIB):
        size += len(piece)
    assert size == SIZE, size
    connection.close()
    return time.perf_counter() - start


def memory(server_port: int, what: Callable[[], object]) -> int:
    """Return by how much the server's resident memory rose at most while `what` ran, in bytes."""
    processes = _servers(server_port)
    for one in processes:
        Path(f"/proc/{one}/clear_refs").write_text("5", encoding="ascii")
    before = {one: _status(one, "VmRSS") for one in processes}
    what()
    return sum(max(0, _status(one, "VmHWM") - before[one]) for one in processes)


def _status(process: int, name: str) -> int:
    text = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    found = re.search(rf"{name}:\s+(\d+) kB", text)
    assert found is not None
    return int(found[1]) * 1024


def _servers(port: int) -> list[int]:
    """Return the processes of the server that listens on a port, by its command line."""
    marks = (b"--port", str(port).encode())
    leaders = [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and all(mark in _command(entry) for mark in marks)
    ]
    return [member for leader in leaders for member in group_members(leader)]


def _command(entry: Path) -> list[bytes]:
    try:
        return (entry / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def reporter(port: int, folder: Path) -> Session:
    """Sign the first reporter of the demo in."""
    notes = (folder / demo.NOTES).read_text(encoding="utf-8")
    found = re.search(r"(WBS-\w{8})\s+((?:[a-z]+ ){7}[a-z]+)", notes)
    assert found is not None
    answer = Client(port).post("/masuk", {"ticket": found[1], "words": found[2]})
    assert answer.status == 303, answer.status
    return Session(port, _cookie(answer.cookies))


def officer(port: int, folder: Path) -> Session:
    """Sign the operator in."""
    given = {"handle": "operator", "passphrase": passphrases(folder)["operator"]}
    answer = Client(port).post("/petugas/masuk", given)
    assert answer.status == 303, answer.status
    return Session(port, _cookie(answer.cookies))


def _cookie(cookies: object) -> str:
    return "; ".join(f"{name}={value}" for name, value in dict(cookies).items())  # type: ignore[call-overload]


def original_of(desk: Session, ticket_page: Session) -> str:
    """Return the address of the newest file's original, after giving a reason."""
    inbox = fetch(desk, "/petugas")[1].decode()
    for case in re.findall(r'href="(/petugas/berkas/[0-9a-f]{32})"', inbox):
        files = fetch(desk, f"{case}/bukti")[1].decode()
        found = re.findall(rf'href="({case}/bukti/[0-9a-f]{{32}})"', files)
        if found:
            page = fetch(desk, found[-1])[1].decode()
            part = page[page.index(f'action="{found[-1]}/asli"') :]
            hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', part))
            client = Client(desk.port)
            pairs = (pair.partition("=") for pair in desk.cookie.split("; "))
            client._cookies.update({name: value for name, _, value in pairs})  # noqa: SLF001 - the same browser
            answer = client.post(f"{found[-1]}/asli", {**hidden, "reason": "Pengukuran"})
            assert answer.status == 303, answer.status
            return f"{found[-1]}/asli"
    raise AssertionError(ticket_page)


def main() -> None:
    """Print every ratio, and the growth of memory."""
    sealed, discarded, bare, opened = [], [], [], []
    with temporary_demo() as folder, served(folder, NO_LIMITS) as port:
        box, desk = reporter(port, folder), officer(port, folder)
        page = "/ruang/berkas"
        upload(box, "pemanasan.bin", 64 * MIB, page)
        path = ""
        log = folder.parent / "discard.log"
        with Server(folder, log, DISCARD) as other:
            head = b"x" * 500
            send(other.port, "/", head, 64 * MIB, {})
            for number in range(ROUNDS):
                bare.append(cipher())
                sealed.append(upload(box, f"putaran-{number}.bin", SIZE, page))
                start = time.perf_counter()
                send(other.port, "/", head, SIZE, {})
                discarded.append(time.perf_counter() - start)
                path = path or original_of(desk, box)
                opened.append(download(desk, path.replace("/asli", "/asli")))
        _print("in", sealed, bare, discarded)
        _print("out", opened, bare, discarded)
        grown = memory(port, lambda: upload(box, "ingatan.bin", SIZE, page))
        print(f"memory in   {grown / MIB:6.1f} MiB more at most (target {MEMORY_TARGET // MIB})")
        grown = memory(port, lambda: download(desk, path))
        print(f"memory out  {grown / MIB:6.1f} MiB more at most (target {MEMORY_TARGET // MIB})")
        share = SIZE // AT_ONCE

        def one_of_several(number: int) -> None:
            upload(box, f"serentak-{number}.bin", share, page)

        def several() -> None:
            in_threads(AT_ONCE, one_of_several)

        start = time.perf_counter()
        grown = memory(port, several)
        spent = time.perf_counter() - start
        print(
            f"{AT_ONCE} at once   {SIZE / MIB / spent:6.0f} MiB/s together"
            f"   {statistics.median(bare) / spent:.2f} of the bare cipher"
            f"   {statistics.median(sealed) / spent:.2f} of one alone"
            f"   memory {grown / MIB:.1f} MiB more"
        )


def _print(name: str, measured: list[float], bare: list[float], discarded: list[float]) -> None:
    to_cipher = statistics.median(b / m for b, m in zip(bare, measured, strict=True))
    to_discard = statistics.median(d / m for d, m in zip(discarded, measured, strict=True))
    print(
        f"{name:<4} {SIZE / MIB / statistics.median(measured):6.0f} MiB/s"
        f"   bare cipher {SIZE / MIB / statistics.median(bare):6.0f} MiB/s"
        f"   read and dropped {SIZE / MIB / statistics.median(discarded):6.0f} MiB/s"
        f"   of the cipher {to_cipher:.2f} (target {TARGET})   of dropping {to_discard:.2f}"
    )


if __name__ == "__main__":
    main()
