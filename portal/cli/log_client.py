"""Reading what a log publishes, over HTTP; nothing of it is trusted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Self

import httpx

from portal.cli.refusals import Refused
from witness import tiles

if TYPE_CHECKING:
    from types import TracebackType

STEP_SECONDS: Final = 15
"""How long one step (connecting, the next bytes) may take."""

WHOLE_SECONDS: Final = 60
"""How long one answer may take in all."""


class LogClient:
    """A log at an address; no redirect is followed, no cookie and no compression accepted."""

    def __init__(self, url: str, proxy: str | None = None) -> None:
        """Take the address below which the log serves. Raises: Refused: it or the proxy is none."""
        if not url.startswith(("https://", "http://")):
            raise Refused(f"{url} is not an address that begins with https:// or http://")
        self._base = url.rstrip("/")
        try:
            self._client = httpx.Client(
                timeout=STEP_SECONDS,
                follow_redirects=False,
                trust_env=False,
                proxy=proxy,
                headers={"accept-encoding": "identity", "user-agent": "suaka-witness"},
            )
        except (ValueError, ImportError, httpx.InvalidURL):
            raise Refused(f"{proxy} is not an address of a proxy (http://...)") from None

    def get(self, path: str, limit: int) -> bytes:
        """Return what is served under a path, at most ``limit`` bytes.

        Raises:
            Refused: nothing usable came.
            TileMissing: nothing is there (404).
        """
        address = f"{self._base}/{path}"
        try:
            with self._client.stream("GET", address) as answer:
                if answer.status_code == httpx.codes.NOT_FOUND:
                    raise tiles.TileMissing(path)
                if answer.status_code != httpx.codes.OK or "content-encoding" in answer.headers:
                    raise Refused(f"{address} answers with status {answer.status_code}")
                return _read(answer, limit)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Refused(f"{address} cannot be read: {type(error).__name__}") from None

    def tile(self, path: str) -> bytes:
        """Return a tile. Raises: as :meth:`get`."""
        return self.get(path, tiles.MAX_SIZE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()


def _read(answer: httpx.Response, limit: int) -> bytes:
    raw = bytearray()
    end = time.monotonic() + WHOLE_SECONDS
    for chunk in answer.iter_raw():
        raw += chunk
        if len(raw) > limit:
            raise Refused(f"{answer.url} sends more than {limit} bytes")
        if time.monotonic() > end:
            raise Refused(f"{answer.url} takes too long")
    return bytes(raw)
