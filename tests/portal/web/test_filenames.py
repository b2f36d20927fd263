"""A file's name is kept as far as it can be shown, and is never a path or a trick."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.web.filenames import LONGEST, safe_name


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("foto.jpg", "foto.jpg"),
        ("Laporan akhir (2).PDF", "Laporan akhir (2).PDF"),
        ("..", ""),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\nama\\foto.jpg", "foto.jpg"),
        ("/home/nama/", ""),
        ("a\u202egpj.exe", "agpj.exe"),
        ("a\u2066b\u2069c\u200fd\u061ce.txt", "abcde.txt"),
        ("a\u200bb\ufeffc.txt", "abc.txt"),
        ("a\nb\tc\x00d\x7f.txt", "a b cd.txt"),
        ("  . titik .", "titik"),
        ("e\u0301.txt", "\u00e9.txt"),
        ("a" * 500 + ".jpeg", "a" * (LONGEST - 5) + ".jpeg"),
        ("a" * 500, "a" * LONGEST),
        ("x." + "b" * 500, ("x." + "b" * 500)[:LONGEST]),
        ("", ""),
    ],
)
def test_known_names(sent: str, kept: str) -> None:
    assert safe_name(sent) == kept


@given(st.text(max_size=400))
def test_no_name_holds_a_path_or_anything_invisible(raw: str) -> None:
    name = safe_name(raw)
    assert len(name) <= LONGEST
    assert not set(name) & set("/\\")
    assert not any(unicodedata.category(one)[0] == "C" for one in name)
    assert safe_name(name) == name


def test_ten_kilobytes_are_shortened() -> None:
    assert safe_name("n" * 10_000 + ".mp4").endswith("n.mp4")
