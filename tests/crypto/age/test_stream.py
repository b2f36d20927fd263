"""The payload is age's STREAM: bound to key, nonce, place and end, whatever pieces it comes in."""

import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings

from crypto.age.header import HeaderReader
from crypto.age.stream import NONCE_SIZE, PayloadTampered, StreamOpener, StreamSealer
from crypto.errors import Tampered
from tests.crypto.age import vectors
from tests.crypto.age.payloads import CHUNK, SEALED, SIZES, STEPS, material, pieces

FILE_KEY = b"sixteen bytes ok"
NONCE = b"sixteen more ok!"


def sealed_by_hand(chunks: list[bytes]) -> bytes:
    """Seal `chunks`, of which the last is marked, as c2sp.org/age writes it down."""
    key = HKDF(SHA256(), length=32, salt=NONCE, info=b"payload").derive(FILE_KEY)
    aead, last = ChaCha20Poly1305(key), len(chunks) - 1
    return b"".join(
        aead.encrypt(place.to_bytes(11, "big") + bytes([place == last]), chunk, None)
        for place, chunk in enumerate(chunks)
    )


def sealed_in(data: bytes, steps: list[int]) -> bytes:
    sealer = StreamSealer(FILE_KEY, NONCE)
    return b"".join([*map(sealer.update, pieces(data, steps)), sealer.finalize()])


def opened_in(data: bytes, steps: list[int]) -> bytes:
    opener = StreamOpener(FILE_KEY, NONCE)
    return b"".join([*map(opener.update, pieces(data, steps)), opener.finalize()])


@settings(deadline=None)
@given(SIZES, STEPS, STEPS)
def test_the_pieces_in_which_data_comes_make_no_difference(
    size: int, sealing: list[int], opening: list[int]
) -> None:
    """There is one encoding of a text: never an empty chunk behind a full one."""
    plaintext = material(size)
    chunks = [plaintext[start : start + CHUNK] for start in range(0, max(size, 1), CHUNK)]
    sealed = sealed_in(plaintext, sealing)
    assert sealed == sealed_by_hand(chunks)
    assert opened_in(sealed, opening) == plaintext


def test_a_public_file_opens() -> None:
    """The nonce has the size, and the chunks have the places, that other implementations use."""
    vector = vectors.load(vectors.FOLDER / "stream_three_chunks")
    start = HeaderReader().feed(memoryview(vector.data))
    opener = StreamOpener(b"YELLOW SUBMARINE", vector.data[start : start + NONCE_SIZE])
    opened = opener.update(vector.data[start + NONCE_SIZE :]) + opener.finalize()
    assert hashlib.sha256(opened).hexdigest() == vector.payload


def test_what_stands_in_front_of_the_payload_is_handed_through() -> None:
    """Together with a whole chunk as well as before one."""
    sealer, plaintext = StreamSealer(FILE_KEY, NONCE), material(2 * CHUNK)
    begun = sealer.update(plaintext[:9], b"head") + sealer.update(plaintext[9:], b"shoulders")
    sealed = sealed_by_hand([plaintext[:CHUNK], plaintext[CHUNK:]])
    assert begun + sealer.finalize() == b"headshoulders" + sealed


def test_what_is_held_back_is_a_copy() -> None:
    """The caller's buffer may be used again."""
    sealer, buffer = StreamSealer(FILE_KEY, NONCE), bytearray(b"first")
    sealer.update(memoryview(buffer))
    buffer[:] = b"other"
    assert opened_in(sealer.finalize(), []) == b"first"


def test_a_chunk_is_sealed_as_soon_as_it_is_not_the_last() -> None:
    sealer = StreamSealer(FILE_KEY, NONCE)
    assert sealer.update(material(CHUNK)) == b""
    assert len(sealer.update(b"x")) == SEALED
    assert len(sealer.update(bytes(2 * CHUNK))) == 2 * SEALED
    assert len(sealer.finalize()) == 17


def test_a_chunk_that_is_filled_to_the_brim_may_still_be_the_last() -> None:
    sealer = StreamSealer(FILE_KEY, NONCE)
    assert sealer.update(material(CHUNK)[:9]) + sealer.update(material(CHUNK)[9:]) == b""
    assert sealer.update(b"") == b""
    assert sealer.finalize() == sealed_by_hand([material(CHUNK)])


def test_a_chunk_is_released_as_soon_as_it_is_whole() -> None:
    plaintext = material(3 * CHUNK)
    sealed = sealed_in(plaintext, [])
    opener = StreamOpener(FILE_KEY, NONCE)
    assert opener.update(sealed[: 2 * SEALED]) == plaintext[: 2 * CHUNK]
    assert opener.update(sealed[2 * SEALED : -1]) == b""
    assert opener.update(sealed[-1:]) == plaintext[2 * CHUNK :]
    assert opener.update(b"") == b""
    assert opener.finalize() == b""


