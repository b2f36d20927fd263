"""Drawing instructions of a PDF: remarks among them that draw nothing go.

Instructions are read and written anew only where something like a remark is seen: reading is slow,
and nearly all files have none.
"""

from __future__ import annotations

import re
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Stream

_Instruction = pikepdf.ContentStreamInstruction | pikepdf.ContentStreamInlineImage

_SUSPECT: Final = re.compile(
    rb"(?:^|[\r\n])[ \t]*%"  # a comment on a line of its own
    rb"|[)>][^()<>]*>>\s*(?:BDC|DP)\b"  # a text among the properties of marked content
)
_MARKED: Final = frozenset({"BDC", "DP"})
_WITH_PROPERTIES: Final = 2


def clean_page(page: pikepdf.Page) -> None:
    """Clean the instructions of one page, which may be in several pieces."""
    contents = page.obj.get("/Contents")
    pieces = list(contents) if isinstance(contents, Array) else [contents]
    if any(_is_suspect(piece) for piece in pieces):
        page.contents_coalesce()
        _rewrite(page.obj, page.obj.Contents)


def clean_form(form: Object) -> None:
    """Clean the instructions of a drawing that pages use."""
    if isinstance(form, Stream) and form.get("/Subtype") == Name.Form and _is_suspect(form):
        _rewrite(form, form)


def _is_suspect(piece: object) -> bool:
    if not isinstance(piece, Stream):
        return False
    try:
        return _SUSPECT.search(piece.read_bytes()) is not None
    except pikepdf.PdfError:
        return False


def _rewrite(owner: Object, stream: Object) -> None:
    stream.write(
        pikepdf.unparse_content_stream(
            [_plain(instruction) for instruction in pikepdf.parse_content_stream(owner)]
        )
    )


def _plain(instruction: _Instruction) -> _Instruction:
    if isinstance(instruction, pikepdf.ContentStreamInlineImage):
        return instruction
    operands = list(instruction.operands)
    marked = str(instruction.operator) in _MARKED and len(operands) == _WITH_PROPERTIES
    if marked and isinstance(operands[1], Dictionary):
        kept = [operands[0], Dictionary()]
        return pikepdf.ContentStreamInstruction(kept, instruction.operator)
    return instruction
