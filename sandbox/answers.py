"""What the confined process says, as bytes: written plainly there, read here as from an enemy.

Four bytes (big endian) give the length of a JSON header, the header gives kind and pages or says
why there is no result, and what follows it are the data.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

from sandbox import kinds
from sandbox.contract import (
    AUDIO,
    IMAGES,
    LONGEST_SIDE,
    TEXT_MOST,
    VIDEO,
    Failed,
    Failure,
    FileKind,
    Result,
    Task,
)

PREFIX: Final = 4
HEADER_MOST: Final = 1024
MOST: Final[Mapping[Task, int]] = {
    Task.CLEAN: 1 << 30,
    Task.DRAW: LONGEST_SIDE**2 * 3 * 9 // 8,
    Task.TEXT: TEXT_MOST * 4,
}
"""Bytes of the largest data that a task can rightly give; a drawing need not be compressed."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_EIGHT_BIT_RGB: Final = b"\x08\x02\x00\x00\x00"
"""And one way to compress, to filter, and not interlaced (PNG, third edition, §11.2.1)."""

_DROPPED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_TEXTS: Final = frozenset({FileKind.TEXT, FileKind.CSV})
_PICTURES: Final = IMAGES | {FileKind.PDF}
_BECOMES: Final[Mapping[FileKind, frozenset[FileKind]]] = {
    **{kind: frozenset({kind}) for kind in FileKind if kind is not FileKind.OTHER},
    **dict.fromkeys(IMAGES, _PICTURES),
    **dict.fromkeys(VIDEO, VIDEO),
    **dict.fromkeys(AUDIO, AUDIO | VIDEO),
}
"""What a cleaned copy can be: scans become a PDF, sounds of old telephones a film of one track."""


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: FileKind = FileKind.OTHER
    pages: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    failure: Failure | None = None


def write_result(result: Result) -> bytes:
    """Return a result as bytes."""
    return _with_prefix(_Header(result.kind, result.pages)) + result.data


def write_failure(reason: Failure) -> bytes:
    """Return a failure as bytes."""
    return _with_prefix(_Header(failure=reason))


def read_answer(answer: bytes, task: Task, kind: FileKind, page: int = 1) -> Result:
    """Return what a process answered to a task on a file of a kind.

    Raises:
        Failed: what it says, or that it said nothing that can be believed (``CRASHED``).
    """
    size = int.from_bytes(answer[:PREFIX], "big")
    if size > HEADER_MOST:
        raise Failed(Failure.CRASHED)
    try:
        header = msgspec.json.decode(answer[PREFIX : PREFIX + size], type=_Header)
    except msgspec.MsgspecError:
        raise Failed(Failure.CRASHED) from None
    if header.failure is not None:
        raise Failed(header.failure)
    data = answer[PREFIX + size :]
    if task is Task.DRAW:
        _require(header.kind is FileKind.PNG and _is_plain_png(data))
        _require(header.pages >= page if kind is FileKind.PDF else header.pages == 1)
    elif task is Task.TEXT:
        _require(header.kind is FileKind.TEXT and header.pages == 0)
        data = plain_text(_decoded(data)).encode()
    else:
        _require(header.kind in _BECOMES.get(kind, ()) and header.pages == 0)
        _require(_begins_as(data, header.kind))
    return Result(header.kind, header.pages, data)


def plain_text(text: str) -> str:
    """Return a text without what turns, hides or breaks what is shown, and not too long."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")[:TEXT_MOST]
    return "".join(
        one for one in unified if one in "\n\t" or unicodedata.category(one) not in _DROPPED
    )


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Failed(Failure.CRASHED) from None


def _is_plain_png(data: bytes) -> bool:
    """Return whether data are a PNG of a sane size with pixels and nothing else.

    A browser decompresses the pixels; all around them is looked at here (PNG §5.3): no text, no
    profile, no animation, no byte after the end.
    """
    if not data.startswith(_PNG):
        return False
    at, names = len(_PNG), []
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        chunk, check = data[at + 4 : at + 8 + size], data[at + 8 + size : at + 12 + size]
        if check != zlib.crc32(chunk).to_bytes(4, "big"):
            return False
        names.append(chunk[:4])
        if len(names) == 1 and not _is_sane_start(chunk):
            return False
        at += 12 + size
    return names[1:-1] == [b"IDAT"] * (len(names) - 2) and len(names) > 2 and names[-1] == b"IEND"  # noqa: PLR2004


def _is_sane_start(chunk: bytes) -> bool:
    sides = (int.from_bytes(chunk[4:8], "big"), int.from_bytes(chunk[8:12], "big"))
    return (
        chunk[:4] == b"IHDR"
        and chunk[12:] == _EIGHT_BIT_RGB
        and all(1 <= side <= LONGEST_SIDE for side in sides)
    )


def _begins_as(data: bytes, kind: FileKind) -> bool:
    """Return whether the first bytes are of a kind; whether a package is what it says is not."""
    if kind in _TEXTS:
        # What a text begins with may look like anything; it is sent as plain text.
        return not _decoded(data).count("\0")
    return kinds.kind_of(data[: kinds.HEAD], f"copy{kinds.EXTENSIONS[kind]}") is kind


def _require(believable: bool) -> None:  # noqa: FBT001 - the condition is the argument
    if not believable:
        raise Failed(Failure.CRASHED)


def _with_prefix(header: _Header) -> bytes:
    encoded = msgspec.json.encode(header)
    return len(encoded).to_bytes(PREFIX, "big") + encoded
