"""The interface that all browsers share, and Chromium.

A test that is written against ``Browser`` runs in all of them, without scripts, as reporters are
promised. Fields are named by their ``name``, buttons and links by the text that a person reads.
"""

import copy
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from playwright.sync_api import Browser as PlaywrightBrowser
from playwright.sync_api import Locator, Playwright, Route

CHROMIUM = "/usr/bin/chromium"
_FEATURES_OFF = (
    # Chromium's own pages for the address bar: each window would start them, a second each.
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup"),
    # Chromium heeds the last list alone, so what Playwright turns off is repeated here.
    *("AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "LensOverlay", "MediaRouter"),
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"),
    *("HttpsFirstBalancedModeAutoEnable", "NetworkTimeServiceQuerying", "OptimizationHints"),
    *("PaintHolding", "PreconnectToSearch", "ThirdPartyStoragePartitioning"),
)
CHROMIUM_FLAGS = [
    "--no-sandbox",  # tests also run as root, in containers
    f"--disable-features={','.join(_FEATURES_OFF)}",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
TIMEOUT_MS = 15_000


class Browser(Protocol):
    """What a person does with a page."""

    def open(self, path: str) -> None:
        """Go to a path of the server (or to a whole address)."""

    def fill(self, name: str, value: str, form: str | None = None) -> None:
        """Replace the text of the field ``name``; ``form`` is a CSS selector of its form."""

    def choose(self, name: str, value: str, form: str | None = None) -> None:
        """Choose a radio button or list entry, or tick a box, by name and value."""

    def press(self, text: str, form: str | None = None) -> None:
        """Press the button with this text (one within main wins) and wait for the answer."""

    def follow(self, text: str) -> None:
        """Follow the link with this text (one within main wins)."""

    def unfold(self, text: str) -> None:
        """Open the fold (``details``) with this summary, unless it is open or nothing folds."""

    def text(self) -> str:
        """Return the text that a person reads."""

    def html(self) -> str:
        """Return the source of the page."""

    def title(self) -> str:
        """Return the title of the page."""

    def url(self) -> str:
        """Return the address that the address bar shows."""

    def cookies(self) -> list[dict[str, str]]:
        """Return name and value of each cookie that would be sent."""

    def close(self) -> None:
        """Forget everything: cookies, storage, history."""


class GraphicBrowser(Browser, Protocol):
    """A browser that draws."""

    def screenshot(self, path: Path, *, width: int = 1280, dark: bool = False) -> None:
        """Write the whole page as PNG; ``width`` in CSS pixels."""


def require(program: str, package: str) -> str:
    """Return the path of a program.

    Raises:
        LookupError: naming the Debian package, if the program is not installed.
    """
    path = shutil.which(program)
    if path is None:
        raise LookupError(f"{program} is not installed (Debian: apt install {package})")
    return path


def launch_chromium(playwright: Playwright) -> PlaywrightBrowser:
    """Start Debian's Chromium once; each ``Chromium`` is a fresh private context in it."""
    return playwright.chromium.launch(
        executable_path=require(CHROMIUM, "chromium"), args=CHROMIUM_FLAGS
    )


class Chromium:
    """A private Chromium window, without scripts unless asked for."""

    def __init__(self, browser: PlaywrightBrowser, base: str, *, javascript: bool = False) -> None:
        self._context = browser.new_context(
            base_url=base, java_script_enabled=javascript, viewport={"width": 1280, "height": 900}
        )
        self._context.set_default_timeout(TIMEOUT_MS)
        self.page = self._context.new_page()
        self.requests: list[str] = []
        """Every address that the pages asked for, to prove that none is foreign."""
        self.page.on("request", lambda request: self.requests.append(request.url))

    def open(self, path: str) -> None:
        self.page.goto(path, wait_until="load")

    def fill(self, name: str, value: str, form: str | None = None) -> None:
        self._scope(form).locator(f'[name="{name}"]').fill(value)

    def choose(self, name: str, value: str, form: str | None = None) -> None:
        scope = self._scope(form)
        choices = scope.locator(f'select[name="{name}"]')
        if choices.count():
            choices.select_option(value=value)
        else:
            scope.locator(f'input[name="{name}"][value="{value}"]').check()

    def press(self, text: str, form: str | None = None) -> None:
        self._click("button", text, self._scope(form))

    def press_for_tab(self, text: str) -> "Chromium":
        """Press the only button with this text, and return the tab that it opens."""
        with self._context.expect_page() as opened:
            self.page.get_by_role("button", name=exactly(text)).click()
        other = copy.copy(self)
        other.page = opened.value
        other.page.wait_for_load_state()
        return other

    def follow(self, text: str) -> None:
        self._click("link", text, self._scope(None))

    def unfold(self, text: str) -> None:
        fold = self.page.locator("summary", has_text=exactly(text))
        if fold.locator("xpath=..").get_attribute("open") is None:
            fold.click()

    def text(self) -> str:
        return self.page.locator("body").inner_text()

    def html(self) -> str:
        return self.page.content()

    def title(self) -> str:
        return self.page.title()

    def url(self) -> str:
        return self.page.url

    def cookies(self) -> list[dict[str, str]]:
        return [
            {"name": cookie.get("name", ""), "value": cookie.get("value", "")}
            for cookie in self._context.cookies()
        ]

    def show(self, path: str, html: str) -> None:
        """Show a page as it was answered before, as a browser's memory or a second tab does."""

        def answer(route: Route) -> None:
            route.fulfill(status=200, content_type="text/html; charset=utf-8", body=html)

        self.page.route(f"**{path}", answer, times=1)
        self.open(path)

    def tab_stops(self, limit: int = 200) -> list[str]:
        """Press Tab from the top of the page and describe each element that takes the focus.

        A description is the element's tag and its name, address or text: ``input[pesan]``,
        ``a[/masuk]``, ``button[Kirim]``; a box also has its value: ``input[hal=satu]``. The parts
        of a date are one stop. Ends when the focus leaves the page or begins anew.
        """
        stops: list[str] = []
        self.page.locator("body").evaluate("() => document.activeElement.blur()")
        while len(stops) < limit:
            self.page.keyboard.press("Tab")
            stop: str | None = self.page.evaluate(
                """() => {
                    const e = document.activeElement;
                    if (!e || e === document.body || e === document.documentElement) return null;
                    if (globalThis.lastStop === e) return '';  // the next part of a date
                    globalThis.lastStop = e;
                    const box = e.type === 'checkbox' ? '=' + e.value : '';
                    const name = e.getAttribute('name');
                    const what = (name && name + box) || e.getAttribute('href')
                        || e.textContent.trim().replace(/\\s+/g, ' ') || e.value || '';
                    return `${e.tagName.toLowerCase()}[${what}]`;
                }"""
            )
            if stop is None or (len(stops) > 1 and stop == stops[0]):
                break
            if stop:
                stops.append(stop)
        return stops

    def screenshot(self, path: Path, *, width: int = 1280, dark: bool = False) -> None:
        """Write the whole page as PNG."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme="dark" if dark else "light")
        self.page.screenshot(path=path, full_page=True)

    def close(self) -> None:
        self._context.close()

    def _scope(self, form: str | None) -> Locator:
        return self.page.locator(form or "body")

    def _click(self, role: str, text: str, scope: Locator) -> None:
        name = exactly(text)
        found = scope.locator("main").get_by_role(role, name=name)  # type: ignore[arg-type]
        if not found.count():
            found = scope.get_by_role(role, name=name)  # type: ignore[arg-type]
        with self.page.expect_navigation(wait_until="load"):
            found.click()


def exactly(text: str) -> re.Pattern[str]:
    """Match a text and nothing more, whatever space stands around it."""
    return re.compile(rf"^\s*{re.escape(text)}\s*$")


Opener = Callable[[str], Browser]
"""Opens a browser without scripts at a server's base address."""

GraphicOpener = Callable[[str], GraphicBrowser]
"""The same for a browser that draws."""
