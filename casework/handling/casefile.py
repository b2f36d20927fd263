"""What an officer's case page shows: the story, the clocks, and the acts that are open now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from casework.calendar import deadlines
from casework.calendar.holidays import calendar_for
from casework.case import custody
from casework.case.act import Act
from casework.case.keyring import CaseDamaged
from casework.evidence.files import files
from casework.handling import desk, leftover, recuse, step, story
from casework.handling.acts import open_case
from casework.law.vocabulary import Compartment as Kind
from casework.law.vocabulary import Need
from casework.law.workdays import working_days_between

if TYPE_CHECKING:
    from datetime import date

    from casework.case.keyring import Keyring
    from casework.case.tables import Case
    from casework.evidence.files import File
    from casework.handling.story import Piece
    from casework.keys.actor import Actor
    from casework.keys.members import Roster
    from casework.law.profile import Profile
    from casework.law.schema import Checklist, Deadline, DocumentKind, State, Transition
    from casework.store.unit import UnitOfWork

STORY = (Kind.CONTENT, Kind.HANDLING, Kind.INVESTIGATION, Kind.APH)


@dataclass(frozen=True)
class Clock:
    """A running deadline; ``days_left`` in working days, negative once it has passed."""

    rule: Deadline
    due: date
    days_left: int


@dataclass(frozen=True)
class Action:
    """An act that this officer may take now, with everything its form asks for."""

    rule: Transition
    role: str
    checklist: Checklist | None
    documents: tuple[DocumentKind, ...]

    def asks(self, need: str) -> bool:
        """Return whether the act requires something, by its name."""
        return Need(need) in self.rule.requires


@dataclass(frozen=True)
class Candidate:
    """Somebody who can be assigned."""

    person_id: str
    name: str
    position: str


@dataclass(frozen=True)
class Recusal:
    """Whether the officer can leave this case: ``problem`` is the message key of why not.

    ``last_share``: they hold the last half of a contact or an identity, and must say that it may
    be opened by the recovery alone from then on.
    """

    problem: str
    last_share: bool


@dataclass(frozen=True)
class CaseFile:
    """One case as one officer may see it."""

    case_id: str
    ticket: str
    state: State
    category: str | None
    received: date
    revision: int
    flags: frozenset[str]
    profile: Profile
    pieces: tuple[Piece, ...]
    clocks: tuple[Clock, ...]
    actions: tuple[Action, ...]
    candidates: tuple[Candidate, ...]
    may_write: bool
    recusal: Recusal | None
    files: tuple[File, ...]
    reporter: str
    roster: Roster


def read(uow: UnitOfWork, actor: Actor, case_id: str) -> CaseFile:
    """Return a case for its page.

    Raises:
        NotFound, Denied, RosterBroken, CaseDamaged: see :func:`casework.handling.acts.open_case`.
    """
    keyring, profile = open_case(uow, actor, case_id)
    case = keyring.case
    now, past = step.situation(keyring, profile), keyring.past()
    offered = step.roles_for(keyring, profile, now)
    told = (*story.moves(keyring), *story.tell(keyring, STORY))
    return CaseFile(
        case_id=case.id,
        ticket=case.ticket,
        state=profile.state(past.state or case.state),
        category=past.category if past.state else case.category,
        received=case.received,
        revision=case.revision,
        flags=now.flags,
        profile=profile,
        pieces=tuple(
            sorted(
                (piece for piece in told if piece.kind != custody.EXAMINED),
                key=lambda piece: piece.leaf,
            )
        ),
        clocks=clocks(uow, case, profile),
        actions=tuple(_action(profile, name, role) for name, role in offered.items()),
        candidates=_candidates(keyring, profile),
        may_write=keyring.holds(Kind.CONTENT),
        recusal=_recusal(keyring),
        files=tuple(files(keyring)),
        reporter=case.reporter,
        roster=keyring.roster,
    )


def on_desk(uow: UnitOfWork, actor: Actor, case_id: str) -> bool:
    """Return whether a case lies on an officer's desk."""
    return desk.may_see(uow, actor.person_id, case_id)


def clocks(uow: UnitOfWork, case: Case, profile: Profile) -> tuple[Clock, ...]:
    """Return the running clocks of a case, the earliest first."""
    calendar = calendar_for(uow.session, profile)
    return tuple(
        Clock(
            profile.deadline(row.rule),
            row.due,
            working_days_between(calendar, uow.today(), row.due),
        )
        for row in deadlines.running(uow.session, case.id)
    )


def _action(profile: Profile, transition_id: str, role: str) -> Action:
    rule = profile.transition(transition_id)
    return Action(
        rule=rule,
        role=role,
        checklist=profile.checklist(rule.checklist) if rule.checklist else None,
        documents=tuple(kind for kind in profile.documents if kind.id in rule.documents),
    )


def _candidates(keyring: Keyring, profile: Profile) -> tuple[Candidate, ...]:
    """Return who can be assigned today, by name: ids come in no order that a person knows."""
    assignable = {role.id for role in profile.roles if role.assignable}
    excluded = custody.excluded(keyring.past().entries)
    found = (
        Candidate(one.person_id, one.name, one.position)
        for one in keyring.roster.on(keyring.uow.today())
        if assignable.intersection(one.roles) and one.person_id not in excluded
    )
    return tuple(sorted(found, key=lambda one: (one.name, one.person_id)))


def _recusal(keyring: Keyring) -> Recusal | None:
    """Return how the officer could leave the case, or ``None`` if nothing can be done on it."""
    if not keyring.may_act():
        return None
    if recuse.is_guardian(keyring):
        return Recusal("custody.guardian", last_share=False)
    try:
        left = leftover.leftover(Act(keyring), keyring.actor.person_id)
    except CaseDamaged:
        return None
    return Recusal("custody.last_holder" if left.whole else "", bool(left.shares))
