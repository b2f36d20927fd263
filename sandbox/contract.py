"""What the portal and the confined process say to each other: kinds, tasks, results, refusals."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

INPUT_LIMIT: Final = 128 * 1024 * 1024
"""Bytes of the largest file that the confined process takes; it holds the whole file in memory."""


LONGEST_SIDE: Final = 2000
"""Pixels of the longest side of a drawing."""

TEXT_MOST: Final = 200_000
"""Characters of the longest text that is shown."""


class FileKind(StrEnum):
    """What a file is, by its first bytes (and, for packages, by what lies inside)."""

    JPEG = "jpeg"
    PNG = "png"
    GIF = "gif"
    WEBP = "webp"
    TIFF = "tiff"
    BMP = "bmp"
    HEIC = "heic"
    PDF = "pdf"
    DOCX = "docx"
    XLSX = "xlsx"
    PPTX = "pptx"
    ODT = "odt"
    ODS = "ods"
    ODP = "odp"
    MP4 = "mp4"
    MOV = "mov"
    WEBM = "webm"
    MKV = "mkv"
    M4A = "m4a"
    MP3 = "mp3"
    OGG = "ogg"
    WAV = "wav"
    FLAC = "flac"
    AMR = "amr"
    TEXT = "text"
    CSV = "csv"
    OTHER = "other"


IMAGES: Final = frozenset({
    FileKind.JPEG, FileKind.PNG, FileKind.GIF, FileKind.WEBP, FileKind.TIFF, FileKind.BMP,
    FileKind.HEIC,
})  # fmt: skip
PACKAGES: Final = frozenset({
    FileKind.DOCX, FileKind.XLSX, FileKind.PPTX, FileKind.ODT, FileKind.ODS, FileKind.ODP,
})  # fmt: skip
VIDEO: Final = frozenset({FileKind.MP4, FileKind.MOV, FileKind.WEBM, FileKind.MKV})
AUDIO: Final = frozenset({
    FileKind.M4A, FileKind.MP3, FileKind.OGG, FileKind.WAV, FileKind.FLAC, FileKind.AMR,
})  # fmt: skip


class Task(StrEnum):
    """What the confined process can be asked for."""

    CLEAN = "clean"
    """A copy without traces, of the kind that the result names."""

    DRAW = "draw"
    """One page (images have one) as a plain PNG."""

    TEXT = "text"
    """The beginning of a text or table as clean UTF-8."""


class Failure(StrEnum):
    """Why there is no result; the portal has words for each."""

    UNSUPPORTED = "unsupported"
    """This kind cannot be drawn or cleaned here (for media: no ffmpeg)."""

    DAMAGED = "damaged"
    """The file is not what it says it is, or is broken."""

    TOO_LARGE = "too_large"
    """The file, or what it unpacks to, is larger than allowed."""

    TIMEOUT = "timeout"
    """It took too long."""

    CRASHED = "crashed"
    """The process died: out of memory, or worse."""


class Failed(Exception):
    """The task has no result; ``reason`` says why, and nothing of the file is repeated."""

    def __init__(self, reason: Failure) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True)
class Result:
    """What came back: ``pages`` is how many there are to draw, 0 where pages have no meaning."""

    kind: FileKind
    pages: int
    data: bytes = field(repr=False)
