"""What approvers decide of people: admit a newcomer, suspend, resume, give other roles, guard.

Each is one entry of the roster, signed by whoever decides; the rules of the chain
(:mod:`casework.keys.judge`) have the last word. ``seen`` is the roster version that the approver
looked at: who was changed since is not changed again unseen.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.errors import Conflict, Denied, InvalidInput
from casework.keys import accounts, enrol, roster, stated
from casework.keys.tables import Invitation
from casework.keys.vocabulary import Flaw, TenureState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from casework.keys.actor import Actor
    from casework.keys.chain import PersonRecord
    from casework.keys.members import Roster, RosterPerson
    from casework.store.unit import UnitOfWork


class WordsDiffer(Conflict):
    """The eight words are not those that were compared: keys, roles or person are others."""


def replaced_by(uow: UnitOfWork, person_id: str) -> str | None:
    """Return the person whose lost keys a newcomer's keys replace, as the invitation says."""
    return uow.session.scalar(select(Invitation.replaces).where(Invitation.person == person_id))


def is_lost(uow: UnitOfWork, person_id: str) -> bool:
    """Return whether somebody has enrolled with new keys in this person's place."""
    query = select(Invitation.id).where(
        Invitation.replaces == person_id, Invitation.person.is_not(None)
    )
    return uow.session.scalar(query.limit(1)) is not None


def admit(
    uow: UnitOfWork,
    approver: Actor,
    person_id: str,
    words: Sequence[str],
    reason: str,
    *,
    until: date | None = None,
    replaces: str | None = None,
) -> Roster:
    """Put an enrolled officer on the roster from today; end whom they replace in the same entry.

    ``words`` are the eight that approver and officer compared; ``replaces`` is whoever the
    approver was told would be ended by it.

    Raises:
        NotFound: nobody of this id enrolled here.
        Conflict: the officer is on the roster already, has lost these keys, or another person
            would be ended.
        WordsDiffer: the words are other ones now.
        InvalidInput: no reason, or a last day in the past.
        Denied: see :func:`casework.keys.enrol.approve`.
    """
    chain = _looked_at(uow, approver, person_id, None)
    if approver.person_id == person_id:
        raise Denied(Flaw.SELF.value)
    part = enrol.enrolled_one(uow, person_id)
    known = person_id in chain.people or is_lost(uow, person_id)
    if known or replaced_by(uow, person_id) != replaces:
        raise Conflict("person")
    if tuple(words) != part.fingerprint:
        raise WordsDiffer
    _check(uow, reason, until)
    today = uow.today()
    ended = _ending(chain, replaces, today) if replaces is not None else []
    changed = enrol.approve(uow, approver, [part.record(today, until), *ended], reason.strip())
    if replaces is not None:
        uow.office.sessions.end_all(replaces)
    return changed


def suspend(
    uow: UnitOfWork, approver: Actor, person_id: str, reason: str, *, seen: int | None = None
) -> Roster:
    """Take an officer's roles away from today on, for the time being, and end their sessions.

    Raises:
        Conflict: the officer is not in office, or was changed since ``seen``.
        InvalidInput: no reason.
        Denied: see :func:`casework.keys.enrol.approve`.
    """
    chain = _looked_at(uow, approver, person_id, seen)
    _check(uow, reason)
    today = uow.today()
    present = chain.person_on(person_id, today)
    if present is None:
        raise Conflict("person")
    records = [
        enrol.record_of(one, from_=max(one.since, today), state=TenureState.SUSPENDED)
        for one in (present, *_coming(chain, person_id, today))
    ]
    changed = enrol.approve(uow, approver, records, reason.strip())
    uow.office.sessions.end_all(person_id)
    return changed


def resume(
    uow: UnitOfWork, approver: Actor, person_id: str, reason: str, *, seen: int | None = None
) -> Roster:
    """Give a suspended officer the same roles back, from today on.

    Raises:
        Conflict: the officer is not suspended today, or was changed since ``seen``.
        InvalidInput: no reason.
        Denied: see :func:`casework.keys.enrol.approve`.
    """
    chain = _looked_at(uow, approver, person_id, seen)
    _check(uow, reason)
    today = uow.today()
    present = covering(chain, person_id, today)
    if present is None or present.state is not TenureState.SUSPENDED:
        raise Conflict("person")
    records = [
        enrol.record_of(one, from_=max(one.since, today), state=TenureState.ACTIVE)
        for one in (present, *_coming(chain, person_id, today))
    ]
    return enrol.approve(uow, approver, records, reason.strip())


