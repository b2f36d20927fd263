"""Tracked changes of Word, all accepted: what was deleted is gone, what was inserted is plain text.

ISO/IEC 29500-1 §17.13.5. A change is an element around text, or an empty one among the properties
of a paragraph mark, a row or a cell.
"""

from __future__ import annotations

from typing import Final

from sandbox.clean.markup import Element, drop, find, is_below, name, unwrap

_MARKERS: Final = frozenset({
    *("w:rPrChange", "w:pPrChange", "w:sectPrChange", "w:tblPrChange", "w:tcPrChange"),
    *("w:trPrChange", "w:tblGridChange", "w:numberingChange", "w:tblPrExChange"),
    *("w:moveFromRangeStart", "w:moveFromRangeEnd", "w:moveToRangeStart", "w:moveToRangeEnd"),
    *("w:customXmlInsRangeStart", "w:customXmlInsRangeEnd", "w:customXmlDelRangeStart"),
    *("w:customXmlDelRangeEnd", "w:customXmlMoveFromRangeStart", "w:customXmlMoveFromRangeEnd"),
    *("w:customXmlMoveToRangeStart", "w:customXmlMoveToRangeEnd", "w:cellIns", "w:cellMerge"),
    *("w14:conflictIns", "w14:conflictDel", "w:delText", "w:delInstrText"),
})  # fmt: skip
_INSERTED: Final = frozenset({"w:ins", "w:moveTo"})
_DELETED: Final = frozenset({"w:del", "w:moveFrom"})
_PROPERTIES: Final = frozenset({"w:rPr", "w:trPr", "w:numPr", "m:ctrlPr"})


def accept_changes(root: Element) -> None:
    """Accept every change below ``root``, in place."""
    for element in find(root, frozenset({"w:cellDel"})):
        _drop_around(element, "w:tc")
    for element in find(root, _DELETED):
        if is_below(element, root):
            _delete(element)
    for element in find(root, _INSERTED):
        parent = element.getparent()
        if parent is not None and name(parent) in _PROPERTIES:
            drop(element)
        else:
            unwrap(element)
    for element in find(root, _MARKERS):
        drop(element)
    for table in find(root, frozenset({"w:tbl"})):
        if not any(name(child) in {"w:tr", "w:sdt", "w:customXml"} for child in table):
            drop(table)


def _delete(mark: Element) -> None:
    parent = mark.getparent()
    outer = parent.getparent() if parent is not None else None
    if parent is None or name(parent) not in _PROPERTIES or outer is None:
        drop(mark)
    elif name(parent) == "w:trPr":
        drop(outer)
    elif name(parent) == "w:rPr" and name(outer) == "w:pPr":
        drop(mark)
        paragraph = outer.getparent()
        if paragraph is not None:
            _join_with_next(paragraph)
    elif name(parent) == "w:rPr":
        drop(outer)
    else:
        drop(mark)


def _drop_around(element: Element, wanted: str) -> None:
    for above in element.iterancestors():
        if name(above) == wanted:
            drop(above)
            return


def _join_with_next(paragraph: Element) -> None:
    """Move what is left of a paragraph whose mark was deleted to the head of the next one.

    The paragraph stays, empty or not, where none follows: cells and notes must not be without.
    """
    following = paragraph.getnext()
    if following is None or name(following) != "w:p":
        return
    content = [child for child in paragraph if name(child) != "w:pPr"]
    at = 1 if len(following) and name(following[0]) == "w:pPr" else 0
    following[at:at] = content
    drop(paragraph)
