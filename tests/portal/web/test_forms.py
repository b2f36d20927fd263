"""portal.web.forms: every odd body gets a clear refusal, and a good one arrives unharmed."""

import sys
import unicodedata
from urllib.parse import urlencode

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import RequestFactory, TestClient

from portal.web.forms import URLENCODED, FormLimits, PortalRequest, clean, parse_form
from portal.web.refusals import (
    BadForm,
    ForbiddenCharacter,
    NotUtf8,
    RepeatedField,
    TooManyFields,
)
from tests.portal.web.conftest import SECRET, Site, raw

LIMITS = FormLimits(body=10_000, fields=5)
TYPE = {"content-type": URLENCODED}


def test_a_browsers_form_arrives_as_typed(client: TestClient[Litestar], site: Site) -> None:
    """Spaces, plus signs, umlauts and line breaks of a real form survive; CRLF becomes LF."""
    client.post("/kirim", data={"narasi": "Rp 5+5 juta\r\ndi Désa", "kosong": ""})
    assert site.received == [{"narasi": "Rp 5+5 juta\ndi Désa", "kosong": ""}]


def test_a_declared_over_long_body_is_refused_before_it_is_read(site: Site) -> None:
    """413 comes from the header alone: the body is never asked for."""
    answer = raw(site.app, "POST", "/kirim", {**TYPE, "content-length": "10001"}, [None])
    assert answer.status == 413


@pytest.mark.parametrize("headers", [TYPE, {**TYPE, "content-length": "5"}])
def test_an_over_long_body_is_refused_while_it_arrives(site: Site, headers: dict[str, str]) -> None:
    """A chunked body, or one that lies about its length, is stopped at the limit."""
    answer = raw(site.app, "POST", "/kirim", headers, [b"a=" + b"x" * 6_000, b"x" * 6_000, b"x"])
    assert answer.status == 413
    assert site.received == []


def test_a_body_of_exactly_the_limit_is_accepted(site: Site) -> None:
    """The limit is inclusive, in one chunk or several."""
    answer = raw(site.app, "POST", "/kirim", TYPE, [b"a=" + b"x" * 4_998, b"x" * 5_000])
    assert answer.status == 200
    assert site.received == [{"a": "x" * 9_998}]


def test_the_applications_own_limit_stands_behind_the_forms_limit(site: Site) -> None:
    """A route that reads with Litestar's stream is bounded, too."""
    assert site.app.request_max_body_size == 1024 * 1024


def test_ten_thousand_fields_are_refused(client: TestClient[Litestar], site: Site) -> None:
    """The number of fields is bounded, however short they are."""
    body = b"&".join([b""] * 10_000)
    assert client.post("/kirim", content=body, headers=TYPE).status_code == 400
    assert site.received == []


def test_the_bound_on_fields_is_exact() -> None:
    """As many as allowed pass, one more does not."""
    assert len(parse_form(b"a=1&a=2&a=3&a=4&a=5", LIMITS).many("a")) == 5
    with pytest.raises(TooManyFields):
        parse_form(b"a=1&a=2&a=3&a=4&a=5&a=6", LIMITS)


@pytest.mark.parametrize("body", [b"a=%FF", b"a=\xff", b"%C3=1", b"a=%ED%A0%80", b"a=%C0%80"])
def test_invalid_utf8_is_refused(client: TestClient[Litestar], body: bytes) -> None:
    """No replacement characters: broken, overlong and surrogate sequences are refused."""
    with pytest.raises(NotUtf8):
        parse_form(body, LIMITS)
    assert client.post("/kirim", content=body, headers=TYPE).status_code == 400


@pytest.mark.parametrize("body", [b"a=%00", b"a=\x00", b"a=x%00y"])
def test_nul_is_refused(client: TestClient[Litestar], body: bytes) -> None:
    """A NUL never reaches a use case."""
    with pytest.raises(ForbiddenCharacter):
        parse_form(body, LIMITS)
    assert client.post("/kirim", content=body, headers=TYPE).status_code == 400


