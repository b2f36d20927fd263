"""Which persons gain and lose a case's compartments when it takes a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casework.case import custody
from casework.case.authority import may_act_in
from casework.case.grants import Holder
from casework.errors import InvalidInput
from casework.law.vocabulary import ASSIGNED, GUARDIAN, REPORTER, Need

if TYPE_CHECKING:
    from casework.case.act import Act
    from casework.case.keyring import Keyring
    from casework.law.engine import Facts, Step
    from casework.law.profile import Profile


def assignees(keyring: Keyring, profile: Profile, facts: Facts) -> list[Holder]:
    """Return the assigned persons as holders.

    Raises:
        InvalidInput: somebody named is not in office in a role that can be assigned, or has given
            this case away for good.
    """
    day, excluded = keyring.uow.today(), custody.excluded(keyring.past().entries)
    assignable = {role.id for role in profile.roles if role.assignable}
    chosen = []
    for person_id in facts.assignees:
        person = keyring.roster.person_on(person_id, day)
        if person is None or assignable.isdisjoint(person.roles):
            raise InvalidInput({Need.ASSIGNEES: "law.assignees_unknown"})
        if person_id in excluded:
            raise InvalidInput({Need.ASSIGNEES: "law.assignees_excluded"})
        chosen.append(Holder(person.person_id, person.recipient))
    return chosen


def move(act: Act, profile: Profile, step: Step, assigned: list[Holder]) -> None:
    """Take and give the compartments that a step takes and gives.

    Raises:
        InvalidInput: nobody holds the office that the case would go to.
        Denied: the actor does not hold a compartment that the step gives.
    """
    for holding in step.revokes:
        leaving = _leaving(act, holding.holder)
        act.revoke(
            holding.compartment,
            [one for one in leaving if not _stays(act, profile, step, one, holding.holder)],
        )
    for holding in step.grants:
        holders = _holders(act, holding.holder, assigned)
        if not holders:
            # Otherwise the case would leave its officers and reach nobody.
            raise InvalidInput({"role": "law.role_vacant"})
        act.grant(holding.compartment, holders)


def _leaving(act: Act, name: str) -> set[str]:
    """Return the persons whom a role's loss may concern, those out of office included."""
    if name in (ASSIGNED, REPORTER, GUARDIAN):
        return {one.person_id for one in _holders(act, name, [])}
    people = act.keyring.roster.people
    return {
        person_id
        for person_id, records in people.items()
        if any(name in record.roles for record in records)
    }


def _holders(act: Act, name: str, assigned: list[Holder]) -> list[Holder]:
    """Return who receives what is given to a name; never somebody recused, or gone from it."""
    keyring = act.keyring
    day = keyring.uow.today()
    if name == ASSIGNED:
        return assigned
    if name == REPORTER:
        keys = keyring.reporter_keys()
        return [Holder(keyring.case.reporter, keys.recipient)]
    people = keyring.roster.active(name, day)
    if name == GUARDIAN:
        guardian = keyring.roster.guardian_on(day)
        people = (guardian,) if guardian else ()
    excluded = custody.excluded(keyring.past().entries)
    return [Holder(one.person_id, one.recipient) for one in people if one.person_id not in excluded]


def _stays(act: Act, profile: Profile, step: Step, person_id: str, losing: str) -> bool:
    """Return whether a person keeps a compartment that one of their roles loses.

    The guardian always keeps it, and so does who has another role that acts in the new state.
    """
    chain = act.keyring.roster
    if person_id == chain.guardian_id:
        return True
    person = chain.person_on(person_id, act.keyring.uow.today())
    others = set(person.roles) - {losing} if person else set()
    return may_act_in(profile, others, step.to_state)
