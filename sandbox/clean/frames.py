"""Sounds without a container, or with a loose one: frames are kept, what lies between them is not.

A program that copies such a file takes what it does not know for sound, and copies it, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.contract import Failed, Failure
from sandbox.mpeg import HEADER, frame_size

_XING_AT: Final = (13, 21, 36)
"""Where an encoder's own note begins in a first frame without sound."""

_XING: Final = (b"Xing", b"Info", b"VBRI")

_TAGS: Final = (b"TAG", b"APET", b"LYRI", b"ID3")
_AMR: Final = {
    b"#!AMR\n": (12, 13, 15, 17, 19, 20, 26, 31, 5, *(-1,) * 6, 0),
    b"#!AMR-WB\n": (17, 23, 32, 36, 40, 46, 50, 58, 60, 5, *(-1,) * 4, 0, 0),
}
"""Bytes of sound in a frame, by mode (RFC 4867 §5.3, 3GPP TS 26.101 and 26.201)."""

_AMR_UNUSED_BITS: Final = 0x83
_OGG_HEADER: Final = 27
_OGG_BEGINS: Final = 0x02


def mp3(data: bytes) -> bytes:
    """Return the frames of an MP3 file, without tags and notes of the encoder before the sound.

    Raises:
        Failed: DAMAGED if there are none.
    """
    frames = list(_mp3_frames(data))
    if frames and any(frames[0][at : at + 4] in _XING for at in _XING_AT):
        del frames[0]
    if not frames:
        raise Failed(Failure.DAMAGED)
    return b"".join(frames)


def _mp3_frames(data: bytes) -> Iterator[bytes]:
    """Yield what is a frame before another one, or before a tag or the end of the data."""
    at = 0
    while at >= 0:
        size = frame_size(data[at : at + HEADER])
        end = at + size
        following = data[end : end + HEADER]
        ends = end == len(data) or following.startswith(_TAGS)
        if size and end <= len(data) and (ends or frame_size(following)):
            yield data[at:end]
            at = end
        else:
            at = data.find(b"\xff", at + 1)


def amr(data: bytes) -> bytes:
    """Return an AMR file up to its first frame that is none.

    Raises:
        Failed: DAMAGED if there is no frame.
    """
    for magic, sizes in _AMR.items():
        if data.startswith(magic):
            end = _amr_end(data, len(magic), sizes)
            if end > len(magic):
                return data[:end]
    raise Failed(Failure.DAMAGED)


def _amr_end(data: bytes, at: int, sizes: tuple[int, ...]) -> int:
    while at < len(data):
        size = sizes[data[at] >> 3 & 0x0F]
        if size < 0 or data[at] & _AMR_UNUSED_BITS or at + 1 + size > len(data):
            break
        at += 1 + size
    return at


def one_ogg(data: bytes) -> bytes:
    """Return the pages of an Ogg file (RFC 3533 §6) without what lies between them.

    Raises:
        Failed: UNSUPPORTED if several files follow each other in it: each has its own comments.
    """
    pages: list[bytes] = []
    at = data.find(b"OggS")
    sound = False
    while 0 <= at <= len(data) - _OGG_HEADER:
        start = at + _OGG_HEADER
        table = data[start : start + data[start - 1]]
        end = start + len(table) + sum(table)
        if end > len(data):
            break
        begins = bool(data[at + 5] & _OGG_BEGINS)
        if begins and sound:
            raise Failed(Failure.UNSUPPORTED)
        sound = sound or not begins
        pages.append(data[at:end])
        at = data.find(b"OggS", end)
    return b"".join(pages)
