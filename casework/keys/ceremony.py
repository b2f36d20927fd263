"""The key ceremony: makes the recovery key, signs the genesis, splits the key on paper.

Runs offline, with no database. What it returns holds the shares; the seed itself is never kept.
SLIP-39 as `shamir_mnemonic` does it is not constant-time, which matters to nobody on a machine
that only the ceremony's people see.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import shamir_mnemonic

from casework.errors import CaseworkError, InvalidInput
from casework.keys import chain, judge, parts
from crypto.persons import SEED_SIZE, Person, PublicKeys

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from casework.keys.members import RoleRules
    from casework.keys.parts import PublicParts

FEWEST_SHARES = 2
"""One share that opens everything would put the whole key into one hand."""

MOST_SHARES = 16
"""SLIP-39 knows no more."""


class SharesWrong(CaseworkError):
    """These shares do not give the recovery key. Says nothing of the shares."""


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
class CeremonyRequest:
    """What the server hands in: everyone's public parts; and what is decided at the table."""

    parts: PublicParts
    guardian: str
    reason: str


@dataclass(frozen=True)
class CeremonyResult:
    """What leaves the ceremony: a file for the server, and one mnemonic for each share holder."""

    genesis: bytes
    fingerprint: str
    recovery: PublicKeys
    mnemonics: tuple[str, ...] = field(repr=False)


def hold(request: CeremonyRequest, shares: Shares, day: date, profile: RoleRules) -> CeremonyResult:
    """Make a recovery key, sign the genesis with it and split its seed.

    ``fingerprint`` is the hex SHA-256 of the genesis, to be printed and pinned.

    Raises:
        RosterBroken: the genesis would break a rule of the roster; nothing was made then.
    """
    recovery = Person.generate()
    people = [officer.record(day) for officer in request.parts.officers]
    entry = chain.make_genesis(
        request.parts.instance,
        day,
        people,
        guardian=request.guardian,
        recovery=recovery,
        reason=request.reason,
    )
    judge.verify([entry], request.parts.instance, profile, entry.hash)
    (mnemonics,) = shamir_mnemonic.generate_mnemonics(
        1, [(shares.needed, shares.made)], recovery.seed
    )
    result = CeremonyResult(
        parts.genesis_to_bytes(entry), entry.hash, recovery.public, tuple(mnemonics)
    )
    check_shares(result.mnemonics, result.recovery)
    return result


def check_shares(mnemonics: Sequence[str], recovery: PublicKeys) -> None:
    """Return if every one of these shares, with the others, gives the recovery key.

    Each share is tried with its neighbours, so that one wrong share among many is noticed.

    Raises:
        SharesWrong: a share is mistyped, foreign or repeated, or they are too few.
    """
    needed = _needed(mnemonics)
    count = len(mnemonics)
    if needed > count or len({_spaced(mnemonic) for mnemonic in mnemonics}) != count:
        raise SharesWrong
    for start in range(count):
        chosen = [mnemonics[(start + step) % count] for step in range(needed)]
        if recover(chosen).public != recovery:
            raise SharesWrong


def recover(mnemonics: Sequence[str]) -> Person:
    """Return the recovery person from as many shares as are needed, no more.

    Raises:
        SharesWrong: they are no shares of one key, or not as many as needed.
    """
    seed = None
    # Raised outside the library's exception, which quotes the words.
    with suppress(shamir_mnemonic.MnemonicError, ValueError):
        seed = shamir_mnemonic.combine_mnemonics([_spaced(mnemonic) for mnemonic in mnemonics])
    if seed is None or len(seed) != SEED_SIZE:
        raise SharesWrong
    return Person.from_seed(seed)


def _needed(mnemonics: Sequence[str]) -> int:
    """Return how many shares the first one asks for. Raises: SharesWrong."""
    needed = None
    with suppress(shamir_mnemonic.MnemonicError, ValueError, IndexError):
        needed = int(shamir_mnemonic.Share.from_mnemonic(_spaced(mnemonics[0])).member_threshold)
    if needed is None:
        raise SharesWrong
    return needed


def _spaced(mnemonic: str) -> str:
    """Return a mnemonic as the library writes it, however it was typed."""
    return " ".join(mnemonic.lower().split())
