"""A witness cosigns only growth, keeps what it cosigned, and keeps what convicts the log."""

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
from crypto.errors import Malformed
from crypto.note import Kind, NoteSigner, Signature, SignedNote
from crypto.witness_request import AddCheckpoint, cosignatures
from tests.casework.intake.test_kill import in_another_process
from tests.witness.logs import NOW, ORIGIN, Log
from witness import disk, refusals
from witness.keeper import KEY_FILE, Keeper
from witness.record import Conflict, LogRecord

STRANGER = NoteSigner(ORIGIN, Kind.LOG, bytes([9]) * 32)


def conflicts(keeper: Keeper, kind: Conflict | None = None) -> list[SignedNote]:
    paths = keeper.record(ORIGIN).conflicts(kind)
    return [SignedNote.from_text(path.read_text()) for path in paths]


def newest_size(keeper: Keeper) -> int:
    newest = keeper.latest(ORIGIN)
    return newest.checkpoint.size if newest else 0


class TestMaking:
    def test_the_secret_is_the_owners_alone_and_stays_the_same(self, tmp_path: Path) -> None:
        made = Keeper.make(tmp_path / "w", "saksi.example")
        assert stat.S_IMODE((tmp_path / "w").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "w" / KEY_FILE).stat().st_mode) == 0o600
        assert Keeper.open(tmp_path / "w").key == made.key
        assert made.key.kind is Kind.WITNESS

    def test_two_witnesses_have_two_keys(self, tmp_path: Path) -> None:
        keys = {Keeper.make(tmp_path / name, "saksi.example").key for name in ("a", "b")}
        assert len(keys) == 2

    def test_never_over_something(self, tmp_path: Path) -> None:
        made = Keeper.make(tmp_path / "w", "saksi.example")
        with pytest.raises(refusals.AlreadyMade):
            Keeper.make(tmp_path / "w", "saksi.example")
        assert Keeper.open(tmp_path / "w").key == made.key
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "letter").touch()
        with pytest.raises(refusals.AlreadyMade):
            Keeper.make(tmp_path / "full", "saksi.example")

    @pytest.mark.parametrize("name", ["", "a b", "a+b", "x" * 256])
    def test_a_bad_name_leaves_nothing(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(Malformed):
            Keeper.make(tmp_path / "w", name)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.usefixtures("keeper")
    def test_a_key_that_others_may_read_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "witness" / KEY_FILE).chmod(0o640)
        with pytest.raises(refusals.KeyExposed):
            Keeper.open(tmp_path / "witness")

    @pytest.mark.parametrize("kept", ["", "nonsense\n", f"{STRANGER.to_text()}\n"])
    @pytest.mark.usefixtures("keeper")
    def test_a_key_that_is_none_is_refused(self, tmp_path: Path, kept: str) -> None:
        (tmp_path / "witness" / KEY_FILE).write_text(kept)
        with pytest.raises(refusals.Damaged):
            Keeper.open(tmp_path / "witness")


class TestTrust:
    def test_a_rotation_adds_a_key_and_each_of_them_signs(self, keeper: Keeper, log: Log) -> None:
        after = Log(20, seed=2)
        with pytest.raises(refusals.NotSigned):
            keeper.add(after.request(0, 10), NOW)
        keeper.trust(after.vkey)
        keeper.trust(after.vkey)
        assert keeper.keys(ORIGIN) == (log.signer.key, after.signer.key)
        assert keeper.logs() == (ORIGIN,)
        assert keeper.add(log.request(0, 10), NOW)
        assert keeper.add(after.request(10, 20), NOW)

    def test_logs_are_apart(self, keeper: Keeper, log: Log) -> None:
        other = Log(9, origin="other.example")
        keeper.trust(other.vkey)
        assert keeper.logs() == (ORIGIN, "other.example")
        keeper.add(log.request(0, 10), NOW)
        assert keeper.latest("other.example") is None
        keeper.add(other.request(0, 9), NOW - 50)
        assert (keeper.history(ORIGIN), keeper.history("other.example")) == ([10], [9])

    def test_only_keys_of_logs(self, keeper: Keeper) -> None:
        for vkey in ("", "nonsense", keeper.key.to_text(), f"x{STRANGER.key.to_text()}"):
            with pytest.raises(refusals.NotALogKey):
                keeper.trust(vkey)
        assert keeper.logs() == (ORIGIN,)

    def test_keys_of_another_log_in_the_file_are_noticed(self, keeper: Keeper) -> None:
        path = keeper.record(ORIGIN).folder / "keys"
        for text in ("", "x\n", path.read_text() + Log(1, origin="b").vkey, Log(1, "b").vkey):
            path.write_text(text)
            with pytest.raises(refusals.Damaged):
                keeper.keys(ORIGIN)


