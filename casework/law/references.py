"""References from one table of a profile to another, checked."""

from collections.abc import Iterable, Iterator

from casework.law.locate import Path
from casework.law.profile import Profile
from casework.law.schema import Holding
from casework.law.vocabulary import ASSIGNED, GUARDIAN, REPORTER

Problem = tuple[Path, str]
"""Where in the file something is wrong, and what."""

HOLDERS = frozenset({REPORTER, ASSIGNED, GUARDIAN})
"""Who besides roles can hold a compartment or be told of an act."""


def known(
    profile: Profile,
    path: Path,
    table: str,
    wanted: Iterable[str],
    also: Iterable[str] = (),
) -> Iterator[Problem]:
    """Yield a problem for each wanted id that neither ``table`` nor ``also`` has."""
    there = {row.id for row in getattr(profile, table)} | set(also)
    for name in wanted:
        if name not in there:
            yield path, f"no {name!r} in {table}"


def holdings(profile: Profile, path: Path, held: Iterable[Holding]) -> Iterator[Problem]:
    """Yield a problem for each holder that is unknown or may not receive."""
    receivers = {role.id for role in profile.roles if role.may_receive}
    for holding in held:
        found = list(known(profile, path, "roles", [holding.holder], also=HOLDERS))
        yield from found
        if not found and holding.holder not in receivers | HOLDERS:
            yield path, f"role {holding.holder!r} may not receive {holding.compartment}"
