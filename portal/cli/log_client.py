"""Reading what a log publishes, over HTTP; nothing of it is trusted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Self

import httpx
from anyio import fail_after

from portal.cli.refusals import Refused
from witness import tiles

if TYPE_CHECKING:
    from types import TracebackType

STEP_SECONDS: Final = 15
"""How long one step (connecting, the next bytes) may take."""

WHOLE_SECONDS: Final = 60
"""How long one question may take in all, however slowly its answer drips."""


class LogClient:
    """A log at an address; no redirect is followed, no cookie and no compression accepted."""

    def __init__(self, url: str, proxy: str | None = None) -> None:
        """Take the address below which the log serves. Raises: Refused: it or the proxy is none."""
        if not url.startswith(("https://", "http://")):
            raise Refused(f"{url} is not an address that begins with https:// or http://")
        self._base = url.rstrip("/")
        try:
            self._client = httpx.AsyncClient(
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
            return self._runner.run(self._get(path, address, limit))
        except TimeoutError:
            raise Refused(f"{address} takes too long") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Refused(f"{address} cannot be read: {type(error).__name__}") from None

    async def _get(self, path: str, address: str, limit: int) -> bytes:
        # A deadline over everything: limits of single steps alone would let bytes drip for ever.
        with fail_after(WHOLE_SECONDS):
            async with self._client.stream("GET", address) as answer:
                if answer.status_code == httpx.codes.NOT_FOUND:
                    raise tiles.TileMissing(path)
                if answer.status_code != httpx.codes.OK or "content-encoding" in answer.headers:
                    raise Refused(f"{address} answers with status {answer.status_code}")
                raw = bytearray()
                async for chunk in answer.aiter_raw():
                    raw += chunk
                    if len(raw) > limit:
                        raise Refused(f"{address} sends more than {limit} bytes")
                return bytes(raw)

    def tile(self, path: str) -> bytes:
        """Return a tile. Raises: as :meth:`get`."""
        return self.get(path, tiles.MAX_SIZE)

    def __enter__(self) -> Self:
        """Open it: only then it can be asked, over one connection as long as that lasts."""
        self._runner = asyncio.Runner()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()
