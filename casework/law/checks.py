"""What must hold inside a profile before anybody may rely on it.

Each check yields ``(path, what)`` pairs; a profile without any is consistent. The engine and
the use cases rely on these and do not test again.
"""

import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from casework.law.check_acts import act_problems
from casework.law.check_clocks import clock_problems
from casework.law.locate import Path
from casework.law.profile import Profile
from casework.law.reach import flow_problems
from casework.law.references import Problem, holdings, known
from casework.law.schema import Holding
from casework.law.vocabulary import RESERVED, Compartment, Routing

_ID = re.compile(r"[a-z][a-z0-9_]*")
_ARTICLE = re.compile(r"\[[CR]\] \S.*|[^\[\s].*", re.DOTALL)
_TABLES = (
    "roles",
    "compartments",
    "states",
    "transitions",
    "categories",
    "contents",
    "positions",
    "flags",
    "checklists",
    "documents",
    "approvals",
    "deadlines",
    "outcomes",
    "channels",
    "duties",
    "texts",
)
_MAY_BE_EMPTY = frozenset(
    {("deadlines", "public_label"), ("positions", "public_reason"), ("duties", "addressee")}
)
_SHARES = 2


def problems(profile: Profile) -> Iterator[Problem]:
    """Yield everything that is inconsistent in a profile."""
    yield from _ids(profile)
    yield from _texts(profile)
    yield from _frame(profile)
    yield from _roles(profile)
    yield from _compartments(profile)
    yield from act_problems(profile)
    yield from clock_problems(profile)
    yield from flow_problems(profile)


def _ids(profile: Profile) -> Iterator[Problem]:
    for table in _TABLES:
        seen: set[str] = set()
        for position, row in enumerate(getattr(profile, table)):
            path: Path = (table, position, "id")
            if not _ID.fullmatch(row.id) or row.id in RESERVED:
                yield path, f"{row.id!r} cannot be an id"
            if row.id in seen:
                yield path, f"duplicate id {row.id!r} in {table}"
            seen.add(row.id)


def _texts(profile: Profile) -> Iterator[Problem]:
    """No text may be blank, and each article cites something or says ``[C] why`` / ``[R] why``."""
    rows: list[tuple[Path, object]] = [
        (("reporting",), profile.reporting),
        (("submission",), profile.submission),
    ]
    for table in _TABLES:
        rows += [((table, n), row) for n, row in enumerate(getattr(profile, table))]
    for n, checklist in enumerate(profile.checklists):
        rows += [(("checklists", n, "items", m), item) for m, item in enumerate(checklist.items)]
    for path, row in rows:
        for field in row.__struct_fields__:  # type: ignore[attr-defined]
            value = getattr(row, field)
            if not isinstance(value, str) or (path[0], field) in _MAY_BE_EMPTY:
                continue
            if not value.strip():
                yield (*path, field), f"{field} is empty"
            elif field == "article" and not _ARTICLE.fullmatch(value):
                yield (*path, field), f"article {value!r} neither cites nor explains"


def _frame(profile: Profile) -> Iterator[Problem]:
    try:
        ZoneInfo(profile.tz)
    except (ValueError, KeyError, OSError):
        yield ("tz",), f"unknown time zone {profile.tz!r}"
    if profile.version < 1:
        yield ("version",), "version counts from 1"
    weekend = set(profile.working_week.weekend)
    if not weekend < set(range(1, 8)):
        yield ("working_week", "weekend"), "weekend is some, not all, of the ISO weekdays 1 to 7"
    hours = profile.reporting.service_hours
    if hours is not None and hours.opens >= hours.closes:
        yield ("reporting", "service_hours"), "service hours close before they open"
    needed = [n for n, field in enumerate(profile.contents) if field.required_for_submission]
    if len(needed) != 1:
        # Every further required field is a report that is never sent.
        path: Path = ("contents", needed[1]) if needed else ("contents",)
        yield path, "exactly one content field is required for submission"
    yield from known(profile, ("submission", "opens"), "deadlines", profile.submission.opens)
    yield from known(profile, ("submission", "state"), "states", [profile.submission.state])
    for n, category in enumerate(profile.categories):
        yield from known(profile, ("categories", n, "raises"), "flags", category.raises)
    for n, position in enumerate(profile.positions):
        if position.routing is Routing.CANNOT_ROUTE and not position.public_reason.strip():
            yield ("positions", n), f"position {position.id!r} does not say why it stops"
    for n, checklist in enumerate(profile.checklists):
        items = [item.id for item in checklist.items]
        if not items or len(set(items)) != len(items):
            yield ("checklists", n), f"checklist {checklist.id!r} is empty or repeats an item"


def _roles(profile: Profile) -> Iterator[Problem]:
    for n, role in enumerate(profile.roles):
        yield from known(profile, ("roles", n, "approves"), "roles", role.approves)
        yield from known(profile, ("roles", n, "excludes"), "roles", role.excludes)
        if role.id in role.excludes:
            yield ("roles", n, "excludes"), f"role {role.id!r} excludes itself"
        if role.monitors and (role.may_receive or role.admin or role.audits):
            yield ("roles", n, "monitors"), f"role {role.id!r} sees numbers and nothing else"
        if role.admin and (role.may_receive or role.may_guard or role.assignable):
            yield ("roles", n, "admin"), f"admin role {role.id!r} may hold nothing of a case"
        if (role.may_guard or role.assignable) and not role.may_receive:
            yield ("roles", n), f"role {role.id!r} guards or is assigned, but may not receive"
    if not any(role.may_guard for role in profile.roles):
        yield ("roles",), "no role may guard"


def _compartments(profile: Profile) -> Iterator[Problem]:
    missing = set(Compartment) - {rule.id for rule in profile.compartments}
    if missing:
        yield ("compartments",), f"compartments missing: {', '.join(sorted(missing))}"
    for n, rule in enumerate(profile.compartments):
        path: Path = ("compartments", n)
        held = [Holding(compartment=rule.id, holder=holder) for holder in rule.holders]
        yield from holdings(profile, (*path, "holders"), held)
        yield from known(profile, (*path, "shares"), "roles", rule.shares)
        if rule.shares and (len(rule.shares), len(set(rule.shares))) != (_SHARES, _SHARES):
            yield (*path, "shares"), "shares go to two different roles"
        if rule.holders and not rule.from_start:
            yield (*path, "holders"), "a compartment made later has no holders at the start"
