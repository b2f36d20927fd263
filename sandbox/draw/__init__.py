"""Images and PDF pages drawn anew as plain pictures, texts as plain text; runs in confinement."""

from __future__ import annotations

from sandbox.contract import IMAGES, Failed, Failure, FileKind, Result
from sandbox.draw import texts


def draw(data: bytes, kind: FileKind, page: int) -> Result:
    """Return one page as PNG that holds nothing but pixels.

    Raises:
        Failed: there is no such page, the kind cannot be drawn, or the file is broken or too
            large.
        What a parser raises about a broken file.
    """
    # Imported here: what looks at an image needs no parser of PDF, and neither does a text.
    if kind in IMAGES:
        from sandbox.draw import images  # noqa: PLC0415

        if page != 1:
            raise Failed(Failure.DAMAGED)
        return Result(FileKind.PNG, 1, images.drawn(data, kind))
    if kind is FileKind.PDF:
        from sandbox.draw import pages  # noqa: PLC0415

        return Result(FileKind.PNG, *pages.drawn(data, page))
    raise Failed(Failure.UNSUPPORTED)


def text(data: bytes) -> str:
    """Return the beginning of a text, whatever its encoding, without anything invisible."""
    return texts.shown(data)
