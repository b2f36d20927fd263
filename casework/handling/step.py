"""One step of a case through its profile: the only place where a case changes its state."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from casework.calendar import deadlines
from casework.calendar.tables import MET, STOPPED
from casework.case import custody
from casework.case.act import Act
from casework.case.past import SUBMIT
from casework.case.tables import Assignment, CaseFlag, Compartment
from casework.errors import InvalidInput, InvalidTransition
from casework.handling import desk, keys
from casework.intake.report import LONG
from casework.law import engine
from casework.law.engine import Facts, Situation
from casework.law.vocabulary import REPORTER, Need
from casework.law.vocabulary import Compartment as Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from casework.case.keyring import Keyring
    from casework.case.past import Entry
    from casework.case.tables import Case
    from casework.law.engine import Step
    from casework.law.profile import Profile
    from casework.law.schema import Transition
    from casework.store.unit import UnitOfWork

ACT = "act"
"""Item kind: the record of an act, for those who work the case."""

TOLD = "told"
"""Item kind: what an act tells the reporter."""


def situation(keyring: Keyring, profile: Profile) -> Situation:
    """Return what a case's history says that transitions depend on; only proven leaves speak.

    Flags follow from the acts that raise and clear them; their rows are there for the lists.
    """
    uow, entries = keyring.uow, keyring.past().entries
    flags: set[str] = set()
    for entry in entries:
        cleared, raised = _flags(profile, entry, by_reporter=entry.actor == keyring.case.reporter)
        flags = (flags - cleared) | raised
    return Situation(
        flags=frozenset(flags),
        lapsed=deadlines.lapsed(uow.session, keyring.case.id, uow.today()),
        times=dict(Counter(entry.event for entry in entries)),
    )


def _flags(profile: Profile, entry: Entry, *, by_reporter: bool) -> tuple[set[str], set[str]]:
    """Return the flags that an act or a message clears and raises, as :func:`take` moves them."""
    if entry.event == SUBMIT or entry.event in custody.EVENTS:
        return set(), set()
    cleared, raised = set[str](), set[str]()
    for rule in profile.transitions:
        if rule.id == entry.event:
            cleared |= set(rule.clears)
            raised |= set(rule.raises)
    for category in profile.categories:
        if category.id == entry.category:
            raised |= set(category.raises)
    (raised if by_reporter else cleared).add(desk.NEW_MESSAGE)
    return cleared, raised


def take(
    keyring: Keyring,
    profile: Profile,
    transition_id: str,
    role: str,
    facts: Facts,
    *,
    item_id: str | None = None,
) -> Step:
    """Take a transition: write what was said, move keys, clocks and flags, append the leaf.

    ``item_id`` names the item of a form that must not count twice.

    Raises:
        InvalidTransition, InvalidInput: see :func:`casework.law.engine.apply`; or a text is too
            long, a document of no plausible date, or nobody holds the office that the case would
            go to.
        Denied: the actor does not hold a compartment that the act writes to.
        Conflict: the form was sent before.
    """
    uow, case = keyring.uow, keyring.case
    rule = next((one for one in profile.transitions if one.id == transition_id), None)
    if rule is None:
        raise InvalidTransition(case.state, transition_id, role)
    facts = _asked_for(rule, facts, uow.today())
    step = engine.apply(profile, case.state, transition_id, role, facts)
    act = Act(keyring)
    assigned = keys.assignees(keyring, profile, facts)
    if role == REPORTER:
        act.write(Kind.CONTENT, ACT, _said(step, facts), item_id)
    else:
        if told := _told(step, rule, facts):
            act.write(Kind.CONTENT, TOLD, told)
        act.write(rule.record, ACT, _record(uow, step, rule, facts), item_id)
    keys.move(act, profile, step, assigned)
    case.state = step.to_state
    if facts.category is not None:
        case.category = facts.category
    told_of = {"role": role, "from": step.from_state, "to": step.to_state}
    if facts.category is not None:
        told_of["category"] = facts.category
    act.finish(step.transition, told_of)
    _move_flags(uow, case, step)
    for person in assigned:
        if uow.session.get(Assignment, (case.id, person.person_id)) is None:
            uow.session.add(Assignment(case_id=case.id, person=person.person_id, since=uow.today()))
    deadlines.close(uow, case.id, step.met, MET)
    deadlines.close(uow, case.id, step.stopped, STOPPED)
    dates = {kind: document.day for kind, document in facts.documents.items()}
    deadlines.open_all(uow, profile, case.id, step.opened, dates)
    desk.refresh(uow, case)
    return step


def _asked_for(rule: Transition, facts: Facts, today: date) -> Facts:
    """Return the facts without what the act does not ask for, so that no form can smuggle it in.

    Raises:
        InvalidInput: a text is longer than any text may be, or a document of no plausible date.
    """
    texts = {
        Need.REASON: facts.reason,
        Need.NOTE: facts.note,
        Need.MESSAGE: facts.message,
        Need.MISSING_ITEMS: "\n".join(facts.missing_items),
    }
    errors = {str(need): "report.too_long" for need in texts if len(texts[need]) > LONG}
    documents = {kind: one for kind, one in facts.documents.items() if kind in rule.documents}
    errors |= {
        f"document.{kind}": "law.document_date"
        for kind, document in documents.items()
        if not deadlines.is_plausible(document.day, today)
    }
    if errors:
        raise InvalidInput(errors)
    asked = rule.requires
    return replace(
        facts,
        documents=documents,
        missing_items=facts.missing_items if Need.MISSING_ITEMS in asked else (),
        assignees=facts.assignees if Need.ASSIGNEES in asked else (),
        outcome=facts.outcome if Need.OUTCOME in asked else None,
        category=facts.category if Need.CATEGORY in asked else None,
        rating=facts.rating if Need.RATING in asked else None,
    )


def raise_flag(uow: UnitOfWork, case_id: str, flag: str) -> None:
    """Put a flag up, if it is not up already."""
    if uow.session.get(CaseFlag, (case_id, flag)) is None:
        uow.session.add(CaseFlag(case_id=case_id, flag=flag))
        uow.session.flush()


def clear_flags(uow: UnitOfWork, case_id: str, flags: Iterable[str]) -> None:
    """Take flags down."""
    uow.session.execute(
        delete(CaseFlag).where(CaseFlag.case_id == case_id, CaseFlag.flag.in_(list(flags)))
    )


def _said(step: Step, facts: Facts) -> dict[str, Any]:
    body: dict[str, Any] = {"transition": step.transition}
    if text := facts.message or facts.reason or facts.note:
        body["text"] = text
    if facts.rating is not None:
        body["rating"] = facts.rating
    return body


def _told(step: Step, rule: Transition, facts: Facts) -> dict[str, Any]:
    """Return what the reporter will read of an act; empty if the act tells nothing."""
    told: dict[str, Any] = {}
    text = facts.message or (facts.reason if rule.tells_reason else "")
    if text:
        told["text"] = text
    if facts.missing_items:
        told["missing_items"] = list(facts.missing_items)
    if facts.outcome is not None:
        told["outcome"] = facts.outcome
    return {"transition": step.transition, **told} if told else {}


def _record(uow: UnitOfWork, step: Step, rule: Transition, facts: Facts) -> dict[str, Any]:
    record: dict[str, Any] = {
        "transition": step.transition,
        "role": step.role,
        "from": step.from_state,
        "to": step.to_state,
        "at": uow.now().replace(microsecond=0).isoformat(),
        "article": step.article,
        "reason": facts.reason,
        "note": facts.note,
        "checklist": dict(facts.checklist) if rule.checklist else {},
        "documents": {
            kind: {"number": document.number, "day": document.day.isoformat()}
            for kind, document in facts.documents.items()
            if kind in rule.documents
        },
        "assignees": list(facts.assignees),
        "category": facts.category or "",
    }
    return {name: value for name, value in record.items() if value}


def _move_flags(uow: UnitOfWork, case: Case, step: Step) -> None:
    cleared = set(step.cleared)
    if step.role != REPORTER:
        cleared.add(desk.NEW_MESSAGE)
    clear_flags(uow, case.id, cleared)
    for flag in step.raised:
        raise_flag(uow, case.id, flag)
    if step.role == REPORTER:
        raise_flag(uow, case.id, desk.NEW_MESSAGE)


def roles_for(keyring: Keyring, profile: Profile, now: Situation) -> Mapping[str, str]:
    """Return every transition that an officer may take now, with the role that takes it.

    Only what the officer's keys suffice for: an office offers nothing that it then must refuse.
    """
    uow = keyring.uow
    if not keyring.may_act():
        return {}
    person = keyring.roster.person_on(keyring.actor.person_id, uow.today())
    made = set(
        uow.session.scalars(select(Compartment.kind).where(Compartment.case_id == keyring.case.id))
    )
    out_of_reach = {kind for kind in made if not keyring.holds(kind)}
    offered: dict[str, str] = {}
    for role in person.roles if person is not None else ():
        for rule in engine.allowed(profile, keyring.case.state, role, now):
            if out_of_reach.isdisjoint(_touched(rule)):
                offered.setdefault(rule.id, role)
    return offered


def _touched(rule: Transition) -> set[str]:
    """Return the compartments that an officer's act writes to or gives away."""
    told = {Need.MESSAGE, Need.MISSING_ITEMS, Need.OUTCOME}.intersection(rule.requires)
    content: set[str] = {Kind.CONTENT} if told or rule.tells_reason else set()
    return content | {rule.record} | {holding.compartment for holding in rule.grants}
