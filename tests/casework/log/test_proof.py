"""A receipt proves what it says, and nothing that was changed proves anything."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.log import proof
from crypto.checkpoint import Checkpoint
from crypto.errors import CryptoError, Malformed
from crypto.note import Kind, NoteSigner
from tests.casework.log import mishaps, receipts
from tests.casework.log.receipts import Attempt

KEYS = (receipts.SIGNER.key,)
COSIGNED = receipts.made(signers=(receipts.WITNESS, receipts.SIGNER)).to_text()


def test_a_receipt_tells_ticket_day_and_place() -> None:
    found = proof.read(receipts.receipt(), KEYS)
    assert (found.ticket, found.day) == (receipts.TICKET, date(2026, 11, 23))
    assert (found.index, found.size) == (receipts.INDEX, receipts.SIZE)
    assert found.origin == receipts.ORIGIN
    assert Checkpoint(found.origin, found.size, found.root).to_text() == receipts.made().signed.text
    proof.check_text(found, receipts.REPORT, receipts.KEY)


@pytest.mark.parametrize("attempt", mishaps.attempts(), ids=lambda one: one.name)
def test_each_part_that_is_wrong_is_named(attempt: Attempt) -> None:
    assert receipts.verdict(attempt) == attempt.verdict


def test_every_verdict_is_put_to_the_test() -> None:
    names = [one.name for one in mishaps.attempts()]
    assert len(set(names)) == len(names) > 100
    wanted = {*receipts.VERDICTS.values(), "good", "whole"}
    assert {one.verdict for one in mishaps.attempts()} == wanted


def test_without_keys_nothing_is_proven() -> None:
    with pytest.raises(proof.UnknownSigner):
        proof.read(receipts.receipt(), ())


def test_a_key_of_a_witness_that_bears_the_name_of_the_log_proves_nothing() -> None:
    """A cosignature says that a tree was seen, not that the log made it."""
    witness = NoteSigner(receipts.ORIGIN, Kind.WITNESS, b"\x0b" * 32)
    with pytest.raises(proof.UnknownSigner):
        proof.read(receipts.made(signers=(witness,)).to_text(), (witness.key,))


def test_a_log_of_another_name_signs_no_receipt() -> None:
    """Its name must be that of the instance, also where its own key signed and the tree fits."""
    stranger = NoteSigner(receipts.INSTANCE, Kind.LOG, b"\x0c" * 32)
    text = receipts.made(signers=(stranger,), origin=receipts.INSTANCE).to_text()
    with pytest.raises(proof.NotASubmission):
        proof.read(text, (stranger.key,))


def test_nobody_is_handed_a_receipt_that_proves_nothing() -> None:
    one = receipts.made()
    assert proof.make(one.extra, one.index, one.path, one.signed) == one.to_text()
    with pytest.raises(proof.NotInTree):
        proof.make(one.extra, one.index + 1, one.path, one.signed)
    with pytest.raises(proof.NotInTree):
        proof.make(receipts.body(day="2026-11-22"), one.index, one.path, one.signed)
    other = receipts.made(receipts.body(event="forward"))
    with pytest.raises(proof.NotASubmission):
        proof.make(other.extra, other.index, other.path, other.signed)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_has_32_bytes(size: int) -> None:
    found = proof.read(receipts.receipt(), KEYS)
    with pytest.raises(proof.BadKey):
        proof.check_text(found, receipts.REPORT, bytes(size))


def refusal(attempt: Attempt) -> CryptoError | None:
    try:
        keys = proof.log_keys_of(attempt.keys)
        found = proof.read(proof.text_of(attempt.file), keys)
        proof.check_text(found, attempt.text or b"", proof.key_of(attempt.key))
    except CryptoError as refused:
        return refused
    return None


def test_no_message_tells_what_was_read_or_typed() -> None:
    """They may be logged, and so may what they were raised from."""
    refused = [one for one in map(refusal, mishaps.attempts()) if one is not None]
    assert len(refused) > 100
    for one in refused:
        assert str(one).startswith(("receipt: ", "log keys: "))
        assert one.__cause__ is None
        assert one.__suppress_context__ or one.__context__ is None
        for secret in (receipts.TICKET, receipts.KEY.hex(), receipts.INSTANCE):
            assert secret not in str(one)


@given(st.integers(0, len(COSIGNED.encode()) - 1), st.integers(1, 255))
def test_no_changed_byte_proves_anything_else(place: int, change: int) -> None:
    """Only the line of a witness whose key is not asked for may change unseen."""
    raw = bytearray(COSIGNED.encode())
    raw[place] ^= change
    try:
        found = proof.read(proof.text_of(bytes(raw)), KEYS)
    except CryptoError:
        return
    assert found == proof.read(COSIGNED, KEYS)


@given(st.text(max_size=200))
def test_any_text_is_answered(text: str) -> None:
    """With an error of ours, never with one of a library."""
    with pytest.raises(proof.Damaged):
        proof.read(f"c2sp.org/tlog-proof@v1\n{text}", KEYS)
    with pytest.raises(Malformed):
        proof.log_keys_of(f"kunci {text}")


@given(st.binary(max_size=300))
def test_any_leaf_is_answered(leaf: bytes) -> None:
    with pytest.raises(proof.NotASubmission):
        proof.read(receipts.made(leaf or b"x").to_text(), KEYS)
