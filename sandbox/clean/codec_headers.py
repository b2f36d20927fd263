"""Notes of encoders inside codec headers, which containers carry along as they are.

Vorbis and Theora have comments there (Vorbis I §5; Ogg writes them anew, Matroska does not), HEVC
has supplemental information (ISO/IEC 14496-15 §8.3.2). Each becomes blank at the same length, so
that nothing around it moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.contract import FileKind

_MATROSKA: Final = frozenset({FileKind.WEBM, FileKind.MKV})
_BOXES: Final = frozenset({FileKind.MP4, FileKind.MOV, FileKind.M4A})
_COMMENTED: Final = (b"\x03vorbis", b"\x81theora")
_CLUSTER: Final = b"\x1f\x43\xb6\x75"
"""The id of Matroska's first element with coded pictures: headers are before it."""

_CODEC_PRIVATE: Final = b"\x63\xa2"
_CONTAINERS: Final = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"})
_SAMPLE_ENTRIES: Final = frozenset({b"hvc1", b"hev1", b"dvh1", b"dvhe"})
_PICTURE_ENTRY: Final = 78
"""Bytes before the boxes inside a sample entry of pictures."""

_HVCC_FIXED: Final = 22
_INFORMATION: Final = frozenset({39, 40})
"""Types of HEVC units that show nothing (ITU-T H.265 table 7-1)."""


def blanked(data: bytes, kind: FileKind) -> bytes:
    """Return the file with blank notes in its codec headers."""
    if kind in _MATROSKA:
        end = data.find(_CLUSTER)
        head = bytearray(data[: end if end >= 0 else len(data)])
        for magic in _COMMENTED:
            for at in _all(head, magic):
                _blank_comments(head, at + len(magic))
        for at in _all(head, _CODEC_PRIVATE):
            _blank_information(head, *_ebml(head, at + len(_CODEC_PRIVATE)))
        return bytes(head) + data[len(head) :]
    if kind in _BOXES and b"hvcC" in data:
        whole = bytearray(data)
        for start, end in _hevc_boxes(whole, 0, len(whole)):
            _blank_information(whole, start, end)
        return bytes(whole)
    return data


def _all(head: bytearray, magic: bytes) -> Iterator[int]:
    at = head.find(magic)
    while at >= 0:
        yield at
        at = head.find(magic, at + len(magic))


def _number(data: bytearray, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "big")


def _ebml(head: bytearray, at: int) -> tuple[int, int]:
    """Return where the content begins and ends whose length stands at ``at`` (RFC 8794 §4)."""
    first = head[at] if at < len(head) else 0
    size = 9 - first.bit_length()
    length = _number(head, at, size) & ((1 << 7 * size) - 1)
    return at + size, at + size + length


def _hevc_boxes(data: bytearray, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the contents of the HEVC headers among the boxes between ``at`` and ``end``."""
    while at + 8 <= end:
        size, kind, start = _number(data, at, 4), bytes(data[at + 4 : at + 8]), at + 8
        if size == 1:
            size, start = _number(data, start, 8), start + 8
        stop = min(at + size, end) if size else end
        if stop < start:
            return
        if kind == b"hvcC":
            yield start, stop
        elif kind in _CONTAINERS:
            yield from _hevc_boxes(data, start + (8 if kind == b"stsd" else 0), stop)
        elif kind in _SAMPLE_ENTRIES:
            yield from _hevc_boxes(data, start + _PICTURE_ENTRY, stop)
        at = stop


def _blank_information(data: bytearray, at: int, end: int) -> None:
    """Blank the units that show nothing in an HEVC header; other headers do not parse as one."""
    if end > len(data) or end - at <= _HVCC_FIXED or data[at] != 1:
        return
    found = []
    place = at + _HVCC_FIXED + 1
    for _ in range(data[at + _HVCC_FIXED]):
        kind, count = data[place] & 0x3F if place < end else 0, _number(data, place + 1, 2)
        place += 3
        for _ in range(count):
            size = _number(data, place, 2)
            if kind in _INFORMATION:
                found.append((place + 2, place + 2 + size))
            place += 2 + size
            if place > end:
                return
    for start, stop in found if place == end else ():
        _blank_unit(data, start, stop)


def _blank_unit(data: bytearray, at: int, end: int) -> None:
    """Overwrite the first message of a unit and all after it; its type and length stay."""
    at += 2
    for _ in ("type", "length"):
        while at < end and data[at] == 0xFF:  # noqa: PLR2004
            at += 1
        at += 1
    last = end - 1  # the bit that ends the unit
    if at < last:
        data[at:last] = b"\xff" * (last - at)


def _blank_comments(head: bytearray, at: int) -> None:
    """Blank the vendor's name and the comments of one header, as far as they lie in ``head``."""
    at = _blank_text(head, at)
    count = int.from_bytes(head[at : at + 4], "little")
    at += 4
    for _ in range(count):
        if at + 4 > len(head):
            return
        at = _blank_text(head, at)


def _blank_text(head: bytearray, at: int) -> int:
    size = int.from_bytes(head[at : at + 4], "little")
    start = min(at + 4, len(head))
    end = min(start + size, len(head))
    head[start:end] = b" " * (end - start)
    return end
