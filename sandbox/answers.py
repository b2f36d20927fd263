"""What the confined process says, as bytes: written plainly there, read here as from an enemy.

Four bytes (big endian) give the length of a JSON header, the header gives kind and pages or says
why there is no result, and what follows it are the data.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Final

import msgspec

from sandbox.contract import Failed, Failure, FileKind, Result, Task

PREFIX: Final = 4
HEADER_MOST: Final = 1024
LONGEST_SIDE: Final = 4000
"""Pixels of the longest side of a picture that is believed."""

TEXT_MOST: Final = 200_000
"""Characters of the longest text that is shown."""

_PNG: Final = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_SIDE: Final = 4
_DROPPED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


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


def read_answer(answer: bytes, task: Task) -> Result:
    """Return what a process answered to a task.

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
        _require(header.kind is FileKind.PNG and header.pages >= 1 and _is_plain_png(data))
    elif task is Task.TEXT:
        _require(header.kind is FileKind.TEXT)
        data = plain_text(_decoded(data)).encode()
    else:
        _require(header.kind is not FileKind.OTHER)
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
    """Return whether data begin as a PNG of a sane size; a browser decodes the rest."""
    start = len(_PNG)
    sides = (data[start : start + _SIDE], data[start + _SIDE : start + 2 * _SIDE])
    return data.startswith(_PNG) and all(
        len(side) == _SIDE and 1 <= int.from_bytes(side, "big") <= LONGEST_SIDE for side in sides
    )


def _require(believable: bool) -> None:  # noqa: FBT001 - the condition is the argument
    if not believable:
        raise Failed(Failure.CRASHED)


def _with_prefix(header: _Header) -> bytes:
    encoded = msgspec.json.encode(header)
    return len(encoded).to_bytes(PREFIX, "big") + encoded
