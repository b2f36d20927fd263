"""The 2,048 Indonesian words of secret keys and passphrases: 11 bits each.

The list, `id.txt`, was composed for this portal from everyday Indonesian, for people who are
afraid while they copy it by hand and type it back on a telephone. Therefore each word

- has 4 to 8 letters, a to z, and was preferred if people spell it in one way only;
- differs from every other word within its first four letters, which are enough to type;
- is neither one changed letter nor one swap of neighbouring letters away from another word;
- is known to everyone and inoffensive: nothing of crime, punishment, violence or illness.

The position of a word is its value: once a key has been issued, a word is never moved,
replaced or respelled.
"""

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Final

_COUNT: Final = 2048
_PREFIX_LENGTH: Final = 4


def _load() -> tuple[str, ...]:
    words = tuple(files(__name__).joinpath("id.txt").read_text(encoding="ascii").splitlines())
    prefixes = {word[:_PREFIX_LENGTH] for word in words}
    if len(words) != _COUNT or len(prefixes) != _COUNT:
        # A damaged list would issue keys that nobody can type back in.
        raise RuntimeError("wordlist: id.txt is damaged")
    return words


WORDS: Final[tuple[str, ...]] = _load()
"""All words in alphabetical order; the index of a word is its 11-bit value."""

PREFIXES: Final[Mapping[str, int]] = MappingProxyType(
    {word[:_PREFIX_LENGTH]: index for index, word in enumerate(WORDS)}
)
"""The first four letters of each word, and the word's index. Read-only."""
