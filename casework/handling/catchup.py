"""Catching up: whoever holds a case passes its keys on to those who came since.

No key leaves a session and nobody waits for an admin: while an officer works, the portal looks
through their cases, a few at a time, and seals what is missing to those who should hold it
(:mod:`casework.handling.entitled`). In the same way a new recovery key replaces an earlier one.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select

from casework.case import custody
from casework.case.act import Act
from casework.case.authority import may_grant
from casework.case.grants import WHOLE
from casework.case.keyring import Keyring
from casework.case.tables import Case, Grant
from casework.errors import Conflict, NotFound, Untrustworthy
from casework.handling import desk
from casework.handling.entitled import entitled
from casework.keys import roster
from casework.keys.tables import CatchUp
from casework.keys.vocabulary import PersonKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from casework.case.grants import Holder
    from casework.keys.actor import Actor
    from casework.keys.members import Roster
    from casework.law.profile import Profile
    from casework.store.office import Office
    from casework.store.unit import UnitOfWork

MOST: Final = 10
"""Cases that one call looks at: some 20 ms each, and 60 ms where keys are given."""


@dataclass(frozen=True)
class _Place:
    """Where a holder's round stands: the last case looked at, and those that are next."""

    after: str
    cases: tuple[str, ...]
    last: bool


def pass_on(office: Office, actor: Actor, most: int = MOST) -> int:
    """Look at the holder's next cases and give what is missing; return how many cases gave keys.

    Does nothing while nobody has come since the holder's last round. Each case is a transaction
    of its own; one that is damaged, or that somebody acts on meanwhile, is left as it is. An
    actor who is not in office passes nothing on.

    Raises:
        Unavailable: a database is locked, full or unreadable; the round goes on next time.
        RosterBroken: the chain that vouches for everybody is broken.
    """
    if not _is_due(office, actor):
        return 0
    with office.read() as uow:
        place = _next(uow, actor, most)
        lacking = [case_id for case_id in place.cases if _lacks(uow, actor, case_id)]
    given = 0
    for case_id in lacking:
        with suppress(Conflict, NotFound, Untrustworthy), office.write() as uow:
            given += _give_case(uow, actor, case_id)
    with office.write() as uow:
        _remember(uow, actor, place)
    return given


def give(act: Act, profile: Profile, holders: Mapping[str, Iterable[Holder]]) -> None:
    """Let an act give its actor's whole compartments to holders who lack them.

    Only what the actor holds, and may give by the profile.

    Raises:
        CaseDamaged: compartments, grants and leaves of the case do not agree.
    """
    for kind in _giveable(act, profile):
        have = act.holders(kind)
        if missing := [one for one in holders.get(kind, ()) if one.person_id not in have]:
            act.grant(kind, missing)


def reset(uow: UnitOfWork, case_id: str) -> None:
    """Let everybody who holds a case begin a new round: somebody is to receive its keys."""
    holders = select(Grant.holder).where(Grant.case_id == case_id)
    uow.session.execute(delete(CatchUp).where(CatchUp.person.in_(holders)))


def _is_due(office: Office, actor: Actor) -> bool:
    """Return whether the holder has cases left to look at; begins a new round if one is due.

    The round has a row from its beginning, so that :func:`reset` always has one to take away.
    """
    with office.read() as uow:
        row, chain, today = _row(uow, actor), roster.load(uow), uow.today()
        if actor.kind != PersonKind.OFFICER or chain.person_on(actor.person_id, today) is None:
            return False
        if row is not None and not _somebody_came(chain, row, today):
            return not row.done
    with office.write() as uow:
        uow.session.execute(delete(CatchUp).where(CatchUp.person == actor.person_id))
        uow.session.add(
            CatchUp(
                person=actor.person_id,
                roster_version=chain.version,
                day=today,
                case_id="",
                done=False,
            )
        )
    return True


def _row(uow: UnitOfWork, actor: Actor) -> CatchUp | None:
    return uow.session.get(CatchUp, actor.person_id)


def _somebody_came(chain: Roster, row: CatchUp, today: date) -> bool:
    """Return whether the roster has changed since, or an entry of before has come into force."""
    return row.roster_version < chain.version or any(
        row.day < record.since <= today for record in chain.on(today)
    )


def _next(uow: UnitOfWork, actor: Actor, most: int) -> _Place:
    row = _row(uow, actor)
    after = "" if row is None else row.case_id
    cases = uow.session.scalars(
        select(Grant.case_id)
        .where(
            Grant.holder == actor.person_id,
            Grant.case_id > after,
            Grant.share == WHOLE,
            Grant.compartment.in_(desk.ON_DESK),
        )
        .distinct()
        .order_by(Grant.case_id)
        .limit(most)
    ).all()
    return _Place(after, tuple(cases), last=len(cases) < most)


def _remember(uow: UnitOfWork, actor: Actor, place: _Place) -> None:
    """Note how far the round has come, unless it was reset or went on elsewhere meanwhile."""
    row = _row(uow, actor)
    if row is not None and row.case_id == place.after:
        row.case_id = place.cases[-1] if place.cases else place.after
        row.done = place.last


def _lacks(uow: UnitOfWork, actor: Actor, case_id: str) -> bool:
    """Return whether a case lacks a grant that the actor can make; stores nothing."""
    with suppress(Conflict, NotFound, Untrustworthy):
        return _filled(uow, actor, case_id).moves_keys
    return False


def _give_case(uow: UnitOfWork, actor: Actor, case_id: str) -> bool:
    act = _filled(uow, actor, case_id)
    if not act.moves_keys:
        return False
    act.finish(custody.REGRANTED, {})
    desk.refresh(uow, act.case)
    return True


def _filled(uow: UnitOfWork, actor: Actor, case_id: str) -> Act:
    """Return an act that gives all that the actor holds to those who lack it.

    Raises:
        NotFound: the case or its profile is gone.
        Conflict: somebody acted on it since this transaction began.
        CaseDamaged: what is stored of it does not belong together.
    """
    case = uow.session.get(Case, case_id)
    if case is None:
        raise NotFound("case")
    keyring = Keyring(uow, case, actor, roster.load(uow))
    act, profile = Act(keyring), uow.office.catalogue.get(case.profile, case.profile_version)
    give(act, profile, entitled(keyring, profile))
    for kind in _giveable(act, profile):
        act.renew_recovery(kind)
    return act


def _giveable(act: Act, profile: Profile) -> list[str]:
    keyring = act.keyring
    person = keyring.roster.person_on(keyring.actor.person_id, keyring.uow.today())
    roles = person.roles if person is not None else ()
    return [
        kind for kind in desk.ON_DESK if keyring.holds(kind) and may_grant(profile, roles, kind)
    ]
