"""Pictures: decoded, turned upright, converted to sRGB, and written anew from their pixels alone.

Whatever is not a pixel of the picture itself is gone: EXIF, XMP, IPTC, colour profiles, comments,
thumbnails, depth maps, the film of a moving photo, data after the end, colours under full
transparency. Not removed: what the pixels show (faces, screens, names, the yellow dots of a
printer) and what they carry unseen (the noise of a camera's sensor, watermarks, the marks of
earlier compression).

JPEG stays JPEG (quality 92), WEBP stays WEBP (quality 95), HEIC becomes JPEG, and everything else
becomes PNG; moving pictures stay GIF, PNG or WEBP with all their frames. A TIFF of several pages
becomes a PDF. Samples of more than 8 bits lose the rest, but for grey ones of 16 bits.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

import pillow_heif
from PIL import (
    BmpImagePlugin,  # noqa: F401 - each plugin announces itself to Image
    ExifTags,
    GifImagePlugin,  # noqa: F401
    Image,
    ImageCms,
    JpegImagePlugin,
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from sandbox.clean import scans
from sandbox.contract import Failed, Failure, FileKind

MAX_PIXELS: Final = 110_000_000
"""Of all frames or pages together; each takes four bytes of memory, and as many while turned."""

MAX_SIDE: Final = 65_500
"""Pixels of a side; what JPEG can hold."""

MAX_FRAMES: Final = 2_000

JPEG_QUALITY: Final = 92
WEBP_QUALITY: Final = 95

_WIDE_GREY: Final = "I;16"
_MOVING: Final = frozenset({FileKind.GIF, FileKind.PNG, FileKind.WEBP})
_DURATION: Final = 100
"""Milliseconds for which browsers show a frame that names no duration."""

_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each orientation of EXIF 2.32 §4.6.4."""

_FORMATS: Final = {
    FileKind.JPEG: "JPEG",
    FileKind.PNG: "PNG",
    FileKind.GIF: "GIF",
    FileKind.WEBP: "WEBP",
    FileKind.TIFF: "TIFF",
    FileKind.BMP: "BMP",
}


def clean(data: bytes, kind: FileKind, *, upright: bool = True) -> tuple[FileKind, bytes]:
    """Return the picture written anew, and what it is now.

    Unless ``upright``, it is not turned as its EXIF says: documents turn pictures themselves.

    Raises:
        Failed: DAMAGED, TOO_LARGE (more than ``MAX_PIXELS``), or UNSUPPORTED (raw images of
            cameras, samples that are no colours).
    """
    try:
        with opened(data, kind) as picture:
            if kind is FileKind.TIFF:
                return _from_tiff(picture, upright=upright)
            if kind in _MOVING and getattr(picture, "n_frames", 1) > 1:
                return kind, _moving(picture, kind)
            return _written(picture, kind, upright=upright)
    except Image.DecompressionBombError:
        raise Failed(Failure.TOO_LARGE) from None


def opened(data: bytes, kind: FileKind) -> Image.Image:
    """Return the picture with its header read and its size checked, but not its pixels.

    Raises:
        Failed: DAMAGED if it is not of this kind, TOO_LARGE if it has too many pixels.
    """
    try:
        if kind is FileKind.HEIC:
            return _heif(data)
        picture = Image.open(BytesIO(data), formats=(_FORMATS[kind],))
    except Image.DecompressionBombError:
        raise Failed(Failure.TOO_LARGE) from None
    except (OSError, ValueError, SyntaxError, KeyError):
        raise Failed(Failure.DAMAGED) from None
    _measure(picture)
    return picture


def pixels(picture: Image.Image, *, upright: bool = True) -> Image.Image:
    """Return the current frame in one of the modes 1, L, I;16, RGB, RGBA, in sRGB, and bare.

    Raises:
        Failed: UNSUPPORTED if its samples are no colours.
    """
    picture.load()  # turns a TIFF already, hence earlier
    turned = _TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1)) if upright else None
    plain = _in_srgb(picture)
    if turned is not None:
        plain = plain.transpose(turned)
    if plain is picture:
        plain = picture.copy()
    plain.info.clear()
    return _opaque_where_seen(plain) if plain.mode == "RGBA" else plain


def _measure(picture: Image.Image, frames: int = 1) -> None:
    width, height = picture.size
    if width < 1 or height < 1:
        raise Failed(Failure.DAMAGED)
    if max(width, height) > MAX_SIDE or frames > MAX_FRAMES:
        raise Failed(Failure.TOO_LARGE)
    if width * height * frames > MAX_PIXELS:
        raise Failed(Failure.TOO_LARGE)


