"""The key ceremony: makes the recovery key, signs the genesis, splits the key on paper.

Runs offline, with no database. What it returns holds the shares; the seed itself is never kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from casework.keys import chain, judge, parts
from casework.keys.shares import Shares, check, split
from crypto.persons import Person, PublicKeys

if TYPE_CHECKING:
    from datetime import date

    from casework.keys.members import RoleRules
    from casework.keys.parts import PublicParts

__all__ = ["CeremonyRequest", "CeremonyResult", "Shares", "hold"]


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
    mnemonics = split(recovery, shares)
    check(mnemonics, recovery.public)
    return CeremonyResult(parts.genesis_to_bytes(entry), entry.hash, recovery.public, mnemonics)
