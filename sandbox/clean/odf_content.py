"""Content and styles of OpenDocument: what readers see stays, people, times and paths do not.

Tracked changes are accepted, so that deleted text and earlier values are gone. Comments keep their
text and lose authors and dates. Fields that a program fills with names, paths or dates become the
text that was last seen; formulas that reach into other files become their last values.
"""

from __future__ import annotations

import re
from typing import Final

from sandbox.clean.markup import (
    Element,
    attribute,
    drop,
    drop_attributes,
    find,
    find_having,
    looks_like_file,
    name,
    unwrap,
)
from sandbox.clean.namespaces import short

LINKS: Final = frozenset({"text:a", "draw:a"})
"""Elements whose content stays when the link goes."""

_DOOMED: Final = frozenset({
    *("office:scripts", "office:event-listeners", "presentation:event-listener"),
    *("text:tracked-changes", "table:tracked-changes", "text:change", "text:change-start"),
    *("text:change-end", "text:dde-connection-decls", "table:dde-links", "office:dde-source"),
    *("text:section-source", "table:table-source", "table:cell-range-source", "text:script"),
    *("table:database-source-sql", "table:database-source-table", "table:database-source-query"),
    *("table:source-service", "form:connection-resource", "xforms:model", "draw:plugin"),
    *("draw:applet", "draw:floating-frame", "draw:object-ole", "svg:font-face-src"),
    *("dc:creator", "dc:date", "meta:date-string", "meta:creator-initials"),
    *("loext:sender-initials", "anim:audio", "presentation:sound", "table:scenario"),
})  # fmt: skip
_FIELDS: Final = frozenset(
    {
        f"text:{field}"
        for field in (
            *("author-name", "author-initials", "initial-creator", "creator", "printed-by"),
            *("print-date", "print-time", "creation-date", "creation-time", "modification-date"),
            *("modification-time", "editing-cycles", "editing-duration", "sender-firstname"),
            *("sender-lastname", "sender-initials", "sender-title", "sender-position"),
            *("sender-email", "sender-phone-private", "sender-fax", "sender-company"),
            *("sender-phone-work", "sender-street", "sender-city", "sender-postal-code"),
            *("sender-country", "sender-state-or-province", "file-name", "template-name"),
            *("description", "title", "subject", "keywords", "user-defined", "database-display"),
            *("database-name", "database-row-number", "database-row-select", "database-next"),
            *("dde-connection", "execute-macro", "meta-field", "date", "time"),
        )
    }
)
_TRACES: Final = frozenset({
    *("officeooo:rsid", "officeooo:paragraph-rsid", "table:protection-key"),
    *("table:protection-key-digest-algorithm", "text:protection-key", "xhtml:about"),
    *("text:protection-key-digest-algorithm", "loext:protection-key-digest-algorithm"),
    *("table:protection-key-digest-algorithm-2", "loext:protection-key-digest-algorithm-2"),
    *("xhtml:property", "xhtml:content", "xhtml:datatype"),
})  # fmt: skip
_FORMULAS: Final = frozenset({"table:formula", "table:expression", "table:cell-range-address"})
_FOREIGN: Final = re.compile(r"file:|://|\\|\b(?:DDE|WEBSERVICE)\(", re.IGNORECASE)
_TITLES: Final = frozenset({"svg:title", "svg:desc"})


def scrub(root: Element) -> None:
    """Clean one part in place, but for its references to others."""
    for element in find(root, _DOOMED):
        drop(element)
    for element in find(root, _FIELDS):
        unwrap(element)
    for element in find(root, frozenset({"script:*"})):
        drop(element)
    for element in find(root, _TITLES):
        if looks_like_file(element.text or ""):
            drop(element)
    for element in find_having(root, frozenset({"draw:name"})):
        if looks_like_file(attribute(element, "draw:name")):
            drop_attributes(element, {"draw:name"})
    for element in find_having(root, _TRACES):
        drop_attributes(element, _TRACES)
    for element in find_having(root, _FORMULAS):
        if not _reaches_out(element):
            continue
        if name(element).startswith("table:named-"):
            drop(element)
        else:
            drop_attributes(element, {"table:formula"})


def _reaches_out(element: Element) -> bool:
    """Whether a formula or range asks another file, another program or the network."""
    return any(
        _FOREIGN.search(str(element.get(key)))
        for key in element.keys()  # noqa: SIM118 - lxml hands out bytes when iterated over
        if short(str(key)) in _FORMULAS
    )
