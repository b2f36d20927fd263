"""Seal what arrives while a worker thread writes what came before it, one for each file.

Sealing stays in the event loop: it takes about a millisecond for each megabyte, and a thread
that gives the interpreter's lock back for every chunk waits longer for it than the work takes.
What may really last, the disk, is the thread's.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Self

from portal.web.run import run

if TYPE_CHECKING:
    from casework.evidence.incoming import Arrived, Incoming

STEP: Final = 1024 * 1024
"""Sealed bytes that are gathered for one write; up to three times as many are in memory."""


class Sink:
    """Takes the pieces of one part of a file. Use as an async context manager.

    However the block is left, no thread works on the part any more when it is.
    """

    def __init__(self, incoming: Incoming) -> None:
        """Feed `incoming`, which is closed at the end."""
        self._incoming = incoming
        self._sealed: list[bytes] = []
        self._waiting = 0
        self._working: asyncio.Future[None] | None = None
        self.length = 0

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Wait for the thread, and let go of the blob."""
        if self._working is not None and not self._working.done():
            await asyncio.wait([self._working])
        self._incoming.close()

    async def put(self, piece: bytes | bytearray) -> None:
        """Take a piece. Raises: Unavailable: the disk is full or read-only."""
        self.length += len(piece)
        if sealed := self._incoming.seal(piece):
            self._sealed.append(sealed)
            self._waiting += len(sealed)
            if self._waiting >= STEP:
                await self._flush()

    async def finish(self) -> Arrived:
        """Seal the end. Raises: Unavailable."""
        await self._flush()
        await self._settle()
        return await run(self._incoming.finish)

    async def _flush(self) -> None:
        await self._settle()
        sealed, self._sealed, self._waiting = self._sealed, [], 0
        self._working = asyncio.ensure_future(run(self._write, sealed))

    def _write(self, sealed: list[bytes]) -> None:
        self._incoming.put(b"".join(sealed))

    async def _settle(self) -> None:
        if self._working is not None:
            # Shielded: a thread cannot be called back, and must not outlive its file.
            await asyncio.shield(self._working)
            self._working = None
