import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import LimitExceeded
from crypto.padme import padded_length

SIZES = st.integers(0, 2**40)
FLOORS = st.sampled_from([0, 1, 1024, 65536])


@pytest.mark.parametrize(
    ("length", "padded"),
    [
        (0, 0),
        (1, 1),
        (2, 2),
        (3, 3),
        (7, 7),
        (8, 8),
        (9, 10),
        (11, 12),
        (100, 104),
        (1000, 1024),
        (1025, 1088),
        (65_537, 67_584),
    ],
)
def test_known_sizes(length: int, padded: int) -> None:
    assert padded_length(length, 0) == padded


@given(st.integers(2, 2**40))
def test_agrees_with_the_formula_of_the_paper(length: int) -> None:
    exponent = math.floor(math.log2(length))
    mantissa = math.floor(math.log2(exponent)) + 1 if exponent else 1
    step = 2 ** max(0, exponent - mantissa)
    assert padded_length(length, 0) == -(-length // step) * step


@given(SIZES, FLOORS)
def test_padding_never_cuts_and_is_at_least_the_floor(length: int, floor: int) -> None:
    assert padded_length(length, floor) >= max(length, floor)


@given(SIZES)
def test_at_most_twelve_percent_are_added(length: int) -> None:
    assert padded_length(length, 0) <= length * 1.12


@given(SIZES, FLOORS)
def test_padding_what_is_padded_adds_nothing(length: int, floor: int) -> None:
    padded = padded_length(length, floor)
    assert padded_length(padded, floor) == padded


@given(SIZES, SIZES, FLOORS)
def test_the_longer_is_never_the_shorter_when_padded(a: int, b: int, floor: int) -> None:
    short, long = sorted((a, b))
    assert padded_length(short, floor) <= padded_length(long, floor)


def test_few_sizes_remain_distinguishable() -> None:
    assert len({padded_length(length, 0) for length in range(2**16)}) < 16 * 16


def test_everything_up_to_the_floor_looks_alike() -> None:
    assert {padded_length(length, 1024) for length in range(1025)} == {1024}
    assert padded_length(1025, 1024) == 1088


def test_a_floor_need_not_be_a_padme_size() -> None:
    assert padded_length(9, 9) == 9


def test_a_negative_length_is_refused() -> None:
    with pytest.raises(LimitExceeded, match=r"^padding: negative length$"):
        padded_length(-1, 1024)
