"""A witness cosigns what a trusted log signed and what only grew, and says why it does not."""

import stat
from pathlib import Path

import pytest

from crypto.checkpoint import Checkpoint
from crypto.errors import Malformed
from crypto.handover import Handover
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


class TestHandingOver:
    """A trusted key names the one that follows it, and both sign."""

    NEXT = NoteSigner(ORIGIN, Kind.LOG, bytes([7]) * 32)

    def note(self, old: NoteSigner, *signers: NoteSigner) -> SignedNote:
        return Handover(old.key, self.NEXT.key, 10).sign(signers)

    def test_the_new_key_is_trusted_and_the_old_one_still(self, keeper: Keeper, log: Log) -> None:
        signed = self.note(log.signer, log.signer, self.NEXT)
        for _ in range(2):
            assert keeper.follow(signed) == self.NEXT.key
        assert keeper.keys(ORIGIN) == (log.signer.key, self.NEXT.key)
        for old, new, seed in ((0, 10, 1), (10, 20, 7)):
            assert keeper.add(Log(20, seed=seed).request(old, new), NOW)

    def test_only_a_trusted_key_hands_over_and_with_the_new_ones_consent(
        self, keeper: Keeper, log: Log
    ) -> None:
        for signed in (
            self.note(STRANGER, STRANGER, self.NEXT),
            self.note(log.signer, STRANGER, self.NEXT),
            self.note(log.signer, log.signer),
            self.note(log.signer, self.NEXT),
        ):
            with pytest.raises(refusals.NotSigned):
                keeper.follow(signed)
        assert keeper.keys(ORIGIN) == (log.signer.key,)

    def test_what_is_no_hand_over_of_a_trusted_log(self, keeper: Keeper, log: Log) -> None:
        first = Handover(None, self.NEXT.key, 0).sign([self.NEXT])
        for signed in (log.signed(10), first):
            with pytest.raises(refusals.NotALogKey):
                keeper.follow(signed)
        pair = [NoteSigner("lain.example", Kind.LOG, bytes([fill]) * 32) for fill in (1, 2)]
        with pytest.raises(refusals.UnknownLog):
            keeper.follow(Handover(pair[0].key, pair[1].key, 1).sign(pair))
        assert keeper.logs() == (ORIGIN,)
