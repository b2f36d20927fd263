"""Images and PDF pages drawn anew as plain pictures, texts as plain text; runs in confinement."""

from __future__ import annotations

import io
import math
import warnings
from typing import Final

import pypdfium2
from PIL import Image, ImageOps
from pillow_heif import register_heif_opener

from sandbox.answers import plain_text
from sandbox.contract import IMAGES, Failed, Failure, FileKind, Result

SIDE: Final = 2000
"""Pixels of the longest side of a drawing."""

PIXELS: Final = 120_000_000
"""Pixels of the largest image that is decoded."""

_FORMATS: Final = {
    FileKind.JPEG: "JPEG", FileKind.PNG: "PNG", FileKind.GIF: "GIF", FileKind.WEBP: "WEBP",
    FileKind.TIFF: "TIFF", FileKind.BMP: "BMP", FileKind.HEIC: "HEIF",
}  # fmt: skip
_WHITE: Final = (255, 255, 255)
_SHARP: Final = 2.0
_LARGEST_PAGE: Final = 1e7


def draw(data: bytes, kind: FileKind, page: int) -> Result:
    """Return one page as PNG that holds nothing but pixels.

    Raises:
        Failed: there is no such page, the kind cannot be drawn, or the file is broken or too
            large.
    """
    if kind in IMAGES:
        if page != 1:
            raise Failed(Failure.DAMAGED)
        return Result(FileKind.PNG, 1, _png(_image(data, kind)))
    if kind is FileKind.PDF:
        return _pdf_page(data, page)
    raise Failed(Failure.UNSUPPORTED)


def text(data: bytes) -> str:
    """Return the beginning of a text, whatever its encoding, without anything invisible."""
    for start, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"),
                            (b"\xfe\xff", "utf-16")):  # fmt: skip
        if data.startswith(start):
            return plain_text(data.decode(encoding, "replace"))
    try:
        return plain_text(data.decode())
    except UnicodeDecodeError:
        return plain_text(data.decode("cp1252", "replace"))


def _image(data: bytes, kind: FileKind) -> Image.Image:
    register_heif_opener()
    Image.MAX_IMAGE_PIXELS = PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image = Image.open(io.BytesIO(data), formats=(_FORMATS[kind],))
            if image.width * image.height > PIXELS:
                raise Failed(Failure.TOO_LARGE)
            image.draft("RGB", (SIDE, SIDE))
            image.load()
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            raise Failed(Failure.TOO_LARGE) from None
    return ImageOps.exif_transpose(image)


def _png(image: Image.Image) -> bytes:
    """Return an image as PNG, scaled to fit, on white, without anything but its pixels."""
    image.thumbnail((SIDE, SIDE))
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        over = image.convert("RGBA")
        ground = Image.new("RGB", over.size, _WHITE)
        ground.paste(over, mask=over.getchannel("A"))
        image = ground
    plain = image.convert("RGB")
    bare = Image.frombytes("RGB", plain.size, plain.tobytes())
    written = io.BytesIO()
    bare.save(written, "PNG")
    return written.getvalue()


def _pdf_page(data: bytes, page: int) -> Result:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        encrypted = "password" in str(error).lower()
        raise Failed(Failure.UNSUPPORTED if encrypted else Failure.DAMAGED) from None
    pages = len(document)
    if not 1 <= page <= pages:
        raise Failed(Failure.DAMAGED)
    opened = document[page - 1]
    width, height = opened.get_size()
    longest = max(width, height)
    if not (math.isfinite(longest) and min(width, height) >= 1 and longest <= _LARGEST_PAGE):
        raise Failed(Failure.DAMAGED)
    drawn = opened.render(scale=min(_SHARP, SIDE / longest), may_draw_forms=False).to_pil()
    return Result(FileKind.PNG, pages, _png(drawn))
