"""What is shown of somebody who leaves: beforehand what they hold, afterwards who follows where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from casework.case import custody
from casework.case.act import Act
from casework.case.grants import WHOLE
from casework.case.keyring import Keyring
from casework.case.tables import Case, Item
from casework.errors import NotFound, Untrustworthy
from casework.handling import leaving, leftover
from casework.handling.casefile import Candidate
from casework.handling.leaving import Plan
from casework.keys import chain as chains
from casework.keys import roster
from casework.keys.vocabulary import RECOVERY, TenureState
from casework.log import leaf as leaves
from casework.log.tables import Leaf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casework.keys.actor import Actor
    from casework.keys.members import Roster, RosterPerson
    from casework.law.schema import State
    from casework.store.unit import UnitOfWork


@dataclass(frozen=True)
class Held:
    """Something of a case that a leaver holds; ``others`` in office hold the same."""

    compartment: str
    share: bool
    others: tuple[str, ...]


@dataclass(frozen=True)
class Pending:
    """A case to be handed over; ``problem``: why it cannot be yet; ``fitting``: who may follow.

    ``state`` is ``None`` for a case that is damaged.
    """

    case_id: str
    ticket: str
    state: State | None
    due: date | None
    over: bool
    held: tuple[Held, ...]
    fitting: tuple[str, ...]
    problem: str
    last_share: bool


@dataclass(frozen=True)
class Departure:
    """Somebody who is to leave; ``cases`` are the next ones of ``total``."""

    person: RosterPerson
    obstacle: str
    cases: tuple[Pending, ...]
    total: int
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class Line:
    """One case that was handed over: when, by whom, and to whom (nobody: it was over)."""

    ticket: str
    day: date
    by: str
    successor: str
    documents: int


@dataclass(frozen=True)
class Record:
    """The record of a hand-over, told by the log: it can be printed again at any time.

    ``left`` is the first day out of office, ``None`` before. ``by`` and ``reason`` are those of
    the roster entry.
    """

    person: RosterPerson
    left: date | None
    by: str
    reason: str
    lines: tuple[Line, ...]
    roster: Roster


def preview(uow: UnitOfWork, actor: Actor, leaver_id: str, most: int = leaving.MOST) -> Departure:
    """Return what somebody would leave behind, the cases that are due first coming first.

    Raises:
        NotFound, Denied, RosterBroken: see :func:`casework.handling.leaving.authority`.
    """
    known, person = leaving.authority(uow, actor, leaver_id)
    cases = leaving.cases_of(uow, leaver_id)
    people = [
        Candidate(one.person_id, one.name, one.position)
        for one in known.on(uow.today())
        if one.person_id != leaver_id
    ]
    pending = tuple(
        _pending(uow, actor, known, case, due, person, people) for case, due in cases[:most]
    )
    fitting = {name for one in pending for name in one.fitting}
    return Departure(
        person=person,
        obstacle=leaving.obstacle(uow, known, person),
        cases=pending,
        total=len(cases),
        candidates=tuple(
            sorted(
                (one for one in people if one.person_id in fitting),
                key=lambda one: (one.name, one.person_id),
            )
        ),
    )


def _pending(  # noqa: PLR0917 - one row of a table, and what stands around it
    uow: UnitOfWork,
    actor: Actor,
    known: Roster,
    case: Case,
    due: date | None,
    person: RosterPerson,
    people: list[Candidate],
) -> Pending:
    over = leaving.is_over(uow, case)
    try:
        profile = uow.office.catalogue.get(case.profile, case.profile_version)
        act = Act(Keyring(uow, case, actor, known))
        plan = Plan(give_up_shares=True)
        problems = {
            one.person_id: leaving.case_problem(act, profile, person.person_id, plan, one.person_id)
            for one in people
        }
        fitting = tuple(name for name, problem in problems.items() if not problem)
        alone = leaving.case_problem(act, profile, person.person_id, plan, "")
        return Pending(
            case_id=case.id,
            ticket=case.ticket,
            state=profile.state(case.state),
            due=due,
            over=over,
            held=_held(act, person.person_id),
            fitting=fitting,
            problem="" if fitting else alone,
            last_share=bool(leftover.leftover(act, person.person_id).shares),
        )
    except (NotFound, Untrustworthy):
        return Pending(
            case.id, case.ticket, None, due, over, (), (), "leaving.damaged", last_share=False
        )


def _held(act: Act, person_id: str) -> tuple[Held, ...]:
    chain, day = act.keyring.roster, act.keyring.uow.today()
    names = {one.person_id: one.name for one in chain.on(day) if one.person_id != person_id}
    rows = act.standing()
    return tuple(
        Held(
            mine.compartment,
            mine.share != WHOLE,
            tuple(
                sorted(
                    names[row.holder]
                    for row in rows
                    if row.holder in names
                    and (row.compartment, row.share) == (mine.compartment, mine.share)
                )
            ),
        )
        for mine in rows
        if mine.holder == person_id
    )


def record(uow: UnitOfWork, actor: Actor, leaver_id: str) -> Record:
    """Return the record of somebody's hand-over, from the leaves and the roster alone.

    A case that is damaged is left out: its leaves prove nothing.

    Raises:
        NotFound, Denied, RosterBroken: see :func:`casework.handling.leaving.authority`.
    """
    known, person = leaving.authority(uow, actor, leaver_id)
    lines = sorted(_lines(uow, actor, known, leaver_id), key=lambda one: (one.day, one.ticket))
    left = person.since if person.state is TenureState.LEFT else None
    by, reason = _entry(uow, person) if left else ("", "")
    return Record(person, left, by, reason, tuple(lines), known)


def _lines(uow: UnitOfWork, actor: Actor, known: Roster, leaver_id: str) -> Iterator[Line]:
    rows = uow.session.scalars(
        select(Leaf).where(Leaf.event == custody.HANDED_OVER).order_by(Leaf.number)
    ).all()
    named = {row.case_id for row in rows if (leaves.read(row) or {}).get("leaver") == leaver_id}
    for case_id in sorted(one for one in named if one is not None):
        case = uow.session.get(Case, case_id)
        if case is None:
            continue
        for number, body in Keyring(uow, case, actor, known).past().bodies.items():
            if body is None or (body["event"], body.get("leaver")) != (
                custody.HANDED_OVER,
                leaver_id,
            ):
                continue
            kinds = {name.partition(":")[0] for name in body["revoked"]} - custody.SHARED
            yield Line(
                ticket=case.ticket,
                day=date.fromisoformat(body["day"]),
                by=body["actor"],
                successor=body["successor"],
                documents=_documents(uow, case_id, sorted(kinds), number),
            )


def _documents(uow: UnitOfWork, case_id: str, kinds: list[str], number: int) -> int:
    """Return how many items lay in compartments when a leaf was written."""
    counted = select(func.count()).select_from(Item)
    return (
        uow.session.scalar(
            counted.where(Item.case_id == case_id, Item.compartment.in_(kinds), Item.leaf <= number)
        )
        or 0
    )


def _entry(uow: UnitOfWork, person: RosterPerson) -> tuple[str, str]:
    """Return who signed the entry that ended an office, and the reason that it states."""
    stored = roster.entries_of(uow)[person.version - 1]
    signer = "" if stored.signer == RECOVERY else stored.signer
    return signer, chains.parse(stored.body, person.version).reason
