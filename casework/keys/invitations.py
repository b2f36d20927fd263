"""Invitations: an admin states who is to come, and hands over a code that works once.

Being invited gives nothing. Whoever uses the code makes keys of their own and waits for an
approver, who sees the same name, position and roles. The code is stored nowhere, only a name that
is derived from it; an invitation that is unknown, used, withdrawn or too old is answered alike.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from casework.errors import Conflict, Denied, InvalidInput, NotFound
from casework.keys import accounts, enrol, factors, roster, stated
from casework.keys.tables import Enrolment, Invitation
from casework.keys.tables import Person as PersonRow
from casework.keys.vocabulary import InvitationState
from casework.log import leaf
from casework.store.base import new_id
from crypto.age import HybridIdentity
from crypto.labels import Label, derive

if TYPE_CHECKING:
    from datetime import date

    from casework.keys.accounts import SignInKeys
    from casework.keys.actor import Actor
    from casework.keys.enrol import Prepared
    from casework.keys.factors import NewFactor
    from casework.keys.parts import PublicPart
    from casework.store.office import Office
    from casework.store.unit import UnitOfWork
    from crypto.signatures import SigningKey

LIFETIME_SECONDS: Final = 72 * 3600
TOKEN_SIZE: Final = 20
"""Bytes of a token: 160 bits, 32 characters of a code."""

_GROUP: Final = 4
# RFC 4648 Base32 as Crockford writes it: no letter that looks like a digit.
_WRITTEN: Final = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)
_READ: Final = str.maketrans(
    "0123456789ABCDEFGHJKMNPQRSTVWXYZOIL", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567ABB"
)
_ALPHABET: Final = frozenset("0123456789ABCDEFGHJKMNPQRSTVWXYZOIL")
_CODE_LENGTH: Final = TOKEN_SIZE * 8 // 5
_LONGEST_CODE: Final = 200


class InvitationRefused(NotFound):
    """No such invitation, or not any more; which of the two, nobody is told."""


@dataclass(frozen=True)
class Invitee:
    """What an admin states of somebody who is to come.

    ``unit`` is joined to the position. ``replaces`` is the id of the person whose keys are lost.
    """

    username: str
    name: str
    position: str
    roles: tuple[str, ...]
    unit: str = ""
    replaces: str | None = None


@dataclass(frozen=True)
class Printed:
    """A new invitation with its code, which exists here and on paper only."""

    invitation_id: str
    token: bytes = field(repr=False)
    expires: int

    @property
    def code(self) -> str:
        """The token as it is printed."""
        return write(self.token)


@dataclass(frozen=True)
class Found:
    """Whom an invitation means, as it is stored; times in seconds since the epoch."""

    invitation_id: str
    username: str
    name: str
    position: str
    roles: tuple[str, ...]
    created: date
    expires: int
    replaces: str | None
    person: str | None
    state: InvitationState


def write(token: bytes) -> str:
    """Return a token as a code: eight groups of four digits and capitals."""
    text = base64.b32encode(token).decode().translate(_WRITTEN)
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def read(code: str) -> bytes | None:
    """Return the token of a typed code, however it was spaced, or None if it can be none."""
    text = "".join(char for char in code[:_LONGEST_CODE].upper() if char.isalnum())
    if len(text) != _CODE_LENGTH or not _ALPHABET.issuperset(text):
        return None
    return base64.b32decode(text.translate(_READ))


def carrier(office: Office, token: bytes) -> HybridIdentity:
    """Return the key of what travels from one page of an enrolment to the next.

    It takes the token, which only the officer has, and the pepper, which no page shows.
    """
    return HybridIdentity.from_seed(derive(Label.INVITATION_SEAL, token, salt=office.pepper))


def invite(uow: UnitOfWork, admin: Actor | None, invitee: Invitee) -> Printed:
    """Store an invitation; ``admin`` is None for whoever has the machine itself.

    Raises:
        Denied: the actor is no admin.
        InvalidInput: everything that is wrong, at once.
    """
    actor, signing = _authority(uow, admin)
    username = accounts.fold_username(invitee.username)
    errors = {
        **stated.line_error("name", invitee.name),
        **stated.line_error("position", position_of(invitee)),
        **stated.roles_error(uow.office.profile, invitee.roles),
        **(stated.username_error(username) or _taken(uow, username)),
    }
    if invitee.replaces is not None and uow.session.get(Enrolment, invitee.replaces) is None:
        errors["replaces"] = "person_unknown"
    if errors:
        raise InvalidInput(errors)
    token, expires = secrets.token_bytes(TOKEN_SIZE), _seconds(uow) + LIFETIME_SECONDS
    row = Invitation(
        id=new_id(),
        name_of_token=derive(Label.INVITATION, token),
        username=username,
        name=invitee.name.strip(),
        position=position_of(invitee),
        roles=",".join(sorted(invitee.roles)),
        created_day=uow.today(),
        expires=expires,
        withdrawn=False,
        replaces=invitee.replaces,
        person=None,
    )
    uow.session.add(row)
    facts = {"invitation": row.id, "roles": sorted(invitee.roles)}
    leaf.append(uow, leaf.Draft("invited", actor, facts=facts), signing)
    return Printed(row.id, token, expires)


def withdraw(uow: UnitOfWork, admin: Actor | None, invitation_id: str) -> None:
    """Take an unused invitation back.

    Raises:
        Denied: the actor is no admin.
        NotFound: there is no such invitation.
        Conflict: it was used or withdrawn meanwhile.
    """
    actor, signing = _authority(uow, admin)
    row = uow.session.get(Invitation, invitation_id)
    if row is None:
        raise NotFound("invitation")
    if row.withdrawn or row.person is not None:
        raise Conflict("invitation")
    row.withdrawn = True
    draft = leaf.Draft("invitation_withdrawn", actor, facts={"invitation": row.id})
    leaf.append(uow, draft, signing)


def listing(uow: UnitOfWork) -> tuple[Found, ...]:
    """Return every invitation, the newest first."""
    rows = uow.session.scalars(
        select(Invitation).order_by(Invitation.expires.desc(), Invitation.id)
    )
    return tuple(_found(uow, row) for row in rows)


def find(uow: UnitOfWork, token: bytes | None) -> Found:
    """Return whom a token invites.

    The same work is done for every token, and for none (a code that cannot be one).

    Raises:
        InvitationRefused: it invites nobody, or not any more.
    """
    found = look(uow, token)
    if found.state is not InvitationState.OPEN:
        raise InvitationRefused
    return found


def look(uow: UnitOfWork, token: bytes | None) -> Found:
    """Return whom a token invites or invited, whatever became of it.

    Raises:
        InvitationRefused: it never invited anybody.
    """
    found = _look_up(uow, token)
    if found is None:
        raise InvitationRefused
    return found


def redeem(
    uow: UnitOfWork,
    token: bytes,
    prepared: Prepared,
    factor: tuple[NewFactor, int] | None,
) -> PublicPart:
    """Store an invited officer with their keys, and spend the invitation.

    ``factor`` is the confirmed second factor and the time step of the code that confirmed it;
    None only where the office has none.

    Raises:
        InvitationRefused: it invites nobody any more, or not this person.
        Denied: the second factor is missing.
    """
    found = find(uow, token)
    part = prepared.part
    shown = (found.username, found.name, found.position, found.roles)
    if shown != (part.handle, part.name, part.position, part.roles):
        raise InvitationRefused
    if uow.office.second_factor and factor is None:
        raise Denied("second factor")
    try:
        enrol.store(uow, prepared, found.invitation_id)
    except InvalidInput:
        # Somebody took the username meanwhile: as good as used.
        raise InvitationRefused from None
    if factor is not None:
        factors.store(uow, prepared.actor, *factor)
    row = uow.session.get_one(Invitation, found.invitation_id)
    row.person = part.person_id
    uow.session.flush()
    return part


def redeemed(uow: UnitOfWork, token: bytes, keys: SignInKeys) -> PublicPart | None:
    """Return who used an invitation, for that very officer: an answer may get lost on its way.

    ``keys`` come from username and passphrase; None for whoever has other ones.
    """
    found = _look_up(uow, token)
    actor = accounts.locate_and_unwrap(uow, keys)
    if found is None or actor is None or found.person != actor.person_id:
        return None
    return enrol.enrolled_one(uow, actor.person_id)


def proposed_username(uow: UnitOfWork, username: str) -> str:
    """Return a free username after a person's former one: ``name-2``, then ``name-3``."""
    stem, _, number = username.rpartition("-")
    base = stem if stem and number.isdecimal() else username
    count = 2
    while _taken(uow, f"{base}-{count}"):
        count += 1
    return f"{base}-{count}"


