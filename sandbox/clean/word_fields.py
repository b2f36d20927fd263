"""Fields of Word: those that only point into the document live on, the others become their text.

A field can name the author, the last printer of a document, or a file on somebody's computer, and
would be filled anew on the officer's own. ISO/IEC 29500-1 §17.16.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from sandbox.clean.markup import ADDRESSES, Element, attribute, drop, find, name, unwrap

_LIVING: Final = frozenset(
    {
        *("PAGE", "NUMPAGES", "SECTION", "SECTIONPAGES", "TOC", "TOA", "PAGEREF", "REF", "SEQ"),
        *("STYLEREF", "XE", "TC", "TA", "INDEX", "NOTEREF", "SYMBOL", "FORMTEXT", "EQ", "ADVANCE"),
        *("FORMCHECKBOX", "FORMDROPDOWN", "LISTNUM", "AUTONUM", "AUTONUMLGL", "AUTONUMOUT", "="),
    }
)
_LINK: Final = "HYPERLINK"
_TARGET: Final = re.compile(r'\s*(?:"([^"]*)"|(\S+))')


@dataclass
class _Field:
    parts: list[Element] = field(default_factory=list)
    code: str = ""
    in_code: bool = True


class _Reading:
    """One reading of a text from its beginning, with the fields that are open at each point."""

    def __init__(self) -> None:
        self._open: list[_Field] = []
        self.doomed: list[Element] = []

    def take(self, element: Element) -> None:
        """Take in the next thing in a run."""
        kind = attribute(element, "w:fldCharType") if name(element) == "w:fldChar" else ""
        if kind == "begin":
            self._open.append(_Field())
        for each in self._open:
            if each.in_code:
                each.parts.append(element)
        if not self._open:
            return
        last = self._open[-1]
        if name(element) == "w:instrText":
            last.code += element.text or ""
        elif kind == "separate":
            last.in_code = False
        elif kind == "end":
            last.parts.append(element)
            self._open.pop()
            if not _may_live(last.code):
                self.doomed.extend(last.parts)

    def end(self) -> list[Element]:
        """Return what has to go; fields that were left open have no text of their own."""
        return [*self.doomed, *(part for each in self._open for part in each.parts)]


def flatten_fields(root: Element) -> None:
    """Turn fields into the text that was last seen, in place, but for harmless ones."""
    for element in find(root, frozenset({"w:fldSimple"})):
        if not _may_live(attribute(element, "w:instr")):
            unwrap(element)
    reading = _Reading()
    for run in find(root, frozenset({"w:r"})):
        for element in run:
            if name(element) != "w:rPr":
                reading.take(element)
    for element in reading.end():
        drop(element)


def _may_live(code: str) -> bool:
    words = code.split(maxsplit=1)
    if not words:
        return False
    keyword = "=" if words[0].startswith("=") else words[0].upper()
    if keyword != _LINK or len(words) == 1:
        return keyword in _LIVING
    target = _TARGET.match(words[1])
    address = (target[1] or target[2] or "") if target else ""
    return address.startswith("\\l") or address.lower().startswith(ADDRESSES)
