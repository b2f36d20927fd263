"""Tables on a terminal: aligned columns, and nothing in them that the terminal would obey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