def change(
    uow: UnitOfWork,
    approver: Actor,
    person_id: str,
    roles: Sequence[str],
    reason: str,
    *,
    until: date | None = None,
    seen: int | None = None,
) -> Roster:
    """Give an officer other roles, or another last day, from today on.

    Other roles with a last day are a delegation (Plh, Plt): on the day after it the officer holds
    again what they would have held without it.

    Raises:
        Conflict: the officer is suspended or left, or was changed since ``seen``.
        InvalidInput: no reason, impossible roles, or a last day in the past.
        Denied: see :func:`casework.keys.enrol.approve`.
    """
    chain = _looked_at(uow, approver, person_id, seen)
    _check(uow, reason, until, stated.roles_error(uow.office.profile, tuple(roles)))
    today = uow.today()
    present = covering(chain, person_id, today)
    base = present or chain.person(person_id)
    if base.state is not TenureState.ACTIVE:
        raise Conflict("person")
    new = enrol.record_of(base, from_=today, until=until, roles=tuple(sorted(roles)))
    after = [] if until is None else _afterwards(chain, present, new, until)
    return enrol.approve(uow, approver, [new, *after], reason.strip())


def appoint_guardian(
    uow: UnitOfWork, guardian: Actor, person_id: str, reason: str, *, seen: int | None = None
) -> Roster:
    """Let the guardian name the next one, who must be in office and hold a role that may guard.

    Raises:
        Denied: the actor is not the guardian, or the person may not guard.
        Conflict: the person guards already, or was changed since ``seen``.
        InvalidInput: no reason.
    """
    chain = _looked_at(uow, guardian, person_id, seen)
    _check(uow, reason)
    if chain.guardian_id != guardian.person_id:
        raise Denied("not the guardian")
    if person_id == guardian.person_id:
        raise Conflict("person")
    return enrol.approve(uow, guardian, [], reason.strip(), person_id)


def covering(chain: Roster, person_id: str, day: date) -> RosterPerson | None:
    """Return what the roster says of a person for a day, whatever the state."""
    for one in chain.people.get(person_id, ()):
        if one.since <= day and (one.until is None or day <= one.until):
            return one
    return None


def _looked_at(uow: UnitOfWork, approver: Actor, person_id: str, seen: int | None) -> Roster:
    """Return the roster if the person is as the approver saw them. Raises: Conflict, Denied."""
    chain = roster.load(uow)
    accounts.vouched(chain, approver, uow.today())
    newest = max((one.version for one in chain.people.get(person_id, ())), default=0)
    if seen is not None and newest > seen:
        raise Conflict("person")
    return chain


def _check(
    uow: UnitOfWork,
    reason: str,
    until: date | None = None,
    others: dict[str, str] | None = None,
) -> None:
    errors = {**stated.line_error("reason", reason), **(others or {})}
    if "reason" in errors:
        errors["reason"] = "reason_shape"
    if until is not None and until < uow.today():
        errors["until"] = "until_past"
    if errors:
        raise InvalidInput(errors)


def _coming(chain: Roster, person_id: str, day: date) -> list[RosterPerson]:
    return [one for one in chain.people.get(person_id, ()) if one.since > day]


def _ending(chain: Roster, person_id: str, day: date) -> list[PersonRecord]:
    """Return the record that ends somebody; nothing if the roster never knew them or they left."""
    records = chain.people.get(person_id, ())
    if not records or records[-1].state is TenureState.LEFT:
        return []
    last = covering(chain, person_id, day) or records[-1]
    return [enrol.record_of(last, from_=day, until=None, state=TenureState.LEFT)]


def _afterwards(
    chain: Roster, present: RosterPerson | None, new: PersonRecord, until: date
) -> list[PersonRecord]:
    """Return what holds after a delegation's last day: what was planned for those days anyway."""
    start = until + timedelta(days=1)
    planned = _coming(chain, new.person, new.from_)
    follows = None
    if present is not None and present.roles != new.roles:
        planned = [present, *planned]
    elif present is not None and present.until is not None:
        follows = present.until + timedelta(days=1)
    kept = [one for one in planned if one.until is None or one.until >= start]
    # The same delegation, longer or shorter: what followed on it moves along.
    return [
        enrol.record_of(one, from_=start if one.since == follows else max(one.since, start))
        for one in kept
    ]
