"""Changing one's own passphrase: the same seed is sealed anew, and the old wrap goes, in one step.

The keys stay the same, so nothing else has to change hands. For the same reason it is no remedy
against somebody who has the old passphrase and a copy of the old rows and the pepper: they need
no new wrap to open. Such an officer needs new keys.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from unicodedata import normalize

from sqlalchemy import delete

from casework.errors import Conflict, InvalidInput
from casework.keys import accounts, passphrases, roster
from casework.keys.tables import Device, Wrap
from casework.log import leaf

if TYPE_CHECKING:
    from casework.keys.accounts import SignInKeys
    from casework.keys.actor import Actor
    from casework.keys.members import RosterPerson
    from casework.store.office import Office
    from casework.store.unit import UnitOfWork


@dataclass(frozen=True)
class Source:
    """What a drawn passphrase is drawn from: a secret of the session, and which attempt it is."""

    secret: bytes = field(repr=False)
    attempt: bytes = field(repr=False)


@dataclass(frozen=True)
class Typed:
    """What an officer typed: the passphrase in force and the new one."""

    old: str = field(repr=False)
    new: str = field(repr=False)


@dataclass(frozen=True)
class Renewal:
    """Stretched keys of a change that is not stored yet."""

    old: SignInKeys
    new: SignInKeys


def is_drawn(office: Office, actor: Actor) -> bool:
    """Return whether this officer's passphrase is drawn, never chosen.

    Raises:
        Denied: the officer is not in office today.
    """
    return passphrases.is_drawn(office.profile, _record(office, actor)[0].roles)


def draw(office: Office, source: Source) -> str:
    """Return the passphrase of an attempt, to be shown once and typed back."""
    return passphrases.draw(source.secret, office.pepper, source.attempt)


def renew(
    office: Office, actor: Actor, typed: Typed, source: Source | None, *, keep: str | None
) -> None:
    """Change an officer's passphrase; end their other sessions and forget their devices.

    ``source`` is what the new one was drawn from, where it must be drawn. ``keep`` is the name of
    the session that stays. Costs two KDFs, so never call it inside a transaction.

    Raises:
        InvalidInput: fields ``old`` and ``passphrase``: the old one is wrong, the new one is too
            weak, the same again, or not the drawn one.
        Conflict: it was changed meanwhile.
        Denied, KeysSwapped, CostTooLow: as at sign-in.
    """
    renewal = prepare(office, actor, typed, source)
    with office.write() as uow:
        store(uow, actor, renewal)
        # Before the commit: after a crash in between, sessions have ended for nothing, but none
        # that was opened with the old passphrase lives on beside the new one.
        office.sessions.end_all(actor.person_id, keep=keep)


def prepare(office: Office, actor: Actor, typed: Typed, source: Source | None) -> Renewal:
    """Check what was typed and stretch it; raises as :func:`renew`."""
    record, username = _record(office, actor)
    errors = {}
    old = accounts.officer_keys(office, username, typed.old)
    with office.read() as uow:
        found = accounts.locate_and_unwrap(uow, old)
    if found is None or found.person_id != actor.person_id:
        errors["old"] = "passphrase_wrong"
    if problem := _problem(office, record, username, typed, source):
        errors["passphrase"] = problem
    if errors:
        raise InvalidInput(errors)
    return Renewal(old, accounts.officer_keys(office, username, typed.new))


def store(uow: UnitOfWork, actor: Actor, renewal: Renewal) -> None:
    """Put the new wrap in place of the old one, signed into the log.

    Raises:
        Conflict: the old wrap is gone: the passphrase was changed meanwhile.
    """
    old = uow.session.get(Wrap, renewal.old.locator)
    if old is None or old.person != actor.person_id:
        raise Conflict("passphrase")
    new = accounts.make_wrap(actor.person_id, actor.person, renewal.new)
    uow.session.delete(old)
    uow.session.add(new)
    uow.session.execute(delete(Device).where(Device.person == actor.person_id))
    uow.session.flush()
    sealed = hashlib.sha256(new.sealed).hexdigest()
    draft = leaf.Draft("passphrase_changed", actor.person_id, objects=(sealed,))
    leaf.append(uow, draft, actor.person.signing)


def _record(office: Office, actor: Actor) -> tuple[RosterPerson, str]:
    """Return the roster's record of an officer in office, and the username that is signed there."""
    with office.read() as uow:
        record = accounts.vouched(roster.load(uow), actor, uow.today())
        return record, accounts.username_of(uow, record)


def _problem(
    office: Office, record: RosterPerson, username: str, typed: Typed, source: Source | None
) -> str | None:
    """Return the message key of what is wrong with the new passphrase, or ``None``."""
    if normalize("NFC", typed.new) == normalize("NFC", typed.old):
        return "passphrase_same"
    if passphrases.is_drawn(office.profile, record.roles):
        if source is None or not hmac.compare_digest(
            typed.new.encode("utf-8", "surrogatepass"), draw(office, source).encode()
        ):
            return "passphrase_not_drawn"
        return None
    return passphrases.problem(typed.new, (username, record.name, record.position, office.name))
