"""Which entries dictionaries of a PDF keep (ISO 32000-1): those that show something."""

from __future__ import annotations

from typing import Final


def _keys(names: str) -> frozenset[str]:
    return frozenset(f"/{name}" for name in names.split())


CATALOG: Final = _keys("Type Pages Outlines PageLabels Names Dests OCProperties AcroForm Lang")
PAGES: Final = _keys("Type Parent Kids Count")
PAGE: Final = _keys(
    "Type Parent Resources MediaBox CropBox BleedBox TrimBox ArtBox Contents Rotate Group Annots"
    " Tabs UserUnit"
)
OUTLINE: Final = _keys("Title Parent Prev Next First Last Count Dest A C F")
RESOURCES: Final = _keys("ExtGState ColorSpace Pattern Shading XObject Font Properties")
IMAGE: Final = _keys(
    "Type Subtype Width Height ColorSpace BitsPerComponent Intent ImageMask Mask Decode"
    " Interpolate SMask SMaskInData Matte OC Filter DecodeParms Length"
)
FORM: Final = _keys(
    "Type Subtype FormType BBox Matrix Resources Group OC Filter DecodeParms Length"
)
MARK: Final = _keys(
    "Type Subtype Rect Contents F AP AS Border C IC OC P BM CA ca LE BS BE QuadPoints L LL LLE Cap"
    " CO CP Vertices InkList Name DA Q CL RD IT Popup Parent Open IRT RT A Dest H MK Rotate Sy"
    " Path"
)
"""Of annotations."""

FIELD: Final = _keys("Type FT Parent Kids T TU Ff V DV DA Q Opt MaxLen I TI")
ACRO_FORM: Final = _keys("Fields DR DA Q NeedAppearances")
ACTION: Final = _keys("Type S D URI N")
SHOWN: Final = _keys(
    "Text FreeText Line Square Circle Polygon PolyLine Highlight Underline Squiggly StrikeOut"
    " Stamp Caret Ink Popup Link Widget Watermark Redact"
)
"""Annotations that show something; sounds, films, attached files and the like are dropped."""

NEVER: Final = _keys(
    "Metadata PieceInfo LastModified Thumb AA AF EF OPI Alternates Ref Measure PtData"
    " SeparationInfo StructParent StructParents JS XFA UserProperties CreatorInfo User Author"
    " Creator Producer CreationDate ModDate DPart Private FFilter FDecodeParms"
)
"""Entries that no dictionary keeps, except one whose keys are names that the file chose."""
