"""Accessibility audits with axe-core, in a browser context of their own that runs scripts.

``axe.run()`` never returns in a context without scripts, so a page that was reached without them
is opened again here, with the same cookies, or audited from its HTML (the answer to a POST cannot
be opened again).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, Route

RULE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ALL_RULES = {"type": "tag", "values": RULE_TAGS}
LOOK_RULES = {
    "type": "rule",
    "values": [
        "color-contrast",
        "link-in-text-block",
        "target-size",
        "scrollable-region-focusable",
    ],
}
"""The rules whose answer depends on colours and sizes."""


@dataclass(frozen=True)
class Violation:
    """One rule that a page breaks, and the elements that break it, as CSS selectors."""

    rule: str
    impact: str
    help: str
    elements: tuple[str, ...]


def load(page: Page) -> None:
    """Bring axe into a page whose context runs scripts and heeds no content security policy."""
    page.evaluate(AXE_SCRIPT)


def audit(page: Page, rules: Mapping[str, object] = ALL_RULES) -> list[Violation]:
    """Run axe on a page that it was loaded into."""
    results = page.evaluate(
        "options => axe.run(options)", {"runOnly": rules, "resultTypes": ["violations"]}
    )
    return [
        Violation(
            rule=violation["id"],
            impact=violation["impact"],
            help=violation["help"],
            elements=tuple(str(node["target"]) for node in violation["nodes"]),
        )
        for violation in results["violations"]
    ]


def by_day_and_night(page: Page) -> list[Violation]:
    """Audit a page by day on a desk, and its look by night on a phone."""
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})
    found = audit(page)
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 360, "height": 900})
    return found + audit(page, LOOK_RULES)


def violations(
    browser: Browser, url: str, *, cookies: Iterable[Mapping[str, str]] = ()
) -> list[Violation]:
    """Open ``url`` with scripts on and return what axe finds, by day and by night.

    ``cookies``: name and value of each, as ``Browser.cookies()`` of this folder returns them.
    """
    with _window(browser) as page:
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        page.context.add_cookies(
            [
                {"name": cookie["name"], "value": cookie["value"], "url": origin}
                for cookie in cookies
            ]
        )
        page.goto(url, wait_until="load")
        load(page)
        return by_day_and_night(page)


@contextmanager
def auditor(browser: Browser, base: str) -> Iterator[Callable[[str], list[Violation]]]:
    """Lend a function that audits one page after the other from its HTML, by day and by night.

    Styles still come from the server at ``base``. All pages are written into one window, as
    ``document.write`` does, and axe stays loaded: to open a window and load axe into it takes
    three times as long as to audit. Nothing of one page is left when the next is written: that
    empties the document and drops every listener, and scripts of ours keep nothing elsewhere.
    """
    with _window(browser) as page:

        def blank(route: Route) -> None:
            route.fulfill(status=200, content_type="text/html; charset=utf-8", body="")

        def found_on(html: str) -> list[Violation]:
            page.set_content(html, wait_until="load")
            return by_day_and_night(page)

        page.route(f"{base}/x", blank, times=1)
        page.goto(f"{base}/x", wait_until="load")
        load(page)
        yield found_on


@contextmanager
def _window(browser: Browser) -> Iterator[Page]:
    # axe is brought in from outside; the pages themselves allow no script
    context = browser.new_context(bypass_csp=True)
    try:
        yield context.new_page()
    finally:
        context.close()
