"""Form posts without a browser engine, read through w3m."""

import subprocess
import tempfile
from urllib.parse import urlencode, urljoin

import httpx

from tests.e2e.browsers import require
from tests.e2e.forms import ParsedPage


class W3m:
    """Plain form posts, read as w3m renders them: no scripts, no styles, no hints to the server."""

    def __init__(self, base: str) -> None:
        self._w3m = require("w3m", "w3m")
        self._client = httpx.Client(base_url=base, follow_redirects=True, trust_env=False)
        self._answer: httpx.Response | None = None
        self._page = ParsedPage("", [], [])

    @property
    def status(self) -> int:
        """The status of the last answer."""
        return self._last().status_code

    def open(self, path: str) -> None:
        self._show(self._client.get(path))

    def fill(self, name: str, value: str, form: str | None = None) -> None:
        self._page.fill(name, value, form)

    def choose(self, name: str, value: str, form: str | None = None) -> None:
        self._page.choose(name, value, form)

    def press(self, text: str, form: str | None = None) -> None:
        source, button = self._page.press(text, form)
        pairs = source.body(button)
        action = button.attributes.get("formaction") or source.attributes.get("action") or ""
        target = urljoin(self.url(), action)
        method = button.attributes.get("formmethod") or source.attributes.get("method", "get")
        if method.lower() == "post":
            content = urlencode(pairs)
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            self._show(self._client.post(target, content=content, headers=kind))
        else:
            self._show(self._client.get(urljoin(target, "?" + urlencode(pairs))))

    def follow(self, text: str) -> None:
        targets = {href for label, href in self._page.links if label == text}
        if len(targets) != 1:
            raise LookupError(f"{len(targets)} different links on this page: {text!r}")
        self._show(self._client.get(urljoin(self.url(), targets.pop())))

    def unfold(self, text: str) -> None:
        if text not in self.html():
            raise LookupError(f"nothing on this page folds under {text!r}")

    def text(self) -> str:
        return self._render("-T", "text/html", stdin=self.html())

    def dump(self, path: str) -> str:
        """Let w3m itself fetch and render a page, without cookies."""
        return self._render(str(self._client.base_url.join(path)))

    def html(self) -> str:
        return self._last().text

    def title(self) -> str:
        return self._page.title

    def url(self) -> str:
        return str(self._last().url)

    def cookies(self) -> list[dict[str, str]]:
        return [
            {"name": cookie.name, "value": cookie.value or ""}
            for cookie in self._client.cookies.jar
        ]

    def close(self) -> None:
        self._client.close()

    def _last(self) -> httpx.Response:
        if self._answer is None:
            raise RuntimeError("no page is open")
        return self._answer

    def _show(self, answer: httpx.Response) -> None:
        self._answer = answer
        self._page = ParsedPage.parse(answer.text)

    def _render(self, *arguments: str, stdin: str = "") -> str:
        with tempfile.TemporaryDirectory() as home:
            return subprocess.run(
                [self._w3m, "-dump", "-cols", "100", "-I", "UTF-8", "-O", "UTF-8", *arguments],
                input=stdin.encode(),
                env={"HOME": home, "LC_ALL": "C.UTF-8"},
                check=True,
                capture_output=True,
            ).stdout.decode()
