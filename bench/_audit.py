"""A full audit in a process of its own: how fast it is, and how much memory it takes."""

from __future__ import annotations

import multiprocessing
import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from bench._log import opened
from casework.audit.verify import verify
from casework.log import tree
from casework.log.tables import Leaf

if TYPE_CHECKING:
    from datetime import datetime
    from multiprocessing.connection import Connection

    from casework.store.office import Office
    from tests.casework.office import Bench

MIB: Final = 1024 * 1024


def held(field: str) -> int:
    """Return bytes of memory of this process, by the name of a line of Linux's."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = (line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024


def hashing(office: Office) -> float:
    """Return the seconds that bare SHA-256 takes for the body of every leaf."""
    took = 0.0
    with office.read() as uow:
        query = select(Leaf.body).where(Leaf.body.is_not(None)).execution_options(yield_per=1000)
        for part in uow.session.scalars(query).partitions():
            bodies = [str(body).encode() for body in part]
            start = time.perf_counter()
            for body in bodies:
                sha256(body).digest()
            took += time.perf_counter() - start
    return took


def audit(folder: Path, genesis: str, now: datetime, pipe: Connection) -> None:
    """Audit a log; send seconds, memory, the seconds of bare hashing, and what was found."""
    office = opened(folder, genesis, now)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # VmHWM begins anew
    before = held("VmRSS")
    start = time.perf_counter()
    with office.read() as uow:
        report = verify(uow)
    took = time.perf_counter() - start
    grown = held("VmHWM") - before
    found = "nothing" if report.sound else repr(dict(report.numbers))
    pipe.send((took, grown, hashing(office), found))


def measure_audit(bench: Bench) -> None:
    """Print how fast a log is audited, over bare SHA-256, and how much memory that takes."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(
        target=audit, args=(bench.folder, bench.office.genesis, bench.clock.now, there)
    )
    process.start()
    there.close()
    took, grown, hashed, found = here.recv()
    process.join()
    with bench.office.read() as uow:
        size = tree.size(uow.session)
    print(
        f"  {size:>9,} leaves{size / took:10,.0f} a second{took / hashed:8.0f} x SHA-256"
        f"{grown / MIB:8.1f} MiB more memory   found: {found}"
    )
