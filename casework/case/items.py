"""The items of a case: sealed to their compartment, signed by their author, checked on opening."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from casework.case.tables import Item, Part
from casework.store.base import new_id
from crypto import canonical, envelope, signatures
from crypto.errors import Malformed, Tampered
from crypto.labels import Purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from sqlalchemy.orm import Session

    from casework.keys.actor import Actor
    from crypto.age import HybridIdentity, HybridRecipient

MEDIA_TYPE = "application/json"
TEXT_NAME = ""


@dataclass(frozen=True)
class Place:
    """Where an item lies: instance, case, compartment; and the day it is written."""

    instance: str
    case_id: str
    compartment: str
    day: date


@dataclass(frozen=True)
class Sealed:
    """A sealed and signed item that is not stored yet."""

    item: Item
    part: Part

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the ciphertext, as the log leaf names it."""
        return self.item.digest.hex()


@dataclass(frozen=True)
class Opened:
    """An item as its author wrote it, after every check.

    ``body`` is the author's JSON object; it is kept out of any representation.
    """

    item_id: str
    compartment: str
    kind: str
    author: str
    day: date
    leaf: int
    body: Mapping[str, Any] = field(repr=False)


def header(instance: str, item: Item) -> envelope.Header:
    """Return the envelope header that binds an item to its row."""
    return envelope.Header(
        instance=instance,
        case=item.case_id,
        compartment=item.compartment,
        item=item.id,
        version=item.version,
        kind=item.kind,
        author=item.author,
        name=TEXT_NAME,
        media_type=MEDIA_TYPE,
        day=item.day.isoformat(),
    )


def statement(instance: str, item: Item) -> dict[str, str | int]:
    """Return what the author signs."""
    return {
        "instance": instance,
        "case": item.case_id,
        "compartment": item.compartment,
        "item": item.id,
        "version": item.version,
        "kind": item.kind,
        "author": item.author,
        "day": item.day.isoformat(),
        "sha256": item.digest.hex(),
    }


def seal(
    place: Place,
    kind: str,
    body: Mapping[str, Any],
    author: Actor,
    recipient: HybridRecipient,
    *,
    item_id: str | None = None,
) -> Sealed:
    """Seal a JSON object to a compartment's recipient and sign it.

    ``item_id`` may be given by a form, so that the same form sent twice is one item.
    """
    item = Item(
        id=item_id or new_id(),
        case_id=place.case_id,
        compartment=place.compartment,
        kind=kind,
        version=1,
        author=author.person_id,
        day=place.day,
        digest=b"",
        signature=b"",
        leaf=-1,
    )
    sealed = envelope.seal(header(place.instance, item), canonical.encode(body), [recipient])
    item.digest = hashlib.sha256(sealed).digest()
    item.signature = author.person.signing.sign(Purpose.ITEM, statement(place.instance, item))
    part = Part(item_id=item.id, number=1, count=1, digest=item.digest, sealed=sealed)
    return Sealed(item, part)


def store(session: Session, sealed: Sealed, leaf: int) -> None:
    """Add a sealed item to the open transaction, in the place in the story that its leaf gives."""
    sealed.item.leaf = leaf
    session.add(sealed.item)
    session.flush()
    session.add(sealed.part)


def check_signature(instance: str, item: Item, verify_key_of: Callable[[str], bytes]) -> None:
    """Check that an item's row is what its author signed.

    Raises:
        Tampered, Malformed: it is not.
    """
    signatures.verify(
        verify_key_of(item.author), Purpose.ITEM, statement(instance, item), item.signature
    )


def open_item(
    session: Session,
    instance: str,
    item: Item,
    identity: HybridIdentity,
    verify_key_of: Callable[[str], bytes],
) -> Opened:
    """Open an item after checking its signature, its hash and the row it was read from.

    Raises:
        Tampered: anything about row, signature or ciphertext does not belong together.
        WrongKey: the compartment's key is another one.
        Malformed: the author's text is not the JSON object that it should be.
    """
    check_signature(instance, item, verify_key_of)
    parts = session.scalars(select(Part).where(Part.item_id == item.id)).all()
    if len(parts) != 1 or parts[0].count != 1:
        raise Tampered("an item has lost or gained a part")
    sealed = parts[0].sealed
    if hashlib.sha256(sealed).digest() != item.digest:
        raise Tampered("the sealed text of an item was changed")
    body = canonical.decode(envelope.unseal(sealed, identity, header(instance, item)))
    if not isinstance(body, dict):
        raise Malformed("an item is not a JSON object")
    return Opened(
        item_id=item.id,
        compartment=item.compartment,
        kind=item.kind,
        author=item.author,
        day=item.day,
        leaf=item.leaf,
        body=body,
    )
