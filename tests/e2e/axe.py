"""Accessibility audits with axe-core, in a browser context of their own that runs scripts.

``axe.run()`` never returns in a context without scripts, so a page that was reached without them
is opened again here, with the same cookies; a page that cannot be opened again (the answer to a
POST) is audited from its HTML.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
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


def audit(page: Page, rules: Mapping[str, object] = ALL_RULES) -> list[Violation]:
    """Run axe on a page whose context runs scripts."""
    results = Axe().run(page, options={"runOnly": rules, "resultTypes": ["violations"]})
    return [
        Violation(
            rule=violation["id"],
            impact=violation["impact"],
            help=violation["help"],
            elements=tuple(str(node["target"]) for node in violation["nodes"]),
        )
        for violation in results.response["violations"]
    ]


def violations(
    browser: Browser,
    url: str,
    *,
    html: str | None = None,
    cookies: Iterable[Mapping[str, str]] = (),
) -> list[Violation]:
    """Open ``url`` with scripts on and return what axe finds, by day on a desk and by night
    on a phone.

    ``html``: audit this text as if ``url`` had answered it; its styles still come from the server.
    ``cookies``: name and value of each, as ``Browser.cookies()`` of this folder returns them.
    """
    # axe is injected; the pages themselves allow no script
    context = browser.new_context(bypass_csp=True)
    try:
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        context.add_cookies(
            [
                {"name": cookie["name"], "value": cookie["value"], "url": origin}
                for cookie in cookies
            ]
        )
        page = context.new_page()
        if html is not None:

            def answer(route: Route) -> None:
                route.fulfill(status=200, content_type="text/html; charset=utf-8", body=html)

            page.route(url, answer, times=1)
        page.goto(url, wait_until="load")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1280, "height": 900})
        found = audit(page)
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 360, "height": 900})
        return found + audit(page, LOOK_RULES)
    finally:
        context.close()