def position_of(invitee: Invitee) -> str:
    """Return position and unit as the roster writes them."""
    both = (invitee.position.strip(), invitee.unit.strip())
    return ", ".join(part for part in both if part) if both[0] else ""


def _authority(uow: UnitOfWork, admin: Actor | None) -> tuple[str, SigningKey | None]:
    """Return the actor of a leaf, and the key that signs it. Raises: Denied."""
    if admin is None:
        return leaf.SYSTEM, None
    record = accounts.vouched(roster.load(uow), admin, uow.today())
    if not any(uow.office.profile.role(role).admin for role in record.roles):
        raise Denied("not an admin")
    return admin.person_id, admin.person.signing


def _taken(uow: UnitOfWork, username: str) -> dict[str, str]:
    """Return the field error of a username that somebody has, or is invited under."""
    held = uow.session.scalar(select(PersonRow.id).where(PersonRow.username == username))
    promised = uow.session.scalar(
        select(Invitation.id).where(
            Invitation.username == username,
            Invitation.person.is_(None),
            ~Invitation.withdrawn,
            Invitation.expires > _seconds(uow),
        )
    )
    return {"username": "username_taken"} if held or promised else {}


def _look_up(uow: UnitOfWork, token: bytes | None) -> Found | None:
    name = derive(Label.INVITATION, token or bytes(TOKEN_SIZE))
    row = uow.session.scalar(select(Invitation).where(Invitation.name_of_token == name))
    return None if row is None or token is None else _found(uow, row)


def _found(uow: UnitOfWork, row: Invitation) -> Found:
    return Found(
        invitation_id=row.id,
        username=row.username,
        name=row.name,
        position=row.position,
        roles=tuple(row.roles.split(",")),
        created=row.created_day,
        expires=row.expires,
        replaces=row.replaces,
        person=row.person,
        state=_state(uow, row),
    )


def _state(uow: UnitOfWork, row: Invitation) -> InvitationState:
    if row.person is not None:
        return InvitationState.USED
    if row.withdrawn:
        return InvitationState.WITHDRAWN
    return InvitationState.OPEN if _seconds(uow) < row.expires else InvitationState.EXPIRED


def _seconds(uow: UnitOfWork) -> int:
    return int(uow.now().timestamp())
