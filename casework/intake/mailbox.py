"""The reporter's mailbox: where the report stands, what was said, and what the reporter may do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from casework.calendar import deadlines
from casework.case import custody
from casework.case.custody import EXAMINED, FILE_REASON
from casework.case.keyring import Keyring
from casework.case.tables import Case, Item
from casework.errors import Denied, NotFound
from casework.evidence.files import files
from casework.handling import acts, desk, step, story
from casework.handling.recuse import RECUSAL
from casework.intake import looks, watch
from casework.keys import roster
from casework.keys.vocabulary import RECOVERY, PersonKind
from casework.law import engine
from casework.law.vocabulary import REPORTER
from casework.law.vocabulary import Compartment as Kind

if TYPE_CHECKING:
    from datetime import date

    from casework.evidence.files import File
    from casework.handling.story import Piece
    from casework.intake.looks import Look
    from casework.intake.watch import Watched
    from casework.keys.actor import Actor
    from casework.law.engine import Facts
    from casework.law.profile import Profile
    from casework.law.schema import Outcome, State, Transition
    from casework.store.unit import UnitOfWork


INTERNAL: Final = frozenset({RECUSAL, FILE_REASON, EXAMINED})
"""Item kinds in the contents that are not for the reporter."""


@dataclass(frozen=True)
class Promise:
    """A date that the reporter is told, and whether it is law or a target of the office."""

    label: str
    due: date
    legal: bool
    mine: bool
    """Whether it is the reporter who is asked to do something by then."""


@dataclass(frozen=True)
class Mailbox:
    """One case as its reporter sees it: public words only.

    ``recovered`` are the days on which officers got keys of the case by the recovery key, and
    ``resealed`` those on which only the recovery key itself was replaced; both as proven leaves
    say.
    """

    ticket: str
    state: State
    received: date
    promises: tuple[Promise, ...]
    pieces: tuple[Piece, ...]
    missing_items: tuple[str, ...]
    outcome: Outcome | None
    actions: tuple[Transition, ...]
    review_requested: bool
    reporter: str
    profile: Profile
    recovered: tuple[date, ...]
    resealed: tuple[date, ...]
    files: tuple[File, ...]
    watched: Watched
    looks: tuple[Look, ...]


def open_own(uow: UnitOfWork, actor: Actor) -> tuple[Keyring, Profile]:
    """Return a reporter's keyring to their own case, and the profile that the case keeps.

    Raises:
        Denied: the actor is no reporter.
        NotFound: the case is gone.
        CaseDamaged: the case's row is not what its leaves say.
        RolledBack, NotInLog: the log is not the one that the reporter has seen before.
    """
    keyring = _own(uow, actor)
    watch.check(keyring)
    return keyring, _profile(keyring)


def read(uow: UnitOfWork, actor: Actor) -> Mailbox:
    """Return the reporter's mailbox, and remember what they have seen of the log.

    Call it outside of acts: what is remembered stays, whatever becomes of the transaction.

    Raises:
        Denied, NotFound, RosterBroken, CaseDamaged, RolledBack, NotInLog: see :func:`open_own`.
    """
    keyring = _own(uow, actor)
    return _told(keyring, watch.check_and_update(keyring))


def look(uow: UnitOfWork, actor: Actor) -> Mailbox:
    """Return the mailbox within an act; nothing is remembered. Raises: as :func:`read`."""
    keyring = _own(uow, actor)
    return _told(keyring, watch.check(keyring))


def _own(uow: UnitOfWork, actor: Actor) -> Keyring:
    if actor.kind != PersonKind.REPORTER:
        raise Denied
    case = uow.session.scalar(select(Case).where(Case.reporter == actor.person_id))
    if case is None:
        raise NotFound("case")
    keyring = Keyring(uow, case, actor, roster.load(uow))
    keyring.check_row()
    return keyring


def _profile(keyring: Keyring) -> Profile:
    case = keyring.case
    return keyring.uow.office.catalogue.get(case.profile, case.profile_version)


def _told(keyring: Keyring, watched: Watched) -> Mailbox:
    uow, profile = keyring.uow, _profile(keyring)
    case = keyring.case
    now = step.situation(keyring, profile)
    told_here = story.tell(keyring, (Kind.CONTENT,))
    # Where an officer held nothing else, their reasons lie in the content.
    pieces = tuple(piece for piece in told_here if piece.kind not in INTERNAL)
    told = [piece.body for piece in pieces if piece.kind == step.TOLD]
    outcomes = [body["outcome"] for body in told if "outcome" in body]
    asked = [tuple(body["missing_items"]) for body in told if "missing_items" in body]
    may_act = keyring.may_act()
    recovered, resealed = _recoveries(keyring)
    actions = engine.allowed(profile, case.state, REPORTER, now) if may_act else ()
    return Mailbox(
        ticket=case.ticket,
        state=profile.state(keyring.past().state or case.state),
        received=case.received,
        promises=_promises(uow, case, profile),
        pieces=pieces,
        missing_items=asked[-1] if asked else (),
        outcome=profile.outcome(outcomes[-1]) if outcomes else None,
        actions=actions,
        review_requested="review_requested" in now.flags,
        reporter=case.reporter,
        profile=profile,
        recovered=recovered,
        resealed=resealed,
        files=tuple(files(keyring)),
        watched=watched,
        looks=looks.of(keyring, profile),
    )


def act(uow: UnitOfWork, actor: Actor, transition_id: str, facts: Facts, item_id: str) -> None:
    """Take one of the reporter's own transitions; the same ``item_id`` twice counts once.

    Raises:
        Denied, NotFound: see :func:`open_own`.
        InvalidTransition, InvalidInput: see :func:`casework.handling.step.take`.
    """
    keyring, profile = open_own(uow, actor)
    if uow.session.get(Item, item_id) is not None:
        return
    facts = replace(facts, situation=step.situation(keyring, profile))
    step.take(keyring, profile, transition_id, REPORTER, facts, item_id=item_id)


def write_message(uow: UnitOfWork, actor: Actor, text: str, item_id: str) -> None:
    """Send the office a message; the same ``item_id`` twice is one message.

    Raises:
        Denied, NotFound: see :func:`open_own`.
        InvalidInput: the text is empty or too long.
    """
    keyring, _ = open_own(uow, actor)
    if acts.send(keyring, text, item_id):
        step.raise_flag(uow, keyring.case.id, desk.NEW_MESSAGE)


def has_item(uow: UnitOfWork, actor: Actor, item_id: str) -> bool:
    """Return whether the reporter has sent this form before. Raises: Denied, NotFound."""
    keyring, _ = open_own(uow, actor)
    item = uow.session.get(Item, item_id)
    return item is not None and item.case_id == keyring.case.id


def _recoveries(keyring: Keyring) -> tuple[tuple[date, ...], tuple[date, ...]]:
    """Return the days of recoveries for officers, and of those for a new recovery key alone."""
    entries = [one for one in keyring.past().entries if one.event == custody.RECOVERED]
    days: dict[bool, set[date]] = {True: set(), False: set()}
    for one in entries:
        key_alone = all(name.endswith(f":{RECOVERY}") for name in one.granted)
        days[key_alone].add(one.day)
    return tuple(sorted(days[False])), tuple(sorted(days[True]))


def _promises(uow: UnitOfWork, case: Case, profile: Profile) -> tuple[Promise, ...]:
    found = []
    for row in deadlines.running(uow.session, case.id):
        rule = profile.deadline(row.rule)
        if rule.public_label:
            mine = rule.responsible == REPORTER
            found.append(Promise(rule.public_label, row.due, rule.legal, mine))
    return tuple(found)
