"""The whole way can be walked without a mouse."""

from playwright.sync_api import Browser as PlaywrightBrowser

from tests.e2e import walk
from tests.e2e.demo import Demo
from tests.e2e.keyboard import Keyboard


def test_a_report_goes_in_and_a_result_comes_out_by_keyboard_alone(
    chromium_process: PlaywrightBrowser, demo: Demo
) -> None:
    """Every field, choice, fold and button is reached by Tab, operated by keys, and outlined."""
    windows: list[Keyboard] = []

    def opener(base: str) -> Keyboard:
        windows.append(Keyboard(chromium_process, base))
        return windows[-1]

    reporter = walk.whole(opener, demo.base, demo.officers)
    assert walk.RESULT in reporter.page.text()
    for window in windows:
        window.close()
