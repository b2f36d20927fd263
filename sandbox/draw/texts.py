"""The beginning of a text or table, decoded and without anything that cannot be seen."""

from __future__ import annotations

import codecs
from typing import Final

from sandbox.answers import plain_text
from sandbox.contract import TEXT_MOST

_LOOKED_AT: Final = TEXT_MOST * 8
"""Bytes that hold the longest text that is shown, though each character takes four of them, and
each end of a line two characters."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins like UTF-16, hence earlier
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def shown(data: bytes) -> str:
    """Return the beginning of a text: as its byte order mark says, UTF-8, or Windows-1252."""
    begin = data[:_LOOKED_AT]
    for mark, encoding in _MARKS:
        if begin.startswith(mark):
            return plain_text(begin[len(mark) :].decode(encoding, "replace"))
    try:
        # It may be cut within a character, and is UTF-8 all the same.
        whole = len(data) <= _LOOKED_AT
        return plain_text(codecs.getincrementaldecoder("utf-8")().decode(begin, final=whole))
    except UnicodeDecodeError:
        return plain_text(begin.decode("cp1252", "replace"))
