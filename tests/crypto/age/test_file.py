"""Whole files: what goes in comes out, nothing else opens, and memory stays constant."""

import hashlib
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.age import (
    Decryptor,
    Encryptor,
    HeaderTampered,
    HybridIdentity,
    PayloadTampered,
    Recipient,
    X25519Identity,
    decrypt,
    encrypt,
)
from crypto.age.header import serialise
from crypto.age.stream import _ChunkCipher
from crypto.errors import CryptoError, Malformed, Tampered, WrongKey

CHUNK = 64 * 1024
HYBRID = HybridIdentity.from_seed(bytes(range(32)))
X25519 = X25519Identity.from_seed(bytes(range(32)))
TEXT = b"a text that is long enough to be looked for"

SIZES = st.one_of(
    st.integers(0, 300),
    st.builds(
        lambda chunks, delta: max(chunks * CHUNK + delta, 0),
        st.integers(0, 4),
        st.integers(-33, 33),
    ),
)
STEPS = st.lists(
    st.one_of(
        st.integers(0, 40),
        st.sampled_from([4096, CHUNK - 1, CHUNK, CHUNK + 1, CHUNK + 16, CHUNK + 17, 3 * CHUNK]),
    ),
    max_size=12,
)


def material(size: int) -> bytes:
    """Return bytes in which no two chunks are alike."""
    return hashlib.shake_256(b"material").digest(size)


def pieces(data: bytes, steps: list[int]) -> list[bytes]:
    """Cut `data` at the given steps; the rest is the last piece."""
    cut, start = [], 0
    for step in steps:
        cut.append(data[start : start + step])
        start += step
    return [*cut, data[start:]]


def sealed_in(data: bytes, steps: list[int]) -> bytes:
    encryptor = Encryptor([HYBRID.recipient])
    return b"".join([*map(encryptor.update, pieces(data, steps)), encryptor.finalize()])


def opened_in(data: bytes, steps: list[int]) -> bytes:
    decryptor = Decryptor([HYBRID])
    return b"".join([*map(decryptor.update, pieces(data, steps)), decryptor.finalize()])


@settings(deadline=None)
@given(SIZES, STEPS, STEPS)
def test_round_trip_in_any_pieces(size: int, sealing: list[int], opening: list[int]) -> None:
    plaintext = material(size)
    assert opened_in(sealed_in(plaintext, sealing), opening) == plaintext


@settings(deadline=None)
@given(SIZES, STEPS)
def test_the_size_does_not_depend_on_the_pieces(size: int, steps: list[int]) -> None:
    """One tag per started chunk, and never an empty chunk behind a full one."""
    plaintext = material(size)
    header = len(encrypt(b"", [HYBRID.recipient])) - 16
    chunks = max(-(-size // CHUNK), 1)
    assert len(sealed_in(plaintext, steps)) == header + size + 16 * chunks


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview])
def test_any_kind_of_bytes_is_taken(make: Callable[[bytes], bytes]) -> None:
    plaintext = material(2 * CHUNK + 5)
    encryptor = Encryptor([HYBRID.recipient])
    sealed = encryptor.update(make(plaintext)) + encryptor.finalize()
    decryptor = Decryptor([HYBRID])
    opened = decryptor.update(make(sealed)) + decryptor.finalize()
    assert opened == plaintext
    assert type(sealed) is type(opened) is bytes


def test_a_view_of_wider_items_counts_bytes() -> None:
    plaintext = material(2 * CHUNK)
    encryptor = Encryptor([HYBRID.recipient])
    sealed = encryptor.update(memoryview(plaintext).cast("I")) + encryptor.finalize()
    assert decrypt(sealed, [HYBRID]) == plaintext


def test_the_callers_buffer_may_be_reused() -> None:
    """What is held back is a copy."""
    encryptor = Encryptor([HYBRID.recipient])
    buffer = bytearray(b"first")
    sealed = encryptor.update(buffer)
    buffer[:] = b"other"
    assert decrypt(sealed + encryptor.finalize(), [HYBRID]) == b"first"


def test_the_header_comes_with_the_first_bytes() -> None:
    encryptor = Encryptor([HYBRID.recipient])
    assert encryptor.update(b"").startswith(b"age-encryption.org/v1\n")
    assert encryptor.update(b"x") == b""


def test_a_chunk_is_released_as_soon_as_it_is_whole() -> None:
    plaintext = material(3 * CHUNK)
    sealed = encrypt(plaintext, [X25519.recipient])
    end_of_second = len(sealed) - CHUNK - 16
    decryptor = Decryptor([X25519])
    assert decryptor.update(sealed[:end_of_second]) == plaintext[: 2 * CHUNK]
    assert decryptor.update(sealed[end_of_second:-1]) == b""
    assert decryptor.update(sealed[-1:]) == plaintext[2 * CHUNK :]
    assert decryptor.finalize() == b""


