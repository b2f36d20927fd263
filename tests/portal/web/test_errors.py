"""portal.errors: each refusal has its status and page; nothing of a request is shown or logged."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from litestar import Litestar, Request
from litestar.testing import RequestFactory, TestClient

from casework.errors import CaseworkError, Untrustworthy
from casework.intake.watch import NotInLog
from casework.keys.memory import Rollback, RolledBack
from casework.log.keys import LogKeyMissing, LogKeysBroken
from casework.log.tree import TreeDamaged
from portal.errors import ErrorPages, place
from portal.web.pages import Pages
from portal.web.refusals import Refusal, SignInRequired
from portal.web.settings import Surface, WebSettings
from tests.portal.web.conftest import SECRET, SITE, Answer, MakeSite, Site, raw

FORM = {"content-type": "application/x-www-form-urlencoded"}
DOMAIN = [
    ("tiada", 404),
    ("dilarang", 403),
    ("langkah", 409),
    ("bentrok", 409),
    ("isian", 422),
    ("habis", 401),
    ("sibuk", 503),
    ("rusak", 500),
]


@pytest.mark.parametrize(("name", "status"), DOMAIN)
def test_each_refusal_of_the_domain_is_a_page(
    client: TestClient[Litestar], name: str, status: int
) -> None:
    """A use case's refusal reaches the reader as a whole page in Indonesian with one h1."""
    response = client.get(f"/raise/{name}")
    assert response.status_code == status
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert len(re.findall(r"<h1\b", response.text)) == 1
    assert '<html lang="id">' in response.text


def _leaves(root: type[Exception]) -> list[type[Exception]]:
    return [leaf for child in root.__subclasses__() for leaf in [child, *_leaves(child)]]


@pytest.mark.parametrize("refusal", [r for r in _leaves(Refusal) if r is not SignInRequired])
def test_every_refusal_of_the_web_layer_has_a_status_and_words(
    site: Site, refusal: type[Refusal]
) -> None:
    """No class of refusal was forgotten: none ends as a 500."""
    pages = ErrorPages(Pages(context={"site": SITE}), WebSettings())
    made = refusal(3) if refusal.reason == "busy" else refusal()  # type: ignore[call-arg]
    response = pages.refusal(_request(site), made)
    assert response.status_code is not None
    assert response.status_code in {400, 403, 413, 415, 503}
    assert "<h1>" in response.content


def _request(site: Site) -> Request[Any, Any, Any]:
    # With an application of its own, the factory would reconfigure the root logger.
    return RequestFactory(app=site.app).get("/")


def test_a_domain_error_without_a_status_is_a_failure(
    site: Site, logged: Callable[[], str]
) -> None:
    """A new error class that nobody mapped is a programmer's error, not a silent 200."""

    class Unmapped(CaseworkError):
        """Known to nobody."""

    pages = ErrorPages(Pages(context={"site": SITE}), WebSettings())
    response = pages.casework(_request(site), Unmapped(SECRET))
    assert response.status_code == 500
    assert "Unmapped" in logged()
    assert SECRET not in logged()


@pytest.mark.parametrize(("kind", "path"), [("staff", "/petugas/masuk"), ("reporter", "/masuk")])
def test_a_missing_session_leads_to_its_sign_in(site: Site, kind: str, path: str) -> None:
    """303 to the sign-in page of the kind that is needed."""
    pages = ErrorPages(Pages(context={"site": SITE}), WebSettings())
    response = pages.refusal(_request(site), SignInRequired(kind))
    assert (response.status_code, response.headers["location"]) == (303, path)


CANARIES = [
    ("GET", f"/{SECRET}", {}, b""),
    ("GET", f"/raise/{SECRET}", {}, b""),
    (SECRET, "/", {}, b""),
    ("POST", "/kirim", {"content-type": SECRET}, b"a=1"),
    ("POST", "/kirim", {**FORM, "content-length": SECRET}, b"a=1"),
    ("POST", "/kirim", FORM, f"{SECRET}=%FF".encode()),
    ("POST", "/kirim", FORM, f"a={SECRET}%00".encode()),
    ("POST", "/kirim", FORM, f"a={SECRET}&a={SECRET}".encode()),
    ("POST", "/kirim", {**FORM, "origin": f"http://{SECRET}.test"}, b"a=1"),
    ("POST", "/kirim", {**FORM, "sec-fetch-site": SECRET}, b"a=1"),
    ("GET", "/", {"host": f"{SECRET} x"}, b""),
    ("GET", "/petugas", {"cookie": f"petugas={SECRET}"}, b""),
    ("POST", "/rusak", FORM, f"narasi={SECRET}".encode()),
]


