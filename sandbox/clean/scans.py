"""Pictures of several pages, as scanners and faxes make them: bound as a PDF, page by page."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import Final

import pikepdf
from PIL import Image

from sandbox.contract import Failed, Failure

DPI: Final = 150
"""Dots per inch of every page: what a scanner said of its own would be lost with the rest."""

_DNG_VERSION: Final = 50706
"""TIFF tag of a camera's raw image: its first page is a preview, not the picture."""

_NEW_SUBFILE_TYPE: Final = 254
_REDUCED: Final = 1
"""Bit of NewSubfileType: a smaller copy of another page (TIFF 6.0 §8)."""


def pages(picture: Image.Image, most: int, most_pixels: int) -> Sequence[int]:
    """Return the numbers of the frames of a TIFF that are pages of their own, not thumbnails.

    Raises:
        Failed: DAMAGED if there is none, TOO_LARGE if there are more than ``most`` frames or
            ``most_pixels`` in all of them, UNSUPPORTED if it is a camera's raw image.
    """
    found: list[int] = []
    total = 0
    for number in range(getattr(picture, "n_frames", 1)):
        picture.seek(number)
        tags = picture.tag_v2  # type: ignore[attr-defined]
        if _DNG_VERSION in tags:
            raise Failed(Failure.UNSUPPORTED)
        total += picture.width * picture.height
        if number >= most or total > most_pixels:
            raise Failed(Failure.TOO_LARGE)
        if not tags.get(_NEW_SUBFILE_TYPE, 0) & _REDUCED:
            found.append(number)
    if not found:
        raise Failed(Failure.DAMAGED)
    return found


def turn(picture: Image.Image, numbers: Sequence[int]) -> Iterator[int]:
    """Open ``picture`` at each of the pages in turn."""
    for number in numbers:
        picture.seek(number)
        yield number


def bind(pictures: Iterable[Image.Image]) -> bytes:
    """Return a PDF with one page for each picture, pixel for pixel and without loss."""
    with pikepdf.new() as pdf:
        for picture in pictures:
            _add(pdf, picture)
        buffer = BytesIO()
        pdf.save(buffer, deterministic_id=True, force_version="1.7")
    return buffer.getvalue()


def _add(pdf: pikepdf.Pdf, picture: Image.Image) -> None:
    if picture.mode == "RGBA":
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    mode = picture.mode if picture.mode in {"1", "L"} else "RGB"
    picture = picture.convert(mode)
    image = pikepdf.Stream(
        pdf,
        zlib.compress(picture.tobytes()),
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=picture.width,
        Height=picture.height,
        ColorSpace=pikepdf.Name.DeviceRGB if mode == "RGB" else pikepdf.Name.DeviceGray,
        BitsPerComponent=1 if mode == "1" else 8,
        Filter=pikepdf.Name.FlateDecode,
    )
    width, height = (round(72 * side / DPI, 2) for side in picture.size)
    pdf.add_blank_page(page_size=(width, height))
    page = pdf.pages[-1]
    page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(P=pdf.make_indirect(image)))
    page.obj.Contents = pdf.make_stream(f"{width} 0 0 {height} 0 0 cm /P Do".encode())
