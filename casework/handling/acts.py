"""What an officer does to a case: an act of the profile, or a message to the reporter."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from casework.case.act import Act
from casework.case.keyring import Keyring
from casework.case.tables import Case
from casework.errors import Conflict, Denied, InvalidInput, InvalidTransition, NotFound
from casework.handling import desk, step
from casework.intake.report import LONG
from casework.keys import roster
from casework.keys.vocabulary import PersonKind
from casework.law.vocabulary import Compartment as Kind

if TYPE_CHECKING:
    from casework.keys.actor import Actor
    from casework.law.engine import Facts, Step
    from casework.law.profile import Profile
    from casework.store.unit import UnitOfWork

MESSAGE = "message"


def open_case(uow: UnitOfWork, actor: Actor, case_id: str) -> tuple[Keyring, Profile]:
    """Return an officer's keyring to a case, and the profile that the case keeps.

    Raises:
        NotFound: there is no such case, or it does not lie on the officer's desk; the two are
            not told apart.
        Denied: the actor is not in office today.
        RosterBroken: the chain that vouches for everybody is broken.
        CaseDamaged: the case's row is not what its leaves say.
    """
    chain = roster.load(uow)
    if actor.kind != PersonKind.OFFICER or chain.person_on(actor.person_id, uow.today()) is None:
        raise Denied
    case = uow.session.get(Case, case_id)
    if case is None or not desk.may_see(uow, actor.person_id, case_id):
        raise NotFound("case")
    keyring = Keyring(uow, case, actor, chain)
    keyring.check_row()
    return keyring, uow.office.catalogue.get(case.profile, case.profile_version)


def perform(  # noqa: PLR0917 - who acts on what, as seen when, in the order of speech
    uow: UnitOfWork,
    actor: Actor,
    case_id: str,
    revision: int,
    transition_id: str,
    facts: Facts,
    item_id: str | None = None,
) -> Step:
    """Take a transition of the profile on a case.

    ``revision`` is the one the officer looked at. The situation in ``facts`` is replaced by the
    case's own.

    Raises:
        NotFound, Denied: see :func:`open_case`.
        Conflict: somebody acted on the case meanwhile.
        InvalidTransition, InvalidInput: see :func:`casework.handling.step.take`.
    """
    keyring, profile = open_case(uow, actor, case_id)
    case = keyring.case
    if case.revision != revision:
        raise Conflict("revision")
    now = step.situation(keyring, profile)
    role = step.roles_for(keyring, profile, now).get(transition_id)
    if role is None:
        raise InvalidTransition(case.state, transition_id, "officer")
    return step.take(
        keyring, profile, transition_id, role, replace(facts, situation=now), item_id=item_id
    )


def write_message(uow: UnitOfWork, actor: Actor, case_id: str, text: str, item_id: str) -> None:
    """Send the reporter a message; the same ``item_id`` twice is one message.

    Raises:
        NotFound, Denied: see :func:`open_case`, or the officer does not hold the contents.
        InvalidInput: the text is empty or too long.
    """
    keyring, _ = open_case(uow, actor, case_id)
    if send(keyring, text, item_id):
        step.clear_flags(uow, case_id, (desk.NEW_MESSAGE,))


def send(keyring: Keyring, text: str, item_id: str) -> bool:
    """Write a message into ``content``, once per ``item_id``; return whether it is new.

    Raises:
        InvalidInput: the text is empty or too long.
        Denied: the actor does not hold the contents.
    """
    body = text.strip()
    if not body:
        raise InvalidInput({"text": "message.required"})
    if len(body) > LONG:
        raise InvalidInput({"text": "report.too_long"})
    act = Act(keyring)
    try:
        act.write(Kind.CONTENT, MESSAGE, {"text": body}, item_id)
    except Conflict:
        return False
    act.finish(MESSAGE, {})
    desk.refresh(keyring.uow, keyring.case)
    return True
