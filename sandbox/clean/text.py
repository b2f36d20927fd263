"""Plain texts and tables: what can be seen stays, what cannot be seen goes.

A text can carry a mark that no reader sees: characters without width or direction, spaces of odd
kinds, blanks at the ends of lines, letters composed in one of two ways. All of these are evened
out. Words, spelling and punctuation stay, and with them whatever they tell of their author.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import Final

from sandbox.contract import Failed, Failure, FileKind

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins like UTF-16, hence earlier
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_UNSEEN: Final = re.compile(
    "["
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls but tab and the ends of lines
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff"  # private: each reader shows another thing
    "]"
)
"""Unicode's Default_Ignorable_Code_Point, and what else has no shape of its own."""

_LINE_END: Final = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SPACE: Final = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_BLANKS_AT_END: Final = re.compile("[ \t]+$", re.MULTILINE)


def decode(data: bytes) -> str:
    """Return the text that ``data`` holds: as its byte order mark says, UTF-8, or Windows-1252.

    Raises:
        Failed: DAMAGED if it is none of these.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            tries: tuple[str, ...] = (encoding,)
            data = data[len(mark) :]
            break
    else:
        tries = ("utf-8", "cp1252")
    for encoding in tries:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Failed(Failure.DAMAGED)


def visible(text: str, *, table: bool = False) -> str:
    """Return what a reader sees of ``text``, with one kind of space and one kind of line end.

    In a ``table``, blanks at the end of a line stay: there they are empty cells.
    """
    seen = _SPACE.sub(" ", _UNSEEN.sub("", _LINE_END.sub("\n", text)))
    if not table:
        seen = _BLANKS_AT_END.sub("", seen)
    return unicodedata.normalize("NFC", seen)


def clean(data: bytes, kind: FileKind) -> tuple[FileKind, bytes]:
    """Return the text as UTF-8 without anything unseen.

    Raises:
        Failed: DAMAGED if it is no text.
    """
    return kind, visible(decode(data), table=kind is FileKind.CSV).encode()
