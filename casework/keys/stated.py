"""What may be stated of somebody who is to join: checked alike for invitation and enrolment.

Each check returns field -> message key, and nothing if all is well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from casework.keys.tables import LINE_MAX

if TYPE_CHECKING:
    from casework.law.profile import Profile

_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{2,31}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def line_error(name: str, value: str) -> dict[str, str]:
    """Return what is wrong with a field that the roster writes on one line, if anything."""
    if not value.strip() or len(value) > LINE_MAX or _CONTROL.search(value):
        return {name: "line_shape"}
    return {}


def username_error(folded: str) -> dict[str, str]:
    """Return what is wrong with a username (as :func:`accounts.fold_username` returned it)."""
    return {} if _USERNAME.fullmatch(folded) else {"username": "username_shape"}


def roles_error(profile: Profile, roles: tuple[str, ...]) -> dict[str, str]:
    """Return what is wrong with the roles that one person is to hold, if anything."""
    rules = {role.id: role for role in profile.roles}
    if not roles or len(set(roles)) != len(roles) or any(role not in rules for role in roles):
        return {"roles": "roles_unknown"}
    if len(roles) > 1 and any(rules[role].admin for role in roles):
        return {"roles": "roles_admin"}
    if any(not set(rules[role].excludes).isdisjoint(roles) for role in roles):
        return {"roles": "roles_exclude"}
    return {}
