"""How far a key is trusted: a hand-over ends it at a size, a distrust at once, and one is left."""

import pytest

from crypto.checkpoint import Checkpoint
from crypto.errors import Malformed
from crypto.handover import Handover
from crypto.note import Kind, NoteSigner, SignedNote
from crypto.witness_request import AddCheckpoint
from tests.witness.logs import NOW, ORIGIN, Log, conflicts, newest_size
from witness import refusals, trust
from witness.keeper import Keeper
from witness.record import Conflict

STRANGER, NEXT, THIRD = (NoteSigner(ORIGIN, Kind.LOG, bytes([fill]) * 32) for fill in (9, 7, 6))
SIZE = 10
"""Leaves of the tree when the key of the log was handed over."""


def note(
    old: NoteSigner | None, new: NoteSigner, *signers: NoteSigner, size: int = SIZE
) -> SignedNote:
    """A hand-over by these signers, or by both if none is given."""
    both = [one for one in (old, new) if one is not None]
    return Handover(old.key if old else None, new.key, size).sign(signers or both)


def grown(old: int, new: int, *signers: NoteSigner) -> AddCheckpoint:
    """A request for the tree of the log, signed by others."""
    log = Log(max(new, 1))
    signed = Checkpoint(ORIGIN, new, log.root(new)).sign(signers)
    return AddCheckpoint(old, log.request(old, new).proof, signed)


class TestHandingOver:
    """A trusted key names the one that follows it, and both sign."""

    def test_the_old_key_counts_up_to_the_size_of_the_note(self, keeper: Keeper, log: Log) -> None:
        """What is on its way is cosigned; a larger tree signed by the old key is never right."""
        signed = note(log.signer, NEXT)
        for _ in range(2):
            assert keeper.follow(signed) == NEXT.key
        assert keeper.keys(ORIGIN) == (log.signer.key, NEXT.key)
        assert keeper.trusted(ORIGIN) == {log.signer.key: SIZE + 1, NEXT.key: None}
        assert keeper.add(log.request(0, SIZE), NOW)
        for old in (0, SIZE):
            with pytest.raises(refusals.KeyRetired):
                keeper.add(log.request(old, SIZE + 1), NOW)
        assert keeper.add(grown(SIZE, SIZE + 1, NEXT), NOW)
        assert keeper.history(ORIGIN) == [SIZE, SIZE + 1]

    def test_a_fork_that_the_old_key_signed_at_its_time_is_still_kept(
        self, keeper: Keeper, log: Log
    ) -> None:
        keeper.add(log.request(0, SIZE), NOW)
        keeper.follow(note(log.signer, NEXT))
        with pytest.raises(refusals.Forked):
            keeper.add(Log(SIZE, story=b"lain").request(SIZE, SIZE), NOW)
        assert len(conflicts(keeper, Conflict.FORK)) == 1

    def test_only_a_trusted_key_hands_over_and_with_the_new_ones_consent(
        self, keeper: Keeper, log: Log
    ) -> None:
        for signed in (
            note(STRANGER, NEXT),
            note(log.signer, NEXT, STRANGER, NEXT),
            note(log.signer, NEXT, log.signer),
            note(log.signer, NEXT, NEXT),
        ):
            with pytest.raises(refusals.NotSigned):
                keeper.follow(signed)
        assert keeper.trusted(ORIGIN) == {log.signer.key: None}

    def test_what_is_no_hand_over_of_a_trusted_log(self, keeper: Keeper, log: Log) -> None:
        pair = [NoteSigner("lain.example", Kind.LOG, bytes([fill]) * 32) for fill in (1, 2)]
        other = Handover(pair[0].key, pair[1].key, 1).sign(pair)
        good = note(log.signer, NEXT)
        for signed in ((log.signed(10),), (note(None, NEXT),), (good, log.signed(10)), ()):
            with pytest.raises(refusals.NotAHandover):
                keeper.follow(*signed)
        with pytest.raises(refusals.NotAHandover):
            keeper.follow(other, good)
        with pytest.raises(refusals.UnknownLog):
            keeper.follow(other)
        assert keeper.logs() == (ORIGIN,)
        assert keeper.trusted(ORIGIN) == {log.signer.key: None}

    def test_a_key_that_was_handed_over_hands_over_no_more(self, keeper: Keeper, log: Log) -> None:
        """A thief of the old key makes such a note."""
        keeper.follow(note(log.signer, NEXT))
        with pytest.raises(refusals.KeyRetired):
            keeper.follow(note(log.signer, STRANGER))
        with pytest.raises(refusals.KeyRetired):
            keeper.follow(note(log.signer, NEXT), note(log.signer, STRANGER))
        assert STRANGER.key not in keeper.keys(ORIGIN)

    def test_a_key_that_was_trusted_by_hand_before_its_note_came(
        self, keeper: Keeper, log: Log
    ) -> None:
        keeper.trust(NEXT.key.to_text())
        keeper.follow(note(log.signer, NEXT))
        assert keeper.trusted(ORIGIN) == {log.signer.key: SIZE + 1, NEXT.key: None}


