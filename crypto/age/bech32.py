"""Bech32 (BIP 173) without its length limit, as age uses it for recipients and identities."""

from collections.abc import Iterable
from typing import Final

from crypto.errors import Malformed

_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES: Final = {character: value for value, character in enumerate(_ALPHABET)}
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_LENGTH: Final = 6
_FIVE: Final = 5
_EIGHT: Final = 8
_FIRST_PRINTABLE: Final = 33
_LAST_PRINTABLE: Final = 126


def _feedback(top: int) -> int:
    """Return what the five bits shifted out of the register put back into it."""
    result = 0
    for bit, generator in enumerate(_GENERATOR):
        if top >> bit & 1:
            result ^= generator
    return result


# A post-quantum recipient has two thousand characters, and rosters are parsed often.
_FEEDBACK: Final = tuple(_feedback(top) for top in range(32))


def _polymod(values: Iterable[int]) -> int:
    """Return the BCH remainder of five-bit `values`; 1 for a valid string."""
    register = 1
    for value in values:
        register = (register & 0x1FFFFFF) << 5 ^ value ^ _FEEDBACK[register >> 25]
    return register


def _expand(prefix: str) -> list[int]:
    """Return the human-readable part as the five-bit values that enter the checksum."""
    codes = [ord(character) for character in prefix]
    return [code >> 5 for code in codes] + [0] + [code & 31 for code in codes]


def _to_fives(raw: bytes) -> list[int]:
    """Regroup bytes into five-bit values, the last one padded with zero bits."""
    values, bits, pending = [], 0, 0
    for byte in raw:
        pending = (pending << _EIGHT | byte) & 0xFFF
        bits += _EIGHT
        while bits >= _FIVE:
            bits -= _FIVE
            values.append(pending >> bits & 31)
    if bits:
        values.append(pending << (_FIVE - bits) & 31)
    return values


def _to_bytes(values: Iterable[int]) -> bytes:
    """Regroup five-bit values into bytes.

    Raises:
        Malformed: more padding than needed, or padding that is not zero.
    """
    raw, bits, pending = bytearray(), 0, 0
    for value in values:
        pending = (pending << _FIVE | value) & 0xFFF
        bits += _FIVE
        if bits >= _EIGHT:
            bits -= _EIGHT
            raw.append(pending >> bits & 0xFF)
    if bits >= _FIVE or pending & ((1 << bits) - 1):
        raise Malformed("Bech32: padding is not canonical")
    return bytes(raw)


def _check_prefix(prefix: str) -> None:
    """Refuse a human-readable part that BIP 173 does not allow."""
    if not prefix or any(not _FIRST_PRINTABLE <= ord(c) <= _LAST_PRINTABLE for c in prefix):
        raise Malformed("Bech32: bad human-readable part")
    if prefix.lower() != prefix and prefix.upper() != prefix:
        raise Malformed("Bech32: mixed case")


def encode(prefix: str, raw: bytes) -> str:
    """Return `raw` under the human-readable part `prefix`, in the case of `prefix`.

    Raises:
        Malformed: `prefix` is empty, of mixed case, or not printable ASCII.
    """
    _check_prefix(prefix)
    values = _to_fives(raw)
    register = _polymod([*_expand(prefix.lower()), *values, *[0] * _CHECKSUM_LENGTH]) ^ 1
    checksum = [register >> shift & 31 for shift in range(25, -1, -5)]
    text = "".join(_ALPHABET[value] for value in (*values, *checksum))
    return f"{prefix}1{text if prefix.lower() == prefix else text.upper()}"


def decode(text: str) -> tuple[str, bytes]:
    """Return the human-readable part, in the case in which it stands, and the bytes.

    The checksum does not protect the length (a known weakness of Bech32): a caller must compare
    the number of bytes with what its kind of key has.

    Raises:
        Malformed: mixed case, foreign characters, wrong checksum, padding that is not canonical.
    """
    if text not in (text.lower(), text.upper()) or not text.isascii():
        raise Malformed("Bech32: mixed case")
    prefix, _, tail = text.rpartition("1")
    _check_prefix(prefix)
    if len(tail) < _CHECKSUM_LENGTH:
        raise Malformed("Bech32: too short")
    try:
        values = [_VALUES[character] for character in tail.lower()]
    except KeyError:
        raise Malformed("Bech32: foreign character") from None
    if _polymod([*_expand(prefix.lower()), *values]) != 1:
        raise Malformed("Bech32: wrong checksum")
    return prefix, _to_bytes(values[:-_CHECKSUM_LENGTH])


def decode_key(text: str, prefix: str, size: int) -> bytes:
    """Return the `size` bytes of a key that stands under exactly `prefix`, case included.

    Raises:
        Malformed: as `decode`, or another prefix or size.
    """
    found, raw = decode(text)
    if found != prefix or len(raw) != size:
        raise Malformed("Bech32: a key of another kind")
    return raw
