"""Excel workbooks: sheets, values, formulas, charts and notes stay; people and paths do not.

Formulas that reach into other files or the network become their last values. Strings that no cell
shows any more are gone. Notes keep their text and lose their authors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from sandbox.clean.markup import Element, drop, drop_attributes, find, find_having, name
from sandbox.clean.package import MAIN, Role

_FORMAT: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml."
_FROM_MAIN: Final = frozenset({MAIN})

ROLES: Final[Mapping[str, Role]] = {
    "worksheet": Role("xl/worksheets/sheet", f"{_FORMAT}worksheet+xml"),
    "chartsheet": Role("xl/chartsheets/sheet", f"{_FORMAT}chartsheet+xml"),
    "styles": Role("xl/styles", f"{_FORMAT}styles+xml", _FROM_MAIN, single=True),
    "sharedStrings": Role(
        "xl/sharedStrings", f"{_FORMAT}sharedStrings+xml", _FROM_MAIN, 1, single=True
    ),
    "comments": Role("xl/comments", f"{_FORMAT}comments+xml", frozenset({"worksheet"})),
    "table": Role("xl/tables/table", f"{_FORMAT}table+xml"),
}

_DOOMED: Final = frozenset({
    *("x:customSheetViews", "x:scenarios", "x:protectedRanges", "x:sheetProtection"),
    *("x:oleObjects", "x:controls", "x:customProperties", "x:smartTags", "x:webPublishItems"),
    *("x:dataConsolidate", "x:cellWatches", "x:fileVersion", "x:fileSharing"),
    *("x:workbookProtection", "x:customWorkbookViews", "x:externalReferences", "x:pivotCaches"),
    *("x:smartTagPr", "x:smartTagTypes", "x:webPublishing", "x:webPublishObjects"),
    *("x:fileRecoveryPr", "x:functionGroups", "x:oleSize", "x:xmlColumnPr", "x:xmlCellPr"),
})  # fmt: skip
_TRACES: Final[Mapping[str, frozenset[str]]] = {
    "x:sheetPr": frozenset({"codeName"}),
    "x:workbookPr": frozenset({"codeName", "filterPrivacy", "defaultThemeVersion"}),
    "x:workbookView": frozenset({"xWindow", "yWindow", "windowWidth", "windowHeight", "tabRatio"}),
    "x:table": frozenset({"tableType", "connectionId"}),
    "x:tableColumn": frozenset({"queryTableFieldId", "uniqueName"}),
    "x:definedName": frozenset({"comment", "description", "help", "statusBar", "customMenu"}),
    "x:comment": frozenset({"guid"}),
}
_MACRO: Final = frozenset({"macro", "textlink"})
_FOREIGN: Final = re.compile(
    r"\[\d+\]|\||\b(?:_xlfn\.)*(?:WEBSERVICE|RTD|IMAGE|STOCKHISTORY|CUBE\w+|CALL|REGISTER\.ID)\(",
    re.IGNORECASE,
)
"""Formulas that ask another file, another program or the network."""

_FILE: Final = re.compile(r"\[|://|\\")
_RULES: Final = frozenset({"x:cfRule", "x:dataValidation"})
_NOBODY: Final = "-"


class Sheets:
    """Cleans the parts of one workbook; remembers which of the shared strings its cells show."""

    def __init__(self) -> None:
        self._shown: set[str] = set()

    def __call__(self, role: str, root: Element, lost: Mapping[Element, list[str]], /) -> None:
        """Clean one part."""
        if role == MAIN:
            _scrub_workbook(root, lost)
        elif role == "worksheet":
            _freeze(root)
            self._read_cells(root)
        elif role == "sharedStrings":
            self._prune(root)
        elif role == "comments":
            _forget_authors(root)
        for element in find(root, _DOOMED):
            drop(element)
        for called, traces in _TRACES.items():
            for element in find(root, frozenset({called})):
                drop_attributes(element, traces)
        if role == "drawing":
            _disconnect(root)

    def _read_cells(self, root: Element) -> None:
        for cell in root.iter("{*}c"):
            if cell.get("t") == "s":
                for value in cell:
                    self._shown.add(value.text or "")
            for key in ("cm", "vm"):
                if cell.get(key) is not None:
                    del cell.attrib[key]

    def _prune(self, root: Element) -> None:
        """Empty the strings that no cell shows; their numbers stay."""
        for number, string in enumerate(find(root, frozenset({"x:si"}))):
            if str(number) not in self._shown:
                for child in list(string):
                    drop(child)
                string.append(string.makeelement(str(string.tag)[: -len("si")] + "t"))


def _scrub_workbook(root: Element, lost: Mapping[Element, list[str]]) -> None:
    """Drop names that lead out of the file, and whatever counts on sheets that are dropped."""
    fewer = any(name(element) == "x:sheet" for element in lost)
    for defined in find(root, frozenset({"x:definedName"})):
        macro = {"function", "vbProcedure", "xlm"} & set(map(str, defined.keys()))
        if macro or _FILE.search(defined.text or "") or (fewer and defined.get("localSheetId")):
            drop(defined)
    for element in find(root, frozenset({"mc:AlternateContent"})):
        drop(element)  # the folder of the file, in an attribute of Excel's own
    if fewer:
        for view in find(root, frozenset({"x:workbookView"})):
            drop_attributes(view, {"activeTab", "firstSheet"})


def _freeze(root: Element) -> None:
    """Leave formulas that reach out of the file their last values, and drop such rules."""
    formulas = find(root, frozenset({"x:f"}))
    foreign = [each for each in formulas if _FOREIGN.search(each.text or "")]
    shared = {each.get("si") for each in foreign if each.get("t") == "shared"}
    for formula in formulas:
        if formula in foreign or (formula.get("t") == "shared" and formula.get("si") in shared):
            drop(formula)
    for rule in find(root, _RULES):
        if any(_FILE.search(child.text or "") for child in rule):
            drop(rule)


def _disconnect(root: Element) -> None:
    """Take macros and linked cells from shapes, which must name some."""
    for element in find_having(root, _MACRO):
        for key in _MACRO & set(map(str, element.keys())):
            element.set(key, "")


def _forget_authors(root: Element) -> None:
    """Name nobody; a program puts the author's name into the first words of a note, too."""
    authors = find(root, frozenset({"x:author"}))
    named = [author.text or "" for author in authors]
    for author in authors:
        author.text = _NOBODY
    for comment in find(root, frozenset({"x:comment"})):
        number = comment.get("authorId", "")
        author_name = named[int(number)] if number.isdecimal() and int(number) < len(named) else ""
        first = next(iter(find(comment, frozenset({"x:t"}))), None)
        if first is None or not author_name:
            continue
        text = (first.text or "").lstrip()
        if text.startswith(f"{author_name}:"):
            first.text = text.removeprefix(f"{author_name}:").lstrip()
