"""Texts and tables: every letter stays, and nothing that no reader sees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.clean import clean
from sandbox.clean.text import visible
from sandbox.contract import Failed, Failure, FileKind


def text(data: bytes, kind: FileKind = FileKind.TEXT) -> str:
    became, cleaned = clean(data, kind)
    assert became is kind
    return cleaned.decode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_every_usual_encoding_becomes_utf_8(encoding: str) -> None:
    assert text("Café “rusak” – 5 €".encode(encoding)) == "Café “rusak” – 5 €"


@pytest.mark.parametrize(
    "mark",
    [
        *("\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e", "\u2066", "\ufe0f", "\u034f"),
        *("\U000e0041", "\U000e0100", "\u3164", "\u2800", "\ue000", "\x00", "\x07", "\x1b"),
    ],
)
def test_a_mark_that_no_reader_sees_is_gone(mark: str) -> None:
    assert text(f"Jalan{mark} rusak".encode()) == "Jalan rusak"


def test_spaces_and_line_ends_are_of_one_kind() -> None:
    spaced = "a\u00a0b\u2009c\r\nd \t\r e\u2028f\x0cg  "
    assert text(spaced.encode()) == "a b c\nd\n e\nf\ng"


def test_letters_are_composed_in_one_way() -> None:
    assert text("Cafe\u0301".encode()) == "Café"


def test_a_table_keeps_its_empty_cells() -> None:
    assert text(b"a\tb\t\t\r\n1;2; \r\n", FileKind.CSV) == "a\tb\t\t\n1;2; \n"


def test_other_alphabets_and_pictures_stay() -> None:
    kept = "العربية 漢字 हिन्दी 👍 é\n\tĀ"
    assert text(kept.encode()) == kept


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"\x81\x8d", b"\xff\xfe\x00\x00\x01"])
def test_what_is_no_text_is_damaged(data: bytes) -> None:
    with pytest.raises(Failed) as failed:
        clean(data, FileKind.TEXT)
    assert failed.value.reason is Failure.DAMAGED


@given(st.text())
def test_what_is_clean_stays_as_it_is(any_text: str) -> None:
    once = visible(any_text)
    assert visible(once) == once
    once.encode()