class TestGrowth:
    def test_a_log_that_grows_is_cosigned_and_kept(self, keeper: Keeper, log: Log) -> None:
        old = 0
        for turn, size in enumerate((0, 1, 255, 256, 257, 600)):
            request = log.request(old, size)
            line = keeper.add(request, NOW + turn)
            (ours,) = cosignatures(line.encode(), request.signed, [keeper.key])
            newest = keeper.latest(ORIGIN)
            assert newest is not None
            assert newest.signed == request.signed.with_signatures([ours])
            assert (newest.checkpoint.size, newest.moment) == (size, NOW + turn)
            old = size
        assert keeper.history(ORIGIN) == [0, 1, 255, 256, 257, 600]
        again = Keeper.open(keeper.record(ORIGIN).folder.parents[1])
        assert again.latest(ORIGIN) == keeper.latest(ORIGIN)
        assert conflicts(keeper) == []

    def test_the_same_again_is_cosigned_with_the_new_time(self, keeper: Keeper, log: Log) -> None:
        keeper.add(log.request(0, 10), NOW)
        keeper.add(log.request(10, 10), NOW + 5)
        assert keeper.history(ORIGIN) == [10]
        newest = keeper.latest(ORIGIN)
        assert newest is not None
        assert newest.moment == NOW + 5
        assert len(newest.signed.signatures) == 2

    def test_signatures_of_strangers_and_doubles_are_ignored_and_not_kept(
        self, keeper: Keeper, log: Log
    ) -> None:
        strange = NoteSigner("elsewhere.example", Kind.WITNESS, bytes([8]) * 32)
        signed = log.signed(10, STRANGER, strange)
        signed = SignedNote(signed.text, (*signed.signatures, *signed.signatures))
        keeper.add(AddCheckpoint(0, (), signed), NOW)
        newest = keeper.latest(ORIGIN)
        assert newest is not None
        assert newest.signed.signatures[0] == signed.signatures[0]
        assert [one.name for one in newest.signed.signatures] == [ORIGIN, keeper.key.name]

    def test_extension_lines_are_cosigned_and_no_fork(self, keeper: Keeper, log: Log) -> None:
        keeper.add(log.request(0, 10), NOW)
        extended = Checkpoint(ORIGIN, 10, log.root(10), ("more",)).sign([log.signer])
        line = keeper.add(AddCheckpoint(10, (), extended), NOW)
        assert cosignatures(line.encode(), extended, [keeper.key])
        assert conflicts(keeper) == []


class TestRefusals:
    def test_a_log_that_nobody_trusts(self, keeper: Keeper) -> None:
        other = Log(5, origin="other.example")
        with pytest.raises(refusals.UnknownLog):
            keeper.add(other.request(0, 5), NOW)
        for ask in (keeper.latest, keeper.history, keeper.keys):
            with pytest.raises(refusals.UnknownLog):
                ask("other.example")

    def test_unsigned_or_signed_by_others(self, keeper: Keeper, log: Log) -> None:
        good = log.signed(10)
        text, ours = good.text, good.signatures[0]
        other_text = log.signed(11).signatures[0]
        for signatures in (
            (STRANGER.sign(text),),
            (Signature(ORIGIN, STRANGER.key.key_id, ours.data),),
            (Signature("another", ours.key_id, ours.data),),
            (Signature(ORIGIN, ours.key_id, ours.data[:-1]),),
            (Signature(ORIGIN, ours.key_id, bytes(64)),),
            (other_text,),
            (ours, other_text),
            (keeper._signer.sign(text, NOW),),
        ):
            with pytest.raises(refusals.NotSigned):
                keeper.add(AddCheckpoint(0, (), SignedNote(text, signatures)), NOW)
        assert (newest_size(keeper), conflicts(keeper)) == (0, [])

    def test_the_order_of_the_checks(self, keeper: Keeper, log: Log, fork: Log) -> None:
        """Each request has all the faults that come later as well."""
        keeper.add(log.request(0, 400), NOW)
        late = NOW - 1
        foreign = AddCheckpoint(401, (), Log(400, origin="x").signed(400))
        with pytest.raises(refusals.UnknownLog):
            keeper.add(foreign, late)
        unsigned = SignedNote(fork.signed(400).text, (STRANGER.sign(fork.signed(400).text),))
        with pytest.raises(refusals.NotSigned):
            keeper.add(AddCheckpoint(401, (), unsigned), late)
        assert conflicts(keeper) == []
        with pytest.raises(refusals.OldBeyondNew):
            keeper.add(AddCheckpoint(401, (bytes(32),), fork.signed(400)), late)
        with pytest.raises(refusals.SizeDiffers) as refused:
            keeper.add(AddCheckpoint(399, (bytes(32),), fork.signed(400)), late)
        assert refused.value.newest == 400
        with pytest.raises(refusals.Forked):
            keeper.add(AddCheckpoint(400, (bytes(32),), fork.signed(400)), late)
        with pytest.raises(refusals.ProofWrong):
            keeper.add(AddCheckpoint(400, (bytes(32),), log.signed(400)), late)
        with pytest.raises(refusals.ClockBehind):
            keeper.add(log.request(400, 401), late)
        assert keeper.history(ORIGIN) == [400]

    def test_a_request_before_anything_was_cosigned_begins_at_zero(
        self, keeper: Keeper, log: Log
    ) -> None:
        with pytest.raises(refusals.SizeDiffers) as refused:
            keeper.add(log.request(5, 10), NOW)
        assert refused.value.newest == 0

    def test_an_older_checkpoint_never_rolls_back(self, keeper: Keeper, log: Log) -> None:
        keeper.add(log.request(0, 10), NOW)
        keeper.add(log.request(10, 20), NOW)
        for old in (0, 10, 15):
            with pytest.raises(refusals.SizeDiffers) as refused:
                keeper.add(log.request(old, 15), NOW)
            assert refused.value.newest == 20
        assert newest_size(keeper) == 20

    def test_not_a_checkpoint(self, keeper: Keeper, log: Log) -> None:
        text = "just a text\n"
        with pytest.raises(Malformed):
            keeper.add(AddCheckpoint(0, (), SignedNote(text, (log.signer.sign(text),))), NOW)


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
        monkeypatch.setattr("witness.record.MOST_CONFLICTS", 3)
        keeper.add(log.request(0, 10), NOW)
        for number in range(5):
            forged = Checkpoint(ORIGIN, 10, bytes([number]) * 32).sign([log.signer])
            with pytest.raises(refusals.Forked):
                keeper.add(AddCheckpoint(10, (), forged), NOW)
        assert len(conflicts(keeper)) == 3


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