class TestSeveralNotes:
    """As a log publishes them: the oldest first, its first key's included."""

    def test_those_that_go_on_from_a_trusted_key_are_followed(
        self, keeper: Keeper, log: Log
    ) -> None:
        every = (note(None, log.signer, size=0), note(log.signer, NEXT), note(NEXT, THIRD, size=30))
        for _ in range(2):
            assert keeper.follow(*every) == THIRD.key
            assert keeper.trusted(ORIGIN) == {
                log.signer.key: SIZE + 1,
                NEXT.key: 31,
                THIRD.key: None,
            }
        assert keeper.follow(every[1]) == NEXT.key, "followed before: nothing changes"
        assert keeper.trusted(ORIGIN)[THIRD.key] is None

    def test_a_witness_that_came_later_knows_no_earlier_key(self) -> None:
        said = trust.handovers([note(STRANGER, NEXT), note(NEXT, THIRD, size=30)])
        assert trust.followed({NEXT.key: None}, said) == {NEXT.key: 31, THIRD.key: None}

    def test_an_old_note_leaves_the_log_with_a_key(self, log: Log) -> None:
        """The first key was trusted again by hand, since the later ones were a thief's."""
        keys = {log.signer.key: None, NEXT.key: 31, THIRD.key: trust.DISTRUSTED}
        said = trust.handovers([note(log.signer, NEXT)])
        assert trust.followed(keys, said) == keys

    def test_all_or_nothing(self, keeper: Keeper, log: Log) -> None:
        good = note(log.signer, NEXT)
        for last in (note(THIRD, STRANGER), note(NEXT, THIRD, NEXT)):
            with pytest.raises(refusals.NotSigned):
                keeper.follow(good, last)
        assert keeper.trusted(ORIGIN) == {log.signer.key: None}

    def test_a_file_of_notes_is_read_as_it_is_published(self, log: Log) -> None:
        every = (note(None, log.signer, size=0), note(log.signer, NEXT), note(NEXT, THIRD, size=30))
        for count in (1, 2, 3):
            raw = "\n".join(one.to_text() for one in every[:count]).encode()
            assert trust.notes(raw) == every[:count]

    def test_a_file_that_is_damaged(self, log: Log) -> None:
        good = note(log.signer, NEXT).to_text().encode()
        for raw in (
            *(b"", b"\n", b"surat", b"\xff", good[:-3], good.split(b"\n\n")[0], good + b"\nsurat"),
            *(good + b"\n" + good[:40], b"x" * 300_000, good + b"\n" * 300_000),
        ):
            with pytest.raises(refusals.NotAHandover):
                trust.notes(raw)


