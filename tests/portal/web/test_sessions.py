"""portal.web.sessions: a cookie only after signing in, and nothing opens without it."""

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from casework.keys.sessions import Kind
from portal.web.settings import WebSettings
from tests.portal.web.conftest import PERSON, SEED, MakeSite, Site, raw


def _sign_in(client: TestClient[Litestar]) -> str:
    response = client.post("/petugas/masuk")
    assert response.status_code == 303
    return str(response.cookies["petugas"])


@pytest.mark.parametrize("path", ["/", "/static/suaka.css", "/tidak/ada", "/petugas"])
def test_no_cookie_before_signing_in(client: TestClient[Litestar], path: str) -> None:
    """A visit leaves no cookie, not even on pages that would need one."""
    assert "set-cookie" not in client.get(path).headers


def test_signing_in_opens_the_pages(client: TestClient[Litestar]) -> None:
    """The cookie of a sign-in resumes the session."""
    assert client.get("/petugas").status_code == 303
    _sign_in(client)
    assert client.get("/petugas").status_code == 200


@pytest.mark.parametrize(
    ("tls", "expected"),
    [
        (False, {"httponly", "path=/", "samesite=strict"}),
        (True, {"httponly", "path=/", "samesite=strict", "secure"}),
    ],
)
def test_the_cookie_has_exactly_these_attributes(
    make_site: MakeSite, *, tls: bool, expected: set[str]
) -> None:
    """Out of reach of scripts and other sites, not on disk, no Domain; `__Host-` with TLS."""
    answer = raw(make_site(WebSettings(tls=tls)).app, "POST", "/petugas/masuk", {}, [b""])
    (cookie,) = [value for name, value in answer.headers if name == "set-cookie"]
    pair, *attributes = [part.strip() for part in cookie.split(";")]
    assert {attribute.lower() for attribute in attributes} == expected
    assert pair.partition("=")[0] == ("__Host-petugas" if tls else "petugas")


def test_signing_in_replaces_the_session(client: TestClient[Litestar], site: Site) -> None:
    """A new cookie each time, and the former session is over: nothing can be planted."""
    first = _sign_in(client)
    second = _sign_in(client)
    assert first != second
    assert site.store.resume(first, site.clock()) is None
    assert site.store.resume(second, site.clock()) is not None


def test_a_planted_cookie_is_not_adopted(client: TestClient[Litestar]) -> None:
    """A value that the browser brought along never becomes the session's (session fixation)."""
    planted = "A" * 43
    client.cookies.set("petugas", planted)
    assert _sign_in(client) != planted


@pytest.mark.parametrize("change", ["first", "last", "cut", "longer", "twice", "empty", "other"])
def test_a_tampered_cookie_opens_nothing(
    site: Site, client: TestClient[Litestar], change: str
) -> None:
    """Any other spelling than the right one leads to the sign-in page."""
    cookie = _sign_in(client)
    swapped = "A" if cookie[0] != "A" else "B"
    header = {
        "first": f"petugas={swapped}{cookie[1:]}",
        "last": f"petugas={cookie[:-1]}{chr(ord(cookie[-1]) + 1)}",
        "cut": f"petugas={cookie[:-1]}",
        "longer": f"petugas={cookie}=",
        "twice": f"petugas={cookie}; petugas={cookie}",
        "empty": "petugas=",
        "other": f"ruang={cookie}",
    }[change]
    assert raw(site.app, "GET", "/petugas", {"cookie": header}, [b""]).status == 303
    right = {"cookie": f"x=1; petugas={cookie} "}
    assert raw(site.app, "GET", "/petugas", right, [b""]).status == 200


def test_a_reporters_session_does_not_open_officers_pages(site: Site) -> None:
    """A valid cookie of the other kind, put under this kind's name, opens nothing."""
    cookie = site.store.open(Kind.REPORTER, PERSON, SEED, site.clock())
    answer = raw(site.app, "GET", "/petugas", {"cookie": f"petugas={cookie}"}, [b""])
    assert answer.status == 303


def test_signing_out_ends_the_session_and_takes_the_cookie_back(
    client: TestClient[Litestar], site: Site
) -> None:
    """Neither browser nor server keeps it."""
    cookie = _sign_in(client)
    response = client.post("/petugas/keluar")
    assert "max-age=0" in response.headers["set-cookie"].lower()
    assert client.cookies.get("petugas") is None
    assert site.store.resume(cookie, site.clock()) is None


def test_signing_out_without_a_session_sets_no_cookie(client: TestClient[Litestar]) -> None:
    """Even the quick exit leaves nothing in a browser that had nothing."""
    assert "set-cookie" not in client.post("/petugas/keluar").headers


def test_an_idle_session_leads_to_the_sign_in(client: TestClient[Litestar], site: Site) -> None:
    """After 15 minutes without a request the pages are closed."""
    _sign_in(client)
    site.clock.now += 15 * 60 - 1
    assert client.get("/petugas").status_code == 200
    site.clock.now += 15 * 60
    assert client.get("/petugas").headers["location"] == "/petugas/masuk"
