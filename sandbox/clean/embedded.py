"""Pictures inside documents: cleaned like others, or replaced where that is not possible."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw

from sandbox.clean import images
from sandbox.contract import IMAGES, Failed, FileKind
from sandbox.kinds import kind_of

EXTENSIONS: Final[Mapping[FileKind, str]] = {
    FileKind.JPEG: ".jpeg",
    FileKind.PNG: ".png",
    FileKind.GIF: ".gif",
}
MEDIA_TYPES: Final[Mapping[str, str]] = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
}
_SIZE: Final = (120, 90)
_GREY: Final = 0xD0
_DARK: Final = 0x80


def picture(data: bytes) -> tuple[FileKind, bytes]:
    """Return a picture without traces as JPEG, PNG or GIF.

    Vector graphics and whatever else cannot be cleaned become a grey box with a cross, so that a
    reader sees that there was a picture.
    """
    kind = kind_of(data)
    if kind not in IMAGES:
        return FileKind.PNG, placeholder()
    try:
        became, cleaned = images.clean(data, kind, upright=False)
    except (Failed, OSError, ValueError, SyntaxError, EOFError):
        return FileKind.PNG, placeholder()
    if became not in EXTENSIONS:
        return FileKind.PNG, _as_png(cleaned) if became is FileKind.WEBP else placeholder()
    return became, cleaned


def placeholder() -> bytes:
    """Return a grey box with a cross, as PNG."""
    box = Image.new("L", _SIZE, _GREY)
    width, height = _SIZE
    pen = ImageDraw.Draw(box)
    pen.line((0, 0, width, height), _DARK)
    pen.line((0, height, width, 0), _DARK)
    pen.rectangle((0, 0, width - 1, height - 1), outline=_DARK)
    buffer = BytesIO()
    box.save(buffer, "PNG")
    return buffer.getvalue()


def _as_png(webp: bytes) -> bytes:
    buffer = BytesIO()
    with Image.open(BytesIO(webp), formats=("WEBP",)) as still:
        still.load()
        still.info.clear()
        still.save(buffer, "PNG")
    return buffer.getvalue()