@pytest.mark.parametrize("canary", CANARIES)
def test_nothing_of_the_request_is_shown_or_logged(
    site: Site,
    logged: Callable[[], str],
    canary: tuple[str, str, dict[str, str], bytes],
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Path, method, headers, body: a canary in any of them appears neither in page nor log."""
    method, path, headers, body = canary
    answer = raw(site.app, method, path, headers, [body])
    assert answer.status >= 300
    assert SECRET not in _whole(answer)
    output = capfd.readouterr()
    assert SECRET not in logged() + output.out + output.err


def _whole(answer: Answer) -> str:
    return answer.body.decode() + repr(answer.headers)


def test_a_failure_leaves_one_line_with_reference_type_and_place(
    client: TestClient[Litestar], logged: Callable[[], str], caplog: pytest.LogCaptureFixture
) -> None:
    """The admin finds the reference of the page in the log, with type and place, and no data."""
    response = client.post("/rusak", data={"narasi": SECRET})
    (record,) = [r for r in caplog.records if r.name.startswith(("suaka", "litestar"))]
    found = re.fullmatch(
        r"unexpected ([0-9a-f]{8}): builtins\.KeyError at [\w.]+:broken:\d+", record.getMessage()
    )
    assert found is not None
    assert found.group(1) in response.text
    assert record.exc_info is None
    assert SECRET not in response.text + logged()


def test_each_failure_has_its_own_reference(client: TestClient[Litestar]) -> None:
    """References are random, not a hash of what happened."""
    pages = {client.get("/raise/rusak").text for _ in range(3)}
    assert len(pages) == 3


def test_refusals_are_not_logged(client: TestClient[Litestar], logged: Callable[[], str]) -> None:
    """A visitor's mistakes leave no trace at all."""
    client.get("/tidak/ada")
    client.post("/kirim", content=b"a=%FF", headers=FORM)
    client.get("/raise/dilarang")
    assert "suaka" not in logged()


@pytest.mark.parametrize(
    ("surface", "path", "lines"),
    [
        (Surface.BOTH, "/masuk", 0),
        (Surface.BOTH, "/ruang", 0),
        (Surface.PUBLIC, "/formulir/simpan", 0),
        (Surface.BOTH, "/petugas/masuk", 1),
        (Surface.STAFF, "/petugas", 1),
    ],
)
def test_damage_is_logged_where_officers_meet_it_only(
    site: Site, caplog: pytest.LogCaptureFixture, surface: Surface, path: str, lines: int
) -> None:
    """Whoever damages a case on purpose must not read in the log when its reporter came back."""
    pages = ErrorPages(Pages(context={"site": SITE}), WebSettings(surface=surface))
    request: Request[Any, Any, Any] = RequestFactory(app=site.app).get(path)
    response = pages.casework(request, Untrustworthy("damaged"))
    assert response.status_code == 503
    assert len([one for one in caplog.records if one.name == "suaka.portal"]) == lines


def test_a_wrong_method_says_which_are_right(client: TestClient[Litestar]) -> None:
    """405 carries Allow (RFC 9110 §15.5.6)."""
    assert "GET" in client.delete("/").headers["allow"]


def test_a_broken_template_costs_only_the_words(site: Site, logged: Callable[[], str]) -> None:
    """If the error page itself fails, a bare status goes out and the log names the fault."""
    pages = ErrorPages(Pages(), WebSettings())
    response = pages.unexpected(_request(site), ValueError(SECRET))
    assert response.status_code == 500
    assert re.fullmatch(r"500 [0-9a-f]{8}", response.content)
    assert "UndefinedError" in logged()
    assert SECRET not in logged()


@pytest.mark.parametrize(
    ("surface", "path", "exit_offered"),
    [
        (Surface.BOTH, "/x", True),
        (Surface.BOTH, "/petugas/x", False),
        (Surface.BOTH, "/petugasx", True),
        (Surface.STAFF, "/x", False),
        (Surface.PUBLIC, "/petugas/x", True),
    ],
)
def test_a_reporters_error_page_offers_the_quick_exit(
    make_site: MakeSite, *, surface: Surface, path: str, exit_offered: bool
) -> None:
    """Error pages belong to the surface they stand on."""
    answer = raw(make_site(WebSettings(surface=surface)).app, "GET", path, {}, [b""])
    assert (b"/tutup" in answer.body) is exit_offered


def test_the_place_is_the_innermost_of_our_own() -> None:
    """A failure inside a library is reported where our code called it."""
    with pytest.raises(ValueError) as failed:
        Pages().tanggal("kemarin")
    named = place(failed.value.__traceback__)
    assert re.fullmatch(r"portal\.web\.pages:tanggal:\d+", named)


def test_a_place_is_always_named() -> None:
    """Without a traceback there is still something to print."""
    assert place(None) == "unknown"


STOPS = [
    *(RolledBack(reason) for reason in Rollback),
    NotInLog("submission"),
    LogKeysBroken("key 2"),
    TreeDamaged("node"),
    Untrustworthy("damaged"),
]


@pytest.mark.parametrize("path", ["/ruang", "/petugas"])
def test_each_reason_to_stop_has_words_of_its_own_and_says_what_to_do(
    site: Site, path: str
) -> None:
    """Reporters: write nothing more, keep the words, go elsewhere. Officers: stop, tell others."""
    pages = ErrorPages(Pages(context={"site": SITE}), WebSettings())
    request: Request[Any, Any, Any] = RequestFactory(app=site.app).get(path)
    todo = {
        "/ruang": ("Jangan menulis apa-apa lagi", "delapan kata", 'href="/saluran"'),
        "/petugas": ("penjaga laporan", "secara tertulis", "suaka doctor"),
    }
    told = set()
    for stopped in STOPS:
        answer = pages.casework(request, stopped)
        assert answer.status_code == 503
        assert all(words in answer.content for words in todo[path]), stopped
        lead = re.search(r'<p class="lead">(.+?)</p>', answer.content)
        assert lead is not None
        told.add(lead[1])
    assert len(told) == len(STOPS)


def test_a_missing_key_of_the_log_is_no_reason_to_stop(site: Site) -> None:
    """It is a matter for whoever looks after the server; nothing is wrong with the report."""
    pages = ErrorPages(Pages(context={"site": SITE}), WebSettings())
    for path, said in (("/ruang/bukti", "Laporan Anda aman"), ("/petugas", "suaka doctor")):
        request: Request[Any, Any, Any] = RequestFactory(app=site.app).get(path)
        answer = pages.casework(request, LogKeyMissing("unreadable"))
        assert answer.status_code == 503
        assert said in answer.content
        assert "Jangan menulis" not in answer.content
