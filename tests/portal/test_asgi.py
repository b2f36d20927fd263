"""The server's own tick: it works, and no failure of it ends the server or says too much."""

import logging
import threading
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest

from casework.keys.sessions import Kind
from portal.asgi import tick_until
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