@pytest.mark.parametrize(
    "header",
    [None, "", "text/plain", "application/json", f"{URLENCODED}; charset=iso-8859-1", "x"],
)
def test_another_or_no_content_type_is_refused(
    client: TestClient[Litestar], site: Site, header: str | None
) -> None:
    """Only URL-encoded UTF-8 forms are read."""
    headers = {} if header is None else {"content-type": header}
    assert client.post("/kirim", content=b"a=1", headers=headers).status_code == 415
    assert site.received == []


@pytest.mark.parametrize("header", [URLENCODED.upper(), f"{URLENCODED};charset=UTF-8"])
def test_spellings_of_the_right_content_type_are_accepted(
    client: TestClient[Litestar], header: str
) -> None:
    """Letter case and an explicit UTF-8 are fine."""
    response = client.post("/kirim", content=b"a=1", headers={"content-type": header})
    assert response.status_code == 200


def test_multipart_is_refused_with_its_own_words(client: TestClient[Litestar]) -> None:
    """A file sent where none is expected is refused, and the page says so."""
    response = client.post("/kirim", files={"berkas": ("nama.txt", SECRET.encode())})
    other = client.post("/kirim", content=b"a=1", headers={"content-type": "text/plain"})
    assert response.status_code == 415
    assert "berkas" in response.text
    assert response.text != other.text
    assert SECRET not in response.text


def test_a_client_that_hangs_up_is_no_error_of_ours(site: Site, logged: object) -> None:
    """A cut connection leaves nothing behind: no half form, no log line."""
    answer = raw(site.app, "POST", "/kirim", TYPE, [b"a=1", None])
    assert answer.status == 400
    assert site.received == []
    assert callable(logged)
    assert "unexpected" not in logged()


@pytest.mark.parametrize("length", ["abc", "-1", "1e3", "9" * 30, "\uff11"])
def test_a_length_that_is_no_number_is_refused(site: Site, length: str) -> None:
    """A nonsensical Content-Length is a bad request, not a failure."""
    answer = raw(site.app, "POST", "/kirim", {**TYPE, "content-length": length}, [b"a=1"])
    assert answer.status == 400


@pytest.mark.parametrize("body", [b"=1", b"a%20b=1", b"%3Cx%3E=1", b"1a=1", b"a" * 65 + b"=1"])
def test_field_names_that_no_page_of_ours_has_are_refused(body: bytes) -> None:
    """Names are a closed grammar, so that none can be hostile anywhere later."""
    with pytest.raises(BadForm):
        parse_form(body, LIMITS)


def test_a_repeated_field_is_not_silently_one_of_its_values() -> None:
    """Where one value is expected, two are an error; where many are, all come in order."""
    form = parse_form(b"a=1&a=2", LIMITS)
    assert form.many("a") == ("1", "2")
    with pytest.raises(RepeatedField):
        form.one("a")


def test_an_absent_field_is_empty() -> None:
    """Unticked boxes and left-out fields need no special case, and can be told apart."""
    form = parse_form(b"a=", LIMITS)
    assert (form.one("a"), form.one("b"), form.many("b")) == ("", "", ())
    assert ("a" in form, "b" in form) == (True, False)


def test_an_empty_body_is_an_empty_form() -> None:
    """A form with no field is a form."""
    assert parse_form(b"", LIMITS).names == ()


def test_a_form_shows_nothing_of_itself() -> None:
    """A form in a traceback or log gives nothing away."""
    form = parse_form(f"narasi={SECRET}&{SECRET}=1".encode(), LIMITS)
    assert SECRET not in repr(form) + str(form) + f"{form}"


