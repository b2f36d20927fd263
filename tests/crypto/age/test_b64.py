"""The header's Base64 has one encoding per value and refuses every other."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.age import b64
from crypto.errors import Malformed


@given(st.binary(max_size=100))
def test_round_trip(raw: bytes) -> None:
    assert b64.decode(b64.encode(raw)) == raw


@given(st.text(max_size=12))
def test_any_accepted_text_is_the_one_encoding(text: str) -> None:
    try:
        raw = b64.decode(text)
    except Malformed:
        return
    assert b64.encode(raw) == text


def test_every_last_letter_is_kept() -> None:
    """Only padding is left out."""
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
    assert [b64.encode(bytes([0, 0, value])) for value in range(64)] == [
        f"AAA{letter}" for letter in alphabet
    ]


@pytest.mark.parametrize("text", ["QQ==", "QR", "QUI=", "QUJ"])
def test_padding_and_stray_bits_are_refused(text: str) -> None:
    with pytest.raises(Malformed, match="not canonical"):
        b64.decode(text)


@pytest.mark.parametrize("text", ["Q", "Q-__", "QUJD\n", " QUJD", "QU JD", "é", "="])
def test_foreign_characters_are_refused_for_what_they_are(text: str) -> None:
    with pytest.raises(Malformed, match="not Base64"):
        b64.decode(text)
