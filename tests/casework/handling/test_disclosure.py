"""Small numbers cannot be worked out from what is shown, by whoever knows the rule."""

from collections import defaultdict
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.handling.disclosure import THRESHOLD, Protected, Shade, protect

COUNTS = st.lists(st.integers(0, 60), min_size=1, max_size=14)


@pytest.mark.parametrize(("columns", "top"), [(1, 24), (2, 40), (3, 26), (4, 14)])
def test_every_small_number_could_be_at_least_four(columns: int, top: int) -> None:
    """All rows of numbers that look the same, compared: what each hidden small one can be."""
    alike: dict[Protected, list[tuple[int, ...]]] = defaultdict(list)
    for values in product(range(top + 1), repeat=columns):
        alike[protect(values)].append(values)
    checked = 0
    for shown, rows in alike.items():
        visible = sum(cell.value or 0 for cell in shown.cells)
        if shown.total.value is not None and shown.total.value - visible > top:
            continue  # where the range of this test ends, not the rule
        for place, cell in enumerate(shown.cells):
            if cell.shade is Shade.SMALL:
                checked += 1
                assert len({row[place] for row in rows}) >= 4, (shown, rows)
    assert checked


@given(COUNTS)
def test_small_numbers_never_show_and_shown_ones_are_true(values: list[int]) -> None:
    shown = protect(values)
    for value, cell in zip(values, shown.cells, strict=True):
        assert cell.value in (None, value)
        assert (cell.shade is Shade.SMALL) is (value < THRESHOLD)
        assert (cell.value is None) is (cell.shade is not Shade.SHOWN)
    assert shown.total.value in (None, sum(values))


@given(COUNTS)
def test_where_nothing_is_small_everything_shows(values: list[int]) -> None:
    large = [value + THRESHOLD for value in values]
    shown = protect(large)
    assert [cell.value for cell in shown.cells] == large
    assert shown.total.value == sum(large)


@pytest.mark.parametrize(
    ("values", "cells", "total"),
    [
        ((9, 8, 7), (9, 8, 7), 24),
        ((9, 2, 30), (9, None, None), 41),  # the sum would give the 2 away
        ((3, 2, 4), (None, None, None), None),
        ((3, 2, 1), (None, None, None), 6),  # each could still be anything
        ((0, 0, 6), (None, None, None), None),
        ((), (), None),
    ],
)
def test_examples(values: tuple[int, ...], cells: tuple[int | None, ...], total: int) -> None:
    shown = protect(values)
    assert tuple(cell.value for cell in shown.cells) == cells
    assert shown.total.value == total
