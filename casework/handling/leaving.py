"""Somebody leaves the office: each of their cases goes to a successor, then their keys end.

An approver does it, case by case: one transaction and one leaf take all that the leaver holds of
a case, shares included, and give the successor what the approver holds and may give. The rest
reaches the successor from whoever else holds it (:mod:`casework.handling.catchup`), so a case is
refused while nobody else in office does. The way out is then to approve somebody for the role and
to let the leaver work once more, which passes the keys on; or the recovery, if the leaver cannot.

The last step ends the office itself: :func:`finish`. What was interrupted is begun again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import UNSET
from sqlalchemy import delete, select

from casework.case import custody
from casework.case.act import Act
from casework.case.authority import may_hold
from casework.case.grants import WHOLE, Holder
from casework.case.keyring import Keyring
from casework.case.tables import Assignment, Case, DeskEntry, Grant
from casework.errors import Conflict, Denied, InvalidInput, NotFound, Untrustworthy
from casework.handling import catchup, desk, leftover
from casework.keys import chain, enrol, roster
from casework.keys.tables import CatchUp, Device, FactorRow, NoticeAddress, Wrap
from casework.keys.vocabulary import Flaw, PersonKind, TenureState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from casework.keys.actor import Actor
    from casework.keys.members import Roster, RosterPerson
    from casework.law.profile import Profile
    from casework.store.office import Office
    from casework.store.unit import UnitOfWork

MOST: Final = 50
"""Cases that one call hands over, and that one page lists."""

LONGEST_REASON: Final = 160
"""Characters of a reason on the roster."""

LEAVER, SUCCESSOR, SHARES = "leaver", "successor", "give_up_shares"
"""Fields under which it is said what is wrong."""


@dataclass(frozen=True)
class Plan:
    """Who follows: ``default`` in every open case, unless ``named`` (by case id) says another.

    A case that is over goes to nobody unless it is named. ``give_up_shares``: it is known that
    some reporters' identities can then be opened by the recovery alone.
    """

    default: str = ""
    named: Mapping[str, str] = field(default_factory=dict)
    give_up_shares: bool = False


@dataclass(frozen=True)
class Refused:
    """A case that was not handed over; ``problem`` is a message key."""

    case_id: str
    ticket: str
    problem: str


@dataclass(frozen=True)
class Progress:
    """What one call has done, and how many cases of the leaver are left; none: they are gone."""

    done: int
    refused: tuple[Refused, ...]
    left: int


def authority(uow: UnitOfWork, actor: Actor, leaver_id: str) -> tuple[Roster, RosterPerson]:
    """Return the roster and the leaver's last record, for somebody who may end their office.

    Raises:
        NotFound: the roster does not know the leaver.
        Denied: the actor is not in office, is the leaver, or may not approve one of their roles.
        RosterBroken: the chain that vouches for everybody is broken.
    """
    known, profile = roster.load(uow), uow.office.profile
    mine = known.person_on(actor.person_id, uow.today())
    if actor.kind != PersonKind.OFFICER or mine is None:
        raise Denied
    if actor.person_id == leaver_id:
        raise Denied(Flaw.SELF.value)
    approvable = {name for role in mine.roles for name in profile.role(role).approves}
    if not approvable:
        raise Denied(Flaw.SIGNER.value)
    person = known.person(leaver_id)
    held = {role for record in known.people[leaver_id] for role in record.roles}
    if not held <= approvable:
        raise Denied(Flaw.SIGNER.value)
    return known, person


def obstacle(uow: UnitOfWork, known: Roster, person: RosterPerson) -> str:
    """Return the message key of why somebody cannot leave at all yet, or nothing."""
    if person.state is TenureState.LEFT:
        return ""
    if known.guardian_id == person.person_id:
        return "leaving.guardian"
    acting, day = uow.office.profile.acting_roles(), uow.today()
    for role in person.roles:
        others = {one.person_id for one in known.active(role, day)} - {person.person_id}
        if role in acting and not others:
            return "leaving.role_vacant"
    return ""


def cases_of(uow: UnitOfWork, leaver_id: str) -> list[tuple[Case, date | None]]:
    """Return the cases of which somebody holds anything, with what is due first; open ones first.

    The day is ``None`` where nothing runs.
    """
    held = select(Grant.case_id).where(Grant.holder == leaver_id).distinct()
    rows = uow.session.execute(
        select(Case, DeskEntry.due)
        .outerjoin(DeskEntry, (DeskEntry.case_id == Case.id) & (DeskEntry.person == leaver_id))
        .where(Case.id.in_(held))
    ).all()
    found = [(case, None if due == desk.NEVER else due) for case, due in rows]
    return sorted(
        found,
        key=lambda one: (is_over(uow, one[0]), one[1] is None, one[1] or desk.NEVER, one[0].id),
    )


def is_over(uow: UnitOfWork, case: Case) -> bool:
    """Return whether no act leads on from a case's state; a damaged row counts as open."""
    try:
        profile = uow.office.catalogue.get(case.profile, case.profile_version)
        return profile.state(case.state).terminal
    except NotFound:
        return False


