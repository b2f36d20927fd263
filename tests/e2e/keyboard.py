"""Chromium without scripts and without a mouse: Tab, arrows, Space, Enter and letters only."""

from collections.abc import Callable

from playwright.sync_api import ElementHandle, Locator

from tests.e2e.browsers import Chromium, exactly

_LIMIT = 300
_FOCUSED = "e => e === document.activeElement"


class Keyboard(Chromium):
    """Does what ``Browser`` promises the way that somebody without a mouse does it.

    Whatever cannot be reached by Tab, or not operated by keys, raises ``LookupError``.
    """

    def fill(self, name: str, value: str, form: str | None = None) -> None:
        field = self._scope(form).locator(f'[name="{name}"]')
        self._reach(field)
        if field.get_attribute("type") == "date":
            year, month, day = value.split("-")
            self.page.keyboard.type(f"{month}{day}{year}")  # as Chromium asks in its own language
        else:
            self.page.keyboard.press("Control+A")
            self.page.keyboard.press("Delete")
            self.page.keyboard.insert_text(value)
        typed = field.input_value()
        if typed != value:
            raise LookupError(f"the field {name!r} does not take what is typed")

    def choose(self, name: str, value: str, form: str | None = None) -> None:
        scope = self._scope(form)
        menu = scope.locator(f'select[name="{name}"]')
        if menu.count():
            self._reach(menu)
            self._arrows(lambda: menu.input_value() == value, name)
            return
        choice = scope.locator(f'input[name="{name}"][value="{value}"]')
        if choice.get_attribute("type") == "radio":
            self._reach(scope.locator(f'input[name="{name}"]'))
            self._arrows(lambda: bool(choice.evaluate(_FOCUSED)), name)
        else:
            self._reach(choice)
        if not choice.is_checked():
            self.page.keyboard.press("Space")
        if not choice.is_checked():
            raise LookupError(f"{name!r} cannot be chosen by the space bar")

    def unfold(self, text: str) -> None:
        fold = self.page.locator("summary", has_text=exactly(text))
        self._reach(fold)
        if fold.locator("xpath=..").get_attribute("open") is None:
            self.page.keyboard.press("Enter")

    def _click(self, role: str, text: str, scope: Locator) -> None:
        name = exactly(text)
        found = scope.locator("main").get_by_role(role, name=name)  # type: ignore[arg-type]
        if not found.count():
            found = scope.get_by_role(role, name=name)  # type: ignore[arg-type]
        self._reach(found)
        with self.page.expect_navigation(wait_until="load"):
            self.page.keyboard.press("Enter")

    def _reach(self, found: Locator) -> None:
        """Press Tab until one of the elements has the focus and is shown outlined."""
        handles = found.element_handles()
        for _ in range(_LIMIT):
            for handle in handles:
                if handle.evaluate(_FOCUSED):
                    _require_outline(handle)
                    return
            self.page.keyboard.press("Tab")
        raise LookupError(f"Tab does not reach {found}")

    def _arrows(self, done: Callable[[], bool], name: str) -> None:
        for _ in range(_LIMIT):
            if done():
                return
            self.page.keyboard.press("ArrowDown")
        raise LookupError(f"the arrow keys do not reach the choice in {name!r}")


def _require_outline(handle: ElementHandle) -> None:
    """Raises: LookupError: the focus is not to be seen."""
    shown = handle.evaluate(
        """e => [e, e.closest('label')].some(
            s => s && getComputedStyle(s).outlineStyle === 'solid'
                && parseFloat(getComputedStyle(s).outlineWidth) >= 2)"""
    )
    if not shown:
        raise LookupError("an element has the focus, and nothing shows it")