def refusal_of(data: bytes) -> bytes:
    """Return what is released of `data` before it is refused."""
    opener = StreamOpener(FILE_KEY, NONCE)
    try:
        released = opener.update(data)
    except PayloadTampered:
        released = b""
    for _ in range(2):
        with pytest.raises(PayloadTampered):
            opener.finalize()
    return released


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1])
def test_no_byte_of_a_chunk_can_be_changed(size: int) -> None:
    sealed = sealed_in(material(size), [])
    for place in (0, size // 2, len(sealed) - 17, len(sealed) - 16, len(sealed) - 1):
        altered = bytearray(sealed)
        altered[place] ^= 1
        whole = material(CHUNK) if size > CHUNK and place >= SEALED else b""
        assert refusal_of(bytes(altered)) == whole
    assert issubclass(PayloadTampered, Tampered)


def test_an_altered_chunk_is_refused_at_once_if_nothing_stands_before_it() -> None:
    opener = StreamOpener(FILE_KEY, NONCE)
    with pytest.raises(PayloadTampered):
        opener.update(bytes(SEALED))


@pytest.mark.parametrize(("key", "nonce"), [(bytes(16), NONCE), (FILE_KEY, bytes(16))])
def test_a_payload_belongs_to_its_file_key_and_its_nonce(key: bytes, nonce: bytes) -> None:
    opener = StreamOpener(key, nonce)
    assert opener.update(sealed_in(b"text", [])) == b""
    with pytest.raises(PayloadTampered):
        opener.finalize()


@pytest.mark.parametrize("cut", [0, 1, 15, 16, 17, SEALED - 1])
def test_a_payload_cut_short_inside_its_first_chunk_releases_nothing(cut: int) -> None:
    assert refusal_of(sealed_in(material(CHUNK), [])[:cut]) == b""


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_a_payload_cut_between_chunks_is_refused_after_its_whole_chunks(chunks: int) -> None:
    plaintext = material(3 * CHUNK + 9)
    assert refusal_of(sealed_in(plaintext, [])[: chunks * SEALED]) == plaintext[: chunks * CHUNK]


def test_chunks_can_not_change_places() -> None:
    plaintext = material(3 * CHUNK)
    sealed = sealed_in(plaintext, [])
    first, second, third = (sealed[n * SEALED :][:SEALED] for n in range(3))
    for order in ((second, first, third), (third, second, first)):
        assert refusal_of(b"".join(order)) == b""
    for order in ((first, third, second), (first, first, third)):
        assert refusal_of(b"".join(order)) == plaintext[:CHUNK]


@pytest.mark.parametrize("tail", [b"x", bytes(SEALED), bytes(3 * CHUNK)])
def test_nothing_may_follow_a_full_last_chunk(tail: bytes) -> None:
    plaintext = material(2 * CHUNK)
    sealed = sealed_in(plaintext, [])
    assert refusal_of(sealed + tail) == plaintext
    opener = StreamOpener(FILE_KEY, NONCE)
    assert opener.update(sealed) == plaintext
    with pytest.raises(PayloadTampered):
        opener.update(tail)


def test_an_empty_last_chunk_behind_others_is_refused() -> None:
    """Otherwise one plaintext had two encodings."""
    plaintext = material(CHUNK)
    opener = StreamOpener(FILE_KEY, NONCE)
    assert opener.update(sealed_by_hand([plaintext, b""])) == plaintext
    with pytest.raises(PayloadTampered, match="empty"):
        opener.finalize()


def test_what_stands_before_an_altered_chunk_is_released_and_nothing_else() -> None:
    plaintext = material(4 * CHUNK)
    sealed = bytearray(sealed_in(plaintext, []))
    sealed[2 * SEALED + 40] ^= 1
    opener = StreamOpener(FILE_KEY, NONCE)
    assert opener.update(bytes(sealed)) == plaintext[: 2 * CHUNK]
    for more in (b"", b"x"):
        with pytest.raises(PayloadTampered):
            opener.update(more)
        with pytest.raises(PayloadTampered):
            opener.finalize()


@pytest.mark.parametrize("make", [bytes, memoryview])
def test_any_view_of_bytes_is_taken(make: Callable[[bytes], bytes]) -> None:
    plaintext = material(2 * CHUNK + 5)
    sealer, opener = StreamSealer(FILE_KEY, NONCE), StreamOpener(FILE_KEY, NONCE)
    sealed = sealer.update(make(plaintext)) + sealer.finalize()
    opened = opener.update(make(sealed)) + opener.finalize()
    assert opened == plaintext
    assert type(sealed) is type(opened) is bytes
