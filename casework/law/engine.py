"""The one way from a state to the next: by a transition that the profile has.

Pure and table-driven: no database, no clock, no role or state known by name. A use case asks
``allowed`` what to offer and calls ``apply`` with what the actor brought; the ``Step`` that
comes back says what must be stored, granted and logged in the same transaction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from casework.errors import InvalidInput, InvalidTransition
from casework.law.profile import Profile
from casework.law.schema import Holding, Transition
from casework.law.vocabulary import ALL, Need


@dataclass(frozen=True, slots=True)
class Situation:
    """What a case's history says that transitions depend on.

    ``flags`` and ``lapsed`` are ids of flags that are up and of deadlines that passed unmet and
    are still running; ``times`` counts earlier acts by transition id.
    """

    flags: frozenset[str] = frozenset()
    lapsed: frozenset[str] = frozenset()
    times: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """A document named by its number and its date."""

    number: str = field(repr=False)
    day: date


@dataclass(frozen=True, slots=True)
class Facts:
    """What an actor brings to an act; texts stay out of ``repr``.

    ``checklist`` answers every item of the list with yes or no. ``approvals`` are the ids of
    consents on file. ``rating`` counts from 1.
    """

    situation: Situation = field(default_factory=Situation)
    reason: str = field(default="", repr=False)
    note: str = field(default="", repr=False)
    message: str = field(default="", repr=False)
    missing_items: tuple[str, ...] = field(default=(), repr=False)
    checklist: Mapping[str, bool] = field(default_factory=dict, repr=False)
    documents: Mapping[str, DocumentRef] = field(default_factory=dict, repr=False)
    approvals: frozenset[str] = frozenset()
    assignees: tuple[str, ...] = field(default=(), repr=False)
    outcome: str | None = None
    category: str | None = None
    rating: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What one act changes; every name is an id of the profile.

    ``grants``/``revokes``: holdings gained and lost. ``opened``, ``met``, ``stopped``: deadlines;
    the last two name what ends *if* it runs. ``paused``/``resumed``: clocks that stand still in
    the new state, or only did in the old one. ``cleared`` flags fall before ``raised`` ones
    rise. ``article``: what the act rests on.
    """

    transition: str
    role: str
    from_state: str
    to_state: str
    article: str
    grants: tuple[Holding, ...]
    revokes: tuple[Holding, ...]
    opened: tuple[str, ...]
    met: tuple[str, ...]
    stopped: tuple[str, ...]
    paused: tuple[str, ...]
    resumed: tuple[str, ...]
    raised: tuple[str, ...]
    cleared: tuple[str, ...]
    alerts: tuple[str, ...]

    def flags_after(self, flags: frozenset[str]) -> frozenset[str]:
        """Return the flags of the case after this step."""
        return (flags - frozenset(self.cleared)) | frozenset(self.raised)


_NO_HISTORY = Situation()


def allowed(
    profile: Profile,
    state: str,
    role: str,
    situation: Situation = _NO_HISTORY,
) -> tuple[Transition, ...]:
    """Return the transitions that ``role`` may take now, in the order of the profile."""
    return tuple(act for act in profile.transitions if _permits(act, state, role, situation))


def apply(profile: Profile, state: str, transition_id: str, role: str, facts: Facts) -> Step:
    """Take a transition.

    Raises:
        InvalidTransition: if ``allowed`` does not offer it.
        InvalidInput: naming every required thing that ``facts`` lacks or has wrong.
    """
    for act in allowed(profile, state, role, facts.situation):
        if act.id == transition_id:
            break
    else:
        raise InvalidTransition(state, transition_id, role)
    if errors := _missing(profile, act, facts):
        raise InvalidInput(errors)
    target = act.target(state)
    raised = act.raises
    if facts.category is not None and Need.CATEGORY in act.requires:
        raised += profile.category(facts.category).raises
    return Step(
        transition=act.id,
        role=role,
        from_state=state,
        to_state=target,
        article=act.article,
        grants=act.grants,
        revokes=act.revokes,
        opened=act.opens,
        met=act.meets,
        stopped=stopped(profile, act),
        paused=_paused(profile, target, but_not_in=state),
        resumed=_paused(profile, state, but_not_in=target),
        raised=raised,
        cleared=act.clears,
        alerts=act.alerts,
    )


