"""Law: the page that checks receipts is complete in itself, and its policy lets nothing out.

It is the only page with a script and a style of its own (``rules.COMPLETE_IN_ITSELF``). The hashes
in its policy are those of the one script and the one style that are in it.
"""

import hashlib
import re
from base64 import b64encode
from pathlib import Path

from lxml import html

from tests.laws import rules
from tests.laws.test_tokens import _block, _colours, _themes

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / rules.COMPLETE_IN_ITSELF).read_text("utf-8")
PAGE = html.document_fromstring(TEXT)


def only(tag: str) -> html.HtmlElement:
    (found,) = PAGE.iter(tag)
    return found


def source(tag: str) -> str:
    element = only(tag)
    assert not element.attrib, f"{tag} comes from elsewhere, or is of another kind"
    return f"'sha256-{b64encode(hashlib.sha256((element.text or '').encode()).digest()).decode()}'"


def test_its_policy_allows_its_own_script_and_style_and_nothing_else() -> None:
    """After a change to one of them, the hash that this test names belongs into the page."""
    (policy,) = [element for element in PAGE.iter("meta") if element.get("http-equiv")]
    assert policy.get("http-equiv") == "Content-Security-Policy"
    assert (policy.get("content") or "").split("; ") == [
        "default-src 'none'",
        f"style-src {source('style')}",
        f"script-src {source('script')}",
        "form-action 'none'",
        "base-uri 'none'",
    ]


def test_its_policy_comes_before_whatever_it_governs() -> None:
    tags = [element.get("http-equiv") or element.tag for element in only("head")]
    assert tags.index("Content-Security-Policy") < tags.index("style")


def test_it_asks_for_nothing() -> None:
    """No address is in it, nor anything by which a page loads, sends or keeps something."""
    assert re.findall(r"(?i)[a-z]+://|url\(|@import|\bsrc=|\baction=", TEXT) == []
    assert [element.tag for element in PAGE.iter() if element.get("href")] == []
    script = only("script").text or ""
    assert not re.search(
        r"fetch|XMLHttp|WebSocket|EventSource|sendBeacon|import\(|importScripts|Worker"
        r"|Storage|indexedDB|cookie|caches|\.open\(|location|innerHTML|insertAdjacent|document\.write"
        r"|eval|Function\(",
        script,
    )
    assert not {element.tag for element in PAGE.iter()} & {
        "link",
        "img",
        "iframe",
        "object",
        "base",
    }


def test_no_handler_and_no_style_is_in_a_tag() -> None:
    for element in PAGE.iter():
        assert not [name for name in element.attrib if re.match("style$|on", str(name))]


def test_its_first_paragraph_says_that_nothing_leaves_the_computer() -> None:
    first = only("main").find("p")
    assert first is not None
    assert "Tidak ada yang keluar dari komputer ini" in first.text_content()


def test_its_colours_are_those_of_the_stylesheet() -> None:
    """So that their contrast is measured with the others', by day and by night."""
    style = only("style").text or ""
    dark = _block(style, "@media (prefers-color-scheme: dark) {")
    by_day, by_night = _colours(style.replace(dark, "")), _colours(dark)
    assert len(by_day) > 15
    assert set(by_night) == set(by_day)
    assert by_day.items() <= _themes()["light"].items()
    assert by_night.items() <= _themes()["dark"].items()
    tokens = set(re.findall(r"#[0-9a-f]{3,8}\b", style))
    assert tokens == {*by_day.values(), *by_night.values()}