def test_every_recipient_can_open_and_nobody_else() -> None:
    others = [HybridIdentity.generate() for _ in range(3)]
    sealed = encrypt(TEXT, [HYBRID.recipient, *[other.recipient for other in others]])
    for identity in (HYBRID, *others):
        assert decrypt(sealed, [identity]) == TEXT
    for strangers in ([], [HybridIdentity.generate()], [X25519]):
        with pytest.raises(WrongKey):
            decrypt(sealed, strangers)
    assert decrypt(sealed, [X25519, HybridIdentity.generate(), HYBRID]) == TEXT


def test_hybrid_and_x25519_recipients_are_not_mixed() -> None:
    """One X25519 stanza would make the file as weak as X25519."""
    mixtures: list[list[Recipient]] = [
        [HYBRID.recipient, X25519.recipient],
        [X25519.recipient, HYBRID.recipient],
        [X25519.recipient, X25519.recipient, HYBRID.recipient],
    ]
    for recipients in mixtures:
        with pytest.raises(ValueError, match="labels"):
            Encryptor(recipients)


def test_a_file_needs_a_recipient() -> None:
    with pytest.raises(ValueError, match="recipients"):
        encrypt(TEXT, [])


def test_no_two_files_are_alike() -> None:
    """Neither header nor payload: file key and nonce are fresh."""
    first, second = (encrypt(TEXT, [HYBRID.recipient]) for _ in range(2))
    assert first[-len(TEXT) :] != second[-len(TEXT) :]
    assert first[:600] != second[:600]
    assert TEXT not in first


def refused(data: bytes, identity: HybridIdentity | X25519Identity) -> type[CryptoError]:
    decryptor = Decryptor([identity])
    released = []
    with pytest.raises(CryptoError) as caught:  # noqa: PT012
        released.append(decryptor.update(data))
        decryptor.finalize()
    assert not any(released)
    return caught.type


@pytest.mark.parametrize("identity", [HYBRID, X25519])
@pytest.mark.parametrize("flip", [0x01, 0x20, 0x80])
def test_no_byte_can_be_changed(identity: HybridIdentity | X25519Identity, flip: int) -> None:
    """Header, nonce, payload: every byte of a file is bound to every other."""
    sealed = encrypt(TEXT, [identity.recipient])
    for place, byte in enumerate(sealed):
        altered = sealed[:place] + bytes([byte ^ flip]) + sealed[place + 1 :]
        failure = refused(altered, identity)
        if place >= len(sealed) - len(TEXT) - 32:
            assert failure is PayloadTampered


@pytest.mark.parametrize("identity", [HYBRID, X25519])
def test_no_byte_can_be_removed_or_added(identity: HybridIdentity | X25519Identity) -> None:
    sealed = encrypt(TEXT, [identity.recipient])
    for place in range(len(sealed)):
        refused(sealed[:place] + sealed[place + 1 :], identity)
        refused(sealed[:place] + b"A" + sealed[place:], identity)
    refused(sealed + b"A", identity)


def test_a_file_cut_short_anywhere_is_refused() -> None:
    sealed = encrypt(TEXT, [X25519.recipient])
    end_of_nonce = len(sealed) - len(TEXT) - 16
    for size in range(len(sealed)):
        expected = Malformed if size < end_of_nonce else PayloadTampered
        assert refused(sealed[:size], X25519) is expected


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_a_file_cut_between_chunks_is_refused_after_its_whole_chunks(chunks: int) -> None:
    plaintext = material(3 * CHUNK + 9)
    sealed = encrypt(plaintext, [X25519.recipient])
    start = len(sealed) - len(plaintext) - 4 * 16
    decryptor = Decryptor([X25519])
    released = decryptor.update(sealed[: start + chunks * (CHUNK + 16)])
    assert released == plaintext[: chunks * CHUNK]
    with pytest.raises(PayloadTampered):
        decryptor.finalize()


def test_chunks_can_not_change_places() -> None:
    plaintext = material(3 * CHUNK)
    sealed = encrypt(plaintext, [X25519.recipient])
    size = CHUNK + 16
    start = len(sealed) - 3 * size
    first, second, third = (sealed[start + n * size :][:size] for n in range(3))
    for order in ((second, first, third), (first, third, second), (first, first, third)):
        with pytest.raises(PayloadTampered):
            decrypt(sealed[:start] + b"".join(order), [X25519])


