import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from crypto import shred
from crypto.errors import Malformed, Tampered
from crypto.labels import Label, derive
from crypto.shred import unwrap, wrap

KEY = bytes(range(32))
KEYS = st.binary(min_size=32, max_size=32)


@given(KEYS, st.binary(max_size=40), st.binary(max_size=300))
def test_what_was_wrapped_comes_back_under_key_and_name(
    key: bytes, name: bytes, data: bytes
) -> None:
    sealed = wrap(key, name, data)
    assert unwrap(key, name, sealed) == data
    assert len(sealed) == len(data) + 32


def test_the_layout_is_salt_then_chacha20_poly1305_bound_to_the_name() -> None:
    sealed = wrap(KEY, b"grant-1", b"data")
    key = derive(Label.SHRED_GRANT, KEY, context=sealed[:16] + b"grant-1")
    assert ChaCha20Poly1305(key).decrypt(bytes(12), sealed[16:], b"grant-1") == b"data"


def test_new_keys_are_random() -> None:
    keys = {shred.new_key() for _ in range(10)}
    assert len(keys) == 10
    assert {len(key) for key in keys} == {32}


def test_no_two_wrappings_share_a_key_stream() -> None:
    """The nonce is constant: the salt alone keeps streams apart, even for one key and name."""
    first, second = (wrap(KEY, b"grant-1", bytes(64)) for _ in range(2))
    assert first[:16] != second[:16]
    assert first[16:] != second[16:]


def test_a_replaced_key_opens_nothing_old() -> None:
    with pytest.raises(Tampered, match=r"^shred layer: does not open$"):
        unwrap(shred.new_key(), b"grant-1", wrap(KEY, b"grant-1", b"data"))


def test_a_grant_put_in_place_of_another_does_not_open() -> None:
    with pytest.raises(Tampered):
        unwrap(KEY, b"grant-2", wrap(KEY, b"grant-1", b"data"))


def test_a_change_of_any_bit_is_refused() -> None:
    sealed = wrap(KEY, b"grant-1", b"data")
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Tampered):
            unwrap(KEY, b"grant-1", bytes(changed))


def test_cutting_and_appending_are_refused() -> None:
    sealed = wrap(KEY, b"grant-1", b"")
    assert unwrap(KEY, b"grant-1", sealed) == b""
    with pytest.raises(Malformed, match=r"^shred layer: cut short$"):
        unwrap(KEY, b"grant-1", sealed[:-1])
    with pytest.raises(Malformed):
        unwrap(KEY, b"grant-1", b"")
    with pytest.raises(Tampered):
        unwrap(KEY, b"grant-1", sealed + b"\x00")


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_has_32_bytes(size: int) -> None:
    with pytest.raises(Malformed, match=r"^shred key: wrong size$"):
        wrap(bytes(size), b"grant-1", b"data")
    with pytest.raises(Malformed, match=r"^shred key: wrong size$"):
        unwrap(bytes(size), b"grant-1", wrap(KEY, b"grant-1", b"data"))
