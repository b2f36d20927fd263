import hmac
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.commitment import check, commit
from crypto.errors import Malformed, Tampered

KEYS = st.binary(min_size=32, max_size=32)


@given(KEYS, st.binary(max_size=200))
def test_a_commitment_is_hmac_sha256_over_its_label_and_the_content(
    key: bytes, content: bytes
) -> None:
    expected = hmac.new(key, b"suaka/v1/commitment\x00" + content, sha256).digest()
    assert commit(key, content) == expected
    check(key, content, expected)


@given(KEYS, KEYS, st.binary(max_size=50), st.binary(max_size=50))
def test_another_content_or_key_does_not_fit(
    key: bytes, other_key: bytes, content: bytes, other: bytes
) -> None:
    commitment = commit(key, content)
    if other != content:
        with pytest.raises(Tampered, match=r"^commitment: does not fit$"):
            check(key, other, commitment)
    if other_key != key:
        with pytest.raises(Tampered, match=r"^commitment: does not fit$"):
            check(other_key, content, commitment)


@given(st.integers(0, 255))
def test_a_change_of_any_bit_is_refused(bit: int) -> None:
    commitment = int.from_bytes(commit(bytes(32), b"isi"), "big") ^ 1 << bit
    with pytest.raises(Tampered):
        check(bytes(32), b"isi", commitment.to_bytes(32, "big"))


def test_cutting_is_refused() -> None:
    commitment = commit(bytes(32), b"isi")
    for other in (b"", commitment[:-1], commitment + b"\x00"):
        with pytest.raises(Tampered):
            check(bytes(32), b"isi", other)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_has_32_bytes(size: int) -> None:
    with pytest.raises(Malformed, match=r"^commitment: key of wrong size$"):
        commit(bytes(size), b"isi")