@pytest.mark.parametrize("tail", [b"x", bytes(CHUNK + 16), bytes(3 * CHUNK)])
@pytest.mark.parametrize("at_once", [True, False])
def test_nothing_may_follow_a_full_last_chunk(tail: bytes, at_once: bool) -> None:  # noqa: FBT001
    plaintext = material(2 * CHUNK)
    sealed = encrypt(plaintext, [X25519.recipient])
    decryptor = Decryptor([X25519])
    if at_once:
        assert decryptor.update(sealed + tail) == plaintext
    else:
        assert decryptor.update(sealed) == plaintext
        with pytest.raises(PayloadTampered):
            decryptor.update(tail)
    with pytest.raises(PayloadTampered):
        decryptor.finalize()


def test_an_empty_last_chunk_behind_others_is_refused() -> None:
    """Otherwise one plaintext had two encodings."""
    file_key, nonce, plaintext = bytes(16), bytes(16), material(CHUNK)
    head = serialise([X25519.recipient.wrap(file_key)], file_key) + nonce
    cipher = _ChunkCipher(file_key, nonce)
    full = cipher.seal(memoryview(plaintext), b"\x00")
    decryptor = Decryptor([X25519])
    assert decryptor.update(head + full + cipher.seal(memoryview(b""), b"\x01")) == plaintext
    with pytest.raises(PayloadTampered, match="empty"):
        decryptor.finalize()


def test_what_stands_before_an_altered_chunk_is_released_and_nothing_else() -> None:
    plaintext = material(4 * CHUNK)
    sealed = bytearray(encrypt(plaintext, [X25519.recipient]))
    sealed[-CHUNK - 40] ^= 1
    decryptor = Decryptor([X25519])
    assert decryptor.update(sealed) == plaintext[: 2 * CHUNK]
    for _ in range(2):
        with pytest.raises(PayloadTampered):
            decryptor.update(b"")
        with pytest.raises(PayloadTampered):
            decryptor.finalize()
    with pytest.raises(PayloadTampered):
        decrypt(bytes(sealed), [X25519])


def test_an_altered_mac_is_told_from_a_wrong_key() -> None:
    sealed = encrypt(TEXT, [X25519.recipient])
    place = sealed.index(b"\n--- ") + 5
    letter = b"A" if sealed[place : place + 1] != b"A" else b"B"
    assert refused(sealed[:place] + letter + sealed[place + 1 :], X25519) is HeaderTampered
    assert issubclass(HeaderTampered, Tampered)
    assert issubclass(PayloadTampered, Tampered)


def test_a_stanza_can_not_be_added_by_an_outsider() -> None:
    sealed = encrypt(TEXT, [X25519.recipient])
    place = sealed.index(b"\n--- ") + 1
    assert refused(sealed[:place] + b"-> x\n\n" + sealed[place:], X25519) is HeaderTampered


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        (b"not an age file", Malformed),
        (encrypt(TEXT, [HybridIdentity.generate().recipient]), WrongKey),
    ],
)
def test_after_an_error_every_call_repeats_it(data: bytes, failure: type[CryptoError]) -> None:
    decryptor = Decryptor([HYBRID])
    with pytest.raises(failure):
        decryptor.update(data)
    good = encrypt(TEXT, [HYBRID.recipient])
    for _ in range(2):
        with pytest.raises(failure):
            decryptor.update(good)
        with pytest.raises(failure):
            decryptor.finalize()


def test_after_a_failed_end_every_call_repeats_it() -> None:
    decryptor = Decryptor([HYBRID])
    decryptor.update(encrypt(TEXT, [HYBRID.recipient])[:-1])
    for _ in range(2):
        with pytest.raises(PayloadTampered):
            decryptor.finalize()
        with pytest.raises(PayloadTampered):
            decryptor.update(b"x")


def test_a_finished_file_takes_no_more() -> None:
    encryptor, decryptor = Encryptor([HYBRID.recipient]), Decryptor([HYBRID])
    decryptor.update(encryptor.update(TEXT) + encryptor.finalize())
    assert decryptor.finalize() == TEXT
    for stream in (encryptor, decryptor):
        with pytest.raises(RuntimeError, match="finished"):
            stream.update(b"x")
        with pytest.raises(RuntimeError, match="finished"):
            stream.finalize()


@pytest.mark.parametrize("step", [CHUNK, 10_000, 256 * 1024])
def test_memory_does_not_grow_with_the_file(step: int) -> None:
    """64 MiB go through both directions in less than 2 MiB."""
    piece = material(step)
    encryptor, decryptor = Encryptor([HYBRID.recipient]), Decryptor([HYBRID])
    total = 0
    tracemalloc.start()
    try:
        for _ in range(64 * 1024 * 1024 // step):
            total += len(decryptor.update(encryptor.update(piece)))
        total += len(decryptor.update(encryptor.finalize())) + len(decryptor.finalize())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 64 * 1024 * 1024 // step * step
    assert peak < 2 * 1024 * 1024
