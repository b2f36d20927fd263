"""Which word of a share is wrong, found from the share's own checksum (SLIP-39, RS1024)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shamir_mnemonic import rs1024, wordlist
from shamir_mnemonic.constants import CUSTOMIZATION_STRING_EXTENDABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

LENGTH: Final = 33
"""Words of a share of a seed of 32 bytes."""

_DATA: Final = LENGTH - 3
_BITS: Final = 10


def wrong_place(typed: Sequence[str]) -> int | None:
    """Return the one place at which another word would make these words a share.

    The checksum of three words (RS1024) is linear: what a changed bit does to it does not depend
    on the other words. It tells any two single errors apart, so that the place is the right one
    if only one word is wrong.
    """
    indices = [wordlist.WORD_INDEX_MAP[word] for word in typed]
    data, written = indices[:_DATA], _number(indices[_DATA:])
    due = _checksum(data)
    wrong = due ^ written
    places = [
        _DATA + 1 + place
        for place in range(LENGTH - _DATA)
        if wrong & ~(((1 << _BITS) - 1) << _BITS * (LENGTH - _DATA - 1 - place)) == 0
    ]
    for place in range(_DATA):
        effects = [
            due ^ _checksum([*data[:place], data[place] ^ (1 << bit), *data[place + 1 :]])
            for bit in range(_BITS)
        ]
        if _reaches(effects, wrong):
            places.append(place + 1)
    return places[0] if len(places) == 1 else None


def _reaches(effects: Sequence[int], wanted: int) -> bool:
    """Return whether some of the effects together (XOR) are what is wanted."""
    basis: list[int] = []
    for effect in effects:
        rest = _reduced(basis, effect)
        if rest:
            basis.append(rest)
            basis.sort(reverse=True)
    return _reduced(basis, wanted) == 0


def _reduced(basis: Sequence[int], number: int) -> int:
    for one in basis:
        number = min(number, number ^ one)
    return number


def _checksum(data: Sequence[int]) -> int:
    return _number(rs1024.create_checksum(data, CUSTOMIZATION_STRING_EXTENDABLE))


def _number(indices: Sequence[int]) -> int:
    number = 0
    for index in indices:
        number = number << _BITS | index
    return number
