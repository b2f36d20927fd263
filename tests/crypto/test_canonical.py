import json
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import canonical
from crypto.canonical import Json
from crypto.errors import Malformed

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


@given(VALUES)
def test_decoding_gives_back_what_was_encoded(value: Json) -> None:
    assert canonical.decode(canonical.encode(value)) == value


@given(VALUES)
def test_other_parsers_read_the_same_value(value: Json) -> None:
    assert json.loads(canonical.encode(value)) == value


def test_keys_are_sorted_as_in_rfc_8785_section_3_2_3() -> None:
    keys = ["\r", "1", "\x80", "\xf6", "\u20ac", "\U0001f600", "\ufb33"]
    value = {key: place for place, key in sorted(enumerate(keys), key=lambda item: item[1])}
    assert list(json.loads(canonical.encode(value))) == keys


def test_nested_mappings_and_tuples_are_read_as_objects_and_lists() -> None:
    value = MappingProxyType({"b": (1, MappingProxyType({"x": None})), "a": [True]})
    assert canonical.encode(value) == b'{"a":[true],"b":[1,{"x":null}]}'


NESTED: list[object] = []
for _ in range(5000):
    NESTED = [NESTED]

UNFIT: list[object] = [
    1.5,
    float("nan"),
    2**53,
    -(2**53),
    b"bytes",
    {1: "key"},
    {"set": {1}},
    ["\ud800"],
    {"\ud800": 1},
    NESTED,
]


@pytest.mark.parametrize("value", UNFIT, ids=[str(place) for place in range(len(UNFIT))])
def test_what_json_cannot_carry_exactly_is_refused(value: Json) -> None:
    with pytest.raises(Malformed, match=r"^canonical JSON: "):
        canonical.encode(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff",
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        b"[" * 100_000,
        b"1" * 5000,
    ],
)
def test_what_is_not_json_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed, match=r"^canonical JSON: not JSON$"):
        canonical.decode(data)


@pytest.mark.parametrize(
    "data",
    [b'{"a": 1}', b'{"b":1,"a":2}', b'{"a":1,"a":1}', b' {"a":1}', b'["\\u0061"]', b"-0"],
)
def test_a_second_spelling_of_the_same_value_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed, match=r"^canonical JSON: not the canonical encoding$"):
        canonical.decode(data)


@pytest.mark.parametrize("data", [b"1.0", b"1e3", b"NaN", b'"\\ud800"', b"9007199254740992"])
def test_values_outside_the_narrower_grammar_are_refused(data: bytes) -> None:
    with pytest.raises(Malformed, match=r"^canonical JSON: "):
        canonical.decode(data)


def test_a_failure_holds_no_word_of_the_value() -> None:
    """Not even in the chain of causes, which some loggers walk."""
    with pytest.raises(Malformed) as decoding:
        canonical.decode(b'{"kanari')
    with pytest.raises(Malformed) as encoding:
        canonical.encode(["\ud800kanari"])
    for failure in (decoding.value, encoding.value):
        assert failure.__context__ is None
        assert failure.__cause__ is None
        assert "kanari" not in str(failure)