def off_board(  # noqa: PLR0917 - who sends whom away, to whom, why, and how far
    office: Office, actor: Actor, leaver_id: str, plan: Plan, reason: str, most: int = MOST
) -> Progress:
    """Hand over the leaver's next cases and, once none is left, end their office.

    Call it again while cases are left; what is done stays done.

    Raises:
        NotFound, Denied, RosterBroken, Unavailable: see :func:`hand_over_all`.
        InvalidInput: no reason is given, or the leaver cannot leave yet.
    """
    if problem := reason_problem(reason):
        raise InvalidInput({"reason": problem})
    progress = hand_over_all(office, actor, leaver_id, plan, most)
    if not progress.left:
        finish(office, actor, leaver_id, reason)
    return progress


def reason_problem(reason: str) -> str:
    """Return the message key of what is wrong with a reason for the roster, or nothing."""
    text = _line(reason)
    if not text:
        return "law.reason_required"
    return "leaving.reason_long" if len(text) > LONGEST_REASON else ""


def hand_over_all(
    office: Office, actor: Actor, leaver_id: str, plan: Plan, most: int = MOST
) -> Progress:
    """Hand over the leaver's next cases, each in a transaction of its own.

    Raises:
        NotFound, Denied, RosterBroken: see :func:`authority`.
        InvalidInput: the leaver cannot leave yet (:func:`obstacle`).
        Unavailable: a database is locked, full or unreadable; what is done is done.
    """
    with office.read() as uow:
        known, person = authority(uow, actor, leaver_id)
        if problem := obstacle(uow, known, person):
            raise InvalidInput({LEAVER: problem})
        cases = [(case.id, case.ticket) for case, _ in cases_of(uow, leaver_id)]
    done, refused = 0, []
    for case_id, ticket in cases:
        if done == most:
            break
        try:
            with office.write() as uow:
                hand_over(uow, actor, case_id, leaver_id, plan)
        except InvalidInput as error:
            refused.append(Refused(case_id, ticket, next(iter(error.errors.values()))))
        except Untrustworthy:
            refused.append(Refused(case_id, ticket, "leaving.damaged"))
        except Conflict:
            refused.append(Refused(case_id, ticket, "leaving.busy"))
        else:
            done += 1
    return Progress(done, tuple(refused), len(cases) - done)


def hand_over(uow: UnitOfWork, actor: Actor, case_id: str, leaver_id: str, plan: Plan) -> None:
    """Take a leaver's keys to one case, and name who follows in it.

    Raises:
        NotFound, Denied, RosterBroken: see :func:`authority`, or there is no such case.
        InvalidInput: nobody fitting is named, or nobody else in office holds what the leaver does.
        CaseDamaged: what is stored of the case does not belong together.
    """
    known, _ = authority(uow, actor, leaver_id)
    case = uow.session.get(Case, case_id)
    if case is None:
        raise NotFound("case")
    keyring = Keyring(uow, case, actor, known)
    act, profile = Act(keyring), uow.office.catalogue.get(case.profile, case.profile_version)
    kinds = held_whole(act, leaver_id)
    default = plan.default if kinds and not is_over(uow, case) else ""
    successor = plan.named.get(case_id, "") or default
    if problem := case_problem(act, profile, leaver_id, plan, successor):
        raise InvalidInput({SUCCESSOR: problem})
    act.revoke_all(leaver_id)
    if successor:
        follows = known.person_on(successor, uow.today())
        if follows is not None:
            one = Holder(follows.person_id, follows.recipient)
            catchup.give(act, profile, {kind: [one] for kind in kinds})
    act.finish(custody.HANDED_OVER, {"leaver": leaver_id, "successor": successor})
    _move_assignment(uow, case_id, leaver_id, successor)
    catchup.reset(uow, case_id)
    desk.refresh(uow, case)


