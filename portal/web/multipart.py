"""Read a `multipart/form-data` body as it arrives (RFC 7578): nothing is spooled, nothing is whole.

Text fields are few, small and in memory; a file's bytes are handed on piece by piece. The
hidden fields of our pages stand before the files, so that a handler can refuse a stranger's form
before it reads any file.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from litestar import Request
from litestar.exceptions import InternalServerException
from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from portal.web.forms import Form, clean, field_name
from portal.web.refusals import (
    BadForm,
    CutShort,
    NotUtf8,
    TooLarge,
    TooManyFields,
    WrongContentType,
)

MULTIPART: Final = "multipart/form-data"
PATIENCE: Final = 60.0
"""Seconds without a byte after which a client counts as gone."""

_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{1,70}")
_DECIMAL: Final = re.compile(r"[0-9]{1,18}")
_PLAIN: Final = frozenset({"7bit", "8bit", "binary"})


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """The most that one form with files may hold.

    `body` in bytes as sent; `fields` of text with `field_bytes` each; `parts` of any kind;
    `header` bytes in one line of a part's head; `patience` in seconds.
    """

    body: int
    fields: int = 20
    field_bytes: int = 4096
    parts: int = 100
    header: int = 16 * 1024
    patience: float = PATIENCE


async def stream(
    request: Request[Any, Any, Any], limit: int, patience: float = PATIENCE
) -> AsyncGenerator[bytes, None]:
    """Yield a request's body as it arrives; the declared length is checked before the first byte.

    Raises:
        TooLarge: the declared or the real length exceeds `limit`.
        BadForm: the declared length is no number.
        CutShort: the client goes away, or sends nothing for `patience` seconds.
    """
    declared = request.headers.get("content-length")
    if declared is not None:
        if not _DECIMAL.fullmatch(declared):
            raise BadForm
        if int(declared) > limit:
            raise TooLarge
    received = 0
    body = aiter(request.stream())
    watch = _Watch(patience)
    try:
        while True:
            try:
                piece = await watch.over(body)
            except StopAsyncIteration:
                return
            except (InternalServerException, TimeoutError):
                raise CutShort from None
            received += len(piece)
            if received > limit:
                raise TooLarge
            if piece:
                yield piece
    finally:
        watch.end()


class _Watch:
    """Ends a wait that has lasted too long, with one timer for a whole body.

    A time limit of its own around each of a large file's many thousand pieces would cost as much
    as sealing them, and leave as many timers behind.
    """

    def __init__(self, seconds: float) -> None:
        """Let each wait last for at most so many seconds."""
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._since: float | None = None
        self._task: asyncio.Task[Any] | None = None
        self._expired = False
        self._timer = self._loop.call_later(seconds, self._look)

    async def over(self, body: AsyncIterator[bytes]) -> bytes:
        """Return the next piece. Raises: StopAsyncIteration, TimeoutError."""
        self._task, self._since = asyncio.current_task(), self._loop.time()
        try:
            return await anext(body)
        except asyncio.CancelledError:
            if self._expired and self._task is not None and not self._task.uncancel():
                raise TimeoutError from None
            raise
        finally:
            self._since = None

    def end(self) -> None:
        """Stop watching."""
        self._timer.cancel()

    def _look(self) -> None:
        waited = 0.0 if self._since is None else self._loop.time() - self._since
        if waited < self._seconds:
            self._timer = self._loop.call_later(self._seconds - waited, self._look)
        elif self._task is not None:
            self._expired = True
            self._task.cancel()


@dataclass
class FilePart:
    """One file of a form, read once, by iterating; `filename` and `media_type` as sent."""

    filename: str = field(repr=False)
    media_type: str = field(repr=False)
    _reader: Reader = field(repr=False)
    ended: bool = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield its bytes as they arrive. Raises: BadForm, CutShort, TooLarge."""
        while not self.ended:
            event = await self._reader.next_event()
            if event is None:
                self.ended = True
            elif isinstance(event, bytes | bytearray):
                yield bytes(event)

    async def skip(self, most: int) -> bool:
        """Drop up to `most` bytes of its rest; say whether its end was reached."""
        dropped = 0
        async for piece in self:
            dropped += len(piece)
            if dropped > most:
                return False
        return True


