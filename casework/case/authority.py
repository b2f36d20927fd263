"""Who may give away a compartment, or take it away, by the profile that a case keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from casework.law.vocabulary import ASSIGNED, GUARDIAN, REPORTER, Compartment

FILE_ROOMS: Final = (
    Compartment.HANDLING,
    Compartment.INVESTIGATION,
    Compartment.APH,
    Compartment.CONTENT,
)
"""Compartments that take files, in the order in which officers are offered them."""

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


def may_revoke(profile: Profile, roles: Iterable[str], event: str, compartment: str) -> bool:
    """Return whether one of the roles takes a compartment away by the act called ``event``."""
    acting = frozenset(roles)
    return any(
        rule.id == event
        and not acting.isdisjoint(rule.by)
        and any(holding.compartment == compartment for holding in rule.revokes)
        for rule in profile.transitions
    )


def may_write(profile: Profile, roles: Iterable[str]) -> bool:
    """Return whether one of the roles can come to hold the contents, and so write a message."""
    return may_hold(profile, roles, Compartment.CONTENT)


def may_add_files(profile: Profile, roles: Iterable[str]) -> bool:
    """Return whether one of the roles can come to hold a compartment that takes files."""
    acting = frozenset(roles)
    return any(may_hold(profile, acting, kind) for kind in FILE_ROOMS)


def may_act_in(profile: Profile, roles: Iterable[str], state: str) -> bool:
    """Return whether one of the roles has any act in a state."""
    acting = frozenset(roles)
    return any(
        state in rule.from_ and not acting.isdisjoint(rule.by) for rule in profile.transitions
    )


def may_hold(profile: Profile, roles: Iterable[str], compartment: str) -> bool:
    """Return whether one of the roles can come to hold a compartment by any way there is."""
    named: set[str] = {REPORTER} if compartment == Compartment.CONTENT else set()
    for start in profile.compartments:
        if start.id == compartment:
            named.update(start.holders)
    for rule in profile.transitions:
        if rule.record == compartment:
            named.update(rule.by)
        named.update(one.holder for one in rule.grants if one.compartment == compartment)
    for role in profile.roles:
        if (role.may_guard and GUARDIAN in named) or (role.assignable and ASSIGNED in named):
            named.add(role.id)
    return not named.isdisjoint(roles)
