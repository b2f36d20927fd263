"""Where officers want to be told; each sets and removes their own address.

The address stands in clear, because it is read while nobody is signed in. No leaf holds it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from casework.errors import Denied, InvalidInput
from casework.keys import accounts, roster
from casework.keys.tables import ADDRESS_MAX, NoticeAddress
from casework.keys.vocabulary import PersonKind
from casework.log.leaf import Draft, append, next_number

if TYPE_CHECKING:
    from casework.keys.actor import Actor
    from casework.store.unit import UnitOfWork

CHANGED: Final = "notice_address_changed"

LOCAL_MAX: Final = 64
"""Characters before the ``@`` (RFC 5321 §4.5.3.1.1)."""

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@{_LABEL}(?:\.{_LABEL})+")
"""One dot-atom address (RFC 5322 §3.4.1) at a domain of letters, digits and hyphens."""


def is_address(text: str) -> bool:
    """Return whether a text is one plain ASCII mail address and nothing besides."""
    found = _ADDRESS.fullmatch(text)
    return found is not None and len(text) <= ADDRESS_MAX and len(found[1]) <= LOCAL_MAX


def own(uow: UnitOfWork, actor: Actor) -> str:
    """Return the actor's address, or an empty text."""
    row = uow.session.get(NoticeAddress, actor.person_id)
    return row.address if row is not None else ""


def change(uow: UnitOfWork, actor: Actor, address: str) -> None:
    """Set the actor's address; an empty text removes it. What is new counts from now on.

    Raises:
        Denied: the actor is no officer in office today.
        RosterBroken, KeysSwapped: see :func:`casework.keys.accounts.vouched`.
        InvalidInput: not one plain address.
    """
    if actor.kind != PersonKind.OFFICER:
        raise Denied
    accounts.vouched(roster.load(uow), actor, uow.today())
    if address and not is_address(address):
        raise InvalidInput({"address": "notice.address"})
    if address == own(uow, actor):
        return
    append(uow, Draft(CHANGED, actor.person_id), actor.person.signing)
    row = uow.session.get(NoticeAddress, actor.person_id)
    if not address:
        uow.session.delete(row)
    elif row is not None:
        row.address, row.upto = address, next_number(uow)
    else:
        uow.session.add(
            NoticeAddress(person=actor.person_id, address=address, upto=next_number(uow))
        )
    uow.session.flush()
