"""Firefox ESR without scripts, driven by Mozilla's own Marionette protocol."""

import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urljoin

from marionette_driver.by import By
from marionette_driver.errors import NoSuchElementException
from marionette_driver.marionette import Marionette, WebElement

from tests.e2e.browsers import require


class FirefoxProcess:
    """Debian's Firefox ESR without scripts, the closest thing to Tor Browser at its safest."""

    def __init__(self) -> None:
        binary = require("firefox-esr", "firefox-esr")
        self._profile = tempfile.TemporaryDirectory(prefix="firefox-", ignore_cleanup_errors=True)
        profile = Path(self._profile.name)
        preferences: dict[str, str] = {
            "javascript.enabled": "false",
            "marionette.port": "0",
            "browser.shell.checkDefaultBrowser": "false",
            "browser.startup.page": "0",
            "browser.sessionstore.resume_from_crash": "false",
            "datareporting.policy.dataSubmissionEnabled": "false",
            "toolkit.telemetry.reportingpolicy.firstRun": "false",
            "app.normandy.enabled": "false",
            "extensions.getAddons.cache.enabled": "false",
            "network.captive-portal-service.enabled": "false",
            "network.connectivity-service.enabled": "false",
            "network.proxy.type": "0",
            "services.settings.server": '"data:,"',
        }
        lines = [f'user_pref("{name}", {value});' for name, value in preferences.items()]
        (profile / "user.js").write_text("\n".join(lines), "utf-8")
        self._process = subprocess.Popen(
            [
                *(binary, "-headless", "-no-remote", "-profile", str(profile)),
                *("-marionette", "-remote-allow-system-access"),  # preferences are the system's
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port = self._port(profile / "MarionetteActivePort")
        self.driver = Marionette(host="127.0.0.1", port=port, socket_timeout=60)
        self.driver.start_session()

    def _port(self, file: Path) -> int:
        """Wait until Firefox has written the port that it chose."""
        for _ in range(600):
            if file.exists() and (text := file.read_text("ascii").strip()):
                return int(text)
            try:
                code = self._process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            raise RuntimeError(f"Firefox ended with {code}")
        self._process.kill()
        raise RuntimeError("Firefox did not open its port within a minute")

    def visit(self, base: str) -> "Firefox":
        """Begin a visit to the server at ``base``."""
        return Firefox(self.driver, base)

    def close(self) -> None:
        """End the browser and remove its profile."""
        self.driver.cleanup()
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._profile.cleanup()


class Firefox:
    """One visit in a running Firefox; ``close`` forgets its cookies."""

    def __init__(self, driver: Marionette, base: str) -> None:
        self._driver = driver
        self._base = base

    def open(self, path: str) -> None:
        self._driver.navigate(urljoin(self._base, path))

    def fill(self, name: str, value: str, form: str | None = None) -> None:
        field = self._find(form, By.CSS_SELECTOR, f'[name="{name}"]')
        field.clear()
        field.send_keys(value)

    def choose(self, name: str, value: str, form: str | None = None) -> None:
        choice = self._find(
            form,
            By.CSS_SELECTOR,
            f'select[name="{name}"] option[value="{value}"], input[name="{name}"][value="{value}"]',
        )
        if not choice.is_selected():
            choice.click()

    def press(self, text: str, form: str | None = None) -> None:
        wanted = _xpath_text(text)
        self._click(
            form,
            f".//button[normalize-space(.)={wanted}] | .//input[@type='submit'][@value={wanted}]",
        )

    def follow(self, text: str) -> None:
        self._click(None, f".//a[normalize-space(.)={_xpath_text(text)}]")

    def unfold(self, text: str) -> None:
        wanted = f"//details[not(@open)]/summary[normalize-space(.)={_xpath_text(text)}]"
        for fold in self._driver.find_elements(By.XPATH, wanted):
            fold.click()

    def text(self) -> str:
        found: str = self._driver.find_element(By.CSS_SELECTOR, "body").text
        return found

    def html(self) -> str:
        source: str = self._driver.page_source
        return source

    def title(self) -> str:
        title: str = self._driver.title
        return title

    def url(self) -> str:
        url: str = self._driver.get_url()
        return url

    def cookies(self) -> list[dict[str, str]]:
        return [
            {"name": cookie["name"], "value": cookie["value"]}
            for cookie in self._driver.get_cookies()
        ]

    def screenshot(self, path: Path, *, width: int = 1280, dark: bool = False) -> None:
        """Write the whole page as PNG."""
        self._driver.set_window_rect(width=width, height=900)
        self._driver.set_pref("layout.css.prefers-color-scheme.content-override", 0 if dark else 1)
        with path.open("wb") as file:
            self._driver.save_screenshot(file)

    def close(self) -> None:
        self._driver.delete_all_cookies()
        self._driver.navigate("about:blank")

    def _find(self, form: str | None, method: str, what: str) -> WebElement:
        scope = self._driver.find_element(By.CSS_SELECTOR, form) if form else None
        found = self._driver.find_elements(method, what, id=scope.id if scope else None)
        if len(found) != 1:
            raise LookupError(f"{len(found)} times on this page: {what}")
        return found[0]

    def _click(self, form: str | None, xpath: str) -> None:
        try:
            main = self._driver.find_element(By.CSS_SELECTOR, form or "main")
            found = main.find_elements(By.XPATH, xpath)
        except NoSuchElementException:
            found = []
        if not found:
            found = self._driver.find_elements(By.XPATH, xpath)
        if len(found) != 1:
            raise LookupError(f"{len(found)} times on this page: {xpath}")
        found[0].click()


def _xpath_text(text: str) -> str:
    if "'" not in text:
        return f"'{text}'"
    return "concat(" + ', "\'", '.join(f"'{part}'" for part in text.split("'")) + ")"
