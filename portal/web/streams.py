"""Send a file as it is decrypted: never whole in memory, in ranges if asked (RFC 9110 §14)."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from litestar.response import Response, Stream

from portal.web.headers import POLICY_HEADER, Policy
from portal.web.run import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from litestar import Request

_RANGE: Final = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_SAFE: Final = re.compile(r"[A-Za-z0-9._-]+")


class Source(Protocol):
    """A file that can be read from any place; closed when it was sent."""

    length: int

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to `stop`, each authentic."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True)
class Range:
    """The part of a file that is sent; `partial`: the browser asked for a part."""

    start: int
    stop: int
    partial: bool


class Unsatisfiable(Exception):
    """The range that was asked for lies outside the file."""


def range_of(request: Request[Any, Any, Any], length: int) -> Range:
    """Return what a request asks for: one range, or everything.

    What is no single range of bytes is answered whole, as the RFC allows.

    Raises:
        Unsatisfiable: the range begins behind the end.
    """
    asked = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if asked is None or asked.group(1) == asked.group(2) == "":
        return Range(0, length, partial=False)
    first, last = asked.groups()
    if not first:
        start, stop = max(0, length - int(last)), length
    else:
        start, stop = int(first), min(length, int(last) + 1) if last else length
        if last and int(last) < int(first):
            return Range(0, length, partial=False)
    if start >= length:
        raise Unsatisfiable
    return Range(start, stop, partial=True)


def goes_on(request: Request[Any, Any, Any]) -> bool:
    """Return whether a request asks for more of a file whose beginning was sent before."""
    asked = _RANGE.fullmatch(request.headers.get("range", "").strip())
    return asked is not None and int(asked.group(1) or 0) > 0


async def send(
    source: Source, asked: Range, media_type: str, *, name: str = ""
) -> Response[Any] | Stream:
    """Return a response that streams part of a file; the first piece is opened before it begins.

    With a `name` it is an attachment of that name (letters, digits, dots and dashes). If a later
    piece turns out to be altered, the stream breaks off: the browser has the true length and
    shows that something is missing.

    Raises:
        What `Source.read` raises for the first piece.
        ValueError: the name could break the header.
    """
    if name and not _SAFE.fullmatch(name):
        msg = "a file name of ours is plain"
        raise ValueError(msg)
    pieces = source.read(asked.start, asked.stop)
    try:
        first = await run(next, pieces, b"")
    except BaseException:
        source.close()
        raise
    headers = {
        POLICY_HEADER: Policy.FILE.value,
        "accept-ranges": "bytes",
        "content-length": str(asked.stop - asked.start),
        "content-disposition": f'attachment; filename="{name}"' if name else "inline",
    }
    if asked.partial:
        last = asked.stop - 1
        headers["content-range"] = f"bytes {asked.start}-{last}/{source.length}"
    return Stream(
        _pieces(source, first, pieces),
        status_code=206 if asked.partial else 200,
        media_type=media_type,
        headers=headers,
    )


def unsatisfiable(length: int) -> Response[bytes]:
    """Return the answer to a range outside a file of `length` bytes."""
    return Response(b"", status_code=416, headers={"content-range": f"bytes */{length}"})


async def _pieces(source: Source, first: bytes, rest: Iterator[bytes]) -> AsyncIterator[bytes]:
    with closing(source):
        yield first
        while piece := await run(next, rest, b""):
            yield piece
