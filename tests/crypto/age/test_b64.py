"""The header's Base64 has one encoding per value and refuses every other."""

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


@pytest.mark.parametrize(
    "text", ["QQ==", "QR", "Q", "QUI=", "QUJ", "Q-__", "QUJD\n", " QUJD", "QU JD", "é", "="]
)
def test_padding_stray_bits_and_foreign_characters_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        b64.decode(text)
