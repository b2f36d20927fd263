"""What all parts of Office Open XML have in common: drawings, extensions, references by id.

Not removed: the parts of a picture that are cropped away inside the document, ids of shapes, the
language in which a text was checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sandbox.clean.markup import (
    ADDRESSES,
    Element,
    drop,
    drop_attributes,
    find,
    find_having,
    find_local,
    is_below,
    keys,
    looks_like_file,
    name,
)
from sandbox.clean.namespaces import short

_EXTENSIONS_SHOWN: Final = frozenset({
    *("x14:sparklineGroups", "x14:conditionalFormattings", "x14:dataValidations", "x14:id"),
})  # fmt: skip
"""Extensions that show something; all others hold ids of objects, of edits and of people."""

_DOOMED: Final = frozenset({"c:externalData", "c:printSettings", "c:lang", "xr:*"})
_NAMED: Final = frozenset({"cNvPr", "docPr"})
_LINKS: Final = frozenset({"hlinkClick", "hlinkHover", "hlinkMouseOver"})
_JUMPS: Final = ("ppaction://hlinkshowjump", "ppaction://hlinksldjump")
_TRACE_ATTRIBUTES: Final = frozenset({
    *("w14:paraId", "w14:textId", "wp14:anchorId", "wp14:editId"),
    *("o:gfxdata", "o:href", "o:title", "w:rsidR", "w:rsidRPr", "w:rsidRDefault", "w:rsidP"),
    *("w:rsidDel", "w:rsidTr", "w:rsidSect", "xr:*"),
})  # fmt: skip
_REFERENCES: Final = frozenset({"r:*", "o:relid"})
_ONLY_ATTRIBUTE: Final = frozenset({
    *("w:hyperlink", "x:pageSetup", "a:blip", "v:fill", "v:stroke"),
})  # fmt: skip
"""Elements that mean something without their reference, too."""

_LISTS: Final = frozenset({
    *("x:hyperlinks", "x:conditionalFormatting", "x:dataValidations", "x:definedNames"),
    *("x:tableParts", "x:ignoredErrors"),
})  # fmt: skip
"""Elements that must not be empty."""

_ONLY_CHOICE: Final = frozenset({"contentPart", "chart"})
"""Elements of newer editions: an older picture of the same follows as fallback."""


def scrub(root: Element) -> None:
    """Drop what no reader sees, in place: edits' ids, names of files, private extensions."""
    for extensions in find_local(root, frozenset({"extLst"})):
        for extension in _unshown(extensions):
            drop(extension)
    for link in find_local(root, _LINKS):
        if not _is_link(link):
            drop(link)
    for element in find(root, frozenset({"v:*"})):
        _scrub_vml(element)
    for element in find_local(root, _NAMED):
        _scrub_names(element)
    for formula in find(root, frozenset({"c:f"})):
        if "[" in (formula.text or ""):
            _literal(formula)
    for element in find_having(root, _TRACE_ATTRIBUTES):
        traces = {key for key in keys(element) if key.startswith(("xr:", "w:rsid"))}
        drop_attributes(element, traces | _TRACE_ATTRIBUTES)
    for element in find(root, _DOOMED):
        drop(element)


def _unshown(extensions: Element) -> list[Element]:
    unshown = [
        extension
        for extension in extensions
        if not any(name(child) in _EXTENSIONS_SHOWN for child in extension)
    ]
    return [extensions] if len(unshown) == len(extensions) else unshown


def _is_link(element: Element) -> bool:
    action = element.get("action", "")
    return not action or action.startswith(_JUMPS)


def _scrub_vml(element: Element) -> None:
    for key in ("href", "src", "alt", "title"):
        value = element.get(key, "")
        allowed = value.lower().startswith(ADDRESSES) if key == "href" else False
        if (looks_like_file(value) and not allowed) or key == "src":
            drop_attributes(element, {key})


def _scrub_names(element: Element) -> None:
    """Drop descriptions that are names of files; others are read to the blind, and stay."""
    for key in ("descr", "title"):
        if looks_like_file(element.get(key, "")):
            del element.attrib[key]
    if looks_like_file(element.get("name", "")):
        element.set("name", "")


def _literal(formula: Element) -> None:
    """Turn a chart's reference to another file into the values that it was last seen with."""
    reference = formula.getparent()
    if reference is None:
        return
    cached = [child for child in reference if name(child) in {"c:numCache", "c:strCache"}]
    space = str(reference.tag).rpartition("}")[0] + "}"
    kind = {"c:numRef": "numLit", "c:strRef": "strLit"}.get(name(reference))
    outer = reference.getparent()
    if kind is None or outer is None:
        formula.text = ""
        return
    if name(outer) == "c:tx":
        value = next(iter(find(reference, frozenset({"c:v"}))), None)
        new = reference.makeelement(space + "v")
        new.text = value.text if value is not None else ""
    else:
        new = reference.makeelement(space + kind)
        new.extend(child for cache in cached for child in list(cache))
    outer.replace(reference, new)


def _references(element: Element) -> list[str]:
    """Return the attributes of an element that hold the id of a relationship."""
    return [
        str(key)
        for key in element.keys()  # noqa: SIM118 - lxml hands out bytes when iterated over
        if short(str(key)).startswith(("r:", "o:relid"))
    ]


def referring(root: Element) -> list[Element]:
    """Return the elements that refer to relationships, in their order."""
    return find_having(root, _REFERENCES)


def lost(elements: Iterable[Element], known: Iterable[str]) -> dict[Element, list[str]]:
    """Return those that refer to a relationship that is not ``known``, and by which keys."""
    followed = {*known, ""}
    found = {}
    for element in elements:
        loose = [key for key in _references(element) if element.get(key) not in followed]
        if loose:
            found[element] = loose
    return found


def sever(root: Element, elements: Mapping[Element, list[str]]) -> None:
    """Take out elements that refer to nothing, or the reference where the rest means something.

    Lists that are empty then are taken out, too.
    """
    for element, loose in elements.items():
        if not is_below(element, root):
            continue
        called = name(element)
        if called in _ONLY_ATTRIBUTE or (called == "x:hyperlink" and element.get("location")):
            for key in loose:
                del element.attrib[key]
            continue
        choices = (above for above in element.iterancestors() if name(above) == "mc:Choice")
        newer = called.partition(":")[2] in _ONLY_CHOICE and not called.startswith("c:")
        drop(next(choices, element) if newer else element)
    for element in find(root, _LISTS):
        if not len(element):
            drop(element)
    for element in find(root, frozenset({"mc:AlternateContent"})):
        if not any(len(choice) for choice in element):
            drop(element)


def referred(elements: Iterable[Element]) -> list[str]:
    """Return the ids of relationships in the order in which they are referred to."""
    return [
        str(element.get(key))
        for element in elements
        for key in _references(element)
        if element.get(key)
    ]


def rename(elements: Iterable[Element], renamed: Mapping[str, str]) -> None:
    """Give the references their new ids; whatever has none refers to nothing."""
    for element in elements:
        for key in _references(element):
            element.set(key, renamed.get(str(element.get(key)), ""))
