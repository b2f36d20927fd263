"""Envelopes read piece by piece hold what `envelope.seal` put in, and refuse all else."""

import hashlib
import secrets
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import age, canonical, envelope
from crypto.age import HybridIdentity
from crypto.envelope import EVIDENCE_FLOOR, Header
from crypto.envelope_reader import EnvelopeReader
from crypto.errors import CryptoError, LimitExceeded, Malformed, Tampered

IDENTITY = HybridIdentity.from_seed(bytes(range(32)))
HEADER = Header(
    instance="1" * 32, case="2" * 32, compartment="content", item="3" * 32, version=1,
    kind="file:1/1", author="4" * 32, day="2026-02-03",
)  # fmt: skip
BODY = secrets.token_bytes(300_000)
SEALED = envelope.seal(HEADER, BODY, [IDENTITY.recipient], floor=EVIDENCE_FLOOR)


def opened(sealed: bytes, expected: Header = HEADER) -> EnvelopeReader:
    return EnvelopeReader(lambda at, n: sealed[at : at + n], len(sealed), IDENTITY, expected)


@pytest.mark.parametrize("size", [0, 1, 65_000, 65_536, 65_537, 300_000])
def test_a_body_of_any_size_reads_as_it_was_sealed(size: int) -> None:
    body = BODY[:size]
    one = opened(envelope.seal(HEADER, body, [IDENTITY.recipient], floor=EVIDENCE_FLOOR))
    assert (one.length, one.digest) == (size, hashlib.sha256(body).digest())
    assert b"".join(one.whole()) == b"".join(one.read()) == body


@given(st.integers(0, len(BODY)), st.integers(0, len(BODY)))
def test_any_range_is_that_part_of_the_body(one: int, other: int) -> None:
    start, stop = min(one, other), max(one, other)
    assert b"".join(opened(SEALED).read(start, stop)) == BODY[start:stop]


def test_no_range_reaches_padding_or_footer() -> None:
    with pytest.raises(ValueError, match="range"):
        opened(SEALED).read(0, len(BODY) + 1)


@pytest.mark.parametrize("field", ["instance", "case", "compartment", "item", "kind", "author"])
def test_an_envelope_of_another_row_is_refused(field: str) -> None:
    with pytest.raises(Tampered):
        opened(SEALED, replace(HEADER, **{field: "9" * 32}))  # type: ignore[arg-type]


def forged(head: bytes, body: bytes, padding: bytes, length: int, digest: bytes) -> bytes:
    plain = len(head).to_bytes(4, "big") + head + body + padding
    return age.encrypt(plain + length.to_bytes(8, "big") + digest, [IDENTITY.recipient])


HEAD = canonical.encode({"v": 1, **{name: getattr(HEADER, name) for name in (
    "instance", "case", "compartment", "item", "version", "kind", "author", "name", "media_type",
    "day",
)}})  # fmt: skip


def test_a_wrong_hash_shows_when_the_whole_body_was_read() -> None:
    one = opened(forged(HEAD, b"abc", bytes(5), 3, bytes(32)))
    with pytest.raises(Tampered):
        list(one.whole())


def test_padding_that_carries_something_shows_too() -> None:
    one = opened(forged(HEAD, b"abc", b"\x00hidden", 3, hashlib.sha256(b"abc").digest()))
    with pytest.raises(Malformed):
        list(one.whole())


def test_lengths_that_do_not_fit_are_refused() -> None:
    with pytest.raises(Malformed):
        opened(forged(HEAD, b"abc", b"", 4, bytes(32)))
    with pytest.raises(Malformed):
        opened(age.encrypt(b"\x00" * 43, [IDENTITY.recipient]))
    with pytest.raises(Malformed):
        opened(age.encrypt((1000).to_bytes(4, "big") + bytes(100), [IDENTITY.recipient]))
    with pytest.raises(LimitExceeded):
        opened(age.encrypt((2**31).to_bytes(4, "big") + bytes(100), [IDENTITY.recipient]))


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_no_changed_byte_goes_unnoticed(at: int, difference: int) -> None:
    sealed = bytearray(SEALED)
    sealed[at] ^= difference
    with pytest.raises(CryptoError):
        b"".join(opened(bytes(sealed)).whole())
