"""What commands write: tables that the terminal does not obey, and new files, whole on the disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from portal.cli.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

GAP: Final = "  "
"""What stands between two columns."""


def printable(text: str) -> str:
    """Return a text with a question mark for each character that is no letter, sign or space.

    Whoever writes to the database could otherwise move the cursor or turn the writing direction.
    """
    plain = text.replace("\N{NO-BREAK SPACE}", " ")
    return "".join(one if one.isprintable() else "?" for one in plain)


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Return the lines of a table; every row has the same number of cells."""
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield GAP.join(padded).rstrip()


def refuse_taken(out: Path) -> None:
    """Refuse a file that cannot be made, before anything else is done. Raises: Refused."""
    if out.exists():
        raise Refused(f"{out} exists: nothing is written over")
    if not out.absolute().parent.is_dir():
        raise Refused(f"{out.parent} is not a folder")


def write_new(out: Path, text: str) -> None:
    """Write a new file, and bring it to the disk. Raises: OSError: there is one."""
    with out.open("x", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
