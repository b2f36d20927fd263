"""Browsers for the tests of this folder; without the browser, a test skips and says why.

In CI nothing may skip: see tests/conftest.py.
"""

import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser as PlaywrightBrowser
from playwright.sync_api import sync_playwright

from tests.e2e import demo as demos
from tests.e2e.browsers import (
    CHROMIUM,
    Chromium,
    GraphicBrowser,
    GraphicOpener,
    Opener,
    launch_chromium,
    require,
)
from tests.e2e.demo import Demo
from tests.e2e.plain import W3m
from tests.once import once


def _need(program: str, package: str) -> None:
    try:
        require(program, package)
    except LookupError as missing:
        pytest.skip(str(missing))


# Playwright keeps an event loop running in this thread as long as it lives. One per module, not
# per session: otherwise no later module of the same worker could run a loop of its own.
@pytest.fixture(scope="module")
def chromium_process() -> Iterator[PlaywrightBrowser]:
    """One Chromium for the tests of a module; also what ``axe.violations`` takes."""
    _need(CHROMIUM, "chromium")
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def firefox_visits() -> Iterator[GraphicOpener]:
    """One Firefox for all tests: it takes seconds to start."""
    _need("firefox-esr", "firefox-esr")
    # Not imported above, because its driver needs a module that Python 3.13 no longer has.
    pytest.importorskip("marionette_driver.marionette", exc_type=ImportError)
    process = importlib.import_module("tests.e2e.firefox").FirefoxProcess()
    yield process.visit
    process.close()


@pytest.fixture
def chromium(
    chromium_process: PlaywrightBrowser,
) -> Iterator[Callable[..., Chromium]]:
    """Open private Chromium windows: ``chromium(base)`` or ``chromium(base, javascript=True)``."""
    with ExitStack() as stack:

        def opener(base: str, *, javascript: bool = False) -> Chromium:
            window = Chromium(chromium_process, base, javascript=javascript)
            stack.callback(window.close)
            return window

        yield opener


@pytest.fixture
def firefox(firefox_visits: GraphicOpener) -> Iterator[GraphicOpener]:
    """Start visits in Firefox without scripts; two visits of one test share their cookies."""
    with ExitStack() as stack:

        def opener(base: str) -> GraphicBrowser:
            visit = firefox_visits(base)
            stack.callback(visit.close)
            return visit

        yield opener


@pytest.fixture
def w3m() -> Iterator[Opener]:
    """Open plain browsers with cookies of their own."""
    _need("w3m", "w3m")
    with ExitStack() as stack:

        def opener(base: str) -> W3m:
            visit = W3m(base)
            stack.callback(visit.close)
            return visit

        yield opener


@pytest.fixture(scope="session")
def made_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo instance that nobody has visited; no test writes to it."""
    return once(tmp_path_factory, "demo", demos.make)


@pytest.fixture(scope="module")
def demo(made_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A fresh demo instance, served as its README says, for the tests of a module."""
    own = demos.copy(made_demo, tmp_path_factory.mktemp("demo") / "instance")
    with own.server:
        yield own


@pytest.fixture(params=["chromium", "firefox", "w3m"])
def browser(request: pytest.FixtureRequest) -> Opener:
    """Each browser in turn, without scripts: a test with this fixture runs in all three."""
    opener: Opener = request.getfixturevalue(request.param)
    return opener
