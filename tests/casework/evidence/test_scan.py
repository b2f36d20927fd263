"""casework.evidence.scan: only a whole answer to a whole file is clean, and clamd never raises."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

import pytest

from casework.evidence import scan
from casework.evidence.scan import CHUNK, Outcome, Scanner, Verdict
from tests.casework.evidence import clamd
from tests.casework.evidence.clamd import FILE_MAX, NAME, NEEDLE, Clamd

CLEAN = Verdict(Outcome.CLEAN)
FOUND = Verdict(Outcome.FOUND, NAME)
TOO_LARGE = Verdict(Outcome.TOO_LARGE)
UNAVAILABLE = Verdict(Outcome.UNAVAILABLE)
SOON = 0.2
"""Seconds for a daemon that will not answer."""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clamd]:
    with clamd.running(tmp_path_factory.mktemp("clamd")) as running:
        yield running


@pytest.fixture(scope="module")
def scanner(daemon: Clamd) -> Scanner:
    return Scanner(daemon.address)


# What a real clamd says.


@pytest.mark.parametrize("pieces", [[], [b""], [b"Surat biasa."], [b"Surat", b"", b" biasa."]])
def test_a_harmless_file_is_clean(scanner: Scanner, pieces: list[bytes]) -> None:
    assert scanner.scan(pieces) == CLEAN


@pytest.mark.parametrize(
    "pieces",
    [
        [NEEDLE],
        [b"Surat ", NEEDLE[:9], NEEDLE[9:] + b" biasa."],
        [b"Surat ", b"", NEEDLE],
        [NEEDLE[index : index + 1] for index in range(len(NEEDLE))],
        [b"." * (CHUNK - 9) + NEEDLE + b"."],
    ],
    ids=["whole", "in two pieces", "after an empty piece", "byte by byte", "over our own cut"],
)
def test_what_a_signature_knows_is_found_however_it_is_cut(
    scanner: Scanner, pieces: list[bytes]
) -> None:
    assert scanner.scan(pieces) == FOUND


def test_a_file_beyond_the_stream_limit_is_too_large_and_not_read_on(scanner: Scanner) -> None:
    """clamd answers and closes in the middle of a stream that would never end."""
    assert scanner.scan(repeat(b"." * 100_000)) == TOO_LARGE


def test_a_file_that_clamd_takes_and_does_not_look_at_is_too_large(scanner: Scanner) -> None:
    """Between MaxFileSize and StreamMaxLength nothing is looked at: that is no clean file."""
    assert scanner.scan([b"." * (FILE_MAX + 1), NEEDLE]) == TOO_LARGE


def test_threads_share_a_scanner(scanner: Scanner) -> None:
    contents = [[NEEDLE], [b"Surat biasa."]] * 8
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(scanner.scan, contents)) == [FOUND, CLEAN] * 8


def test_a_daemon_that_dies_is_unavailable(tmp_path: Path) -> None:
    """In the middle of a file, and afterwards, when its socket still lies there."""
    with clamd.running(tmp_path) as dying:
        scanner = Scanner(dying.address)
        assert scanner.scan([b"Surat biasa."]) == CLEAN

        def pieces() -> Iterator[bytes]:
            yield b"Surat "
            dying.kill()
            yield b"biasa."

        assert scanner.scan(pieces()) == UNAVAILABLE
        assert Path(dying.address).is_socket()
        assert scanner.scan([b"Surat biasa."]) == UNAVAILABLE
        assert scanner.ping() is None


def test_ping_tells_the_version(scanner: Scanner, tmp_path: Path) -> None:
    assert str(scanner.ping()).startswith("ClamAV ")
    assert Scanner(str(tmp_path / "none")).ping() is None


def test_no_socket_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert Scanner(str(tmp_path / "none")).scan([b"a"]) == UNAVAILABLE
    assert Scanner(str(tmp_path / "file")).scan([b"a"]) == UNAVAILABLE


# What something else says at that place.


@pytest.mark.parametrize("tcp", [False, True], ids=["unix", "tcp"])
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0",
        b"stream: OK",
        b"stream: OK\n",
        b"stream: OK\n\0",
        b"stream: \0",
        b"stream: FOUND\0",
        b"stream: Contoh FOUND",
        b"stream: Can't allocate memory ERROR\0",
        b"UNKNOWN COMMAND\0",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\xff\xfe\0",
        b"a" * 100_000 + b"\0",
    ],
)
def test_an_answer_that_is_no_verdict_is_unavailable(
    tmp_path: Path, answer: bytes, *, tcp: bool
) -> None:
    """A half answer above all: what came of it reads like "clean"."""

    def act(line: socket.socket) -> None:
        clamd.command(line)
        clamd.frames(line)
        line.sendall(answer)

    with clamd.pretending(tmp_path, act, tcp=tcp) as address:
        assert Scanner(address).scan([b"Surat biasa."]) == UNAVAILABLE


def test_clean_before_the_end_of_the_file_is_unavailable(tmp_path: Path) -> None:
    """Who answers early has not seen the file; and nothing more of it is taken."""
    answered, taken = threading.Event(), []

    def act(line: socket.socket) -> None:
        clamd.command(line)
        line.sendall(b"stream: OK\0")
        answered.set()
        while line.recv(CHUNK):
            pass

    def pieces() -> Iterator[bytes]:
        assert answered.wait(20)
        for number in range(5):
            taken.append(number)
            yield b"a"

    with clamd.pretending(tmp_path, act) as address:
        assert Scanner(address).scan(pieces()) == UNAVAILABLE
    assert taken == [0]


@pytest.mark.parametrize("tcp", [False, True], ids=["unix", "tcp"])
def test_an_answer_is_read_though_the_line_is_closed_behind_it(
    tmp_path: Path, *, tcp: bool
) -> None:
    """The refusal of a large file comes while we are still writing into a closed line."""

    def act(line: socket.socket) -> None:
        clamd.command(line)
        line.recv(100_000)
        line.sendall(b"INSTREAM size limit exceeded. ERROR\0")

    with clamd.pretending(tmp_path, act, tcp=tcp) as address:
        assert Scanner(address).scan(repeat(b"." * CHUNK)) == TOO_LARGE


def test_a_line_that_is_closed_at_once_is_unavailable(tmp_path: Path) -> None:
    with clamd.pretending(tmp_path, lambda _line: None) as address:
        assert Scanner(address).scan(repeat(b"." * CHUNK)) == UNAVAILABLE
        assert Scanner(address).ping() is None


def test_a_daemon_that_never_answers_is_unavailable_in_time(tmp_path: Path) -> None:
    def act(line: socket.socket) -> None:
        clamd.command(line)
        clamd.frames(line)
        line.recv(1)  # until the scanner hangs up

    with clamd.pretending(tmp_path, act) as address:
        assert Scanner(address, total=SOON).scan([b"a"]) == UNAVAILABLE


def test_a_daemon_that_reads_nothing_is_unavailable_in_time(tmp_path: Path) -> None:
    """Nobody takes the connection from the queue, and the buffers fill up."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "p"))
        server.listen()
        scanner = Scanner(str(tmp_path / "p"), connect=SOON, total=SOON)
        assert scanner.scan(repeat(b"." * CHUNK)) == UNAVAILABLE
        assert scanner.ping() is None


