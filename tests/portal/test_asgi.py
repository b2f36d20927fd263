"""The server's own tick: it works, and no failure of it ends the server or says too much."""

import logging
import threading
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest

from casework.keys.sessions import Kind
from casework.log.asking import Outcome
from casework.log.witnesses import Witness
from casework.tick import Done
from portal.asgi import OUTGROWN, tick_until, told
from tests.casework.cases import copy_of
from tests.casework.conftest import close
from tests.casework.log.panel import Panel, says, stranger, witnessed_by
from tests.casework.office import Bench, bare_office

SOON = 0.01
PATIENCE = 30


@dataclass
class Lines(logging.Handler):
    """Collects lines, and tells when there are enough."""

    wanted: int = 2
    lines: list[str] = field(default_factory=list)
    enough: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter())

    def __hash__(self) -> int:
        return id(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))
        if len(self.lines) >= self.wanted:
            self.enough.set()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bare_office(tmp_path / "office")


def test_the_server_ticks_until_it_is_told_to_stop(bench: Bench) -> None:
    sessions, stop = bench.office.sessions, threading.Event()
    now = int(bench.clock().timestamp())
    sessions.open(Kind.STAFF, "a" * 32, bytes(32), now)
    bench.clock.advance(hours=9)
    thread = threading.Thread(target=tick_until, args=(bench.office, stop, SOON))
    thread.start()
    swept = threading.Event()
    while sessions.of_owner("a" * 32, now) and not swept.wait(SOON):
        assert thread.is_alive()
    stop.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_the_server_ticks_when_it_starts(bench: Bench) -> None:
    """What ran out while it stood still is not left for another five minutes."""
    sessions, stop = bench.office.sessions, threading.Event()
    now = int(bench.clock().timestamp())
    sessions.open(Kind.STAFF, "a" * 32, bytes(32), now)
    bench.clock.advance(hours=9)
    thread = threading.Thread(target=tick_until, args=(bench.office, stop, 10 * PATIENCE))
    thread.start()
    waited = threading.Event()
    for _ in range(int(PATIENCE / SOON)):
        if not sessions.of_owner("a" * 32, now) or waited.wait(SOON):
            break
    stop.set()
    thread.join(PATIENCE)
    assert not sessions.of_owner("a" * 32, now)


def test_a_failed_tick_is_one_line_without_data_and_is_tried_again(bench: Bench) -> None:
    lines, stop = Lines(), threading.Event()
    logger = logging.getLogger("suaka.tick")
    logger.addHandler(lines)

    def broken() -> datetime:
        raise ValueError("kanari")

    office = replace(bench.office, clock=broken)
    thread = threading.Thread(target=tick_until, args=(office, stop, SOON))
    thread.start()
    try:
        assert lines.enough.wait(PATIENCE)
        assert thread.is_alive()
    finally:
        stop.set()
        thread.join(PATIENCE)
        logger.removeHandler(lines)
    for line in lines.lines:
        assert line.startswith("tick failed: ")
        assert "\n" not in line
        assert "kanari" not in line
        assert str(bench.folder) not in line


def test_what_witnesses_refuse_is_told_in_words_of_its_own() -> None:
    """An outage shows in who is silent; a refusal is named, and the proof of a fork loudest."""
    asked = {f"{came.value}.example": came for came in Outcome}
    lines = list(told(Done(0, 0, 0, 0, 0, 0, outgrown=True, asked=asked)))
    assert lines[0] == OUTGROWN
    of = {name: line for name in asked for line in lines if f"witness {name} " in line}
    assert set(of) == {"forked.example", "unknown.example", "strange.example"}
    assert len(lines) == 4
    assert (
        "a log that this one does not continue: was an older copy put back?"
        in (of["forked.example"])
    )
    assert "suaka audit verify" in of["forked.example"]
    assert "does not know this log" in of["unknown.example"]
    assert list(told(Done(0, 0, 0, 0, 0, 0))) == []


def test_the_servers_log_names_a_witness_that_signed_another_log(
    founded: Bench, tmp_path: Path
) -> None:
    copy = copy_of(founded, tmp_path / "copy")
    lines, stop = Lines(), threading.Event()
    logger = logging.getLogger("suaka.tick")
    panel = Panel({"https://saksi.example": says(422, b"")})
    known = Witness(stranger("saksi.example").key, "https://saksi.example")
    office = witnessed_by(copy, panel, known)
    logger.addHandler(lines)
    thread = threading.Thread(target=tick_until, args=(office, stop, SOON))
    thread.start()
    try:
        assert lines.enough.wait(PATIENCE)
    finally:
        stop.set()
        thread.join(PATIENCE)
        logger.removeHandler(lines)
        close(copy)
    for line in lines.lines:
        assert line.startswith("log: the witness saksi.example has signed a log that this one")
