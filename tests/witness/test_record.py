"""What is kept: evidence, one tree of each size, and nothing half, whatever happens beside it."""

import os
import signal
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from crypto.checkpoint import Checkpoint
from crypto.witness_request import AddCheckpoint
from tests.casework.intake.test_kill import in_another_process
from tests.witness.logs import NOW, ORIGIN, Log, conflicts, newest_size
from witness import disk, refusals
from witness.keeper import Keeper
from witness.record import Conflict, LogRecord


class TestEvidence:
    def test_two_trees_of_one_size_are_a_fork_and_kept(
        self, keeper: Keeper, log: Log, fork: Log
    ) -> None:
        keeper.add(log.request(0, 400), NOW)
        for _ in range(2):
            with pytest.raises(refusals.Forked):
                keeper.add(fork.request(400, 400), NOW)
        assert conflicts(keeper, Conflict.FORK) == [fork.signed(400)]
        kept = keeper.latest(ORIGIN)
        assert kept is not None
        assert kept.checkpoint.root == log.root(400)

    @pytest.mark.parametrize("old", [0, 400, 500, 600])
    def test_a_fork_of_an_older_size_is_kept_whatever_the_request_begins_at(
        self, keeper: Keeper, log: Log, fork: Log, old: int
    ) -> None:
        keeper.add(log.request(0, 400), NOW)
        keeper.add(log.request(400, 500), NOW)
        with pytest.raises(refusals.WitnessError):
            keeper.add(AddCheckpoint(old, (), fork.signed(400)), NOW)
        assert conflicts(keeper, Conflict.FORK) == [fork.signed(400)]

    def test_a_rewritten_log_is_not_cosigned_and_kept(
        self, keeper: Keeper, log: Log, fork: Log
    ) -> None:
        keeper.add(log.request(0, 400), NOW)
        with pytest.raises(refusals.ProofWrong):
            keeper.add(fork.request(400, 500), NOW)
        assert conflicts(keeper, Conflict.UNPROVEN) == [fork.signed(500)]
        assert newest_size(keeper) == 400

    def test_the_rewriting_begins_after_what_was_cosigned(
        self, keeper: Keeper, log: Log, fork: Log
    ) -> None:
        """Up to leaf 300 both stories are one: a witness that saw no more cannot tell them."""
        keeper.add(log.request(0, 300), NOW)
        assert keeper.add(fork.request(300, 500), NOW)

    @pytest.mark.parametrize("change", ["short", "long", "none", "bit", "order"])
    def test_every_wrong_proof(self, keeper: Keeper, log: Log, change: str) -> None:
        keeper.add(log.request(0, 300), NOW)
        good = log.request(300, 555)
        steps = good.proof
        wrong = {
            "short": steps[:-1],
            "long": (*steps, bytes(32)),
            "none": (),
            "bit": (bytes([steps[0][0] ^ 1]) + steps[0][1:], *steps[1:]),
            "order": steps[::-1],
        }[change]
        with pytest.raises(refusals.ProofWrong):
            keeper.add(replace(good, proof=wrong), NOW)
        assert newest_size(keeper) == 300

    def test_an_honest_log_is_cleared_once_it_proves(self, keeper: Keeper, log: Log) -> None:
        """Anybody can send a published checkpoint with a wrong proof: that convicts nobody."""
        keeper.add(log.request(0, 300), NOW)
        with pytest.raises(refusals.ProofWrong):
            keeper.add(replace(log.request(300, 555), proof=()), NOW)
        assert len(conflicts(keeper)) == 1
        keeper.add(log.request(300, 555), NOW)
        assert conflicts(keeper) == []

    def test_a_wrong_proof_for_nothing_new_is_no_evidence(self, keeper: Keeper, log: Log) -> None:
        with pytest.raises(refusals.ProofWrong):
            keeper.add(replace(log.request(0, 10), proof=(bytes(32),)), NOW)
        keeper.add(log.request(0, 10), NOW)
        with pytest.raises(refusals.ProofWrong):
            keeper.add(replace(log.request(10, 10), proof=(bytes(32),)), NOW)
        assert conflicts(keeper) == []

    def test_evidence_never_fills_the_disk(
        self, keeper: Keeper, log: Log, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody is told that a fork is kept if it is not; one that is there counts as kept."""
        monkeypatch.setattr("witness.record.MOST_CONFLICTS", 3)
        keeper.add(log.request(0, 10), NOW)
        for number in (0, 1, 2, 0, 1):
            with pytest.raises(refusals.Forked) as refused:
                keeper.add(forged(log, 10, number), NOW)
            assert type(refused.value) is refusals.Forked
        for number in (3, 4):
            with pytest.raises(refusals.ForkNotKept):
                keeper.add(forged(log, 10, number), NOW)
        assert len(conflicts(keeper)) == 3

    @pytest.mark.parametrize("first", Conflict)
    def test_much_of_one_kind_of_evidence_hides_none_of_the_other(
        self, keeper: Keeper, log: Log, monkeypatch: pytest.MonkeyPatch, first: Conflict
    ) -> None:
        """Or a log would send wrong proofs until there is no room for its fork."""
        monkeypatch.setattr("witness.record.MOST_CONFLICTS", 2)
        keeper.add(log.request(0, 10), NOW)
        sizes = {Conflict.FORK: 10, Conflict.UNPROVEN: 20}
        for kind in sorted(Conflict, key=lambda one: one is not first):
            for number in range(3):
                with pytest.raises(refusals.WitnessError):
                    keeper.add(forged(log, sizes[kind], number), NOW)
        assert [len(conflicts(keeper, kind)) for kind in Conflict] == [2, 2]


def forged(log: Log, size: int, number: int) -> AddCheckpoint:
    """A request of the log for one of many other trees."""
    return AddCheckpoint(10, (), Checkpoint(ORIGIN, size, bytes([number]) * 32).sign([log.signer]))


class TestClock:
    def test_set_back_it_does_not_cosign(self, keeper: Keeper, log: Log) -> None:
        keeper.add(log.request(0, 10), NOW)
        for request in (log.request(10, 10), log.request(10, 20)):
            with pytest.raises(refusals.ClockBehind):
                keeper.add(request, NOW - 1)
        newest = keeper.latest(ORIGIN)
        assert newest is not None
        assert (newest.checkpoint.size, newest.moment) == (10, NOW)
        assert keeper.add(log.request(10, 20), NOW)

    @pytest.mark.parametrize("now", [0, -1])
    def test_a_clock_that_shows_nothing(self, keeper: Keeper, log: Log, now: int) -> None:
        """Time 0 in a cosignature would mean that it states none."""
        with pytest.raises(refusals.ClockBehind):
            keeper.add(log.request(0, 10), now)


class TestTogether:
    def test_of_two_trees_of_one_size_only_one_is_cosigned(
        self, log: Log, fork: Log, tmp_path: Path
    ) -> None:
        """Two threads, two openings of one folder, at the same moment; the other is evidence."""
        for turn in range(10):
            folder = tmp_path / str(turn)
            keeper = Keeper.make(folder, "saksi.example")
            keeper.trust(log.vkey)
            keeper.add(log.request(0, 300), NOW)
            gate = Barrier(2)

            def race(one: Log, folder: Path = folder, gate: Barrier = gate) -> str:
                own, request = Keeper.open(folder), one.request(300, 400)
                gate.wait()
                try:
                    return own.add(request, NOW)
                except refusals.SizeDiffers:
                    return ""

            with ThreadPoolExecutor(2) as pool:
                lines = list(pool.map(race, (log, fork)))
            assert sum(map(bool, lines)) == 1
            told, other = (log, fork) if lines[0] else (fork, log)
            newest = keeper.latest(ORIGIN)
            assert newest is not None
            assert newest.checkpoint.root == told.root(400)
            assert conflicts(keeper, Conflict.FORK) == [other.signed(400)]

    def test_growth_and_what_it_overtakes(self, keeper: Keeper, log: Log) -> None:
        """The race that the specification warns of: the smaller one never replaces the larger."""
        keeper.add(log.request(0, 100), NOW)
        gate = Barrier(4)

        def ask(size: int) -> str:
            request = log.request(100, size)
            gate.wait()
            try:
                return keeper.add(request, NOW)
            except refusals.SizeDiffers:
                return ""

        with ThreadPoolExecutor(4) as pool:
            lines = list(pool.map(ask, (200, 300, 400, 500)))
        assert sum(map(bool, lines)) == 1
        assert newest_size(keeper) == (200, 300, 400, 500)[[bool(one) for one in lines].index(True)]


class TestFailures:
    @pytest.mark.parametrize(("moment", "size"), [("before", 10), ("after", 20)])
    def test_killed_beside_the_renaming(
        self, keeper: Keeper, log: Log, moment: str, size: int
    ) -> None:
        """The old history or the new one, and the witness goes on from it."""
        keeper.add(log.request(0, 10), NOW)

        def work(tick: Callable[[], None]) -> None:
            rename = Path.replace

            def deadly(path: Path, target: Path) -> None:
                if moment == "after":
                    rename(path, target)
                tick()
                os.kill(os.getpid(), signal.SIGKILL)

            Path.replace = deadly  # type: ignore[method-assign,assignment]
            keeper.add(log.request(10, 20), NOW)

        child, pipe = in_another_process(work)
        assert os.read(pipe, 1)
        _, status = os.waitpid(child, 0)
        os.close(pipe)
        assert os.WTERMSIG(status) == signal.SIGKILL
        assert newest_size(keeper) == size
        assert (keeper.record(ORIGIN).folder / "history" / disk.UNFINISHED).exists() == (size == 10)
        assert keeper.add(log.request(size, 30), NOW)
        assert keeper.history(ORIGIN) == sorted({10, size, 30})
        assert not (keeper.record(ORIGIN).folder / "history" / disk.UNFINISHED).exists()

    @pytest.mark.parametrize("kind", [stat.S_ISREG, stat.S_ISDIR])
    def test_what_is_not_on_the_disk_is_not_answered(
        self, keeper: Keeper, log: Log, monkeypatch: pytest.MonkeyPatch, kind: Callable[[int], bool]
    ) -> None:
        """Neither before its bytes are safe, nor before its name is."""
        real = os.fsync

        def failing(descriptor: int) -> None:
            if kind(os.fstat(descriptor).st_mode):
                raise OSError(28, "No space left on device")
            real(descriptor)

        with monkeypatch.context() as broken:
            broken.setattr(os, "fsync", failing)
            with pytest.raises(OSError, match="No space"):
                keeper.add(log.request(0, 10), NOW)
        size = newest_size(keeper)
        assert size in {0, 10}
        assert keeper.add(log.request(size, 10), NOW)

    def test_a_history_that_was_changed_is_not_gone_on_from(self, keeper: Keeper, log: Log) -> None:
        keeper.add(log.request(0, 10), NOW)
        keeper.add(log.request(10, 20), NOW)
        record = keeper.record(ORIGIN)
        ten, twenty = (record.folder / "history" / f"{size:020}" for size in (10, 20))
        good = twenty.read_text()
        for text in ("", good[:-9], log.signed(20).to_text(), ten.read_text(), "\x00"):
            twenty.write_text(text)
            with pytest.raises(refusals.Damaged):
                keeper.add(log.request(20, 30), NOW)
        twenty.write_text(good)
        assert keeper.add(log.request(20, 30), NOW)

    def test_names_on_the_disk_are_never_taken_from_a_request(self, tmp_path: Path) -> None:
        keeper = Keeper.make(tmp_path / "w", "saksi.example")
        evil = Log(3, origin="../../../escaped")
        keeper.trust(evil.vkey)
        keeper.add(evil.request(0, 3), NOW)
        assert {path.name for path in tmp_path.iterdir()} == {"w"}
        (folder,) = (tmp_path / "w" / "logs").iterdir()
        assert len(folder.name) == 64
        assert isinstance(keeper.record("../../../escaped"), LogRecord)
