"""XML of strangers: parsed without entities, network or document types, and taken apart safely."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from lxml import etree

from sandbox.contract import Failed, Failure

Element = etree._Element  # noqa: SLF001 - the only name of the class

MAX_XML: Final = 64 * 1024 * 1024
"""Bytes of the largest part that is parsed; its tree takes several times as much memory."""

_OFFICE: Final = "http://schemas.openxmlformats.org/"
_STRICT: Final = "http://purl.oclc.org/ooxml/"
_MICROSOFT: Final = "http://schemas.microsoft.com/office/"

_PREFIXES: Final = {
    f"{_OFFICE}officeDocument/2006/relationships": "r",
    f"{_STRICT}officeDocument/relationships": "r",
    f"{_OFFICE}wordprocessingml/2006/main": "w",
    f"{_STRICT}wordprocessingml/main": "w",
    f"{_OFFICE}spreadsheetml/2006/main": "x",
    f"{_STRICT}spreadsheetml/main": "x",
    f"{_OFFICE}presentationml/2006/main": "p",
    f"{_STRICT}presentationml/main": "p",
    f"{_OFFICE}drawingml/2006/main": "a",
    f"{_STRICT}drawingml/main": "a",
    f"{_OFFICE}drawingml/2006/chart": "c",
    f"{_STRICT}drawingml/chart": "c",
    f"{_OFFICE}officeDocument/2006/math": "m",
    f"{_STRICT}officeDocument/math": "m",
    f"{_OFFICE}markup-compatibility/2006": "mc",
    f"{_MICROSOFT}word/2010/wordml": "w14",
    f"{_MICROSOFT}word/2012/wordml": "w15",
    f"{_MICROSOFT}word/2010/wordprocessingDrawing": "wp14",
    f"{_MICROSOFT}word/2023/wordml/word16du": "w16du",
    f"{_MICROSOFT}powerpoint/2018/8/main": "p188",
    f"{_MICROSOFT}spreadsheetml/2009/9/main": "x14",
    "urn:schemas-microsoft-com:office:office": "o",
    "urn:schemas-microsoft-com:vml": "v",
    "urn:oasis:names:tc:opendocument:xmlns:office:1.0": "office",
    "urn:oasis:names:tc:opendocument:xmlns:text:1.0": "text",
    "urn:oasis:names:tc:opendocument:xmlns:table:1.0": "table",
    "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0": "draw",
    "urn:oasis:names:tc:opendocument:xmlns:presentation:1.0": "presentation",
    "urn:oasis:names:tc:opendocument:xmlns:style:1.0": "style",
    "urn:oasis:names:tc:opendocument:xmlns:form:1.0": "form",
    "urn:oasis:names:tc:opendocument:xmlns:script:1.0": "script",
    "urn:oasis:names:tc:opendocument:xmlns:meta:1.0": "meta",
    "urn:oasis:names:tc:opendocument:xmlns:animation:1.0": "anim",
    "urn:oasis:names:tc:opendocument:xmlns:chart:1.0": "chart",
    "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0": "manifest",
    "urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0": "svg",
    "urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0": "loext",
    "http://openoffice.org/2009/office": "officeooo",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://www.w3.org/1999/xlink": "xlink",
    "http://www.w3.org/1999/xhtml": "xhtml",
    "http://www.w3.org/2002/xforms": "xforms",
}
_REVISION: Final = re.compile(re.escape(f"{_MICROSOFT}spreadsheetml/") + r"\d{4}/revision\d*")
_FILE_NAME: Final = re.compile(
    r"\\|^[A-Za-z]:|^/|/.+/|:/"
    r"|\.(?:jpe?g|jfif|png|gif|bmp|tiff?|hei[cf]|webp|svg|[ew]mf|pdf|docx?|xlsx?|pptx?|od[tsp]|mp4)$",
    re.IGNORECASE,
)
ADDRESSES: Final = ("http://", "https://", "mailto:", "tel:", "#")
"""How a link begins that tells nothing of the computer on which it was made."""


def parse(data: bytes, *, recover: bool = False) -> Element:
    """Return the root of an XML document, without comments and processing instructions.

    ``recover`` takes what is not well-formed, too.

    Raises:
        Failed: DAMAGED if it is not well-formed or declares a document type, TOO_LARGE if it is
            longer than ``MAX_XML``.
    """
    if len(data) > MAX_XML:
        raise Failed(Failure.TOO_LARGE)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        recover=recover,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        raise Failed(Failure.DAMAGED) from None
    if root is None or etree.ElementTree(root).docinfo.internalDTD is not None:
        raise Failed(Failure.DAMAGED)
    return root


def serialised(root: Element) -> bytes:
    """Return the document whose root it is, as UTF-8."""
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True)


@lru_cache(maxsize=4096)
def short(tag: str) -> str:
    """Return the name of a tag or attribute with the usual prefix: "w:del"; "?:x" if unknown.

    The two editions of Office Open XML (ISO/IEC 29500 transitional and strict) have the same
    prefixes.
    """
    space, _, local = tag.rpartition("}")
    if not space:
        return local
    if _REVISION.fullmatch(space[1:]):
        return f"xr:{local}"
    return f"{_PREFIXES.get(space[1:], '?')}:{local}"


def name(element: Element) -> str:
    """Return the name of an element, as :func:`short` writes it."""
    return short(str(element.tag))


def attribute(element: Element, wanted: str) -> str:
    """Return the value of the attribute with this short name; empty if there is none."""
    for key in element.keys():  # noqa: SIM118 - lxml hands out bytes when iterated over
        if short(str(key)) == wanted:
            return str(element.get(key))
    return ""


def drop_attributes(element: Element, doomed: Iterable[str]) -> None:
    """Drop the attributes with these short names."""
    for key in [key for key in element.attrib if short(str(key)) in doomed]:
        del element.attrib[key]


def find(root: Element, names: frozenset[str]) -> list[Element]:
    """Return all elements below ``root`` with one of these short names, in their order."""
    return [element for element in root.iter("*") if name(element) in names]


def drop(element: Element) -> None:
    """Take an element out with all that is in it; the text after it stays."""
    parent = element.getparent()
    if parent is None:
        return
    _append_text(parent, parent.index(element), element.tail)
    element.tail = None
    parent.remove(element)


def unwrap(element: Element) -> None:
    """Take an element out; what is in it stays in its place."""
    parent = element.getparent()
    if parent is None:
        return
    at = parent.index(element)
    tail, element.tail = element.tail, None
    _append_text(parent, at, element.text)
    children = list(element)
    parent[at : at + 1] = children
    _append_text(parent, at + len(children), tail)


def _append_text(parent: Element, at: int, text: str | None) -> None:
    """Put ``text`` before the child at ``at``."""
    if not text:
        return
    if at:
        parent[at - 1].tail = (parent[at - 1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def is_below(element: Element, root: Element) -> bool:
    """Whether an element has not been taken out, nor one around it."""
    return element is root or any(above is root for above in element.iterancestors())


def looks_like_file(text: str) -> bool:
    """Whether a name or description is that of a file, as programs put it there unasked."""
    return bool(_FILE_NAME.search(text.strip()))
