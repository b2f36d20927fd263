"""Who may give away a compartment, by the profile that a case keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casework.law.profile import Profile


def may_grant(profile: Profile, roles: Iterable[str], compartment: str) -> bool:
    """Return whether an act of one of the roles makes a compartment or gives it to somebody."""
    acting = frozenset(roles)
    return any(
        not acting.isdisjoint(rule.by)
        and (
            rule.record == compartment
            or any(holding.compartment == compartment for holding in rule.grants)
        )
        for rule in profile.transitions
    )
