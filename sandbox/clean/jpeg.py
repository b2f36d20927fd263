"""JPEG pictures inside documents: what surrounds the pixels goes, the pixels stay bit for bit.

Not removed: the tables by which the pixels are coded, which tell of the program that wrote them.
"""

from __future__ import annotations

import struct
from typing import Final

from sandbox.contract import Failed, Failure

_SOI: Final = b"\xff\xd8"
_EOI: Final = b"\xff\xd9"
_JFIF: Final = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
"""The one APP0 that is written: no density, no thumbnail. It says that colours are YCbCr."""

_SOS: Final = 0xDA
_APP0: Final = 0xE0
_ADOBE: Final = 0xEE
_ADOBE_SIZE: Final = 12
_KEPT: Final = frozenset({
    *range(0xC0, 0xD0),  # frames, Huffman and arithmetic tables; C8 is reserved and harmless
    _SOS,
    0xDB,  # quantisation
    0xDC,  # number of lines
    0xDD,  # restart interval
}) - {0xC8}  # fmt: skip


def strip(data: bytes) -> bytes:
    """Return the JPEG without application segments, comments and whatever follows its end.

    Raises:
        Failed: DAMAGED if the segments cannot be told apart.
    """
    if not data.startswith(_SOI):
        raise Failed(Failure.DAMAGED)
    parts = [_SOI]
    at = 2
    seen_scan = False
    while (marker := _marker(data, at)) is not None:
        code, at = marker
        if code == _EOI[1]:
            break
        (size,) = struct.unpack_from(">H", data, at) if at + 2 <= len(data) else (0,)
        segment = data[at : at + size]
        if size < 2 or len(segment) < size:  # noqa: PLR2004 - the size counts itself
            raise Failed(Failure.DAMAGED)
        at += size
        parts.append(_kept(code, segment))
        if code == _SOS:
            seen_scan = True
            end = _scan_end(data, at)
            parts.append(data[at:end])
            at = end
    if not seen_scan:
        raise Failed(Failure.DAMAGED)
    return b"".join((*parts, _EOI))


def _marker(data: bytes, at: int) -> tuple[int, int] | None:
    """Return the marker at ``at`` and where its segment begins, or None at the end of the data.

    Raises:
        Failed: DAMAGED if something else is there.
    """
    start = at
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] == b"\xff":
        at += 1  # fill bytes
    if at + 2 > len(data):
        return None
    if data[at] != 0xFF or not 0xC0 <= data[at + 1] <= 0xFE:  # noqa: PLR2004
        if start == at:
            return None  # not a marker: everything from here on is appended data
        raise Failed(Failure.DAMAGED)
    return data[at + 1], at + 2


def _kept(code: int, segment: bytes) -> bytes:
    payload = segment[2:]
    if code == _APP0:
        return _JFIF if payload.startswith(b"JFIF\x00") else b""
    if code == _ADOBE and payload.startswith(b"Adobe") and len(payload) >= _ADOBE_SIZE:
        adobe = b"Adobe\x00d\x00\x00\x00\x00" + payload[11:12]  # the last byte: colour transform
        return b"\xff\xee" + struct.pack(">H", len(adobe) + 2) + adobe
    return bytes((0xFF, code)) + segment if code in _KEPT else b""


def _scan_end(data: bytes, at: int) -> int:
    """Return where the coded pixels end: at the next marker that is not inside them."""
    while (at := data.find(b"\xff", at)) >= 0:
        following = data[at + 1 : at + 2]
        if following in {b"", b"\xff"}:
            at += 1
        elif following == b"\x00" or 0xD0 <= following[0] <= 0xD7:  # noqa: PLR2004 - restarts
            at += 2
        else:
            return at
    return len(data)