def case_problem(act: Act, profile: Profile, leaver_id: str, plan: Plan, successor: str) -> str:
    """Return the message key of why a case cannot be handed over so, or nothing.

    Raises:
        CaseDamaged: a grant of the case was tampered with.
    """
    keyring = act.keyring
    excluded = custody.excluded(keyring.past().entries)
    if keyring.actor.person_id in excluded:
        return "leaving.approver_excluded"
    if problem := leftover.problem(act, leaver_id, give_up_shares=plan.give_up_shares):
        return problem
    over = profile.state(act.case.state).terminal
    kinds = held_whole(act, leaver_id)
    if not successor:
        # Shares travel to nobody, so that a case of which only they are held needs no successor.
        return "" if over or not kinds else "leaving.successor_required"
    if successor == leaver_id:
        return "leaving.successor_self"
    person = keyring.roster.person_on(successor, keyring.uow.today())
    if person is None:
        return "leaving.successor_unknown"
    if successor in excluded:
        return "leaving.successor_excluded"
    if not all(may_hold(profile, person.roles, kind) for kind in kinds):
        return "leaving.successor_role"
    return ""


def held_whole(act: Act, person_id: str) -> list[str]:
    """Return the compartments of a case that somebody holds whole. Raises: CaseDamaged."""
    return [
        row.compartment for row in act.standing() if row.holder == person_id and row.share == WHOLE
    ]


def finish(office: Office, actor: Actor, leaver_id: str, reason: str) -> Roster:
    """End a leaver's office from today, once they hold no case: roster, sign-in, sessions.

    Their passphrase opens nothing any more, since the seed's wraps are deleted; who comes back
    is a new person with new keys. Somebody whom the roster names as gone already only loses
    what is left.

    Raises:
        NotFound, Denied, RosterBroken: see :func:`authority`.
        InvalidInput: the leaver still holds cases, cannot leave yet (:func:`obstacle`), or no
            reason is given.
        Unavailable: a database is locked, full or unreadable.
    """
    with office.write() as uow:
        known, person = authority(uow, actor, leaver_id)
        if problem := obstacle(uow, known, person):
            raise InvalidInput({LEAVER: problem})
        if uow.session.scalar(select(Grant.id).where(Grant.holder == leaver_id).limit(1)):
            raise InvalidInput({LEAVER: "leaving.cases_left"})
        if person.state is not TenureState.LEFT:
            if problem := reason_problem(reason):
                raise InvalidInput({"reason": problem})
            known = enrol.approve(uow, actor, [_left(person, uow.today())], _line(reason))
        for table in (Wrap, FactorRow, Device, NoticeAddress, CatchUp):
            uow.session.execute(delete(table).where(table.person == leaver_id))
    # In another file, which no transaction of ours spans: whoever left is refused without it.
    office.sessions.end_all(leaver_id)
    return known


def _line(text: str) -> str:
    return " ".join(text.split())


def _left(person: RosterPerson, today: date) -> chain.PersonRecord:
    keys = chain.key_record(person.keys)
    return chain.PersonRecord(
        person=person.person_id,
        handle=UNSET if person.handle is None else person.handle,
        name=person.name,
        position=person.position,
        roles=person.roles,
        recipient=keys.recipient,
        verify_key=keys.verify_key,
        from_=today,
        until=None,
        state=TenureState.LEFT,
    )


def _move_assignment(uow: UnitOfWork, case_id: str, leaver_id: str, successor: str) -> None:
    row = uow.session.get(Assignment, (case_id, leaver_id))
    if row is None:
        return
    uow.session.delete(row)
    uow.session.flush()
    if successor and uow.session.get(Assignment, (case_id, successor)) is None:
        uow.session.add(Assignment(case_id=case_id, person=successor, since=uow.today()))
