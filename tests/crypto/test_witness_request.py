"""Requests to a witness have one encoding, and of an answer only what fits is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import merkle, note
from crypto.checkpoint import Checkpoint
from crypto.errors import CryptoError, LimitExceeded, Malformed, Tampered
from crypto.note import Kind, NoteSigner
from crypto.witness_request import MAX_SIZE, AddCheckpoint, cosignatures

LOG = NoteSigner("log.example", Kind.LOG, bytes(32))
WITNESS = NoteSigner("saksi.example", Kind.WITNESS, bytes([1]) * 32)
OTHER = NoteSigner("other.example", Kind.WITNESS, bytes([2]) * 32)
SIGNED = Checkpoint("log.example", 7, bytes([7]) * 32).sign([LOG])
STEP = bytes(range(32))
BODY = AddCheckpoint(5, (STEP,), SIGNED).to_text()
LINE = note.encode(STEP)


def test_a_request_reads_as_the_specification_writes_it() -> None:
    assert f"old 5\n{LINE}\n\nlog.example\n7\n" in BODY
    assert BODY.endswith("=\n")
    assert AddCheckpoint(0, (), SIGNED).to_text() == f"old 0\n\n{SIGNED.to_text()}"


@given(
    st.integers(0, merkle.MAX_SIZE),
    st.lists(st.binary(min_size=32, max_size=32), max_size=merkle.MAX_PROOF),
)
def test_what_is_written_is_read_again(old: int, proof: list[bytes]) -> None:
    request = AddCheckpoint(old, tuple(proof), SIGNED)
    assert AddCheckpoint.from_text(request.to_text()) == request


@given(st.integers(0, len(BODY) - 1), st.sampled_from("\n\r\t =A+0—"))
def test_nothing_has_two_encodings(place: int, sign: str) -> None:
    """Whatever is changed: refused, or read as something else than before."""
    for text in (BODY[:place] + sign + BODY[place + 1 :], BODY[:place] + sign + BODY[place:]):
        try:
            request = AddCheckpoint.from_text(text)
        except CryptoError:
            continue
        assert request.to_text() == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "old 5",
        "old 5\n\n",
        BODY.replace("old 5", "Old 5"),
        BODY.replace("old 5", "old 05"),
        BODY.replace("old 5", "old  5"),
        BODY.replace("old 5", "old 5 "),
        BODY.replace("old 5", "old -1"),
        BODY.replace("old 5", "old \u0665"),
        BODY.replace("old 5", f"old {2**63}"),
        BODY.replace("old 5\n", ""),
        BODY.replace("\n", "\r\n"),
        BODY.replace(LINE, LINE + "\r"),
        BODY.replace(LINE, LINE[:-1]),
        BODY.replace(LINE, LINE[:-2] + "9="),
        BODY.replace(LINE, note.encode(STEP[:31])),
        BODY.replace(LINE, note.encode(STEP + b"0")),
        BODY.replace(LINE, LINE + " "),
        BODY.removesuffix("\n"),
        f"old 5\n{LINE}\n{SIGNED.to_text()}",
    ],
)
def test_what_is_not_a_request_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        AddCheckpoint.from_text(text)


def test_limits() -> None:
    longest = AddCheckpoint(5, (STEP,) * 63, SIGNED).to_text()
    assert len(AddCheckpoint.from_text(longest).proof) == 63
    with pytest.raises(LimitExceeded):
        AddCheckpoint.from_text(longest.replace("old 5\n", f"old 5\n{LINE}\n"))
    with pytest.raises(LimitExceeded):
        AddCheckpoint(5, (STEP,) * 64, SIGNED)
    with pytest.raises(LimitExceeded):
        AddCheckpoint.from_text("old 5\n\n" + "x" * MAX_SIZE)
    with pytest.raises(LimitExceeded):
        AddCheckpoint.from_bytes(b"\xff" * (MAX_SIZE + 1))
    with pytest.raises(Malformed):
        AddCheckpoint.from_bytes(b"\xff")
    with pytest.raises(Malformed):
        AddCheckpoint(-1, (), SIGNED)
    with pytest.raises(Malformed):
        AddCheckpoint(1, (b"short",), SIGNED)
    assert AddCheckpoint.from_bytes(BODY.encode()).old == 5


def test_of_an_answer_only_known_witnesses_that_signed_this_count() -> None:
    ours, theirs = WITNESS.sign(SIGNED.text, 9), OTHER.sign(SIGNED.text, 9)
    wrong = WITNESS.sign(Checkpoint("log.example", 8, bytes(32)).to_text(), 9)
    answer = "".join(one.to_line() for one in (theirs, wrong, ours, ours)).encode()
    assert cosignatures(answer, SIGNED, [WITNESS.key]) == (ours,)
    assert cosignatures(answer, SIGNED, [WITNESS.key, OTHER.key]) == (theirs, ours)
    with pytest.raises(Tampered):
        cosignatures(wrong.to_line().encode(), SIGNED, [WITNESS.key])
    with pytest.raises(Tampered):
        cosignatures(answer, SIGNED, [])


def test_the_logs_own_signature_is_no_cosignature() -> None:
    own = SIGNED.signatures[0].to_line().encode()
    with pytest.raises(Tampered):
        cosignatures(own, SIGNED, [LOG.key])


@pytest.mark.parametrize("answer", [b"", b"\n", b"no", b"no\n", b"\xff\n", b"5\n"])
def test_what_is_no_answer_is_malformed(answer: bytes) -> None:
    with pytest.raises(Malformed):
        cosignatures(answer, SIGNED, [WITNESS.key])


def test_an_answer_is_short() -> None:
    line = WITNESS.sign(SIGNED.text, 9).to_line().encode()
    assert cosignatures(line * 100, SIGNED, [WITNESS.key])
    with pytest.raises(LimitExceeded):
        cosignatures(line * 101, SIGNED, [WITNESS.key])
    with pytest.raises(LimitExceeded):
        cosignatures(bytes(MAX_SIZE + 1), SIGNED, [WITNESS.key])
