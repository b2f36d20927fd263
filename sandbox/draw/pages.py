"""Pages of a PDF drawn as pictures: what is printed, and what was filled in; nothing is run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import pypdfium2
from pypdfium2 import raw

from sandbox.contract import LONGEST_SIDE, Failed, Failure
from sandbox.draw.images import as_png

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

_SHARP: Final = 3.0
"""Pixels for each unit of 1/72 inch, where they fit."""

_LARGEST: Final = 1e7
"""Units; what no paper has."""


def drawn(data: bytes, page: int) -> tuple[int, bytes]:
    """Return how many pages there are, and one of them as PNG.

    Raises:
        Failed: UNSUPPORTED if it opens with a password only; DAMAGED if it is broken, or has no
            such page.
    """
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        locked = error.err_code == raw.FPDF_ERR_PASSWORD
        raise Failed(Failure.UNSUPPORTED if locked else Failure.DAMAGED) from None
    pages = len(document)
    if not 1 <= page <= pages:
        raise Failed(Failure.DAMAGED)
    opened = _flat(document, page - 1)
    width, height = opened.get_size()
    longest = max(width, height)
    if not (math.isfinite(longest) and min(width, height) > 0 and longest <= _LARGEST):
        raise Failed(Failure.DAMAGED)
    scale = min(_SHARP, LONGEST_SIDE / longest)
    return pages, as_png(opened.render(scale=scale, may_draw_forms=False).to_pil())


def _flat(document: PdfDocument, number: int) -> PdfPage:
    """Return a page with what stands in its fields made part of it.

    They could also be drawn as fields, but only by the part of PDFium that makes forms work.
    """
    raw.FPDFPage_Flatten(document[number], raw.FLAT_NORMALDISPLAY)
    return document[number]
