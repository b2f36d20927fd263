"""What a report costs beyond stretching its key, and whether fifty at once are fifty cases.

Run with `python -m bench.submit`; takes about a minute. A submission is one
`POST /formulir/kirim` with its whole answer, against a server process of its own; the key
derivation alone runs in threads of this process, as many as there are clients. Both are measured
in turns: a ratio is that of two neighbours, so that what else the machine does weighs on both.
"""

from __future__ import annotations

import secrets
import statistics
import time
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

from pysqlite3 import dbapi2

from bench._instance import Client, in_threads, served, temporary_demo
from casework.intake.token import new_token
from crypto import kdf
from portal import wiring

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROUNDS = 5
CLIENTS = (1, 4, 8)
PER_ROUND = 48
AT_ONCE = 50
TARGET = 1.5
REPORT = {
    "position": "asn",
    "narrative": "Rekaan untuk pengukuran. " * 80,
    "where": "Kantor contoh",
    "when_state": "sudah",
}


def submit(client: Client) -> str:
    """Send one new report and return the answer, which is its receipt."""
    token = urlsafe_b64encode(new_token()).rstrip(b"=").decode()
    answer = client.post("/formulir/kirim", {**REPORT, "token": token})
    assert answer.status == 200, answer.status
    return answer.body


def stretch() -> None:
    """Derive one secret key as a submission does."""
    kdf.stretch(secrets.token_bytes(10), secrets.token_bytes(kdf.SALT_SIZE), kdf.SECRET_KEY)


def seconds_each(count: int, work: Callable[[int], object]) -> float:
    """Return wall time by piece of work, when `count` threads share `PER_ROUND` pieces."""
    share = PER_ROUND // count

    def several(number: int) -> None:
        for _ in range(share):
            work(number)

    start = time.perf_counter()
    in_threads(count, several)
    return (time.perf_counter() - start) / (share * count)


def measure(port: int, count: int) -> None:
    """Print a submission over the derivation alone, with `count` clients at a time."""
    ratios, submissions, derivations = [], [], []
    clients = [Client(port) for _ in range(count)]
    for _ in range(ROUNDS):
        derivations.append(seconds_each(count, lambda _: stretch()))
        submissions.append(seconds_each(count, lambda number: submit(clients[number])))
        ratios.append(submissions[-1] / derivations[-1])
    for client in clients:
        client.close()
    fastest = min(submissions) / min(derivations)
    print(
        f"{count:2} at a time   submission {statistics.median(submissions) * 1000:6.1f} ms"
        f"   kdf {statistics.median(derivations) * 1000:6.1f} ms"
        f"   ratio {statistics.median(ratios):5.2f}   of the fastest rounds {fastest:5.2f}"
    )


def cases_in(folder: Path) -> int:
    """Count the cases of an instance."""
    connection = dbapi2.connect(f"file:{wiring.Paths(folder).database}?mode=ro", uri=True)
    try:
        return int(connection.execute('SELECT count(*) FROM "case"').fetchone()[0])
    finally:
        connection.close()


def measure_crowd(folder: Path, port: int) -> None:
    """Send fifty reports at the same moment and count the cases."""
    before = cases_in(folder)
    clients = [Client(port) for _ in range(AT_ONCE)]
    receipts: list[str] = []
    start = time.perf_counter()
    in_threads(AT_ONCE, lambda number: receipts.append(submit(clients[number])))
    took = time.perf_counter() - start
    for client in clients:
        client.close()
    made = cases_in(folder) - before
    print(f"{AT_ONCE} at once: {len(receipts)} receipts, {made} new cases, in {took:.2f} s")


def main() -> None:
    """Make an instance, serve it, measure, and leave nothing behind."""
    with temporary_demo() as folder, served(folder) as port:
        first = Client(port)
        for _ in range(PER_ROUND):
            submit(first)
        first.close()
        print(f"time of a submission over {kdf.SECRET_KEY.id} alone (target {TARGET})")
        for count in CLIENTS:
            measure(port, count)
        measure_crowd(folder, port)


if __name__ == "__main__":
    main()
