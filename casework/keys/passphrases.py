"""Passphrases: how hard one is to guess, and drawing one where it must not be chosen.

A stolen database must not fall to the weakest officer. The estimate comes from zxcvbn, offline;
it is told the words of this office and, since it knows no Indonesian, is never believed to more
than the 11 bits a word that a word of our own list has.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from typing import TYPE_CHECKING, Final

from zxcvbn import zxcvbn

from crypto.labels import Label, derive
from crypto.wordlist import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casework.law.profile import Profile

SHORTEST: Final = 15
"""Characters of a passphrase (NIST SP 800-63B-4 §3.1.1.2, for one factor alone)."""

LONGEST: Final = 256
"""Most characters of a passphrase."""

GUESSES: Final = 14.0
"""Decimal logarithm of the fewest guesses that a chosen passphrase must be good for."""

DRAWN_WORDS: Final = 7
"""Words of a drawn passphrase, 11 bits each."""

_WORD_GUESSES: Final = 3.31
"""Decimal logarithm of 2,048: what one word of a sentence is worth at most."""

_LETTER_GUESSES: Final = 1.71
"""Decimal logarithm of 52: what one letter of a random string is worth, capitals included."""

_BITS: Final = 11
_READ: Final = 72
"""Characters that are estimated; a passphrase good for that many is good."""

_WORD: Final = re.compile(r"[^\W_]+")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_SIGN: Final = re.compile(r"[^\w\s]|_")
_OFFICE_WORDS: Final = (
    "suaka", "wbs", "whistleblowing", "inspektorat", "inspektur", "irban", "operator",
    "verifikator", "pengawas", "petugas", "laporan", "pelapor", "pengaduan", "kabupaten",
    "kota", "provinsi", "daerah", "rahasia", "sandi", "frasa", "password", "indonesia",
)  # fmt: skip
# zxcvbn keeps the words that it is told in a dictionary of the whole process.
_LOCK: Final = threading.Lock()


def problem(passphrase: str, context: Iterable[str]) -> str | None:
    """Return the message key of what is wrong with a chosen passphrase, or ``None``.

    ``context`` are texts whose words an attacker tries first: name, username, position, office.
    """
    text = unicodedata.normalize("NFC", passphrase)
    if not SHORTEST <= len(text) <= LONGEST:
        return "passphrase_length"
    if _guesses(text[:_READ], context) < GUESSES:
        return "passphrase_weak"
    return None


def is_drawn(profile: Profile, roles: Iterable[str]) -> bool:
    """Return whether a holder of these roles gets a passphrase instead of choosing one."""
    drawn = {role.id for role in profile.roles if role.generated_passphrase}
    return not drawn.isdisjoint(roles)


def draw(secret: bytes, pepper: bytes, attempt: bytes) -> str:
    """Return the passphrase that an invitation's token leads to, the same for the same attempt.

    So it can be shown on one page and compared on the next, and is stored nowhere between.
    """
    size = (DRAWN_WORDS * _BITS + 7) // 8
    entropy = derive(Label.INVITATION_WORDS, secret, salt=pepper, context=attempt, length=size)
    number = int.from_bytes(entropy, "big")
    return " ".join(WORDS[number >> _BITS * place & len(WORDS) - 1] for place in range(DRAWN_WORDS))


def _guesses(text: str, context: Iterable[str]) -> float:
    told = [word for part in context for word in _WORD.findall(part.casefold())]
    with _LOCK:
        estimate = float(zxcvbn(text, [*told, *_OFFICE_WORDS, *WORDS])["guesses_log10"])
    return min(estimate, _most(text.casefold(), {*told, *_OFFICE_WORDS}))


def _most(text: str, told: set[str]) -> float:
    """Return what a text is worth at most, taken for words with something between them.

    A repeated or told word is worth nothing, another one at most what ours are; a digit or a sign
    is worth one of ten, so that a number at the end does not redeem one's own name.
    """
    words = set(_LETTERS.findall(text)) - told
    signs = set(_SIGN.findall(text))
    digits = sum(char.isdigit() for char in text)
    letters = sum(min(_WORD_GUESSES, _LETTER_GUESSES * len(word)) for word in words)
    return letters + digits + len(signs)
