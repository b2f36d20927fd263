"""What a file is, by its first bytes: never by what its sender says of it.

A name is a hint in two cases only, and never against the bytes: a table and a text look alike,
and so do all packages that are ZIP files until somebody looks inside (:func:`package_kind`). Text
that programs show as something else than its letters (pages, messages with attachments, rich
text) is OTHER: what it hides would not be seen.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Final

from sandbox.archive import Archive
from sandbox.contract import FileKind
from sandbox.mpeg import frame_size

HEAD: Final = 4096
"""How many of the first bytes are looked at."""

MEDIA_TYPES: Final[Mapping[FileKind, str]] = {
    FileKind.JPEG: "image/jpeg",
    FileKind.PNG: "image/png",
    FileKind.GIF: "image/gif",
    FileKind.WEBP: "image/webp",
    FileKind.TIFF: "image/tiff",
    FileKind.BMP: "image/bmp",
    FileKind.HEIC: "image/heic",
    FileKind.PDF: "application/pdf",
    FileKind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    FileKind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileKind.PPTX: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    FileKind.ODT: "application/vnd.oasis.opendocument.text",
    FileKind.ODS: "application/vnd.oasis.opendocument.spreadsheet",
    FileKind.ODP: "application/vnd.oasis.opendocument.presentation",
    FileKind.MP4: "video/mp4",
    FileKind.MOV: "video/quicktime",
    FileKind.WEBM: "video/webm",
    FileKind.MKV: "video/x-matroska",
    FileKind.M4A: "audio/mp4",
    FileKind.MP3: "audio/mpeg",
    FileKind.OGG: "audio/ogg",
    FileKind.WAV: "audio/wav",
    FileKind.FLAC: "audio/flac",
    FileKind.AMR: "audio/amr",
    FileKind.TEXT: "text/plain; charset=utf-8",
    FileKind.CSV: "text/csv; charset=utf-8",
    FileKind.OTHER: "application/octet-stream",
}
"""The media type under which a file of a kind is sent."""

EXTENSIONS: Final[Mapping[FileKind, str]] = {
    **{kind: f".{kind.value}" for kind in FileKind},
    FileKind.JPEG: ".jpg",
    FileKind.TIFF: ".tif",
    FileKind.TEXT: ".txt",
    FileKind.OTHER: ".bin",
}
"""The ending of a name for a file of a kind, with its dot."""

_FIRST: Final[Mapping[bytes, FileKind]] = {
    b"\xff\xd8\xff": FileKind.JPEG,
    b"\x89PNG\r\n\x1a\n": FileKind.PNG,
    b"GIF87a": FileKind.GIF,
    b"GIF89a": FileKind.GIF,
    b"II*\x00": FileKind.TIFF,
    b"MM\x00*": FileKind.TIFF,
    b"II+\x00": FileKind.TIFF,
    b"MM\x00+": FileKind.TIFF,
    b"OggS\x00": FileKind.OGG,
    b"fLaC": FileKind.FLAC,
    b"#!AMR\n": FileKind.AMR,
    b"#!AMR-WB\n": FileKind.AMR,
    b"ID3\x02": FileKind.MP3,
    b"ID3\x03": FileKind.MP3,
    b"ID3\x04": FileKind.MP3,
    b"%PDF-": FileKind.PDF,
}
_CANON_RAW: Final = b"CR"
"""At byte 8 of a TIFF-like file: a camera's raw image, whose picture no library here decodes."""

