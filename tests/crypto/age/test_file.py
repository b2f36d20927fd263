"""Whole files: what goes in comes out, nothing else opens, and memory stays constant."""

import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings

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
from crypto.errors import CryptoError, Malformed, Tampered, WrongKey
from tests.crypto.age.payloads import CHUNK, SIZES, STEPS, material, pieces

HYBRID = HybridIdentity.from_seed(bytes(range(32)))
X25519 = X25519Identity.from_seed(bytes(range(32)))
TEXT = b"a text that is long enough to be looked for"


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


def test_a_file_may_be_cut_in_every_place_at_once() -> None:
    """Inside header, nonce and payload."""
    sealed = sealed_in(TEXT, [1] * len(TEXT))
    assert opened_in(sealed, [1] * len(sealed)) == TEXT


def test_a_file_may_be_cut_in_any_one_place() -> None:
    sealed = encrypt(TEXT, [X25519.recipient])
    for place in range(len(sealed)):
        decryptor = Decryptor([X25519])
        opened = decryptor.update(sealed[:place]) + decryptor.update(sealed[place:])
        assert opened + decryptor.finalize() == TEXT


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


def test_the_header_comes_with_the_first_bytes() -> None:
    encryptor = Encryptor([HYBRID.recipient])
    assert encryptor.update(b"").startswith(b"age-encryption.org/v1\n")
    assert encryptor.update(b"x") == b""


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
