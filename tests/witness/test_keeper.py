"""A witness cosigns what a trusted log signed and what only grew, and says why it does not."""

import stat
from pathlib import Path

import pytest

from crypto.checkpoint import Checkpoint
from crypto.errors import Malformed
from crypto.note import Kind, NoteSigner, Signature, SignedNote
from crypto.witness_request import AddCheckpoint, cosignatures
from tests.witness.logs import NOW, ORIGIN, Log, conflicts, newest_size
from witness import refusals
from witness.keeper import KEY_FILE, Keeper

STRANGER = NoteSigner(ORIGIN, Kind.LOG, bytes([9]) * 32)


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

    @pytest.mark.parametrize("inside", ["letter", "logs/letter"])
    def test_a_folder_that_is_refused_stays_as_it_is(self, tmp_path: Path, inside: str) -> None:
        """Its own mode, and nothing new in it: it may be anything, such as a home."""
        used = tmp_path / "used"
        (used / inside).parent.mkdir(parents=True)
        (used / inside).touch()
        used.chmod(0o755)
        before = sorted(used.rglob("*"))
        with pytest.raises(refusals.AlreadyMade):
            Keeper.make(used, "saksi.example")
        assert stat.S_IMODE(used.stat().st_mode) == 0o755
        assert sorted(used.rglob("*")) == before

    def test_one_that_was_cut_short_is_made_after_all(self, tmp_path: Path) -> None:
        (tmp_path / "w" / "logs").mkdir(parents=True)
        for name in ("lock", ".new"):
            (tmp_path / "w" / name).touch(0o600)
        made = Keeper.make(tmp_path / "w", "saksi.example")
        assert Keeper.open(tmp_path / "w").key == made.key
        assert stat.S_IMODE((tmp_path / "w").stat().st_mode) == 0o700

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
        good, other = path.read_text(), f"{Log(1, origin='b').vkey}\n"
        for text in ("", "x\n", good + other, other, good[:-1] + " 01\n", good[:-1] + " x\n"):
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
