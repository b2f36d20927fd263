"""Tickets: `WBS-` and eight characters of Crockford's Base32, the last of which checks the others.

A ticket names a case to its reporter. It is no secret and opens nothing without the secret key.
"""

import unicodedata
from typing import Final

from crypto.errors import Malformed

ENTROPY_SIZE: Final = 5
"""Fewest bytes that a ticket is made of; 35 bits of them are used."""

_PREFIX: Final = "WBS"
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES: Final = {character: value for value, character in enumerate(_ALPHABET)}
_LOOKALIKES: Final = str.maketrans("OIL", "011")
_DATA_LENGTH: Final = 7
_BITS: Final = 5


def make(entropy: bytes) -> str:
    """Return the ticket of the first 35 bits of `entropy`, such as `WBS-XXXXXXXX`.

    Raises:
        Malformed: less than 5 bytes.
    """
    if len(entropy) < ENTROPY_SIZE:
        raise Malformed("ticket: not enough entropy")
    number = int.from_bytes(entropy[:ENTROPY_SIZE], "big")
    data = [number >> 8 * ENTROPY_SIZE - _BITS * (i + 1) & 31 for i in range(_DATA_LENGTH)]
    return _write([*data, _check_value(data)])


def parse(text: str) -> str:
    """Return a typed ticket as `make` wrote it.

    Case, spaces, dashes of any kind, a missing prefix and O, I, L for 0, 1, 1 are forgiven. One
    wrong character, or two neighbours exchanged, never gives another valid ticket.

    Raises:
        Malformed: not a ticket. The message does not quote it.
    """
    plain = "".join(c for c in text if not _is_separator(c))
    if not plain.isascii():
        raise Malformed("ticket: foreign character")
    plain = plain.upper()
    if len(plain) == len(_PREFIX) + _DATA_LENGTH + 1:
        plain = plain.removeprefix(_PREFIX)
    values = [_VALUES.get(character, -1) for character in plain.translate(_LOOKALIKES)]
    if len(values) != _DATA_LENGTH + 1 or -1 in values:
        raise Malformed("ticket: not eight characters of its alphabet")
    if _check_value(values[:-1]) != values[-1]:
        raise Malformed("ticket: check character does not fit")
    return _write(values)


def _write(values: list[int]) -> str:
    return f"{_PREFIX}-{''.join(_ALPHABET[value] for value in values)}"


def _check_value(data: list[int]) -> int:
    """Return the sum of the values over GF(2^5), each times a power of its own of the generator.

    No power is zero, so that a changed value changes the sum; neighbouring powers differ, so that
    an exchange of unequal neighbours does. The check value itself counts with power zero.
    """
    total = 0
    for value in reversed(data):
        total = _times_generator(total ^ value)
    return total


def _times_generator(value: int) -> int:
    """Return `value` times x in GF(2)[x] modulo x^5 + x^2 + 1, which is primitive."""
    shifted = value << 1
    return shifted ^ 0b100101 if shifted & 0b100000 else shifted


def _is_separator(character: str) -> bool:
    """Say whether people or their keyboards put `character` between the parts of a ticket."""
    return character.isspace() or unicodedata.category(character) in {"Pd", "Cf"}
