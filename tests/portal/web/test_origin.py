"""portal.web.origin: what changes state comes from our own pages, if the browser can tell."""

import pytest

from portal.web.settings import WebSettings
from tests.portal.web.conftest import MakeSite, Site, raw

FORM = {"content-type": "application/x-www-form-urlencoded", "host": "portal.test"}
ONION = "http://" + "a" * 56 + ".onion"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": "http://portal.test"},
        {"origin": "https://portal.test"},
        {"origin": "HTTP://PORTAL.TEST"},
        {"sec-fetch-site": "same-origin", "origin": "http://portal.test"},
        {"sec-fetch-site": "same-origin", "origin": "null"},
    ],
)
def test_our_own_pages_and_silent_browsers_pass(site: Site, headers: dict[str, str]) -> None:
    """Text browsers send neither header; strict privacy settings hide the origin."""
    assert raw(site.app, "POST", "/kirim", {**FORM, **headers}, [b"a=1"]).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "other"},
        {"sec-fetch-site": ""},
        {"origin": "http://evil.test"},
        {"origin": "http://portal.test.evil.test"},
        {"origin": "http://portal.test:8080"},
        {"origin": "http://sub.portal.test"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://[portal.test"},
        {"sec-fetch-site": "same-origin", "origin": "http://evil.test"},
        {"sec-fetch-site": "cross-site", "origin": "http://portal.test"},
        {"sec-fetch-site": "none", "origin": "null"},
    ],
)
@pytest.mark.parametrize("path", ["/kirim", "/petugas/masuk"])
def test_other_origins_are_refused(site: Site, headers: dict[str, str], path: str) -> None:
    """A report or a sign-in that another site makes the browser send is refused unread."""
    answer = raw(site.app, "POST", path, {**FORM, **headers}, [b"a=1"])
    assert answer.status == 403
    assert site.received == []
    assert "set-cookie" not in dict(answer.headers)


@pytest.mark.parametrize("origin", ["", "portal.test", "data:"])
def test_an_origin_without_a_host_is_not_ours_for_lack_of_a_host(site: Site, origin: str) -> None:
    """A request without Host does not make an empty origin match."""
    headers = {"content-type": FORM["content-type"], "origin": origin}
    assert raw(site.app, "POST", "/kirim", headers, [b"a=1"]).status == 403


def test_links_from_elsewhere_may_lead_here(site: Site) -> None:
    """Reading is not restricted: a newspaper may link to the portal."""
    answer = raw(site.app, "GET", "/", {"sec-fetch-site": "cross-site"}, [b""])
    assert answer.status == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://lapor.test", 200),
        (ONION, 200),
        ("http://lapor.test", 403),
        ("http://portal.test", 403),
    ],
)
def test_published_origins_are_the_only_ones(make_site: MakeSite, origin: str, status: int) -> None:
    """Once origins are configured, scheme included, the Host header has no say."""
    site = make_site(WebSettings(origins=("https://lapor.test", ONION)))
    answer = raw(site.app, "POST", "/kirim", {**FORM, "origin": origin}, [b"a=1"])
    assert answer.status == status
