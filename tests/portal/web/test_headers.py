"""portal.web.headers: the exact set stands on every response, whatever its status."""

from collections import Counter

import anyio
import pytest

from portal.web.headers import POLICY_HEADER, Policy, SecurityHeaders, header_set
from portal.web.settings import WebSettings
from tests.portal.web.conftest import Answer, MakeSite, Site, raw

FORM = {"content-type": "application/x-www-form-urlencoded"}
REQUESTS = [
    (200, "GET", "/", {}, b""),
    (200, "GET", "/static/suaka.css", {}, b""),
    (204, "OPTIONS", "/", {}, b""),
    (303, "POST", "/ke", {}, b""),
    (303, "GET", "/petugas", {}, b""),
    (400, "POST", "/kirim", FORM, b"a=%FF"),
    (400, "GET", "/", {"host": "a b"}, b""),
    (401, "GET", "/raise/habis", {}, b""),
    (403, "GET", "/raise/dilarang", {}, b""),
    (403, "POST", "/kirim", {**FORM, "sec-fetch-site": "cross-site"}, b"a=1"),
    (404, "GET", "/tidak/ada", {}, b""),
    (404, "GET", "/static/tidak-ada.css", {}, b""),
    (404, "GET", "/raise/tiada", {}, b""),
    (405, "DELETE", "/", {}, b""),
    (405, "BREW", "/", {}, b""),
    (405, "HEAD", "/kirim", {}, b""),
    (409, "GET", "/raise/bentrok", {}, b""),
    (409, "GET", "/raise/langkah", {}, b""),
    (413, "POST", "/kirim", {**FORM, "content-length": "999999"}, b"a=1"),
    (415, "POST", "/kirim", {"content-type": "multipart/form-data; boundary=x"}, b"--x--"),
    (422, "GET", "/raise/isian", {}, b""),
    (500, "GET", "/raise/rusak", {}, b""),
    (503, "GET", "/raise/sibuk", {}, b""),
]
# What may stand beside the set, and on which statuses only.
BESIDE: dict[str, set[int] | None] = {
    "content-type": None,
    "content-length": None,
    "location": {303},
    "allow": {204, 405},
    "www-authenticate": {401},
    "retry-after": {503},
}


def assert_exact(answer: Answer, *, tls: bool) -> None:
    """Each header of the set once and with its value; beside it nothing that is not listed."""
    expected = dict(header_set(tls=tls))
    names = Counter(name.lower() for name, _ in answer.headers)
    assert {name: value for name, value in answer.headers if name in expected} == expected
    assert max(names.values()) == 1
    for name in set(names) - set(expected):
        assert name in BESIDE, name
        statuses = BESIDE[name]
        assert statuses is None or answer.status in statuses, name


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: f"{r[0]}-{r[1]}-{r[2]}")
@pytest.mark.parametrize("tls", [False, True])
def test_every_response_has_exactly_the_set(
    make_site: MakeSite, *, request_: tuple[int, str, str, dict[str, str], bytes], tls: bool
) -> None:
    """No page, error, redirect or file goes out with a header less or more."""
    status, method, path, headers, body = request_
    answer = raw(make_site(WebSettings(tls=tls)).app, method, path, headers, [body])
    assert answer.status == status
    assert_exact(answer, tls=tls)


def test_the_set_says_what_the_design_says() -> None:
    """The values are pinned, so that a loosened one is seen."""
    found = dict(header_set(tls=True))
    policy = set(found["content-security-policy"].split("; "))
    assert policy == BASE
    assert found["cross-origin-opener-policy"] == "same-origin"
    assert found["cross-origin-embedder-policy"] == "require-corp"
    assert found["cross-origin-resource-policy"] == "same-origin"
    assert found["x-content-type-options"] == "nosniff"
    assert found["x-frame-options"] == "DENY"
    assert found["cache-control"] == "no-store"
    assert found["referrer-policy"] == "same-origin"
    assert all(part.endswith("=()") for part in found["permissions-policy"].split(", "))
    assert "camera=()" in found["permissions-policy"]
    assert found["strict-transport-security"].startswith("max-age=")


BASE = {
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [
        (None, BASE),
        (Policy.UPLOAD, BASE | {"script-src 'self'", "connect-src 'self'"}),
        (Policy.LOOK, BASE | {"media-src 'self'"}),
        (Policy.FILE, {"default-src 'none'", "sandbox", "frame-ancestors 'none'"}),
    ],
)
def test_each_policy_allows_one_thing_more_and_the_rest_of_the_set_stays(
    policy: Policy | None, allowed: set[str]
) -> None:
    """Pages that send files have our script; a file itself can do nothing at all."""
    found = dict(header_set(tls=True, policy=policy))
    assert set(found.pop("content-security-policy").split("; ")) == allowed
    plain = dict(header_set(tls=True))
    assert found.items() == plain.items() - {
        ("content-security-policy", plain["content-security-policy"])
    }


@pytest.mark.parametrize("policy", Policy)
def test_a_policy_is_asked_for_by_name_and_the_name_is_not_sent(policy: Policy) -> None:
    headers = anyio.run(_hook, POLICY_HEADER.encode(), policy.value.encode())
    found = dict(headers)
    assert POLICY_HEADER.encode() not in found
    wanted = dict(header_set(tls=False, policy=policy))["content-security-policy"]
    assert found[b"content-security-policy"] == wanted.encode()


def test_a_policy_that_nobody_wrote_down_is_no_answer() -> None:
    """Rather no page than one with whatever stands in the header."""
    with pytest.raises(KeyError):
        anyio.run(_hook, POLICY_HEADER.encode(), b"default-src *")


def test_hsts_is_sent_behind_tls_only() -> None:
    """A demonstration on plain HTTP does not lock a browser out of it."""
    assert "strict-transport-security" not in dict(header_set(tls=False))


async def _hook(name: bytes, value: bytes = b"x") -> list[tuple[bytes, bytes]]:
    message = {"type": "http.response.start", "headers": [(name, value), (b"x-own", b"y")]}
    await SecurityHeaders(tls=False)(message, {})
    return message["headers"]  # type: ignore[return-value]


@pytest.mark.parametrize("name", [b"Server", b"etag", b"Last-Modified", b"Cache-Control"])
def test_what_a_handler_sets_under_these_names_is_replaced(name: bytes) -> None:
    """No handler and no library weakens the set, names the software or marks a browser."""
    headers = anyio.run(_hook, name)
    assert b"x" not in [value for key, value in headers if key.lower() == name.lower()]
    assert (b"x-own", b"y") in headers


def test_static_files_have_their_type(site: Site) -> None:
    """With `nosniff`, a stylesheet works only under its own media type."""
    answer = raw(site.app, "GET", "/static/suaka.css", {}, [b""])
    assert dict(answer.headers)["content-type"].startswith("text/css")
    assert answer.body
