"""What must hold of the deadlines of a profile."""

from collections.abc import Iterator

from casework.law.locate import Path
from casework.law.profile import Profile
from casework.law.references import HOLDERS, Problem, known
from casework.law.schema import Deadline
from casework.law.vocabulary import ACT, ALL, EXTERNAL, REPORTER, Basis, Direction, Lapse

_LAPSES_WITH_TRANSITION = frozenset(
    {Lapse.ARCHIVE_MANUAL, Lapse.ARCHIVE_AUTO, Lapse.CLOSE, Lapse.WITHDRAW}
)
_ALL_PERCENT = 100


def clock_problems(profile: Profile) -> Iterator[Problem]:
    """Yield what is wrong with deadlines: how they count, start, end and lapse."""
    for n, rule in enumerate(profile.deadlines):
        path: Path = ("deadlines", n)
        who = {REPORTER, EXTERNAL}
        yield from known(profile, (*path, "responsible"), "roles", [rule.responsible], who)
        yield from known(profile, (*path, "alerts"), "roles", rule.alerts, HOLDERS)
        yield from known(profile, (*path, "paused_in"), "states", rule.paused_in)
        yield from _counting(path, rule)
        yield from _span(profile, path, rule)
        yield from _lapse(profile, path, rule)


def _counting(path: Path, rule: Deadline) -> Iterator[Problem]:
    if rule.amount < 1:
        yield (*path, "amount"), "amount is at least 1"
    if rule.ambiguous != (rule.early_basis is not None):
        yield path, f"deadline {rule.id!r}: ambiguous and early_basis belong together"
    if rule.ambiguous and Basis.HOURS in {rule.basis, rule.early_basis}:
        yield path, f"deadline {rule.id!r}: clock hours are not ambiguous"
    if rule.ambiguous and rule.direction is Direction.BEFORE:
        # The later reading binds, which before a fixed date would be the laxer one.
        yield path, f"deadline {rule.id!r}: a deadline before a date names one unit"
    if any(not 0 < percent <= _ALL_PERCENT for percent in rule.remind_at_percent):
        yield (*path, "remind_at_percent"), "reminders lie between 1 and 100 percent"
    if any(not 0 < days < rule.amount for days in rule.remind_days_before):
        yield (*path, "remind_days_before"), "reminders lie within the span"


def _span(profile: Profile, path: Path, rule: Deadline) -> Iterator[Problem]:
    openers = [act for act in profile.transitions if rule.id in act.opens]
    at_submission = rule.id in profile.submission.opens
    ended = any({rule.id, ALL} & {*act.meets, *act.stops} for act in profile.transitions)
    if not (openers or at_submission) or not ended:
        yield path, f"deadline {rule.id!r} never opens or never ends"
    if rule.starts_at == ACT:
        return
    yield from known(profile, (*path, "starts_at"), "documents", [rule.starts_at])
    if at_submission:
        yield path, f"deadline {rule.id!r}: a submission brings no document"
    for act in openers:
        if rule.starts_at not in act.documents:
            yield path, f"{act.id!r} opens {rule.id!r} without its {rule.starts_at!r}"


def _lapse(profile: Profile, path: Path, rule: Deadline) -> Iterator[Problem]:
    follow = [act for act in profile.transitions if act.id == rule.lapse_transition]
    if rule.lapse in _LAPSES_WITH_TRANSITION:
        if not follow or follow[0].after_lapse_of != rule.id:
            yield path, f"deadline {rule.id!r}: no transition follows its lapse"
    elif rule.lapse_transition is not None:
        yield path, f"deadline {rule.id!r}: lapse {rule.lapse} brings no transition about"