class Reader:
    """Parses one body; made by `reader`."""

    def __init__(
        self, body: AsyncGenerator[bytes, None], boundary: str, limits: UploadLimits
    ) -> None:
        """Parse `body`, whose parts are separated by `boundary`."""
        self._body = body
        self._limits = limits
        self._parser = PushMultipartParser(
            boundary,
            max_header_size=limits.header,
            max_segment_count=limits.parts,
            # Browsers write file names in the page's encoding, UTF-8; others may write anything.
            header_charset="latin-1",
        )
        self._events: Iterator[Any] = iter(())
        self._fields: list[tuple[str, str]] = []

    @property
    def form(self) -> Form:
        """The text fields that have arrived so far."""
        return Form(iter(self._fields))

    async def files(self, name: str) -> AsyncIterator[FilePart]:
        """Yield each file of the field `name`; what a handler leaves unread of it is dropped.

        Raises:
            BadForm: the body breaks the format, or has another file field.
            NotUtf8, ForbiddenCharacter: as :func:`portal.web.forms.read_form` for text fields.
            TooManyFields: more parts than allowed. TooLarge: a text field or the body is.
            CutShort: the body ends before its last part does.
        """
        while (event := await self.next_event()) is not None:
            if not isinstance(event, MultipartSegment):
                raise BadForm
            _check_head(event)
            if event.filename is None:
                await self._text(event)
                continue
            if _utf8(event.name or "", strict=True) != name:
                raise BadForm
            media_type = _utf8(event.content_type or "")[:100]
            part = FilePart(_utf8(event.filename), media_type, self)
            yield part
            async for _ in part:
                pass

    async def next_event(self) -> Any:
        """Return the next event of the parser; `None` at a part's end and at the body's.

        Raises:
            BadForm, TooManyFields, TooLarge, CutShort: see :meth:`files`.
        """
        while True:
            try:
                for event in self._events:
                    return event
                if self._parser.closed:
                    return None
                piece = await anext(self._body, None)
                self._events = self._parser.parse(piece) if piece else self._end()
            except ParserLimitReached:
                raise TooManyFields from None
            except MultipartError:
                raise BadForm from None

    def _end(self) -> Iterator[Any]:
        """Close the parser behind the last byte. Raises: CutShort: a part is not complete."""
        try:
            self._parser.close()
        except MultipartError:
            raise CutShort from None
        return iter(())

    async def _text(self, segment: MultipartSegment) -> None:
        if len(self._fields) >= self._limits.fields:
            raise TooManyFields
        value = bytearray()
        while (event := await self.next_event()) is not None:
            value += event
            if len(value) > self._limits.field_bytes:
                raise TooLarge
        name = field_name(_utf8(segment.name or "", strict=True))
        try:
            self._fields.append((name, clean(value.decode())))
        except UnicodeDecodeError:
            raise NotUtf8 from None


@asynccontextmanager
async def reader(request: Request[Any, Any, Any], limits: UploadLimits) -> AsyncIterator[Reader]:
    """Open a request's body for reading.

    Raises:
        WrongContentType: it is no `multipart/form-data`.
        BadForm: its boundary is missing or breaks RFC 2046, or see `stream`.
        TooLarge: it says that it is longer than `limits.body`.
    """
    media_type, options = parse_options_header(request.headers.get("content-type", ""))
    if media_type != MULTIPART:
        raise WrongContentType
    boundary = options.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary) or boundary.endswith(" "):
        raise BadForm
    async with aclosing(stream(request, limits.body, limits.patience)) as body:
        yield Reader(body, boundary, limits)


def _check_head(segment: MultipartSegment) -> None:
    """Refuse what no browser sends: nested parts and transfer encodings. Raises: BadForm."""
    encoding = segment.header("Content-Transfer-Encoding", "binary") or ""
    if (segment.content_type or "").startswith("multipart/") or encoding.lower() not in _PLAIN:
        raise BadForm


def _utf8(text: str, *, strict: bool = False) -> str:
    """Return a header's text, which was read byte by byte, as UTF-8. Raises: BadForm."""
    try:
        return text.encode("latin-1").decode("utf-8", "strict" if strict else "replace")
    except UnicodeDecodeError:
        raise BadForm from None