def _permits(act: Transition, state: str, role: str, situation: Situation) -> bool:
    return (
        state in act.from_
        and role in act.by
        and situation.flags.issuperset(act.only_if)
        and situation.flags.isdisjoint(act.unless)
        and (not act.only_if_overdue or bool(situation.lapsed))
        and (act.after_lapse_of is None or act.after_lapse_of in situation.lapsed)
        and (act.at_most is None or situation.times.get(act.id, 0) < act.at_most)
    )


def stopped(profile: Profile, act: Transition) -> tuple[str, ...]:
    """Return the deadlines that an act stops, if they run."""
    if ALL not in act.stops:
        return act.stops
    # Meeting a deadline says more than stopping it, and a clock just opened keeps running.
    kept = {*act.meets, *act.opens}
    return tuple(rule.id for rule in profile.deadlines if rule.id not in kept)


def _paused(profile: Profile, state: str, *, but_not_in: str) -> tuple[str, ...]:
    return tuple(
        rule.id
        for rule in profile.deadlines
        if state in rule.paused_in and but_not_in not in rule.paused_in
    )


def _missing(profile: Profile, act: Transition, facts: Facts) -> dict[str, str]:
    """Return field -> message key for everything that the act asks for and does not get."""
    errors: dict[str, str] = {}
    for need in act.requires:
        if problem := _need_problem(profile, need, facts):
            errors[str(need)] = problem
    if act.checklist is not None:
        errors |= _checklist_problems(profile, act.checklist, facts.checklist)
    for kind in act.documents:
        document = facts.documents.get(kind)
        if document is None or not document.number.strip():
            errors[f"document.{kind}"] = "law.document_required"
    for approval in act.approvals:
        if approval not in facts.approvals:
            errors[f"approval.{approval}"] = "law.approval_required"
    return errors


def _need_problem(profile: Profile, need: Need, facts: Facts) -> str | None:
    match need:
        case Need.REASON | Need.NOTE | Need.MESSAGE:
            texts = {Need.REASON: facts.reason, Need.NOTE: facts.note, Need.MESSAGE: facts.message}
            return None if texts[need].strip() else f"law.{need}_required"
        case Need.MISSING_ITEMS:
            return _list_problem(need, facts.missing_items)
        case Need.ASSIGNEES:
            return _list_problem(need, facts.assignees)
        case Need.OUTCOME:
            return _choice_problem(need, facts.outcome, (row.id for row in profile.outcomes))
        case Need.CATEGORY:
            return _choice_problem(need, facts.category, (row.id for row in profile.categories))
        case Need.RATING:
            if facts.rating is None:
                return "law.rating_required"
            in_scale = 1 <= facts.rating <= profile.reporting.rating_scale
            return None if in_scale else "law.rating_unknown"


def _list_problem(need: Need, given: tuple[str, ...]) -> str | None:
    if not any(entry.strip() for entry in given):
        return f"law.{need}_required"
    if not all(entry.strip() for entry in given) or len(set(given)) != len(given):
        return f"law.{need}_unclear"
    return None


def _choice_problem(need: Need, chosen: str | None, offered: Iterable[str]) -> str | None:
    if not chosen:
        return f"law.{need}_required"
    return None if chosen in offered else f"law.{need}_unknown"


def _checklist_problems(
    profile: Profile,
    checklist_id: str,
    answers: Mapping[str, bool],
) -> dict[str, str]:
    errors: dict[str, str] = {}
    items = profile.checklist(checklist_id).items
    for item in items:
        if item.id not in answers:
            errors[f"checklist.{item.id}"] = "law.answer_required"
        elif item.must and not answers[item.id]:
            errors[f"checklist.{item.id}"] = "law.item_must_be_met"
    if unknown := answers.keys() - {item.id for item in items}:
        errors |= {f"checklist.{name}": "law.item_unknown" for name in unknown}
    return errors
