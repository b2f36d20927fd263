"""Rounds of notices at fixed hours: who has something new, each hour claimed by one process once.

Whether one report came or fifty, and when, shows in nothing: an officer gets one mail or none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING, Final

from sqlalchemy import exists, select, update

from casework.calendar.holidays import calendar_for
from casework.case import custody
from casework.case.grants import WHOLE
from casework.case.tables import Grant
from casework.errors import NotFound
from casework.handling.desk import ON_DESK
from casework.keys import roster
from casework.keys.tables import NoticeAddress, NoticeRun
from casework.log.leaf import next_number
from casework.log.tables import Leaf
from casework.notices import post as posts
from casework.notices.addresses import is_address

if TYPE_CHECKING:
    from casework.notices.post import Post
    from casework.store.office import Office
    from casework.store.unit import UnitOfWork

SLOT_FORMAT: Final = "%Y-%m-%dT%H.%M"

QUIET: Final = tuple(sorted(custody.QUIET))
"""Events that give nobody anything to do."""


@dataclass(frozen=True)
class Round:
    """What one hour has to send: (person, address) pairs, and up to which leaf they are told."""

    moment: datetime
    recipients: tuple[tuple[str, str], ...]
    upto: int


def send_due(office: Office) -> int:
    """Send the notices of today's last hour that has struck, if nobody did; return how many.

    Hours that were missed are made up by one round on the same day. Whoever could not be reached
    is tried again at the next hour. No transaction is open while the mail server is spoken to.

    Raises:
        Unavailable: the database is locked, full or unreadable.
    """
    if office.post is None:
        return 0
    with office.read() as uow:
        if _due(uow, office.post) is None:
            return 0
    with office.write() as uow:
        found = claim(uow, office.post)
    if found is None or not found.recipients:
        return 0
    taken = posts.send(office.post, found.moment, found.recipients)
    if taken:
        with office.write() as uow:
            told(uow, found, taken)
    return len(taken)


def claim(uow: UnitOfWork, post: Post) -> Round | None:
    """Take today's last hour that has struck, and return its round; ``None`` if there is none.

    Raises:
        RosterBroken: the roster cannot be trusted; nobody is told anything then.
    """
    moment = _due(uow, post)
    if moment is None:
        return None
    uow.session.add(NoticeRun(slot=moment.strftime(SLOT_FORMAT)))
    uow.session.flush()
    found = Round(moment, _recipients(uow), next_number(uow))
    # Where nothing is new, the next round need not look at the same leaves again.
    waiting = [person for person, _ in found.recipients]
    others = update(NoticeAddress).where(NoticeAddress.person.not_in(waiting))
    uow.session.execute(others.values(upto=found.upto))
    return found


def told(uow: UnitOfWork, found: Round, persons: frozenset[str]) -> None:
    """Remember up to where those were told whom a round reached.

    An address that was changed while the round was under way counts from its change.
    """
    uow.session.execute(
        update(NoticeAddress)
        .where(NoticeAddress.person.in_(list(persons)), NoticeAddress.upto < found.upto)
        .values(upto=found.upto)
    )


def _due(uow: UnitOfWork, post: Post) -> datetime | None:
    """Return today's last hour that has struck, on a working day, if nobody took it yet."""
    now = uow.now().astimezone(uow.office.tz)
    struck = [
        moment
        for hour in post.hours
        if (moment := datetime.combine(now.date(), _time(hour), now.tzinfo)) <= now
    ]
    if not struck or not _works(uow):
        return None
    moment = max(struck)
    taken = uow.session.get(NoticeRun, moment.strftime(SLOT_FORMAT)) is not None
    return None if taken else moment


def _time(hour: str) -> time:
    hours, _, minutes = hour.partition(".")
    return time(int(hours), int(minutes))


def _works(uow: UnitOfWork) -> bool:
    try:
        calendar = calendar_for(uow.session, uow.office.profile)
    except NotFound:
        return True
    return calendar.is_working_day(uow.today())


def _recipients(uow: UnitOfWork) -> tuple[tuple[str, str], ...]:
    """Return the officers in office today on whose cases somebody else did something since.

    A case counts by the grants: of one that an officer is excluded from, no mail ever comes.
    """
    chain, today = roster.load(uow), uow.today()
    holds = (
        exists()
        .where(
            Grant.case_id == Leaf.case_id,
            Grant.holder == NoticeAddress.person,
            Grant.share == WHOLE,
            Grant.compartment.in_(ON_DESK),
        )
        .correlate(Leaf, NoticeAddress)
    )
    news = (
        exists()
        .where(
            Leaf.number >= NoticeAddress.upto,
            Leaf.actor != NoticeAddress.person,
            Leaf.event.not_in(QUIET),
            holds,
        )
        .correlate(NoticeAddress)
    )
    rows = uow.session.scalars(select(NoticeAddress).where(news).order_by(NoticeAddress.person))
    return tuple(
        (row.person, row.address)
        for row in rows
        if is_address(row.address) and chain.person_on(row.person, today) is not None
    )
