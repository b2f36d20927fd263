"""Random access to age files: any range, nothing unauthenticated, the true end."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.age import FileReader, HybridIdentity, PayloadTampered, decrypt, encrypt
from crypto.age.stream import CHUNK_SIZE, TAG_SIZE
from crypto.errors import CryptoError, Malformed, WrongKey

IDENTITY = HybridIdentity.from_seed(bytes(range(32)))
SIZES = (0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE, 20 * CHUNK_SIZE + 7)
PLAIN = {size: secrets.token_bytes(size) for size in SIZES}
SEALED = {size: encrypt(plain, [IDENTITY.recipient]) for size, plain in PLAIN.items()}


def reader(sealed: bytes, identity: HybridIdentity = IDENTITY) -> FileReader:
    return FileReader(lambda at, count: sealed[at : at + count], len(sealed), [identity])


@pytest.mark.parametrize("size", SIZES)
def test_the_whole_file_reads_as_it_was_written(size: int) -> None:
    opened = reader(SEALED[size])
    assert opened.length == size
    assert b"".join(opened.read(0, size)) == PLAIN[size] == decrypt(SEALED[size], [IDENTITY])


@given(st.sampled_from(SIZES), st.data())
def test_any_range_is_that_part_of_the_plaintext(size: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))
    assert b"".join(reader(SEALED[size]).read(start, stop)) == PLAIN[size][start:stop]


@pytest.mark.parametrize(("start", "stop"), [(-1, 0), (2, 1), (0, 2)])
def test_a_range_outside_the_file_is_a_mistake(start: int, stop: int) -> None:
    with pytest.raises(ValueError, match="range"):
        list(reader(SEALED[1]).read(start, stop))


def test_another_identity_opens_nothing() -> None:
    with pytest.raises(WrongKey):
        reader(SEALED[1], HybridIdentity.from_seed(bytes(32)))


@pytest.mark.parametrize("size", SIZES)
def test_a_file_cut_short_anywhere_never_reads_as_whole(size: int) -> None:
    sealed = SEALED[size]
    ends = {0, 1, 100, len(sealed) - 1, len(sealed) - TAG_SIZE, len(sealed) - TAG_SIZE - 1}
    ends |= {len(sealed) - (CHUNK_SIZE + TAG_SIZE)}
    for end in sorted(one for one in ends if 0 <= one < len(sealed)):
        with pytest.raises(CryptoError):
            reader(sealed[:end])


def test_a_file_with_something_behind_it_is_refused() -> None:
    for more in (b"\x00", bytes(TAG_SIZE), bytes(CHUNK_SIZE + TAG_SIZE)):
        with pytest.raises(PayloadTampered):
            reader(SEALED[CHUNK_SIZE] + more)


def test_a_changed_chunk_is_never_handed_out_and_the_others_are() -> None:
    size = 20 * CHUNK_SIZE + 7
    sealed = bytearray(SEALED[size])
    start = len(sealed) - (size + 21 * TAG_SIZE)
    sealed[start + 18 * (CHUNK_SIZE + TAG_SIZE) + 5] ^= 1
    opened = reader(bytes(sealed))
    seen: list[bytes] = []
    with pytest.raises(PayloadTampered):
        seen.extend(opened.read(0, size))
    assert b"".join(seen) == PLAIN[size][: 16 * CHUNK_SIZE]
    assert b"".join(opened.read(19 * CHUNK_SIZE, size)) == PLAIN[size][19 * CHUNK_SIZE :]


def test_swapped_chunks_do_not_open() -> None:
    size = 3 * CHUNK_SIZE
    sealed, step = SEALED[size], CHUNK_SIZE + TAG_SIZE
    start = len(sealed) - 3 * step
    swapped = (
        sealed[:start] + sealed[start + step : start + 2 * step] + sealed[start : start + step]
    )
    with pytest.raises(PayloadTampered):
        list(reader(swapped + sealed[start + 2 * step :]).read(0, size))


def test_what_is_no_age_file_is_malformed() -> None:
    for junk in (b"", b"x", b"age-encryption.org/v1\n", secrets.token_bytes(5000)):
        with pytest.raises(Malformed):
            reader(junk)
