"""XML of strangers: parsed without entities, network or document types, and taken apart safely."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, cast

from lxml import etree

from sandbox.clean.namespaces import SPACES, short
from sandbox.contract import Failed, Failure

Element = etree._Element  # noqa: SLF001 - the only name of the class

MAX_XML: Final = 64 * 1024 * 1024
"""Bytes of the largest part that is parsed; its tree takes several times as much memory."""

_NAMESPACED: Final = etree.XPath("descendant-or-self::*/@*[namespace-uri()]/..")
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


def name(element: Element) -> str:
    """Return the name of an element, as :func:`short` writes it."""
    return short(str(element.tag))


def keys(element: Element) -> list[str]:
    """Return the short names of the attributes of an element."""
    return [short(str(key)) for key in element.keys()]  # noqa: SIM118 - its iterator is of bytes


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


@lru_cache(maxsize=256)
def _tags(names: frozenset[str]) -> tuple[str, ...]:
    """Return the full names of elements that have these short names."""
    halves = (called.partition(":") for called in sorted(names))
    return tuple(f"{{{space}}}{local}" for prefix, _, local in halves for space in SPACES[prefix])


def find(root: Element, names: frozenset[str]) -> list[Element]:
    """Return all elements from ``root`` on with one of these short names, in their order.

    The local part can be "*". No element is touched that is not found: a sheet has millions.
    """
    return list(root.iter(*_tags(names)))


def find_local(root: Element, names: frozenset[str]) -> list[Element]:
    """Return all elements with one of these local names, whatever they belong to."""
    return list(root.iter(*sorted(f"{{*}}{called}" for called in names)))


def find_having(root: Element, names: frozenset[str]) -> list[Element]:
    """Return all elements with one of these attributes, by their short names or "r:*"."""
    whole = tuple(called.removesuffix("*") for called in names if called.endswith(":*"))
    plain = any(":" not in called for called in names)
    found = root.iter("*") if plain else cast("list[Element]", _NAMESPACED(root))
    return [
        element
        for element in found
        if any(key in names or key.startswith(whole) for key in keys(element))
    ]


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