def test_a_daemon_that_answers_drop_by_drop_is_unavailable_in_time(tmp_path: Path) -> None:
    """The time is for everything together, not for each byte."""
    over, sent = threading.Event(), []

    def act(line: socket.socket) -> None:
        clamd.command(line)
        clamd.frames(line)
        for _ in range(500):
            line.sendall(b"a")
            sent.append(1)
            over.wait(SOON / 10)

    with clamd.pretending(tmp_path, act) as address:
        try:
            assert Scanner(address, total=SOON).scan([b"a"]) == UNAVAILABLE
        finally:
            over.set()
    assert len(sent) < 500


def test_an_answer_without_end_is_not_kept(tmp_path: Path) -> None:
    """Memory is bounded, whatever comes."""
    sent = []

    def act(line: socket.socket) -> None:
        clamd.command(line)
        clamd.frames(line)
        for _ in range(128):
            line.sendall(b"a" * 65536)
            sent.append(65536)

    with clamd.pretending(tmp_path, act) as address:
        assert Scanner(address).scan([b"a"]) == UNAVAILABLE
    assert sum(sent) < 4 * 1024 * 1024


def test_a_signature_s_name_is_printable_and_short(tmp_path: Path) -> None:
    """It is shown on a page and, one day, in a terminal."""
    answers = iter([b"Win.\x1b[31m\xff\r\n<b>X-1", b"A" * 300, b"\xff"])

    def act(line: socket.socket) -> None:
        clamd.command(line)
        clamd.frames(line)
        line.sendall(b"stream: " + next(answers) + b" FOUND\0")

    with clamd.pretending(tmp_path, act) as address:
        scanner = Scanner(address)
        assert scanner.scan([b"a"]) == Verdict(Outcome.FOUND, "Win.[31m<b>X-1")
        assert scanner.scan([b"a"]) == Verdict(Outcome.FOUND, "A" * 100)
        assert scanner.scan([b"a"]) == Verdict(Outcome.FOUND, "")


# What we send.


def test_the_file_arrives_whole_in_chunks_of_bounded_size(tmp_path: Path) -> None:
    """Also with pieces that are empty (a length of zero would end it) or larger than a chunk."""
    pieces = [b"", b"a", b"b" * (2 * CHUNK + 1), b"", b"c" * CHUNK, b""]
    seen: list[tuple[bytes, list[bytes]]] = []

    def act(line: socket.socket) -> None:
        seen.append((clamd.command(line), clamd.frames(line)))
        line.sendall(b"stream: OK\0")

    with clamd.pretending(tmp_path, act) as address:
        assert Scanner(address).scan(pieces) == CLEAN
    ((command, chunks),) = seen
    assert command == b"zINSTREAM"
    assert b"".join(chunks) == b"".join(pieces)
    assert max(map(len, chunks)) == CHUNK


def test_what_goes_wrong_with_the_file_is_not_taken_for_a_missing_scanner(
    scanner: Scanner,
) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"a"
        raise OSError("the disk")

    with pytest.raises(OSError, match="the disk"):
        scanner.scan(pieces())


@pytest.mark.parametrize(
    "address",
    [
        "/run/clamav/clamd.ctl",
        "/" + "a" * 106,
        "127.0.0.1:3310",
        "[::1]:65535",
    ],
)
def test_places_on_this_machine_are_taken(address: str) -> None:
    assert scan.is_address(address)
    Scanner(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "clamd.ctl",
        "run/clamav/clamd.ctl",
        "/" + "a" * 107,
        "/" + "é" * 54,
        "/run/\0clamd",
        "/run/clamd\n",
        "/run/\ud800",
        "localhost:3310",
        "10.0.0.1:3310",
        "0.0.0.0:3310",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:٣٣١٠",
        "127.0.0.1:3310\n",
        "127.0.0.1.contoh.test:3310",
        "[::]:3310",
        "[fe80::1]:3310",
        "::1:3310",
        "unix:/run/clamav/clamd.ctl",
    ],
)
def test_any_other_place_is_refused(address: str) -> None:
    """What a reporter sends is not carried over a network."""
    assert not scan.is_address(address)
    with pytest.raises(ValueError):
        Scanner(address)
