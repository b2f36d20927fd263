"""What must hold of the transitions and flags of a profile."""

from collections.abc import Iterator

from casework.law.locate import Path
from casework.law.profile import Profile
from casework.law.references import HOLDERS, Problem, holdings, known
from casework.law.schema import Transition
from casework.law.vocabulary import ALL, REPORTER, SYSTEM, UNCHANGED, Need

# Field of a transition -> table its ids come from, and words it may use besides.
_REFERENCES = (
    ("from_", "states", frozenset[str]()),
    ("by", "roles", frozenset({REPORTER, SYSTEM})),
    ("documents", "documents", frozenset[str]()),
    ("approvals", "approvals", frozenset[str]()),
    ("only_if", "flags", frozenset[str]()),
    ("unless", "flags", frozenset[str]()),
    ("raises", "flags", frozenset[str]()),
    ("clears", "flags", frozenset[str]()),
    ("opens", "deadlines", frozenset[str]()),
    ("meets", "deadlines", frozenset[str]()),
    ("stops", "deadlines", frozenset({ALL})),
    ("alerts", "roles", HOLDERS),
)
_SINGLE_REFERENCES = (
    ("to", "states", frozenset({UNCHANGED})),
    ("checklist", "checklists", frozenset[str]()),
    ("after_lapse_of", "deadlines", frozenset[str]()),
)


def act_problems(profile: Profile) -> Iterator[Problem]:
    """Yield what is wrong with transitions, and flags that nothing raises."""
    for position, act in enumerate(profile.transitions):
        path: Path = ("transitions", position)
        yield from _references(profile, path, act)
        yield from _actors(profile, path, act)
        yield from _needs(profile, path, act)
    yield from _flags(profile)


def _references(profile: Profile, path: Path, act: Transition) -> Iterator[Problem]:
    for field, table, also in _REFERENCES:
        yield from known(profile, (*path, field.rstrip("_")), table, getattr(act, field), also)
    for field, table, also in _SINGLE_REFERENCES:
        value = getattr(act, field)
        if value is not None:
            yield from known(profile, (*path, field), table, [value], also)
    yield from holdings(profile, (*path, "grants"), act.grants)
    yield from holdings(profile, (*path, "revokes"), act.revokes)


def _actors(profile: Profile, path: Path, act: Transition) -> Iterator[Problem]:
    if not act.from_:
        yield (*path, "from"), f"transition {act.id!r} starts nowhere"
    if not act.by:
        yield (*path, "by"), f"transition {act.id!r} belongs to nobody"
    for n, role in enumerate(profile.roles):
        if role.id in act.by and not role.may_receive:
            yield ("roles", n), f"role {role.id!r} acts in {act.id!r}, but may not receive"
    if SYSTEM in act.by and act.after_lapse_of is None:
        yield (*path, "by"), f"transition {act.id!r}: the system acts only after a lapse"
    if act.at_most is not None and act.at_most < 1:
        yield (*path, "at_most"), f"transition {act.id!r} can never happen"
    if set(act.only_if) & set(act.unless):
        yield (*path, "unless"), f"transition {act.id!r} can never happen"


def _needs(profile: Profile, path: Path, act: Transition) -> Iterator[Problem]:
    supplies = {
        Need.OUTCOME: bool(profile.outcomes),
        Need.CATEGORY: bool(profile.categories),
        Need.RATING: profile.reporting.rating,
        Need.ASSIGNEES: any(role.assignable for role in profile.roles),
    }
    for need in act.requires:
        if not supplies.get(need, True):
            yield (*path, "requires"), f"the profile has nothing to bring as {need}"


def _flags(profile: Profile) -> Iterator[Problem]:
    raised = {flag for act in profile.transitions for flag in act.raises}
    raised |= {flag for category in profile.categories for flag in category.raises}
    for n, flag in enumerate(profile.flags):
        if not flag.declared and flag.id not in raised:
            yield ("flags", n), f"nothing ever raises flag {flag.id!r}"
