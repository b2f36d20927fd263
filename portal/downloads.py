"""A file on its way out, for reporters and officers alike: neutral name, and the range asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.web.streams import Unsatisfiable, range_of, send, unsatisfiable
from sandbox.kinds import EXTENSIONS, MEDIA_TYPES

if TYPE_CHECKING:
    from litestar import Request
    from litestar.response import Response, Stream

    from casework.evidence.files import Content
    from sandbox.contract import FileKind


def numbered(number: int) -> str:
    """Return a file's number as pages and names write it."""
    return f"{number:02}"


def neutral_name(ticket: str, number: int, kind: FileKind, *, original: bool = False) -> str:
    """Return the name under which a file is taken along: nothing of its own name is in it."""
    mark = "-asli" if original else ""
    return f"{ticket}-bukti-{numbered(number)}{mark}{EXTENSIONS[kind]}"


async def answer(
    request: Request[Any, Any, Any], content: Content, kind: FileKind, *, name: str = ""
) -> Response[Any] | Stream:
    """Send what a request asks for of a file, which is closed afterwards; named, as an attachment.

    Raises:
        CaseDamaged: its beginning is not what its author sealed.
    """
    try:
        asked = range_of(request, content.length)
    except Unsatisfiable:
        content.close()
        return unsatisfiable(content.length)
    return await send(content, asked, MEDIA_TYPES[kind], name=name)
