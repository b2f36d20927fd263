"""A restore leaves two traces: the system's, and the guardian's word that it was on purpose."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from casework.errors import Denied, InvalidInput
from casework.keys import accounts, confirmations, memory, point
from casework.keys import roster as rosters
from casework.keys.chain import NO_PREVIOUS
from casework.keys.tables import LINE_MAX
from casework.log import leaf

if TYPE_CHECKING:
    from datetime import date

    from casework.keys.actor import Actor
    from casework.keys.members import Roster, RosterPerson
    from casework.keys.memory import Memory, Rollback
    from casework.keys.point import Point
    from casework.store.unit import UnitOfWork

RESTORED: Final = "restored"
NOT_GUARDIAN: Final = "not the guardian"

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Look:
    """What a guardian compares before confirming: what they had seen, and what is there now.

    ``contradiction`` is None if what is there merely went on from what they had seen.
    ``in_office`` is everyone who is active today.
    """

    seen: Memory
    now: Point
    contradiction: Rollback | None
    in_office: tuple[RosterPerson, ...]

    @property
    def lost_entries(self) -> range:
        """Versions of the roster that the guardian had seen and that are no longer there."""
        return range(self.now.roster_version + 1, self.seen.roster_version + 1)

    @property
    def lost_leaves(self) -> int:
        """How many leaves fewer there are than the guardian had seen, at least."""
        return max(0, self.seen.log_size - self.now.log_size)


def record(uow: UnitOfWork, made: date, restored: Point, replaced: Point | None) -> int:
    """Append the leaf by which the system says that it was restored; return its number.

    ``made`` is the day of the backup, ``restored`` where it stood, ``replaced`` where the instance
    stood that it took the place of, if there was one that could be read.
    """
    facts = {
        "made": made.isoformat(),
        **_facts(restored),
        "replaced": None if replaced is None else _facts(replaced),
    }
    return leaf.append(uow, leaf.Draft(RESTORED, leaf.SYSTEM, facts=facts))


def look(uow: UnitOfWork, actor: Actor) -> Look:
    """Return what the guardian must see before confirming a restore.

    Raises:
        Denied: the actor is not in office, or is the guardian neither by the roster nor by what
            they remember.
        RolledBack: the actor's memory is missing or forged; that is no matter of a restore.
        RosterBroken, KeysSwapped: see :func:`casework.keys.accounts.vouched`.
    """
    roster, seen = _require_guardian(uow, actor)
    return Look(
        seen=seen,
        now=point.of(uow.session),
        contradiction=memory.contradiction(uow, seen, roster),
        in_office=roster.on(uow.today()),
    )


def confirm(uow: UnitOfWork, actor: Actor, reason: str) -> int:
    """Append the guardian's word that what is stored was put back on purpose; return its number.

    It ends the alarm of everyone whose memory names this guardian. The guardian's own ends at the
    next :func:`casework.keys.memory.check`. ``reason`` is one line, readable in the database.

    Raises:
        Denied, RolledBack, RosterBroken, KeysSwapped: as :func:`look`.
        InvalidInput: the reason is no line of text.
    """
    if not reason.strip() or len(reason) > LINE_MAX or _CONTROL.search(reason):
        raise InvalidInput({"reason": "line_shape"})
    roster, seen = _require_guardian(uow, actor)
    now = point.of(uow.session)
    before = confirmations.Seen(roster=seen.roster_version, size=seen.log_size)
    facts = confirmations.facts(
        roster, now.log_size, now.log_last if now.log_size else NO_PREVIOUS, before, reason
    )
    draft = leaf.Draft(confirmations.EVENT, actor.person_id, facts=facts)
    return leaf.append(uow, draft, actor.person.signing)


def _require_guardian(uow: UnitOfWork, actor: Actor) -> tuple[Roster, Memory]:
    roster = rosters.load(uow)
    accounts.vouched(roster, actor, uow.today())
    seen = memory.recall(uow, actor)
    # By the memory as well: the copy may be older than the entry that made them guardian.
    if actor.person_id not in (roster.guardian_id, seen.guardian):
        raise Denied(NOT_GUARDIAN)
    return roster, seen


def _facts(stands: Point) -> dict[str, int | str]:
    return {
        "roster": stands.roster_version,
        "head": stands.roster_head,
        "size": stands.log_size,
        "last": stands.log_last,
    }
