"""Frames of MPEG audio, layer III (ISO/IEC 11172-3 §2.4.1.3, 13818-3): MP3 has no container."""

from __future__ import annotations

from typing import Final

HEADER: Final = 4
"""Bytes of a frame's header."""

_MPEG_1, _MPEG_2, _MPEG_25 = 3, 2, 0
_LAYER_3: Final = 1
_RATES: Final = {
    _MPEG_1: (44100, 48000, 32000),
    _MPEG_2: (22050, 24000, 16000),
    _MPEG_25: (11025, 12000, 8000),
}
_KILOBITS: Final = {
    _MPEG_1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    _MPEG_2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    _MPEG_25: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_BYTES_PER_KILOBIT: Final = {_MPEG_1: 144_000, _MPEG_2: 72_000, _MPEG_25: 72_000}


def frame_size(header: bytes) -> int:
    """Return the bytes of the frame that begins with ``header``; 0 if none does.

    Frames of a bit rate that is not in the table are none here.
    """
    if len(header) < HEADER or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:  # noqa: PLR2004
        return 0
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bitrate, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version not in _RATES or layer != _LAYER_3 or bitrate in {0, 15} or rate == 3:  # noqa: PLR2004
        return 0
    bits = _BYTES_PER_KILOBIT[version] * _KILOBITS[version][bitrate]
    return bits // _RATES[version][rate] + padding
