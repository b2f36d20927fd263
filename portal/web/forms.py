"""Read one URL-encoded form: bounded in bytes and fields, strict UTF-8, clean characters.

The format is `application/x-www-form-urlencoded` as the WHATWG URL standard parses it (§5.1),
with two differences: bytes that are not UTF-8 are refused instead of replaced, and field names
are restricted to what our own pages use. Nothing is spooled: a form lives in memory only.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Never
from urllib.parse import unquote_to_bytes

from litestar import Request
from litestar.exceptions import InternalServerException

from portal.web.refusals import (
    BadForm,
    CutShort,
    ForbiddenCharacter,
    MultipartRefused,
    NotUtf8,
    RepeatedField,
    TooLarge,
    TooManyFields,
    WrongContentType,
)

URLENCODED: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,63}")
_DECIMAL: Final = re.compile(r"[0-9]{1,18}")
_CHARSET: Final = re.compile(r"charset\s*=\s*\"?([^\s\";]*)\"?", re.IGNORECASE)
# Word processors paste vertical tabs, form feeds and NEL where they mean a line break.
_LINE_BREAKS: Final = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_CONTROLS: Final = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")

MARKS: Final = 30
"""Most combining marks in a row, as in UAX #15 §13 (Stream-Safe Text Format); no script has so
many."""


def _too_many_marks() -> re.Pattern[str]:
    # Normalising puts marks in order, in time that grows with the square of their number. What
    # counts is how a character begins once taken apart: U+0F73 is no mark, and two of them inside.
    apart = ((code, unicodedata.normalize("NFD", chr(code))[0]) for code in range(0x300, 0x20000))
    marks = (code for code, first in apart if unicodedata.combining(first))
    return re.compile(f"[{''.join(map(chr, marks))}]{{{MARKS + 1}}}")


_TOO_MANY_MARKS: Final = _too_many_marks()


class PortalRequest(Request[Any, Any, Any]):
    """A request whose body only `read_form` may parse.

    Litestar's own parsers spool uploads to the disk in plaintext and parse without our limits, so
    each of them is a programmer's error here, also when a handler reaches it by asking for `data`.
    """

    async def form(self) -> Never:
        """Refuse.

        Raises:
            RuntimeError: always.
        """
        _refuse_parser()

    async def json(self) -> Never:
        """Refuse.

        Raises:
            RuntimeError: always.
        """
        _refuse_parser()

    async def msgpack(self) -> Never:
        """Refuse.

        Raises:
            RuntimeError: always.
        """
        _refuse_parser()


def _refuse_parser() -> Never:
    msg = "bodies are read with portal.web.forms.read_form only"
    raise RuntimeError(msg)


@dataclass(frozen=True, slots=True)
class FormLimits:
    """The most that one form may hold: `body` in bytes as sent, `fields` in name-value pairs."""

    body: int = 512 * 1024
    fields: int = 200


class Form:
    """The fields of one form, in the order in which they were sent; never shown in a repr."""

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterator[tuple[str, str]]) -> None:
        """Collect name-value pairs that are already decoded and cleaned."""
        values: dict[str, list[str]] = {}
        for name, value in pairs:
            values.setdefault(name, []).append(value)
        self._values = {name: tuple(found) for name, found in values.items()}

    def __repr__(self) -> str:
        """Show that this is a form, and nothing of it."""
        return "Form(…)"

    def __contains__(self, name: object) -> bool:
        """Tell whether the field was sent, even if empty."""
        return name in self._values

    @property
    def names(self) -> tuple[str, ...]:
        """The names that were sent, each once."""
        return tuple(self._values)

    def one(self, name: str) -> str:
        """Return the only value of a field, or an empty text if it was not sent.

        Raises:
            RepeatedField: if the field was sent more than once.
        """
        values = self._values.get(name, ("",))
        if len(values) > 1:
            raise RepeatedField
        return values[0]

    def many(self, name: str) -> tuple[str, ...]:
        """Return every value of a field, in order; none if it was not sent."""
        return self._values.get(name, ())


async def read_form(request: Request[Any, Any, Any], limits: FormLimits) -> Form:
    """Read and parse the whole body of a request.

    The declared length is checked before a byte is read, and the real one while they arrive.
    Line ends become LF and text NFC; invisible control characters are dropped.

    Raises:
        MultipartRefused: for `multipart/*`.
        WrongContentType: for any other type than `URLENCODED`, or another charset than UTF-8.
        TooLarge: if the declared or the real length exceeds `limits.body`.
        TooManyFields: if there are more than `limits.fields` pairs.
        NotUtf8: if a name or value is not UTF-8.
        ForbiddenCharacter: if a value holds a NUL, or more than `MARKS` combining marks in a row.
        BadForm: if the declared length is no number, or a name is none that our pages use.
        CutShort: if the client goes away in the middle.
    """
    _check_content_type(request.headers.get("content-type", ""))
    body = await _read_body(request, limits.body)
    return parse_form(body, limits)


def parse_form(body: bytes, limits: FormLimits) -> Form:
    """Parse a complete body; see `read_form` for what it refuses."""
    # Counted before anything is split, so that a hostile body costs one scan and no list.
    if body.count(b"&") >= limits.fields:
        raise TooManyFields
    return Form(_pairs(body))


def _check_content_type(header: str) -> None:
    media_type, _, parameters = header.partition(";")
    media_type = media_type.strip().lower()
    if media_type.startswith(_MULTIPART):
        raise MultipartRefused
    if media_type != URLENCODED:
        raise WrongContentType
    charset = _CHARSET.search(parameters)
    if charset and charset.group(1).lower() not in {"utf-8", "utf8"}:
        raise WrongContentType


async def _read_body(request: Request[Any, Any, Any], limit: int) -> bytes:
    declared = request.headers.get("content-length")
    if declared is not None:
        if not _DECIMAL.fullmatch(declared):
            raise BadForm
        if int(declared) > limit:
            raise TooLarge
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise TooLarge
    except InternalServerException:
        raise CutShort from None
    return bytes(body)


def _pairs(body: bytes) -> Iterator[tuple[str, str]]:
    for pair in body.split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            yield field_name(_decode(name)), clean(_decode(value))


def _decode(raw: bytes) -> str:
    try:
        return unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise NotUtf8 from None


def field_name(name: str) -> str:
    """Return a field's name if it is one that our pages use. Raises: BadForm."""
    if not _NAME.fullmatch(name):
        raise BadForm
    return name


def clean(text: str) -> str:
    r"""Normalise what a person typed: every line break to `\n`, NFC, no other control than `\t`.

    Raises:
        ForbiddenCharacter: if the text holds a NUL, which no keyboard makes, or more than `MARKS`
            combining marks in a row.
    """
    if "\0" in text or _TOO_MANY_MARKS.search(text):
        raise ForbiddenCharacter
    return unicodedata.normalize("NFC", _CONTROLS.sub("", _LINE_BREAKS.sub("\n", text)))
