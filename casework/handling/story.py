"""The story of a case: what was said and done, in order of time, each piece checked.

A piece that cannot be verified is shown as such and never with its contents. A leaf that was
changed, that is missing from the chain, or whose items are gone, shows as a gap.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from casework.case import custody

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from casework.case.keyring import Keyring
    from casework.case.tables import Item


MOVES: Final = custody.EVENTS - custody.LOOKS
"""Acts of custody that the officers' story tells; who looked when is no part of it."""


class Trust(StrEnum):
    """Whether a piece of the story is what its author wrote."""

    VERIFIED = "verified"
    UNVERIFIABLE = "unverifiable"
    MISSING = "missing"


@dataclass(frozen=True)
class Piece:
    """One piece of a story. ``author`` and ``body`` are empty unless it was verified."""

    leaf: int
    day: date | None
    trust: Trust
    compartment: str = ""
    kind: str = ""
    author: str = ""
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)


def tell(keyring: Keyring, compartments: Iterable[str]) -> list[Piece]:
    """Return the pieces of a case in the compartments that the actor holds among those named.

    What lies elsewhere is not shown, but whoever moves it there is found out: its row must be
    what its author signed.
    """
    readable = {name for name in compartments if keyring.holds(name)}
    rows = keyring.items()
    told = keyring.past().bodies
    pieces = _gaps(told, rows)
    pieces += [
        Piece(number, None, Trust.MISSING)
        for number in sorted(keyring.past().breaks)
        if number not in {piece.leaf for piece in pieces}
    ]
    for row in rows:
        if row.compartment in readable:
            pieces.append(_piece(keyring, told, row))
        elif not keyring.is_signed(row):
            pieces.append(Piece(row.leaf, row.day, Trust.UNVERIFIABLE, row.compartment))
    return sorted(pieces, key=lambda piece: piece.leaf)


def moves(keyring: Keyring) -> list[Piece]:
    """Return the proven acts that moved keys past the regulation, for the officers' story.

    A leaf itself is the piece: ``kind`` is the event, and ``body`` names persons by id alone:
    ``leaver`` and ``successor`` of a hand-over, and in ``receivers`` who was given keys.
    """
    return [
        Piece(
            leaf=number,
            day=date.fromisoformat(body["day"]),
            trust=Trust.VERIFIED,
            kind=body["event"],
            author=body["actor"],
            body={
                "leaver": body.get("leaver", ""),
                "successor": body.get("successor", ""),
                "receivers": sorted({name.partition(":")[2] for name in body.get("granted", ())}),
            },
        )
        for number, body in keyring.past().bodies.items()
        if body is not None and body["event"] in MOVES
    ]


def _piece(keyring: Keyring, told: Mapping[int, dict[str, Any] | None], row: Item) -> Piece:
    """Return one item as a piece: with its contents only if author and leaf vouch for it."""
    opened = keyring.open(row) if _names(told.get(row.leaf), row) else None
    if opened is None:
        return Piece(row.leaf, row.day, Trust.UNVERIFIABLE, row.compartment)
    return Piece(
        leaf=opened.leaf,
        day=opened.day,
        trust=Trust.VERIFIED,
        compartment=opened.compartment,
        kind=opened.kind,
        author=opened.author,
        body=opened.body,
    )


def _names(body: Mapping[str, Any] | None, row: Item) -> bool:
    """Return whether a leaf names an item as its actor's."""
    return (
        body is not None
        and body.get("actor") == row.author
        and row.digest.hex() in body.get("objects", ())
    )


def _gaps(told: Mapping[int, dict[str, Any] | None], rows: Sequence[Item]) -> list[Piece]:
    """Return a piece for every leaf of the case that was changed or has lost or gained items."""
    present = Counter(row.leaf for row in rows)
    return [
        Piece(number, None, Trust.MISSING)
        for number, body in told.items()
        if body is None or present[number] != body.get("items", 0)
    ]
