"""What is written on a terminal moves no cursor and keeps its columns."""

import pytest

from portal.cli.writing import printable, table


def test_columns_stand_under_each_other_and_lines_end_with_their_text() -> None:
    assert list(table([("a", "bb", ""), ("ccc", "d", "e")])) == ["a    bb", "ccc  d   e"]
    assert list(table([])) == []


@pytest.mark.parametrize("spoken", ["\x1b[2J", "\r", "\n", "\x9b1A", "\N{RIGHT-TO-LEFT OVERRIDE}"])
def test_nothing_is_written_that_a_terminal_obeys(spoken: str) -> None:
    """Escapes of one and of two bytes, a second line, another direction."""
    assert printable(f"a{spoken}b")[:2] == "a?"
    assert spoken not in "".join(table([(f"a{spoken}b",)]))


def test_words_of_any_script_are_left_as_they_are() -> None:
    assert printable("Ni Luh Sukarsih, ꦱꦸ \N{NO-BREAK SPACE}1") == "Ni Luh Sukarsih, ꦱꦸ  1"
