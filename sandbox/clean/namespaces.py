"""The XML namespaces of office documents, and the short prefixes that stand for them here.

The two editions of Office Open XML (ISO/IEC 29500 transitional and strict) have the same prefixes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_OFFICE: Final = "http://schemas.openxmlformats.org/"
_STRICT: Final = "http://purl.oclc.org/ooxml/"
_MICROSOFT: Final = "http://schemas.microsoft.com/office/"

_REVISIONS: Final = (
    *("2014/revision", "2015/revision2", "2016/revision3", "2016/revision5", "2016/revision6"),
    *("2016/revision9", "2017/revision10", "2017/revision16"),
)
"""Spaces of ids that Excel gives to everything, and to every time it is saved."""

PREFIXES: Final = {
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
    **{f"{_MICROSOFT}spreadsheetml/{revision}": "xr" for revision in _REVISIONS},
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
SPACES: Final = {
    prefix: tuple(space for space, other in PREFIXES.items() if other == prefix)
    for prefix in set(PREFIXES.values())
}
"""The namespaces that each prefix stands for."""


@lru_cache(maxsize=4096)
def short(tag: str) -> str:
    """Return the name of a tag or attribute with the usual prefix: "w:del"; "?:x" if unknown."""
    space, _, local = tag.rpartition("}")
    if not space:
        return local
    return f"{PREFIXES.get(space[1:], '?')}:{local}"