_BMP_HEADERS: Final = frozenset({12, 40, 52, 56, 64, 108, 124})
_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})
_HEIF_BRANDS: Final = frozenset({b"mif1", b"msf1", b"mif2"})
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_AUDIO_BRANDS: Final = frozenset({b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B "})
_VIDEO_BRANDS: Final = re.compile(
    rb"iso[m2-9]|mp4[12]|avc1|hvc1|hev1|av01|dash|M4V[ HP]|MSNV|mmp4|NDS[CHMP]|f4v |F4V "
    rb"|3g[eghrps2][0-9a-z]|XAVC|kddi|NDX[CHMPS]|CAEP|SDV "
)
_QUICKTIME_BOXES: Final = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_PACKAGE_NAMES: Final[Mapping[str, FileKind]] = {
    **dict.fromkeys(("docx", "docm", "dotx", "dotm"), FileKind.DOCX),
    **dict.fromkeys(("xlsx", "xlsm", "xltx", "xltm"), FileKind.XLSX),
    **dict.fromkeys(("pptx", "pptm", "ppsx", "ppsm", "potx", "potm"), FileKind.PPTX),
    **dict.fromkeys(("odt", "ott"), FileKind.ODT),
    **dict.fromkeys(("ods", "ots"), FileKind.ODS),
    **dict.fromkeys(("odp", "otp"), FileKind.ODP),
}
_OFFICE_TYPES: Final[Mapping[bytes, FileKind]] = {
    b"wordprocessingml.document.main+xml": FileKind.DOCX,
    b"wordprocessingml.template.main+xml": FileKind.DOCX,
    b"ms-word.document.macroEnabled.main+xml": FileKind.DOCX,
    b"ms-word.template.macroEnabledTemplate.main+xml": FileKind.DOCX,
    b"spreadsheetml.sheet.main+xml": FileKind.XLSX,
    b"spreadsheetml.template.main+xml": FileKind.XLSX,
    b"ms-excel.sheet.macroEnabled.main+xml": FileKind.XLSX,
    b"ms-excel.template.macroEnabled.main+xml": FileKind.XLSX,
    b"presentationml.presentation.main+xml": FileKind.PPTX,
    b"presentationml.template.main+xml": FileKind.PPTX,
    b"presentationml.slideshow.main+xml": FileKind.PPTX,
    b"ms-powerpoint.presentation.macroEnabled.main+xml": FileKind.PPTX,
    b"ms-powerpoint.template.macroEnabled.main+xml": FileKind.PPTX,
    b"ms-powerpoint.slideshow.macroEnabled.main+xml": FileKind.PPTX,
}
_OPEN_TYPES: Final[Mapping[bytes, FileKind]] = {
    MEDIA_TYPES[kind].encode() + suffix: kind
    for kind in (FileKind.ODT, FileKind.ODS, FileKind.ODP)
    for suffix in (b"", b"-template")
}

_ODD_BYTES: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_ODD_CHARACTERS: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ufffe\uffff]")
_SHOWN_OTHERWISE: Final = re.compile(
    r"\s*(?:<(?:!doctype|!--|\?xml|html|head|body|svg)|\{\\rtf|%!PS|BEGIN:V)"
    r"|(?:.*\n)*?(?:MIME-Version:|Received: (?:from|by) |begin [0-7]{3} )",
    re.IGNORECASE,
)
_ASCII_SHARE: Final = 0.75
"""What part of a text in an old 8-bit encoding is plain ASCII at least."""


def kind_of(head: bytes, name: str = "") -> FileKind:
    """Return what a file is that begins with ``head``; ``name`` is what its sender calls it.

    A package is OTHER unless its name says which one it is. Never raises.
    """
    head = head[:HEAD]
    for magic, kind in _FIRST.items():
        if head.startswith(magic):
            raw = kind is FileKind.TIFF and head[8:10] == _CANON_RAW
            return FileKind.OTHER if raw else kind
    extension = name.rpartition(".")[2].lower()
    if head.startswith(b"PK\x03\x04"):
        return _PACKAGE_NAMES.get(extension, FileKind.OTHER)
    found = _container(head)
    if found is not FileKind.OTHER:
        return found
    if _is_mpeg_audio(head):
        return FileKind.MP3
    if _is_text(head):
        return FileKind.CSV if extension in {"csv", "tsv"} else FileKind.TEXT
    return FileKind.PDF if b"%PDF-" in head[:1024] else FileKind.OTHER


def package_kind(data: bytes) -> FileKind:
    """Return which document a ZIP file is, by what it says of its main part; OTHER if none.

    Raises:
        Failed: if it is no ZIP file, or one that :class:`sandbox.archive.Archive` refuses.
    """
    archive = Archive(data)
    if "mimetype" in archive:
        return _OPEN_TYPES.get(archive.read("mimetype").strip(), FileKind.OTHER)
    if "[Content_Types].xml" in archive:
        types = archive.read("[Content_Types].xml")
        kinds = {kind for magic, kind in _OFFICE_TYPES.items() if magic in types}
        if len(kinds) == 1:
            return kinds.pop()
    return FileKind.OTHER


def _container(head: bytes) -> FileKind:
    if head[:4] in {b"RIFF", b"RF64"}:
        kinds = {b"WEBP": FileKind.WEBP, b"WAVE": FileKind.WAV}
        return kinds.get(head[8:12], FileKind.OTHER)
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return FileKind.BMP
    if head[4:8] == b"ftyp":
        return _by_brands(head)
    if head[4:8] in _QUICKTIME_BOXES:
        return FileKind.MOV
    if head.startswith(b"\x1aE\xdf\xa3"):
        doctype = re.search(rb"\x42\x82[\x81-\x8f](webm|matroska)", head[:64])
        if doctype:
            return FileKind.WEBM if doctype[1] == b"webm" else FileKind.MKV
    return FileKind.OTHER


def _by_brands(head: bytes) -> FileKind:
    """ISO/IEC 14496-12 §4.3: the major brand, a version, and the brands it is compatible with."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    major = head[8:12]
    brands = {major, *(head[at : at + 4] for at in range(16, size - 3, 4))}
    if major in _HEIC_BRANDS:
        return FileKind.HEIC
    if major in _HEIF_BRANDS:
        heic = brands & _HEIC_BRANDS and not brands & _AVIF_BRANDS
        return FileKind.HEIC if heic else FileKind.OTHER
    if major in _AUDIO_BRANDS:
        return FileKind.M4A
    if major == b"qt  ":
        return FileKind.MOV
    return FileKind.MP4 if _VIDEO_BRANDS.fullmatch(major) else FileKind.OTHER


def _is_mpeg_audio(head: bytes) -> bool:
    """Two frames that follow each other: eleven bits alone are found in anything."""
    size = frame_size(head)
    return bool(size) and bool(frame_size(head[size : size + 4]))


def _is_text(head: bytes) -> bool:
    text = _decoded(head)
    if not text or _ODD_CHARACTERS.search(text):
        return False
    return not _SHOWN_OTHERWISE.match(text)


def _decoded(head: bytes) -> str:
    """Return ``head`` as text, though it may end within a character; empty if it is none."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "utf-8"),
    ):
        if head.startswith(mark):
            try:
                return codecs.getincrementaldecoder(encoding)().decode(head[len(mark) :])
            except UnicodeDecodeError:
                break
    plain = sum(byte < 0x80 for byte in head)  # noqa: PLR2004 - ASCII
    if _ODD_BYTES.search(head) or plain < _ASCII_SHARE * len(head):
        return ""
    return head.decode("cp1252", "ignore")
