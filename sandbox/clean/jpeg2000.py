"""JPEG 2000 pictures inside PDFs: boxes and comments beside the pixels go (ISO/IEC 15444-1)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from sandbox.contract import Failed, Failure

_SIGNATURE: Final = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_KEPT_BOXES: Final = frozenset({b"jP  ", b"ftyp", b"jp2h", b"jp2c"})
_KEPT_HEADERS: Final = frozenset({b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef"})
_CODESTREAM: Final = b"\xff\x4f\xff\x51"
_SOT, _COMMENT, _END = b"\xff\x90", b"\xff\x64", b"\xff\xd9"


def strip(data: bytes) -> bytes:
    """Return the picture without metadata boxes and without comments in its codestream.

    Raises:
        Failed: DAMAGED if boxes or segments cannot be told apart.
    """
    if data.startswith(_CODESTREAM):
        return _codestream(data)
    if not data.startswith(_SIGNATURE):
        raise Failed(Failure.DAMAGED)
    parts: list[bytes] = []
    for kind, content in _boxes(data):
        if kind == b"jp2h":
            headers = (_box(*box) for box in _boxes(content) if box[0] in _KEPT_HEADERS)
            parts.append(_box(kind, b"".join(headers)))
        elif kind == b"jp2c":
            parts.append(_box(kind, _codestream(content)))
        elif kind in _KEPT_BOXES:
            parts.append(_box(kind, content))
    return b"".join(parts)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if size == 1 and at + 16 <= len(data):
            (size,) = struct.unpack_from(">Q", data, start)
            start += 8
        end = len(data) if size == 0 else at + size
        if not start <= end <= len(data):
            raise Failed(Failure.DAMAGED)
        yield kind, data[start:end]
        at = end


def _codestream(data: bytes) -> bytes:
    """Drop the comments of the main header; tiles are copied up to the end that they tell of."""
    parts = [data[:2]]
    at = 2
    while data[at : at + 2] != _SOT:
        if at + 4 > len(data) or data[at] != 0xFF:  # noqa: PLR2004
            raise Failed(Failure.DAMAGED)
        (size,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + size
        if size < 2 or end > len(data):  # noqa: PLR2004 - the size counts itself
            raise Failed(Failure.DAMAGED)
        if data[at : at + 2] != _COMMENT:
            parts.append(data[at:end])
        at = end
    while data[at : at + 2] == _SOT and at + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, at + 6)
        end = at + size if size else len(data) - len(_END)
        if not at + 12 <= end <= len(data):
            raise Failed(Failure.DAMAGED)
        parts.append(data[at:end])
        at = end
    return b"".join((*parts, _END))
