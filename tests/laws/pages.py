"""The laws of pages: headers, title, labels, and nothing that runs or comes from afar."""

import re
from html.parser import HTMLParser
from typing import Final

import httpx

from portal.web.headers import POLICY_HEADER, Policy, header_set

TELLING = re.compile(
    r"WBS|tiket|pelapor|lapor(?!an dugaan)|aduan|kasus|bocor|korupsi|whistle|wbs", re.IGNORECASE
)
"""What a title or address must not say."""

UPLOADS: Final = re.compile(r"/ruang/berkas|/petugas/berkas/[0-9a-f]{32}/bukti")
LOOKS: Final = re.compile(r"/petugas/berkas/[0-9a-f]{32}/bukti/[0-9a-f]{32}/lihat")
SCRIPT: Final = {"src": "/static/upload.js", "defer": ""}
"""The only script there is, on the pages that send files."""


class Reader(HTMLParser):
    """What the laws of pages look at."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.title = ""
        self._in_title = False
        self._label_depth = 0
        self.labels: set[str] = set()
        self._bare: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        self._in_title = tag == "title"
        if tag == "label":
            self._label_depth += 1
            self.labels |= {attributes["for"]} if "for" in attributes else set()
        elif tag in {"input", "textarea", "select"} and attributes.get("type") != "hidden":
            self._bare += [] if self._label_depth else [attributes]

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self._label_depth -= 1
        self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data

    def fields_without_label(self) -> list[dict[str, str]]:
        return [field for field in self._bare if field.get("id") not in self.labels]


def policy_of(answer: httpx.Response) -> Policy | None:
    """What a page may do beyond the others: known by its address, and only where it is shown."""
    path = answer.request.url.path
    if answer.status_code in {200, 422} and UPLOADS.fullmatch(path):
        return Policy.UPLOAD
    return Policy.LOOK if answer.status_code == 200 and LOOKS.fullmatch(path) else None


def assert_exact(answer: httpx.Response, policy: Policy | None) -> None:
    """Each header of the set once and with its value, and none that names us or marks a browser."""
    for name, value in header_set(tls=False, policy=policy):
        assert answer.headers.get_list(name) == [value], name
    named = {"server", "etag", "last-modified", "x-powered-by", POLICY_HEADER}
    assert not named & set(answer.headers)


def assert_lawful(answer: httpx.Response, away: str) -> Reader:
    """The laws of a page, whatever its status."""
    policy = policy_of(answer)
    assert_exact(answer, policy)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert not TELLING.search(answer.headers.get("location", ""))
    page = Reader()
    page.feed(answer.text)
    names = [tag for tag, _ in page.tags]
    if answer.status_code == 303:
        assert not answer.text
        return page
    assert names.count("h1") == 1
    assert dict(page.tags)["html"].get("lang") == "id"
    assert page.title.strip()
    assert not TELLING.search(page.title), page.title
    assert not page.fields_without_label()
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids)), "an id stands twice"
    assert not {"style", "iframe", "object", "embed", "base", "source", "track"} & set(names)
    scripts = [attributes for tag, attributes in page.tags if tag == "script"]
    assert scripts == ([SCRIPT] if policy is Policy.UPLOAD else [])
    assert policy is Policy.LOOK or not {"audio", "video"} & set(names)
    for tag, attributes in page.tags:
        # The only drawing is a QR code: nothing in it but paths.
        assert tag != "svg" or attributes == {"viewbox": attributes["viewbox"], "class": "qr"}
        assert tag != "path" or set(attributes) <= {"fill", "stroke", "d"}
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action", "formaction", "srcset"):
            target = attributes.get(name, "/")
            assert target.startswith(("/", "#")) or (tag == "a" and target == away), target
            assert not target.startswith("//")
            assert not TELLING.search(target.split("#")[0]), target
    return page
