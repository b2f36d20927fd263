"""Signing in: what a person knows becomes a locator and a key; the locator finds the row.

Since the locator depends on name and secret together, an unknown name and a wrong secret are the
same to this code: one stretching, one look-up, nothing found.
"""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from casework.errors import CaseworkError, Denied, Untrustworthy
from casework.keys.actor import Actor
from casework.keys.tables import Person as PersonRow
from casework.keys.tables import Wrap
from casework.keys.vocabulary import PersonKind, WrapKind
from crypto import kdf
from crypto.errors import CryptoError
from crypto.labels import Label, derive
from crypto.persons import Person, unwrap_seed, wrap_seed

if TYPE_CHECKING:
    from datetime import date

    from casework.keys.members import Roster, RosterPerson
    from casework.store.office import Office
    from casework.store.unit import UnitOfWork
    from crypto.kdf import Kdf

_KINDS = {WrapKind.PASSPHRASE: PersonKind.OFFICER, WrapKind.SECRET_KEY: PersonKind.REPORTER}


class CostTooLow(CaseworkError):
    """Production may not stretch secrets this cheaply."""


class KeysSwapped(Untrustworthy):
    """The secret was right, but the rows it leads to are not this person's: somebody wrote there.

    Nobody is signed in, and an admin cannot repair it: the backup or the machine needs a look.
    """


@dataclass(frozen=True)
class SignInKeys:
    """What a name and a secret come to: where the wrap lies, and what opens it."""

    kind: WrapKind
    kdf_id: str
    locator: bytes = field(repr=False)
    wrap_key: bytes = field(repr=False)


def fold_username(text: str) -> str:
    """Return a username as it is compared: compatibility forms, case and outer space folded."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def officer_keys(office: Office, username: str, passphrase: str) -> SignInKeys:
    """Stretch an officer's passphrase and mix it with the pepper.

    Takes the time and memory of the KDF, so it belongs into a worker thread and never inside a
    transaction. A name or passphrase of any content is answered alike.

    Raises:
        CostTooLow: the office is in production and the KDF is below the floor.
    """
    check_costs(office)
    salt = derive(
        Label.SIGN_IN_SALT,
        office.instance_id.encode(),
        context=fold_username(username).encode("utf-8", "surrogatepass"),
    )
    typed = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    stretched = kdf.stretch(typed, salt, office.passphrase_kdf)
    peppered = derive(Label.PASSPHRASE_PEPPER, stretched, salt=office.pepper)
    return _keys(WrapKind.PASSPHRASE, peppered, office.passphrase_kdf)


def reporter_keys(instance: str, ticket: str, entropy: bytes, cost: Kdf) -> SignInKeys:
    """Stretch a reporter's secret key (10 bytes of entropy) with the ticket as salt.

    ``ticket`` is one that :func:`crypto.ticket.parse` or ``make`` returned. Called like
    :func:`officer_keys`: in a worker thread, outside any transaction.
    """
    salt = derive(Label.SIGN_IN_SALT, instance.encode(), context=ticket.encode())
    return _keys(WrapKind.SECRET_KEY, kdf.stretch(entropy, salt, cost), cost)


def check_costs(office: Office) -> None:
    """Refuse to run in production with a KDF below its floor; wherever else, any will do.

    Raises:
        CostTooLow: naming the kind and the cost.
    """
    if not office.production:
        return
    for kind, cost, floor in (
        (WrapKind.PASSPHRASE, office.passphrase_kdf, kdf.PASSPHRASE),
        (WrapKind.SECRET_KEY, office.secret_key_kdf, kdf.SECRET_KEY),
    ):
        if kdf.below_floor(cost, floor):
            raise CostTooLow(f"{kind}: {cost.id}")


def make_wrap(person_id: str, person: Person, keys: SignInKeys) -> Wrap:
    """Return the row that lets ``keys`` lead back to ``person``; the locator is bound into it."""
    return Wrap(
        locator=keys.locator,
        person=person_id,
        kind=keys.kind.value,
        kdf_id=keys.kdf_id,
        sealed=wrap_seed(person.seed, keys.wrap_key, keys.locator),
    )


def locate_and_unwrap(uow: UnitOfWork, keys: SignInKeys) -> Actor | None:
    """Return who signs in, or None: there is no such name, or the secret is wrong.

    An officer must then still be on the roster (:func:`vouched`).

    Raises:
        KeysSwapped: the rows found do not belong together.
    """
    wrap = uow.session.get(Wrap, keys.locator)
    if wrap is None or not secrets.compare_digest(wrap.locator, keys.locator):
        return None
    row = uow.session.get(PersonRow, wrap.person)
    if row is None or wrap.kind != keys.kind or row.kind != _KINDS[keys.kind]:
        raise KeysSwapped
    try:
        person = Person.from_seed(unwrap_seed(wrap.sealed, keys.wrap_key, keys.locator))
    except CryptoError:
        raise KeysSwapped from None
    if (person.public.recipient, person.public.verify_key) != (row.recipient, row.verify_key):
        raise KeysSwapped
    return Actor(row.id, person, PersonKind(row.kind))


def vouched(roster: Roster, actor: Actor, day: date) -> RosterPerson:
    """Return the roster's record of a signed-in officer, in force on ``day``.

    Raises:
        Denied: the officer is not active on the roster.
        KeysSwapped: the roster knows this person by other keys.
    """
    record = roster.person_on(actor.person_id, day)
    if record is None:
        raise Denied("not active on the roster")
    if record.keys != actor.person.public:
        raise KeysSwapped
    return record


def username_of(uow: UnitOfWork, record: RosterPerson) -> str:
    """Return the name that an officer signs in with: the signed one, where the roster has it."""
    if record.handle is not None:
        return record.handle
    row = uow.session.get(PersonRow, record.person_id)
    return "" if row is None or row.username is None else row.username


def _keys(kind: WrapKind, secret: bytes, cost: Kdf) -> SignInKeys:
    context = kind.value.encode()
    return SignInKeys(
        kind=kind,
        kdf_id=cost.id,
        locator=derive(Label.SIGN_IN_LOCATOR, secret, context=context),
        wrap_key=derive(Label.SIGN_IN_WRAP, secret, context=context),
    )
