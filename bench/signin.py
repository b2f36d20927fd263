"""What an officer on a known device feels of a flood of wrong sign-ins from unknown ones.

Run with `python -m bench.signin`; takes about two minutes and stops by itself. One instance at
production cost is served on the loopback address. The officer signs in again and again from one
known device; in every second round a process of its own sends wrong sign-ins from several clients
without a device, each as fast as it is answered. Quiet and flooded rounds take turns, so that what
else the machine does weighs on both; the clients of the flood run on the same processors as the
server, which they would not do in life.

Measured is the instance as it is shipped, and one whose budget of wrong tries is out of the way,
so that strangers' keys are stretched without a pause.
"""

from __future__ import annotations

import multiprocessing
import statistics
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bench._instance import Client, in_threads, passphrases, served, temporary_demo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

ROUNDS: Final = 4
"""Pairs of a quiet and a flooded round."""

PER_ROUND: Final = 15
CLIENTS: Final = 8
"""Clients of the flood, each with one try after the other."""

MOST_TRIES: Final = 200_000
MOST_SECONDS: Final = 60
"""A flood ends with its round, and at these bounds in any case."""

WARM_UP: Final = 3
TARGET: Final = 3.0
SERVED, REFUSED = 422, 503
USERNAME: Final = "operator"
UNBOUNDED: Final = {"SUAKA_LIMITS_UNKNOWN_TRIES": "100000"}


@dataclass
class Tries:
    """How many tries of a flood were stretched and found wrong, and how many were turned away."""

    served: int = 0
    refused: int = 0
    seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count(self, status: int) -> int:
        """Count one answer; return how many there were."""
        assert status in {SERVED, REFUSED}, status
        with self.lock:
            self.served += status == SERVED
            self.refused += status == REFUSED
            return self.served + self.refused


def flood(port: int, pipe: Connection) -> None:
    """Send wrong sign-ins until the other end of the pipe says stop; then send the counts."""
    tries, stop = Tries(), threading.Event()
    start = time.monotonic()

    def guess(number: int) -> None:
        client, sent = Client(port), 0
        while not stop.is_set() and time.monotonic() - start < MOST_SECONDS:
            sent += 1
            given = {"handle": USERNAME, "passphrase": f"tebakan rekaan {number} {sent}"}
            if tries.count(client.post("/petugas/masuk", given).status) >= MOST_TRIES:
                break
        client.close()

    def begin() -> None:
        pipe.send("running")
        pipe.recv()
        stop.set()

    threading.Thread(target=begin, daemon=True).start()
    in_threads(CLIENTS, guess)
    pipe.send((tries.served, tries.refused, time.monotonic() - start))


@contextmanager
def flooded(port: int, total: Tries) -> Iterator[None]:
    """Let a flood run beside the block, and add its counts to the total."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=flood, args=(port, there))
    process.start()
    assert here.recv() == "running"
    time.sleep(1)
    try:
        yield
    finally:
        here.send("stop")
        served_, refused, seconds = here.recv()
        process.join()
    total.served += served_
    total.refused += refused
    total.seconds += seconds


def sign_ins(client: Client, passphrase: str) -> list[float]:
    """Sign in several times from the client's device; return the seconds of each."""
    took = []
    for _ in range(PER_ROUND):
        start = time.perf_counter()
        client.sign_in(USERNAME, passphrase)
        took.append(time.perf_counter() - start)
    return took


def measure(folder: Path, title: str, environment: dict[str, str]) -> None:
    """Print both medians, their ratio, and what became of the flood."""
    passphrase = passphrases(folder)[USERNAME]
    quiet: list[float] = []
    busy: list[float] = []
    total = Tries()
    with served(folder, environment) as port:
        client = Client(port)
        for _ in range(WARM_UP):
            client.sign_in(USERNAME, passphrase)
        for _ in range(ROUNDS):
            quiet += sign_ins(client, passphrase)
            with flooded(port, total):
                busy += sign_ins(client, passphrase)
        client.close()
    calm, rush = statistics.median(quiet), statistics.median(busy)
    print(
        f"{title:<22} quiet {calm * 1000:6.0f} ms   flooded {rush * 1000:6.0f} ms"
        f"   ratio of medians {rush / calm:5.2f}   slowest {max(busy) * 1000:6.0f} ms\n"
        f"{'':<22} of {total.served + total.refused} wrong tries in {total.seconds:.0f} s"
        f" {total.served} were served, {total.refused} turned away"
    )


def main() -> None:
    """Make an instance, serve it twice, measure, and leave nothing behind."""
    print(f"sign-in of a known device, {CLIENTS} clients guessing (target {TARGET:.0f})")
    with temporary_demo() as folder:
        measure(folder, "as shipped", {})
        measure(folder, "no budget, lanes only", UNBOUNDED)


if __name__ == "__main__":
    main()