def _from_tiff(picture: Image.Image, *, upright: bool) -> tuple[FileKind, bytes]:
    numbers = scans.pages(picture, MAX_FRAMES, MAX_PIXELS)
    if len(numbers) > 1:
        plain = (pixels(picture, upright=upright) for _ in scans.turn(picture, numbers))
        return FileKind.PDF, scans.bind(plain)
    picture.seek(numbers[0])
    return _written(picture, FileKind.TIFF, upright=upright)


def _heif(data: bytes) -> Image.Image:
    file = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
    primary = file[file.primary_index]
    width, height = primary.size
    if width * height > MAX_PIXELS:
        raise Failed(Failure.TOO_LARGE)
    return primary.to_pillow()


def _in_srgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    mode = _mode(picture)
    if picture.mode == "I":
        return _wide_grey(picture)
    plain = picture if picture.mode in {mode, "CMYK", "LAB", "YCbCr"} else picture.convert(mode)
    if profile and mode in {"L", "RGB", "RGBA"}:
        try:
            return _converted(plain, profile, mode)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # a broken profile says nothing of the colours
    return plain.convert(mode) if plain.mode != mode else plain


def _converted(picture: Image.Image, profile: bytes, mode: str) -> Image.Image:
    result = ImageCms.profileToProfile(
        picture,
        ImageCms.ImageCmsProfile(BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        outputMode="RGB" if mode == "L" else mode,
    )
    if result is None:
        raise ValueError(mode)
    return result.convert(mode)


def _mode(picture: Image.Image) -> str:
    if picture.mode in {"1", "L", "RGB", "RGBA"}:
        clear = "transparency" in picture.info
        return "RGBA" if clear and picture.mode != "RGBA" else picture.mode
    if picture.mode in {"I", "I;16", "I;16L", "I;16B", "I;16N"}:
        return _WIDE_GREY
    if picture.mode == "F":
        raise Failed(Failure.UNSUPPORTED)
    return "RGBA" if picture.has_transparency_data else "RGB"


def _wide_grey(picture: Image.Image) -> Image.Image:
    low, high = picture.getextrema()
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        raise Failed(Failure.UNSUPPORTED)
    if low < 0 or high > 0xFFFF:  # noqa: PLR2004
        raise Failed(Failure.UNSUPPORTED)
    return picture.convert(_WIDE_GREY)


def _opaque_where_seen(picture: Image.Image) -> Image.Image:
    """Return the picture without the colours that lie under full transparency."""
    alpha = picture.getchannel("A")
    low, _ = alpha.getextrema()
    if low:
        return picture
    seen = alpha.point([0] + [255] * 255)
    return Image.composite(picture, Image.new("RGBA", picture.size, (0, 0, 0, 0)), seen)


def _written(picture: Image.Image, kind: FileKind, *, upright: bool) -> tuple[FileKind, bytes]:
    buffer = BytesIO()
    if kind in {FileKind.JPEG, FileKind.HEIC}:
        sampling = 2
        if kind is FileKind.JPEG:
            sampling = JpegImagePlugin.get_sampling(picture)
        plain = pixels(picture, upright=upright)
        if plain.mode == "RGBA":
            white = Image.new("RGBA", plain.size, "white")
            plain = Image.alpha_composite(white, plain)
        if plain.mode not in {"L", "RGB"}:
            plain = plain.convert("RGB")
        plain.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=max(sampling, 0))
        return FileKind.JPEG, buffer.getvalue()
    plain = pixels(picture, upright=upright)
    if kind is FileKind.WEBP:
        plain.save(buffer, "WEBP", quality=WEBP_QUALITY, method=4)
        return FileKind.WEBP, buffer.getvalue()
    plain.save(buffer, "PNG")
    return FileKind.PNG, buffer.getvalue()


def _moving(picture: Image.Image, kind: FileKind) -> bytes:
    """Return all frames with their durations; a PNG's picture that is never shown is left out."""
    count: int = getattr(picture, "n_frames", 1)
    _measure(picture, count)
    frames: list[Image.Image] = []
    durations: list[int] = []
    for number in range(1 if getattr(picture, "default_image", False) else 0, count):
        picture.seek(number)
        frames.append(pixels(picture, upright=False).convert("RGBA"))
        durations.append(int(picture.info.get("duration", 0)) or _DURATION)
    options: dict[str, Any] = {"duration": durations}
    if "loop" in picture.info:
        options["loop"] = int(picture.info["loop"])
    if kind is FileKind.GIF:
        options["disposal"] = 2
    elif kind is FileKind.WEBP:
        options["quality"] = WEBP_QUALITY
    buffer = BytesIO()
    frames[0].save(buffer, _FORMATS[kind], save_all=True, append_images=frames[1:], **options)
    return buffer.getvalue()
