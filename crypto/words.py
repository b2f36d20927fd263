"""Secret keys as eight Indonesian words, and passphrases from the same list.

Eight words of 2,048 are 88 bits: 80 of entropy, 8 of checksum.
"""

import re
import secrets
import unicodedata
from typing import Final

from crypto.errors import Malformed
from crypto.labels import Label, derive
from crypto.wordlist import PREFIXES, WORDS

COUNT: Final = 8
"""Words of a secret key."""

ENTROPY_SIZE: Final = 10
"""Bytes of entropy in a secret key."""

LONGEST: Final = 400
"""Most characters of what may be typed for a secret key; numbers and line ends included."""

_BITS: Final = 11
_PREFIX_LENGTH: Final = 4
_RUN_OF_LETTERS: Final = re.compile(r"[^\W\d_]+")


class TooLong(Malformed):
    """More text than any secret key is; it was not read."""

    def __init__(self) -> None:
        """Say no more than that."""
        super().__init__("words: longer than any secret key")


class UnknownWords(Malformed):
    """Some words are not on the list. Holds the first eight of their places, never the words."""

    def __init__(self, positions: tuple[int, ...], count: int) -> None:
        """Take the places, counted from 1, and how many words there were in all."""
        super().__init__(f"words: {len(positions)} of {count} unknown")
        self.positions = positions[:COUNT]
        self.count = count


class WrongCount(Malformed):
    """All words are known, but there are not eight."""

    def __init__(self, count: int) -> None:
        """Take how many words there were."""
        super().__init__(f"words: {count} instead of {COUNT}")
        self.count = count


class BadChecksum(Malformed):
    """Eight known words that are no secret key: one is wrong, or their order is."""

    def __init__(self) -> None:
        """Say no more than that."""
        super().__init__("words: checksum does not fit")


def encode(entropy: bytes) -> tuple[str, ...]:
    """Return the eight words of 10 secret bytes.

    Raises:
        Malformed: another number of bytes.
    """
    if len(entropy) != ENTROPY_SIZE:
        raise Malformed("words: wrong amount of entropy")
    number = int.from_bytes(entropy + _checksum(entropy), "big")
    return tuple(
        WORDS[number >> _BITS * (COUNT - 1 - place) & len(WORDS) - 1] for place in range(COUNT)
    )


def decode(text: str) -> bytes:
    """Return the 10 secret bytes of eight typed words.

    Whatever is not a letter separates words, so that numbers, dashes and line ends do no harm.
    Case does not matter, and only the first four letters of a word do.

    Raises:
        TooLong: more than `LONGEST` characters, whatever they are.
        UnknownWords: some are not on the list, however many there are.
        WrongCount: all are, but they are not eight.
        BadChecksum: eight words that belong to no secret key.
    """
    # Normalising may take the square of the length, and make it eighteen times as long.
    if len(text) > LONGEST:
        raise TooLong
    typed = _RUN_OF_LETTERS.findall(unicodedata.normalize("NFKC", text).casefold())
    indices = [PREFIXES.get(word[:_PREFIX_LENGTH], -1) for word in typed]
    unknown = tuple(place for place, index in enumerate(indices, start=1) if index < 0)
    if unknown:
        raise UnknownWords(unknown, len(typed))
    if len(typed) != COUNT:
        raise WrongCount(len(typed))
    number = 0
    for index in indices:
        number = number << _BITS | index
    raw = number.to_bytes(ENTROPY_SIZE + 1, "big")
    entropy = raw[:ENTROPY_SIZE]
    if not secrets.compare_digest(_checksum(entropy), raw[ENTROPY_SIZE:]):
        raise BadChecksum
    return entropy


def generate(count: int) -> str:
    """Return a random passphrase of `count` words, 11 bits each, with spaces between.

    Raises:
        Malformed: less than one word.
    """
    if count < 1:
        raise Malformed("words: a passphrase needs a word")
    return " ".join(secrets.choice(WORDS) for _ in range(count))


def _checksum(entropy: bytes) -> bytes:
    return derive(Label.WORDS_CHECKSUM, entropy, length=1)
