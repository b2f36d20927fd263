"""portal.web.pages: templates are strict and escape everything; texts keep their shape."""

from datetime import date
from gettext import NullTranslations
from pathlib import Path

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.web.pages import Pages, angka, nbsp, nl2p, see_other

TEMPLATES = {
    "halo.html": "<p>{{ nama }}</p>",
    "kata.html": "{{ _('Masuk') }} {% trans n=2 %}{{ n }} hari{% endtrans %}",
    "hari.html": "{{ hari | tanggal }}",
    "situs.html": "{{ site }}",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An installed package of templates."""
    folder = tmp_path / "halaman_uji"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    for name, text in TEMPLATES.items():
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "halaman_uji"


def test_what_people_typed_is_escaped(package: str) -> None:
    """Markup in a value stays text."""
    assert Pages(package=package).text("halo.html", nama="<b>&'\"") == (
        "<p>&lt;b&gt;&amp;&#39;&#34;</p>"
    )


def test_a_forgotten_value_is_an_error(package: str) -> None:
    """A template never shows an empty place where something belongs."""
    with pytest.raises(jinja2.UndefinedError):
        Pages(package=package).text("halo.html")


def test_templates_go_through_gettext(package: str) -> None:
    """The source shows as written, and a catalogue replaces it."""

    class English(NullTranslations):
        def gettext(self, message: str) -> str:
            return {"Masuk": "Sign in", "%(n)s hari": "%(n)s days", "Mei": "May"}[message]

    assert Pages(package=package).text("kata.html") == "Masuk 2 hari"
    translated = Pages(package=package, translations=English())
    assert translated.text("kata.html") == "Sign in 2 days"
    assert translated.text("hari.html", hari=date(2026, 5, 3)) == "3\u00a0May\u00a02026"


def test_a_page_is_html_with_its_status(package: str) -> None:
    """Status and extra headers are the caller's, type and encoding ours."""
    response = Pages(package=package).render(
        "halo.html", status=422, headers={"clear-site-data": '"cache"'}, nama="é"
    )
    assert (response.status_code, response.media_type) == (422, "text/html")
    assert response.headers == {"clear-site-data": '"cache"'}
    assert response.content == "<p>é</p>"


def test_what_every_page_needs_is_given_once(package: str) -> None:
    """The context of the instance is known to each template."""
    assert Pages(package=package, context={"site": "X"}).text("situs.html") == "X"


def test_only_real_templates_are_found() -> None:
    """`has` does not invent, and sources are no templates."""
    pages = Pages()
    assert pages.has("errors/reason.html")
    assert not pages.has("errors/999.html")
    assert not pages.has("__init__.py")


@pytest.mark.parametrize("path", ["/", "/ruang", "/petugas/berkas/a1?x=1#isi"])
def test_a_redirect_leads_to_a_page_of_ours(path: str) -> None:
    """303 and nothing else."""
    response = see_other(path)
    assert (response.status_code, response.headers["location"]) == (303, path)


@pytest.mark.parametrize(
    "path",
    ["", "ruang", "//evil.test", "/\\evil.test", "http://evil.test", "/a\r\nset-cookie: x", "/a b",
     "/a\\b", "/\n/evil.test", "/é"],
)  # fmt: skip
def test_a_redirect_never_leaves_this_site(path: str) -> None:
    """No open redirect and no header injection, whatever a handler passes."""
    with pytest.raises(ValueError, match="stays"):
        see_other(path)


@pytest.mark.parametrize("day", [date(2026, 11, 22), "2026-11-22"])
def test_days_are_written_in_words(day: date | str) -> None:
    """As in an Indonesian letter, and never broken over two lines."""
    assert Pages().tanggal(day) == "22\u00a0November\u00a02026"


def test_every_month_has_its_name() -> None:
    """All twelve, in order."""
    pages = Pages()
    months = [pages.tanggal(date(2026, month, 1)).split("\u00a0")[1] for month in range(1, 13)]
    assert months[0] == "Januari"
    assert months[7] == "Agustus"
    assert months[11] == "Desember"
    assert len(set(months)) == 12


def test_paragraphs_and_lines_are_kept() -> None:
    """Empty lines part paragraphs, single line ends stay line ends."""
    assert nl2p("\n a\nb\n \n\n c \n") == "<p>a<br>\nb</p>\n<p>c</p>"
    assert nl2p("") == ""


@given(st.text())
def test_a_text_in_paragraphs_brings_no_markup(text: str) -> None:
    """Apart from <p> and <br>, no character of the text is markup."""
    rest = str(nl2p(text))
    for ours in ("<p>", "</p>", "<br>"):
        rest = rest.replace(ours, "")
    assert "<" not in rest
    assert ">" not in rest


def test_groups_stay_on_one_line() -> None:
    """Short groups do not break, numbers have points."""
    assert nbsp("3 hari kerja") == "3\u00a0hari\u00a0kerja"
    assert [angka(n) for n in (0, 999, 1000, 1234567)] == ["0", "999", "1.000", "1.234.567"]
