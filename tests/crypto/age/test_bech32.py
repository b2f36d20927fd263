"""Bech32 is strict: one text per key and case, and no slip of the pen goes unnoticed."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crypto.age import bech32
from crypto.errors import Malformed

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
PREFIXES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


@given(PREFIXES, st.binary(max_size=1300))
def test_round_trip_in_either_case(prefix: str, raw: bytes) -> None:
    for cased in (prefix.lower(), prefix.upper()):
        assert bech32.decode(bech32.encode(cased, raw)) == (cased, raw)


@given(st.binary(max_size=80), st.data())
def test_any_single_substitution_is_noticed(raw: bytes, data: st.DataObject) -> None:
    text = bech32.encode("age", raw)
    place = data.draw(st.integers(4, len(text) - 1))
    other = data.draw(st.sampled_from(ALPHABET.replace(text[place], "")))
    with pytest.raises(Malformed):
        bech32.decode(text[:place] + other + text[place + 1 :])


@given(st.binary(min_size=1, max_size=80), st.data())
def test_any_swap_of_neighbours_is_noticed(raw: bytes, data: st.DataObject) -> None:
    text = bech32.encode("age", raw)
    place = data.draw(st.integers(4, len(text) - 2))
    assume(text[place] != text[place + 1])
    with pytest.raises(Malformed):
        bech32.decode(text[:place] + text[place + 1] + text[place] + text[place + 2 :])


@given(st.binary(max_size=40), st.data())
def test_mixed_case_is_refused(raw: bytes, data: st.DataObject) -> None:
    text = bech32.encode("age", raw)
    place = data.draw(st.integers(0, len(text) - 1))
    assume(text[place].isalpha())
    with pytest.raises(Malformed, match="case"):
        bech32.decode(text[:place] + text[place].upper() + text[place + 1 :])


@given(st.text(max_size=60))
def test_arbitrary_text_is_refused_or_canonical(text: str) -> None:
    try:
        prefix, raw = bech32.decode(text)
    except Malformed:
        return
    assert bech32.encode(prefix, raw) == text


def with_checksum(prefix: str, values: list[int]) -> str:
    """Return a text whose checksum is right, whatever its five-bit values mean."""
    register = bech32._polymod([*bech32._expand(prefix), *values, *[0] * 6]) ^ 1
    values = values + [register >> shift & 31 for shift in range(25, -1, -5)]
    return f"{prefix}1" + "".join(ALPHABET[value] for value in values)


def test_values_that_make_whole_bytes_are_accepted() -> None:
    assert bech32.decode(with_checksum("age", [31, 28])) == ("age", b"\xff")


@pytest.mark.parametrize("values", [[31, 29], [31, 30], [31, 28, 0], [0], [1]])
def test_padding_that_is_not_zero_or_not_needed_is_refused(values: list[int]) -> None:
    with pytest.raises(Malformed, match="padding"):
        bech32.decode(with_checksum("age", values))


@pytest.mark.parametrize("text", ["A12UEL5L", "a12uel5l", "?1ezyfcl"])
def test_valid_strings_of_bip_173(text: str) -> None:
    assert bech32.decode(text)[1] == b""


@pytest.mark.parametrize(
    "text",
    ["", "1", "pzry9x0s0muk", "1pzry9x0s0muk", "x1b4n0q5v", "li1dgmt3", "A1G7SGD8", "10a06t8",
     "1qzzfhee", "\x201nwldj5", "\x7f1axkwrx", "\u212a12uel5l"],
)  # fmt: skip
def test_invalid_strings_of_bip_173(text: str) -> None:
    with pytest.raises(Malformed):
        bech32.decode(text)


@pytest.mark.parametrize("prefix", ["", "Age", "a e", "ä"])
def test_a_bad_prefix_is_never_written(prefix: str) -> None:
    with pytest.raises(Malformed):
        bech32.encode(prefix, b"")


@pytest.mark.parametrize(("prefix", "size"), [("age", 31), ("age", 33), ("AGE", 32), ("agf", 32)])
def test_a_key_of_another_kind_is_refused(prefix: str, size: int) -> None:
    text = bech32.encode("age", bytes(32))
    assert bech32.decode_key(text, "age", 32) == bytes(32)
    with pytest.raises(Malformed, match="another kind"):
        bech32.decode_key(text, prefix, size)
