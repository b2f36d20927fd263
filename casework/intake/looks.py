"""Who looked at a case, as its reporter may know it: which roles on which day, never who."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from casework.case.custody import LOOKS

if TYPE_CHECKING:
    from datetime import date

    from casework.case.keyring import Keyring
    from casework.law.profile import Profile


@dataclass(frozen=True)
class Look:
    """The names of the roles that opened a case on a day, in the order of the profile."""

    day: date
    roles: tuple[str, ...]


def of(keyring: Keyring, profile: Profile) -> tuple[Look, ...]:
    """Return who has opened the case or a file of it, the latest day first; proven leaves alone."""
    found: dict[date, set[str]] = {}
    for entry in keyring.past().entries:
        if entry.event in LOOKS:
            roles = keyring.roster.roles_on(entry.actor, entry.day)
            found.setdefault(entry.day, set()).update(roles)
    return tuple(
        Look(day, tuple(role.label for role in profile.roles if role.id in found[day]))
        for day in sorted(found, reverse=True)
    )
