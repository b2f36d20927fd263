"""What the log costs as it grows: appending, proofs, receipts, and a full audit.

Run with `python -m bench.log`; a million leaves take about ten minutes and 1.5 GB of disk, and
are removed at the end. `BENCH_LEAVES=100000` measures a smaller log. How the log is made, and what
is in it, :mod:`bench._log` says.

- **Append**: a log of a thousand leaves and the large one take turns; each time one officer's
  signed leaf in a writing transaction of its own, on a SQLite file that syncs at every commit.
- **Share of a submission**: the whole use case with key stretching at production cost, on the
  large log; inside it, the calls that the log needs are timed where they stand. What is left out
  is what a leaf and a memory add to the two commits, which sync with or without them.
- **Proofs**: of random leaves and sizes, the two logs in turns. A receipt is made of a submission
  in the large log, and held against one bare Ed25519 verification.
- **Audit**: in a process of its own, of a tenth of the leaves and of all. Memory is the most that
  the process ever held (VmHWM) above what it held before; SHA-256 hashes every leaf's body in the
  same process, right after.
"""

from __future__ import annotations

import os
import secrets
import statistics
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from bench._audit import measure_audit
from bench._log import LOOKING, Log
from casework.case import custody
from casework.case.past import SUBMIT
from casework.intake import submit, watch
from casework.keys import memory
from casework.log import checkpoints, keys, proof, tree
from casework.log.leaf import Draft, append
from casework.log.tables import Leaf
from casework.store import keystore
from crypto import kdf
from tests.casework.cases import report_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from casework.store.office import Office
    from tests.casework.office import Bench

SMALL: Final = 1_000
LARGE: Final = int(os.environ.get("BENCH_LEAVES", "1000000"))
ROUNDS: Final = 9
REPEAT: Final = 20
SUBMISSIONS: Final = 25
APPEND_TARGET: Final = 1.5
SHARE_TARGET: Final = 0.05
MIB: Final = 1024 * 1024

PARTS: Final = {
    "its leaf": (submit, "append"),
    "what the reporter has seen": (watch, "first_memory"),
    "that, sealed": (memory, "sealed"),
    "that, kept": (keystore, "put_memory"),
}
"""The calls of a submission that there would be no need for without a log."""


@dataclass(frozen=True)
class Stand:
    """A log to measure on, and the ids of its cases."""

    bench: Bench
    cases: tuple[str, ...]

    @property
    def office(self) -> Office:
        """Its office."""
        return self.bench.office

    def append(self, turn: int) -> tuple[float, float]:
        """Append one look; return the seconds of the append, and of its whole transaction."""
        actor = self.bench[LOOKING[turn % len(LOOKING)]]
        nothing_moved = {"items": 0, "granted": [], "revoked": []}
        case_id = self.cases[turn % len(self.cases)]
        draft = Draft(custody.OPENED, actor.person_id, case_id, facts=nothing_moved)
        start = time.perf_counter()
        with self.office.write() as uow:
            before = time.perf_counter()
            append(uow, draft, actor.person.signing)
            took = time.perf_counter() - before
        return took, time.perf_counter() - start


