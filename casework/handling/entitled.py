"""Who should hold a case now: what its leaves have given and taken, told again for those of today.

Whoever came into a role today holds what a colleague would who was in it from the beginning and
never acted: no more, so that nothing is given which the regulation has taken away since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from casework.case import custody
from casework.case.authority import may_act_in, may_hold
from casework.case.grants import Holder
from casework.errors import NotFound
from casework.law.vocabulary import GUARDIAN, Compartment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from casework.case.keyring import Keyring
    from casework.case.past import Entry
    from casework.keys.members import Roster
    from casework.law.profile import Profile
    from casework.law.schema import Holding

_KEPT = custody.SHARED | {Compartment.MAILBOX}
"""What never travels: the shares of an identity, and the reporter's own things."""


def entitled(keyring: Keyring, profile: Profile) -> dict[str, list[Holder]]:
    """Return for each compartment which officers in office today should hold it whole.

    Those are the holders of the roles to which the proven leaves gave it, the guardian, and
    whoever follows somebody whose keys were handed over; nobody who is recused from the case or
    whose own keys were handed over. Assigned persons hold what they were given themselves, so
    they are here only as successors. Of a case that is over, the guardian and named successors
    alone: newcomers have no work there.
    """
    chain, day, past = keyring.roster, keyring.uow.today(), keyring.past()
    people = {one.person_id: one for one in chain.on(day)}
    telling = _Telling(profile, chain, {name: one.roles for name, one in people.items()})
    for entry in past.entries:
        telling.tell(entry)
    excluded = custody.excluded(past.entries)
    over = past.state is not None and profile.state(past.state).terminal
    found: dict[str, list[Holder]] = {}
    for name, one in people.items():
        if name in excluded or (over and name not in telling.called):
            continue
        for kind in telling.held[name] - _KEPT:
            if may_hold(profile, one.roles, kind):
                found.setdefault(kind, []).append(Holder(name, one.recipient))
    return found


class _Telling:
    """The leaves of one case told again, for everybody in office today at once."""

    def __init__(self, profile: Profile, chain: Roster, roles: Mapping[str, Iterable[str]]) -> None:
        self._profile, self._chain = profile, chain
        self._roles = {name: frozenset(held) for name, held in roles.items()}
        self.held: dict[str, set[str]] = {name: set() for name in roles}
        self.called = {chain.guardian_id}
        """Who answers for the case by name: the guardian, and whoever follows a leaver."""
        for start in profile.compartments:
            for name in start.holders:
                self._give(start.id, name)

    def tell(self, entry: Entry) -> None:
        """Follow one proven leaf."""
        if entry.event == custody.HANDED_OVER:
            self._hand_over(entry)
            return
        for rule in self._profile.transitions:
            if rule.id == entry.event:
                for holding in rule.revokes:
                    self._take(holding, entry.to or "")
                for holding in rule.grants:
                    self._give(holding.compartment, holding.holder)

    def _give(self, compartment: str, name: str) -> None:
        for person_id in self._named(name):
            self.held[person_id].add(compartment)

    def _take(self, holding: Holding, to_state: str) -> None:
        """Take as :func:`casework.handling.keys.move` does: not from whom the next state needs."""
        for person_id in self._named(holding.holder):
            others = self._roles[person_id] - {holding.holder}
            if person_id != self._chain.guardian_id and not may_act_in(
                self._profile, others, to_state
            ):
                self.held[person_id].discard(holding.compartment)

    def _hand_over(self, entry: Entry) -> None:
        """Let the successor follow in what the leaver held, or should have been given."""
        successor = entry.successor
        if successor not in self._roles:
            # Somebody who has left since, and whose own successor may be in office.
            self._roles[successor], self.held[successor] = self._former(successor), set()
        passed = {name.partition(":")[0] for name in entry.revoked}
        self.held[successor] |= passed | self.held.get(entry.leaver, set())
        self.called.add(successor)

    def _former(self, person_id: str) -> frozenset[str]:
        try:
            return frozenset(self._chain.person(person_id).roles)
        except NotFound:
            return frozenset()

    def _named(self, name: str) -> list[str]:
        if name == GUARDIAN:
            return [one for one in self._roles if one == self._chain.guardian_id]
        return [one for one, roles in self._roles.items() if name in roles]
