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
    is_below,
    looks_like_file,
    name,
    short,
)

_EXTENSIONS_SHOWN: Final = frozenset({
    *("x14:sparklineGroups", "x14:conditionalFormattings", "x14:dataValidations", "x14:id"),
})  # fmt: skip
"""Extensions that show something; all others hold ids of objects, of edits and of people."""

_DOOMED: Final = frozenset({"c:externalData", "c:printSettings", "c:lang"})
_NAMED: Final = (":cNvPr", ":docPr")
_LINKS: Final = (":hlinkClick", ":hlinkHover", ":hlinkMouseOver")
_JUMPS: Final = ("ppaction://hlinkshowjump", "ppaction://hlinksldjump")
_TRACE_ATTRIBUTES: Final = frozenset({
    *("w14:paraId", "w14:textId", "wp14:anchorId", "wp14:editId"),
    *("o:gfxdata", "o:href", "o:title"),
})  # fmt: skip
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
    doomed: list[Element] = []
    foreign: list[Element] = []
    for element in root.iter("*"):
        called = name(element)
        if called in _DOOMED or called.startswith("xr:"):
            doomed.append(element)
        elif called.endswith(":extLst"):
            doomed.extend(_unshown(element))
        elif called.endswith(_LINKS) and not _is_link(element):
            doomed.append(element)
        elif called.startswith("v:"):
            _scrub_vml(element)
        elif called.endswith(_NAMED):
            _scrub_names(element)
        elif called == "c:f" and "[" in (element.text or ""):
            foreign.append(element)
        _scrub_attributes(element)
    for element in foreign:
        _literal(element)
    for element in doomed:
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


def _scrub_attributes(element: Element) -> None:
    for key in element.keys():  # noqa: SIM118 - deletes while it goes
        if not str(key).startswith("{"):
            continue
        called = short(str(key))
        if called in _TRACE_ATTRIBUTES or called.startswith(("xr:", "w:rsid")):
            del element.attrib[key]


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
    keys = []
    for key in element.keys():  # noqa: SIM118 - lxml hands out bytes when iterated over
        called = short(str(key))
        if called == "o:relid" or called.startswith("r:"):
            keys.append(str(key))
    return keys


def lost(root: Element, known: Iterable[str]) -> dict[Element, list[str]]:
    """Return the elements that refer to a relationship that is not ``known``, and by which keys."""
    followed = {*known, ""}
    found = {}
    for element in root.iter("*"):
        keys = [key for key in _references(element) if element.get(key) not in followed]
        if keys:
            found[element] = keys
    return found


def sever(root: Element, elements: Mapping[Element, list[str]]) -> None:
    """Take out elements that refer to nothing, or the reference where the rest means something.

    Lists that are empty then are taken out, too.
    """
    for element, keys in elements.items():
        if not is_below(element, root):
            continue
        called = name(element)
        if called in _ONLY_ATTRIBUTE or (called == "x:hyperlink" and element.get("location")):
            for key in keys:
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


def referred(root: Element) -> list[str]:
    """Return the ids of relationships in the order in which they are referred to."""
    return [
        str(element.get(key))
        for element in root.iter("*")
        for key in _references(element)
        if element.get(key)
    ]


def rename(root: Element, renamed: Mapping[str, str]) -> None:
    """Give the references their new ids; whatever has none refers to nothing."""
    for element in root.iter("*"):
        for key in _references(element):
            element.set(key, renamed.get(str(element.get(key)), ""))
