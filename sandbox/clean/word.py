"""Word documents: text, tables, notes and comments stay; who wrote them, when and where does not.

Tracked changes are accepted, so that deleted text is gone; footnotes and comments that nothing
refers to any more are gone with it. Comments keep their text and lose their authors and dates.
Fields that programs fill with names, paths or dates become the text that was last seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sandbox.clean.markup import (
    Element,
    attribute,
    drop,
    drop_attributes,
    find,
    find_having,
    name,
    unwrap,
)
from sandbox.clean.namespaces import short
from sandbox.clean.package import MAIN, Role
from sandbox.clean.word_changes import accept_changes
from sandbox.clean.word_fields import flatten_fields

_FORMAT: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml."
_FROM_MAIN: Final = frozenset({MAIN})

ROLES: Final[Mapping[str, Role]] = {
    "styles": Role("word/styles", f"{_FORMAT}styles+xml", _FROM_MAIN, single=True),
    "settings": Role("word/settings", f"{_FORMAT}settings+xml", _FROM_MAIN, single=True),
    "fontTable": Role("word/fontTable", f"{_FORMAT}fontTable+xml", _FROM_MAIN, single=True),
    "numbering": Role("word/numbering", f"{_FORMAT}numbering+xml", _FROM_MAIN, single=True),
    "footnotes": Role("word/footnotes", f"{_FORMAT}footnotes+xml", _FROM_MAIN, 1, single=True),
    "endnotes": Role("word/endnotes", f"{_FORMAT}endnotes+xml", _FROM_MAIN, 1, single=True),
    "comments": Role("word/comments", f"{_FORMAT}comments+xml", _FROM_MAIN, 2, single=True),
    "header": Role("word/header", f"{_FORMAT}header+xml"),
    "footer": Role("word/footer", f"{_FORMAT}footer+xml"),
}

_DOOMED: Final = frozenset({
    *("w:proofErr", "w:permStart", "w:permEnd", "w:dataBinding", "w15:dataBinding"),
    *("w:placeholder", "w:fldData", "w:entryMacro", "w:exitMacro", "w:control", "w:subDoc"),
    *("w:altChunk", "w:rsid", "w:nsid", "w:tmpl", "w:smartTagPr", "w:customXmlPr"),
    *("w:embedRegular", "w:embedBold", "w:embedItalic", "w:embedBoldItalic"),
})  # fmt: skip
_UNWRAPPED: Final = frozenset({"w:smartTag", "w:customXml"})
_PEOPLE: Final = frozenset({"w:initials", "w:date", "w16du:dateUtc"})
_NOBODY: Final = "-"

_SETTINGS: Final = frozenset({
    *("w:mirrorMargins", "w:alignBordersAndEdges", "w:bordersDoNotSurroundHeader"),
    *("w:bordersDoNotSurroundFooter", "w:gutterAtTop", "w:defaultTabStop", "w:autoHyphenation"),
    *("w:consecutiveHyphenLimit", "w:hyphenationZone", "w:doNotHyphenateCaps"),
    *("w:evenAndOddHeaders", "w:bookFoldRevPrinting", "w:bookFoldPrinting"),
    *("w:bookFoldPrintingSheets", "w:drawingGridHorizontalSpacing"),
    *("w:drawingGridVerticalSpacing", "w:displayHorizontalDrawingGridEvery"),
    *("w:displayVerticalDrawingGridEvery", "w:characterSpacingControl", "w:noLineBreaksAfter"),
    *("w:noLineBreaksBefore", "w:strictFirstAndLastChars", "w:footnotePr", "w:endnotePr"),
    *("w:compat", "m:mathPr", "w:themeFontLang", "w:clrSchemeMapping", "w:decimalSymbol"),
    *("w:listSeparator", "w:displayBackgroundShape", "w:splitPgBreakAndParaMark"),
})  # fmt: skip
"""Settings that move text on the page; all others tell of the writer or the computer."""

_NOTES: Final = {
    "footnotes": ("w:footnote", "w:footnoteReference"),
    "endnotes": ("w:endnote", "w:endnoteReference"),
    "comments": ("w:comment", "w:commentReference"),
}
_RANGES: Final = frozenset({"w:commentRangeStart", "w:commentRangeEnd"})


class Word:
    """Cleans the parts of one document; remembers which notes and comments its text refers to."""

    def __init__(self) -> None:
        self._referred: set[tuple[str, str]] = set()

    def __call__(self, role: str, root: Element, _lost: Mapping[Element, list[str]], /) -> None:
        """Clean one part."""
        if role == "settings":
            for setting in list(root):
                if name(setting) not in _SETTINGS:
                    drop(setting)
        if role in _NOTES:
            self._prune(root, *_NOTES[role])
        accept_changes(root)
        flatten_fields(root)
        for element in find(root, _DOOMED):
            drop(element)
        for element in find(root, _UNWRAPPED):
            unwrap(element)
        references = frozenset(reference for _, reference in _NOTES.values())
        for element in find(root, references):
            self._referred.add((name(element), attribute(element, "w:id")))
        for element in find(root, _RANGES):
            if ("w:commentReference", attribute(element, "w:id")) not in self._referred:
                drop(element)
        for element in find_having(root, _PEOPLE | {"w:author"}):
            _forget_people(element)

    def _prune(self, root: Element, note: str, reference: str) -> None:
        """Drop the notes that nothing refers to, but for the lines that separate them."""
        for element in find(root, frozenset({note})):
            separator = attribute(element, "w:type") not in {"", "normal"}
            if not separator and (reference, attribute(element, "w:id")) not in self._referred:
                drop(element)


def _forget_people(element: Element) -> None:
    drop_attributes(element, _PEOPLE)
    for key in element.keys():  # noqa: SIM118 - lxml hands out bytes when iterated over
        if short(str(key)) == "w:author":
            element.set(key, _NOBODY)
