"""Images drawn anew: decoded within bounds, turned upright, scaled to fit, laid on white."""

from __future__ import annotations

import io
import math
import warnings
from typing import Final

from PIL import Image, ImageOps

from sandbox.contract import LONGEST_SIDE, Failed, Failure, FileKind

PIXELS: Final = 120_000_000
"""Pixels of the largest image that is decoded; each takes four bytes, some more while scaled."""

SHRINKING: Final = 4
"""How many times more a JPEG may have: it is scaled down while it is decoded."""

_FORMATS: Final = {
    FileKind.JPEG: "JPEG", FileKind.PNG: "PNG", FileKind.GIF: "GIF", FileKind.WEBP: "WEBP",
    FileKind.TIFF: "TIFF", FileKind.BMP: "BMP", FileKind.HEIC: "HEIF",
}  # fmt: skip
_FIT: Final = (LONGEST_SIDE, LONGEST_SIDE)
_WHITE: Final = (255, 255, 255)
_QUICK: Final = 3
"""How hard a drawing is compressed: it is made for one look."""

_BYTE: Final = 255
_WIDE: Final = 0xFFFF


def drawn(data: bytes, kind: FileKind) -> bytes:
    """Return an image of a kind (of several, the first) as PNG.

    Raises:
        Failed: it is not of this kind, or has more than ``PIXELS``.
        What Pillow raises about a broken one.
    """
    if kind is FileKind.HEIC:
        from pillow_heif import register_heif_opener  # noqa: PLC0415 - large, and for these alone

        register_heif_opener()
    most = PIXELS * SHRINKING if kind is FileKind.JPEG else PIXELS
    Image.MAX_IMAGE_PIXELS = most
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image = Image.open(io.BytesIO(data), formats=(_FORMATS[kind],))
            image.draft(None, _FIT)
            if image.width * image.height > PIXELS:
                raise Failed(Failure.TOO_LARGE)
            image.load()
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            raise Failed(Failure.TOO_LARGE) from None
        return as_png(image)


def as_png(image: Image.Image) -> bytes:
    """Return an image as PNG: upright, scaled to fit, on white, nothing but its pixels."""
    scaled = _scalable(image)
    scaled.thumbnail(_FIT)
    plain = _on_white(_in_bytes(_upright(scaled)))
    bare = Image.frombytes("RGB", plain.size, plain.tobytes())
    written = io.BytesIO()
    bare.save(written, "PNG", compress_level=_QUICK)
    return written.getvalue()


def _scalable(image: Image.Image) -> Image.Image:
    """Return an image of which neighbours can be mixed: of a palette's numbers they cannot."""
    if image.mode == "1":
        return image.convert("L")
    if image.mode in {"P", "PA"}:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 - broken EXIF does not say how to turn it
        return image


def _in_bytes(image: Image.Image) -> Image.Image:
    """Return an image whose samples have 8 bits; wider ones of no usual range are stretched."""
    if image.mode not in {"I", "F"} and not image.mode.startswith("I;16"):
        return image
    wide = image if image.mode == "F" else image.convert("I")
    low, high = (float(end) for end in wide.getextrema() if not isinstance(end, tuple))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise Failed(Failure.DAMAGED)
    if image.mode.startswith("I;16"):
        low, high = 0.0, float(_WIDE)
    factor = _BYTE / ((high - low) or 1.0)
    return wide.point(lambda sample: sample * factor - low * factor).convert("L")


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    over = image.convert("RGBA")
    ground = Image.new("RGB", over.size, _WHITE)
    ground.paste(over, mask=over.getchannel("A"))
    return ground