def once(work: Callable[[], object]) -> float:
    """Return the time of one call in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def told(name: str, pairs: list[tuple[float, float]], note: str = "") -> None:
    """Print the medians of two things that were measured in turns, and that of their ratios."""
    small, large = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
    ratio = statistics.median(pair[1] / pair[0] for pair in pairs)
    print(f"  {name:<32}{small * 1000:8.3f} ms{large * 1000:9.3f} ms   ratio {ratio:5.2f}{note}")


def measure_append(small: Stand, large: Stand) -> None:
    """Print what a leaf costs in the large log, over what it costs in the small one."""
    print(f"append, in turns (target {APPEND_TARGET})")
    inner: list[tuple[float, float]] = []
    whole: list[tuple[float, float]] = []
    for turn in range(ROUNDS + 1):
        took = [(small.append(REPEAT * turn + n), large.append(REPEAT * turn + n))
                for n in range(REPEAT)]  # fmt: skip
        if turn:  # the first round warms up
            for found, place in ((inner, 0), (whole, 1)):
                found.append((
                    statistics.median(one[0][place] for one in took),
                    statistics.median(one[1][place] for one in took),
                ))  # fmt: skip
    told("append alone", inner)
    told("its transaction, synced", whole)


@contextmanager
def timed(owner: Any, name: str, spent: list[float]) -> Iterator[None]:
    """Add up the seconds of every call of a function, for as long as the block runs."""
    called = getattr(owner, name)

    def measured(*given: Any, **named: Any) -> Any:
        start = time.perf_counter()
        try:
            return called(*given, **named)
        finally:
            spent[-1] += time.perf_counter() - start

    setattr(owner, name, measured)
    try:
        yield
    finally:
        setattr(owner, name, called)


def measure_share(stand: Stand) -> None:
    """Print which share of a submission the log takes."""
    office = replace(stand.office, secret_key_kdf=kdf.SECRET_KEY)
    said = report_of(office, "Rekaan untuk pengukuran. " * 80)
    spent: dict[str, list[float]] = {name: [] for name in PARTS}
    whole = []
    with ExitStack() as patches:
        for name, (owner, function) in PARTS.items():
            patches.enter_context(timed(owner, function, spent[name]))
        for _ in range(SUBMISSIONS):
            for one in spent.values():
                one.append(0.0)
            whole.append(once(lambda: submit.submit(office, submit.new_token(), said)))
    median = statistics.median(whole)
    print(f"share of a submission of {median * 1000:.1f} ms (target {SHARE_TARGET:.0%})")
    for name, parts in spent.items():
        share = statistics.median(a / b for a, b in zip(parts, whole, strict=True))
        print(f"  {name:<32}{statistics.median(parts) * 1000:8.3f} ms{share:9.1%}")
    together = [sum(parts) for parts in zip(*spent.values(), strict=True)]
    share = statistics.median(a / b for a, b in zip(together, whole, strict=True))
    fastest = min(together) / min(whole)
    print(
        f"  {'all of the log':<32}{statistics.median(together) * 1000:8.3f} ms{share:9.1%}"
        f"   of the fastest {fastest:.1%}"
    )


def measure_proofs(small: Stand, large: Stand) -> None:
    """Print what proofs cost in both logs, and how long they are in the large one."""
    print("proofs, in turns")
    with small.office.read() as one, large.office.read() as other:
        for name, prove in (
            ("inclusion", tree.prove_inclusion),
            ("consistency", tree.prove_consistency),
        ):
            pairs, longest = [], 0
            for _ in range(ROUNDS * REPEAT):
                took = []
                for uow in (one, other):
                    size = tree.size(uow.session)
                    place = secrets.randbelow(size - 1) + 1
                    start = time.perf_counter()
                    path = prove(uow.session, place, size)
                    took.append(time.perf_counter() - start)
                    longest = max(longest, sum(map(len, path)))
                pairs.append((took[0], took[1]))
            told(name, pairs, f"   at most {longest} bytes")


def measure_receipt(stand: Stand) -> None:
    """Print how long a receipt is, and its verification over one bare signature's."""
    with stand.office.read() as uow:
        query = select(Leaf).where(Leaf.event == SUBMIT).order_by(Leaf.number)
        row = uow.session.scalars(query.limit(1)).one()
        trusted = keys.load(uow).all
        size = tree.size(uow.session)
        path = tree.prove_inclusion(uow.session, row.number, size)
        text = proof.make(str(row.body).encode(), row.number, path, checkpoints.sign_now(uow))
    private, message = Ed25519PrivateKey.generate(), secrets.token_bytes(128)
    signature, public = private.sign(message), private.public_key()
    pairs = [
        (once(lambda: public.verify(signature, message)), once(lambda: proof.read(text, trusted)))
        for _ in range(ROUNDS * REPEAT)
    ]
    told("receipt over bare Ed25519", pairs, f"   {len(text.encode())} bytes")


def main() -> None:
    """Make a log in a temporary folder, measure at three sizes, and leave nothing behind."""
    with tempfile.TemporaryDirectory(prefix="suaka-bench-") as place:
        folder = Path(place)
        start = time.perf_counter()
        log = Log(folder / "large")
        stands: list[Stand] = []
        for size in (SMALL, LARGE // 10, LARGE):
            log.grow(size)
            name = f"copy {len(stands)}"
            bench = log.bench if size == LARGE else log.copy(folder / name)
            stands.append(Stand(bench, tuple(chain.case_id for chain in log.chains)))
        small, tenth, large = stands
        disk = (large.bench.folder / "suaka.db").stat().st_size
        print(
            f"a log of {LARGE:,} leaves and one of {SMALL:,}; made in"
            f" {time.perf_counter() - start:.0f} s, {disk / MIB:,.0f} MiB"
        )
        measure_append(small, large)
        measure_share(large)
        measure_proofs(small, large)
        measure_receipt(large)
        print("audit")
        for stand in (tenth, large):
            measure_audit(stand.bench)


if __name__ == "__main__":
    main()
