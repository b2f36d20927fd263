"""Shares of the recovery key on paper: made, checked one by one, put together (SLIP-39).

SLIP-39 as `shamir_mnemonic` does it is not constant-time, which matters to nobody on a machine
that only the ceremony's people see. No error here holds a word: what is wrong is told by its
place, counted from 1.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import shamir_mnemonic
from shamir_mnemonic import wordlist

from casework.errors import CaseworkError, InvalidInput
from casework.keys.misspelling import LENGTH, wrong_place
from crypto.labels import Label, derive
from crypto.persons import SEED_SIZE, Person
from crypto.wordlist import WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crypto.persons import PublicKeys

FEWEST_SHARES: Final = 2
"""One share that opens everything would put the whole key into one hand."""

MOST_SHARES: Final = 16
"""SLIP-39 knows no more."""

NAMED: Final = 8
"""Places that are told at most: who has more wrong than that copied something else."""

CHECK_WORDS: Final = 2
"""Words at the foot of a page that stand for the share above them (22 bits)."""

_CHECK_BITS: Final = 11


class SharesWrong(CaseworkError):
    """These shares do not give the recovery key. Says nothing of the shares."""


class WrongLength(SharesWrong):
    """A share has another number of words than 33."""

    def __init__(self, count: int) -> None:
        """Take how many were typed."""
        super().__init__(f"{count} words")
        self.count = count


class UnknownWords(SharesWrong):
    """Some words are on no list of SLIP-39."""

    def __init__(self, places: tuple[int, ...]) -> None:
        """Take their places."""
        super().__init__(f"{len(places)} unknown")
        self.places = places[:NAMED]


class WordMistyped(SharesWrong):
    """All words are known, but they are no share. ``place`` is the wrong one, if it is one alone.

    With more than one word wrong, it is ``None`` almost always.
    """

    def __init__(self, place: int | None) -> None:
        """Take the place, or None."""
        super().__init__("checksum")
        self.place = place


class ForeignShare(SharesWrong):
    """A right share, but of another key than the shares before it or the roster."""


class RepeatedShare(SharesWrong):
    """The same share again, or another copy of it."""


class TooFewShares(SharesWrong):
    """Fewer shares than recover the key."""

    def __init__(self, needed: int, given: int) -> None:
        """Take both numbers."""
        super().__init__(f"{given} of {needed}")
        self.needed, self.given = needed, given


@dataclass(frozen=True)
class Shares:
    """How many shares are made, and how many of them recover the key."""

    needed: int = 2
    made: int = 3

    def __post_init__(self) -> None:
        """Refuse what would put the whole key into one hand, or cannot be split.

        Raises:
            InvalidInput: not 2 ≤ needed ≤ made ≤ 16.
        """
        if not FEWEST_SHARES <= self.needed <= self.made <= MOST_SHARES:
            raise InvalidInput({"shares": "shares_out_of_range"})


@dataclass(frozen=True)
class Share:
    """One share as it was read: ``number`` from 1, of a set of which ``needed`` recover the key."""

    number: int
    needed: int
    mnemonic: str = field(repr=False)
    _set: object = field(repr=False)

    def belongs_with(self, other: Share) -> bool:
        """Return whether both come from one splitting."""
        return self._set == other._set


def split(person: Person, shares: Shares) -> tuple[str, ...]:
    """Return the mnemonics of a new splitting of a person's seed; each try makes other ones."""
    (mnemonics,) = shamir_mnemonic.generate_mnemonics(
        1, [(shares.needed, shares.made)], person.seed
    )
    return tuple(mnemonics)


def read(mnemonic: str) -> Share:
    """Return one share as typed, in any case and spacing.

    Raises:
        UnknownWords, WrongLength, WordMistyped: what is wrong, by its place.
    """
    typed = spaced(mnemonic).split()
    unknown = [place for place, word in enumerate(typed, start=1) if not _is_known(word)]
    if unknown:
        raise UnknownWords(tuple(unknown))
    if len(typed) != LENGTH:
        raise WrongLength(len(typed))
    share = None
    # Raised outside the library's exception, which quotes the words.
    with suppress(shamir_mnemonic.MnemonicError, ValueError):
        share = shamir_mnemonic.Share.from_mnemonic(" ".join(typed))
    if share is None:
        raise WordMistyped(wrong_place(typed))
    return Share(
        number=share.index + 1,
        needed=share.member_threshold,
        mnemonic=" ".join(typed),
        _set=share.group_parameters(),
    )


def combine(mnemonics: Sequence[str]) -> Person:
    """Return the recovery person from as many shares as are needed, no more.

    Raises:
        SharesWrong: they are no shares of one key, or not as many as needed.
    """
    seed = None
    with suppress(shamir_mnemonic.MnemonicError, ValueError):
        seed = shamir_mnemonic.combine_mnemonics([spaced(mnemonic) for mnemonic in mnemonics])
    if seed is None or len(seed) != SEED_SIZE:
        raise SharesWrong
    return Person.from_seed(seed)


def check(mnemonics: Sequence[str], recovery: PublicKeys) -> None:
    """Return if every one of these shares, with the others, gives the recovery key.

    Each share is tried with its neighbours, so that one wrong share among many is noticed.

    Raises:
        SharesWrong: a share is mistyped, foreign or repeated, or they are too few.
    """
    found: list[Share] = []
    for mnemonic in mnemonics:
        found.append(add(found, mnemonic))
    if not found or len(found) < found[0].needed:
        raise TooFewShares(found[0].needed if found else FEWEST_SHARES, len(found))
    count, needed = len(found), found[0].needed
    for start in range(count):
        chosen = [found[(start + step) % count].mnemonic for step in range(needed)]
        if combine(chosen).public != recovery:
            raise ForeignShare


def add(before: Sequence[Share], mnemonic: str) -> Share:
    """Return one more share, if it goes with those before it.

    Raises:
        UnknownWords, WrongLength, WordMistyped: see :func:`read`.
        ForeignShare: it comes from another splitting.
        RepeatedShare: it is one of those before.
    """
    share = read(mnemonic)
    if any(not share.belongs_with(one) for one in before):
        raise ForeignShare
    if any(share.number == one.number for one in before):
        raise RepeatedShare
    return share


def differing(mnemonic: str, shown: str) -> tuple[int, ...]:
    """Return the places, at most eight, in which a typed share is not the one that was shown."""
    typed, right = spaced(mnemonic).split(), spaced(shown).split()
    longest = max(len(typed), len(right))
    pairs = zip(
        [*typed, *[""] * (longest - len(typed))],
        [*right, *[""] * (longest - len(right))],
        strict=True,
    )
    places = tuple(place for place, (one, other) in enumerate(pairs, start=1) if one != other)
    return places[:NAMED]


def check_words(mnemonic: str) -> tuple[str, ...]:
    """Return the two words of our own list that stand for a share at the foot of its page.

    Whoever copies the page sees by them that the copy is right, without any other share. They
    tell nothing of the share, which has entropy of its own.
    """
    digest = derive(Label.SHARE_CHECK, spaced(mnemonic).encode(), length=4)
    number = int.from_bytes(digest, "big") >> (32 - CHECK_WORDS * _CHECK_BITS)
    first, second = divmod(number, 1 << _CHECK_BITS)
    return WORDS[first], WORDS[second]


def spaced(mnemonic: str) -> str:
    """Return a mnemonic as the library writes it, however it was typed."""
    return " ".join(mnemonic.lower().split())


def _is_known(word: str) -> bool:
    return word in wordlist.WORD_INDEX_MAP