class TestDistrust:
    """A key leaked: what it signs alone is the thief's as likely as the log's."""

    @pytest.fixture
    def rotated(self, keeper: Keeper, log: Log) -> Keeper:
        keeper.add(log.request(0, SIZE), NOW)
        keeper.follow(note(log.signer, NEXT, size=20))
        return keeper

    def test_nothing_new_under_it_alone_is_cosigned(self, rotated: Keeper, log: Log) -> None:
        """Not even at a size before the hand-over; before, a thief could go on up to there."""
        for _ in range(2):
            assert rotated.distrust(log.signer.key.key_id.hex()) == log.signer.key
        for request in (log.request(SIZE, 15), log.request(SIZE, SIZE)):
            with pytest.raises(refusals.KeyRetired):
                rotated.add(request, NOW)
        assert rotated.add(grown(SIZE, 15, log.signer, NEXT), NOW)
        newest = rotated.latest(ORIGIN)
        assert newest is not None
        assert [one.key_id for one in newest.signed.signatures] == [
            NEXT.key.key_id,
            rotated.key.key_id,
        ]

    def test_the_history_stays_readable_and_goes_on(self, rotated: Keeper, log: Log) -> None:
        rotated.distrust(log.vkey)
        again = Keeper.open(rotated.record(ORIGIN).folder.parents[1])
        assert newest_size(again) == SIZE
        assert again.keys(ORIGIN) == (log.signer.key, NEXT.key)
        assert again.add(grown(SIZE, 30, NEXT), NOW)

    def test_what_a_thief_signs_is_no_evidence_against_the_log(
        self, rotated: Keeper, log: Log
    ) -> None:
        rotated.distrust(log.vkey)
        with pytest.raises(refusals.KeyRetired):
            rotated.add(Log(SIZE, story=b"lain").request(SIZE, SIZE), NOW)
        assert conflicts(rotated) == []

    def test_one_key_stays_trusted(self, keeper: Keeper, log: Log) -> None:
        with pytest.raises(refusals.LastKey):
            keeper.distrust(log.vkey)
        keeper.follow(note(log.signer, NEXT))
        with pytest.raises(refusals.LastKey):
            keeper.distrust(NEXT.key.to_text())
        assert keeper.trusted(ORIGIN) == {log.signer.key: SIZE + 1, NEXT.key: None}

    def test_another_log_is_no_help_and_no_victim(self, keeper: Keeper, log: Log) -> None:
        other = Log(9, origin="other.example")
        keeper.trust(other.vkey)
        with pytest.raises(refusals.LastKey):
            keeper.distrust(log.vkey)
        keeper.trust(NEXT.key.to_text())
        keeper.distrust(log.vkey)
        assert keeper.trusted("other.example") == {other.signer.key: None}

    @pytest.mark.parametrize("named", ["", "00000000", "nonsense", ORIGIN, STRANGER.key.to_text()])
    def test_a_key_that_nobody_trusted(self, rotated: Keeper, named: str) -> None:
        before = rotated.trusted(ORIGIN)
        with pytest.raises(refusals.UnknownKey):
            rotated.distrust(named)
        assert rotated.trusted(ORIGIN) == before

    def test_it_hands_over_to_nobody_and_no_note_brings_it_back(
        self, rotated: Keeper, log: Log
    ) -> None:
        rotated.trust(THIRD.key.to_text())
        rotated.distrust(NEXT.key.to_text())
        with pytest.raises(refusals.KeyRetired):
            rotated.follow(note(NEXT, STRANGER))
        with pytest.raises(refusals.KeyRetired):
            rotated.follow(note(log.signer, NEXT, size=20))
        with pytest.raises(refusals.KeyRetired):
            rotated.follow(note(THIRD, NEXT))
        assert rotated.follow(note(log.signer, NEXT, size=20), note(NEXT, THIRD)) == THIRD.key
        assert rotated.trusted(ORIGIN) == {log.signer.key: 21, NEXT.key: 0, THIRD.key: None}

    def test_its_owner_may_trust_it_again(self, rotated: Keeper, log: Log) -> None:
        """By the key itself: a decision, not a file that came."""
        rotated.distrust(log.vkey)
        rotated.trust(log.vkey)
        assert rotated.trusted(ORIGIN) == {log.signer.key: None, NEXT.key: None}
        assert rotated.add(log.request(SIZE, 30), NOW)


def test_what_is_kept_is_read_back_and_nothing_else(log: Log) -> None:
    keys = {log.signer.key: 0, NEXT.key: 281, THIRD.key: None}
    text = trust.to_text(keys)
    assert text.splitlines()[2] == THIRD.key.to_text()
    assert trust.from_text(text) == keys
    assert trust.at(keys, 280) == (NEXT.key, THIRD.key)
    assert trust.at(keys, 281) == (THIRD.key,)
    for wrong in (
        text[:-1],
        text.replace(" 281", " 0281"),
        text.replace(" 281", "  281"),
        text * 2,
    ):
        with pytest.raises(Malformed):
            trust.from_text(wrong)