@pytest.mark.parametrize("method", ["form", "json", "msgpack"])
def test_litestars_own_parsers_are_out_of_reach(site: Site, method: str) -> None:
    """Nobody can parse a body, and spool an upload in plaintext, by accident."""
    scope = RequestFactory(app=site.app).post("/", data={"a": "1"}).scope
    with pytest.raises(RuntimeError, match="read_form"):
        anyio.run(getattr(PortalRequest(scope), method))


def test_a_handler_that_uses_litestars_parser_fails(client: TestClient[Litestar]) -> None:
    """The refusal also holds inside the running application."""
    assert client.post("/urai", files={"a": ("b", b"c")}).status_code == 500


def test_text_is_composed() -> None:
    """The same word typed on two phones is the same text (NFC)."""
    assert clean("De\u0301sa") == "D\u00e9sa"


PILES = {
    "out of order": "\u0315\u0300" * 16,
    "two marks in one": "\u0344" * 31,
    "no mark until taken apart": "\u0f73" * 31,
    "mixed": "\u0f73\u0301\u0344\u05b0" * 8,
}


@pytest.mark.parametrize("pile", PILES)
def test_a_pile_of_marks_is_refused_before_it_is_sorted(
    client: TestClient[Litestar], site: Site, pile: str
) -> None:
    """Putting n marks in order costs n squared steps, so no more than a script needs are taken."""
    with pytest.raises(ForbiddenCharacter):
        clean(f"a{PILES[pile]}")
    body = urlencode({"a": f"a{PILES[pile]}"}).encode()
    assert client.post("/kirim", content=body, headers=TYPE).status_code == 400
    assert site.received == []


def test_the_bound_on_marks_is_that_of_uax_15() -> None:
    """Thirty in a row are text (§13, Stream-Safe Text Format), as often as anybody likes."""
    text = ("a" + "\u0315\u0300" * 15) * 100
    assert clean(text) == unicodedata.normalize("NFC", text)


def test_whatever_is_sorted_counts_as_a_mark() -> None:
    """No character of Unicode starts with a mark, once taken apart, and is not counted."""
    marks = [
        chr(code)
        for code in range(0x80, sys.maxunicode + 1)
        if unicodedata.combining(unicodedata.normalize("NFD", chr(code))[0])
    ]
    assert len(marks) > 900
    for mark in marks:
        with pytest.raises(ForbiddenCharacter):
            clean(mark * 31)


@pytest.mark.parametrize(
    "text",
    [
        "بِسْمِ ٱللَّهِ ٱلرَّحْمَٰنِ ٱلرَّحِيمِ",
        "ᬩᬲᬩᬮᬶ ᬑᬁ ᬲ᭄ᬯᬲ᭄ᬢ᭄ᬬᬲ᭄ᬢᬸ",
        "ꦲꦏ꧀ꦱꦫꦗꦮ ꦩꦼꦤꦼꦁ",
        unicodedata.normalize("NFD", "Những người tố giác được bảo vệ"),
        "שָׁלוֹם עֲלֵיכֶם",
        "བོད་སྐད་ ཧཱུྃ",
        "ที่นี่ไม่มีใครรู้",
        "👩🏽‍💻 किताब",
    ],
)
def test_the_scripts_of_the_world_pass(text: str) -> None:
    """Arabic, Balinese, Javanese, Vietnamese, Hebrew, Tibetan, Thai: nothing is lost."""
    assert clean(text * 500) == unicodedata.normalize("NFC", text * 500)


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_cleaning_twice_is_cleaning_once_and_leaves_no_control(text: str) -> None:
    """Cleaned text holds no control but newline and tab, and stays as it is."""
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    controls = {chr(code) for code in (*range(32), *range(127, 160))} - {"\n", "\t"}
    assert controls.isdisjoint(cleaned)


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
                max_size=5))  # fmt: skip
def test_what_a_browser_encodes_is_what_is_read(values: list[str]) -> None:
    """Encoding and parsing are inverse, up to cleaning."""
    body = urlencode([("a", value) for value in values]).encode()
    assert parse_form(body, LIMITS).many("a") == tuple(clean(value) for value in values)
