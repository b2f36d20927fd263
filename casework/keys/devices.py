"""Known devices: browsers from which an officer has signed in before.

A browser keeps a random token of 256 bits; the database keeps a name derived from it, whose it is,
and the day of the last good sign-in. A token opens nothing. It only lets its officer's tries at
signing in wait apart from those of strangers, so that a rush of wrong tries keeps nobody out.

A device is known for the officers who earned it and for nobody else: on a computer that two
officers share, one token is known for both; for any other name it is the token of a stranger.
"""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select

from casework.keys.accounts import fold_username
from casework.keys.tables import Device
from casework.keys.tables import Person as PersonRow
from crypto.labels import Label, derive

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from casework.store.unit import UnitOfWork

KNOWN_DAYS: Final = 180
"""Days after its last good sign-in for which a device stays known."""

TOKEN_BYTES: Final = 32
# One spelling for each token.
_TOKEN: Final = re.compile(r"[0-9a-f]{64}")


def known(uow: UnitOfWork, token: str, username: str) -> str | None:
    """Return the id of the officer called `username` if this device is known for them.

    One look-up whatever was typed, so that neither answer nor time tells who exists.
    """
    if not _TOKEN.fullmatch(token):
        return None
    return uow.session.scalar(
        select(Device.person)
        .join(PersonRow, PersonRow.id == Device.person)
        .where(
            Device.name_of_token == _name(token),
            Device.seen_day >= uow.today() - timedelta(days=KNOWN_DAYS),
            PersonRow.username == fold_username(username),
        )
    )


def remember(uow: UnitOfWork, person: str, token: str) -> str:
    """Note that an officer has just signed in from a device, and return its token from now on.

    A token that is known for nobody is never taken over: whoever put it into the browser may hold
    a copy. The device then gets a new one.
    """
    if not _is_known(uow, token):
        token = secrets.token_hex(TOKEN_BYTES)
    uow.session.merge(Device(name_of_token=_name(token), person=person, seen_day=uow.today()))
    return token


def forget_all(uow: UnitOfWork, person: str) -> int:
    """Make every device of an officer unknown for them; return how many there were."""
    return _deleted(uow, Device.person == person)


def sweep(uow: UnitOfWork) -> int:
    """Forget the devices that were not seen for `KNOWN_DAYS`; return how many."""
    return _deleted(uow, Device.seen_day < uow.today() - timedelta(days=KNOWN_DAYS))


def tries_of(token: str) -> str:
    """Return the name of a device's own budget; no row of the database leads to it."""
    return derive(Label.DEVICE, bytes.fromhex(token), context=b"tries").hex()


def _is_known(uow: UnitOfWork, token: str) -> bool:
    if not _TOKEN.fullmatch(token):
        return False
    found = select(Device.person).where(Device.name_of_token == _name(token)).limit(1)
    return uow.session.scalar(found) is not None


def _name(token: str) -> bytes:
    return derive(Label.DEVICE, bytes.fromhex(token))


def _deleted(uow: UnitOfWork, condition: ColumnElement[bool]) -> int:
    return len(uow.session.execute(delete(Device).where(condition).returning(Device.person)).all())
