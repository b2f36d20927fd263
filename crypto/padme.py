"""Padmé: sizes that say little.

Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs",
PoPETs 2019, §4.
"""

from crypto.errors import LimitExceeded


def padded_length(length: int, floor: int) -> int:
    """Return the size in bytes to which `length` bytes are padded, at least `floor`.

    Above the floor it is at most 12 % more than `length`, and of all sizes up to 2^k only
    O(k log k) occur.

    Raises:
        LimitExceeded: `length` is negative.
    """
    if length < 0:
        raise LimitExceeded("padding: negative length")
    if length <= floor:
        return floor
    exponent = length.bit_length() - 1
    # As in a floating-point number whose mantissa is no longer than its exponent.
    mask = (1 << max(0, exponent - exponent.bit_length())) - 1
    return (length + mask) & ~mask
