"""The grants of one case: who holds which compartment, sealed to each holder and signed.

Two layers protect a compartment's seed. The inner age file is sealed to the holder and signed by
the granter. The outer layer is the case's shred key; it is replaced whenever the set of grants
changes, which needs no private key, so that a revoked grant kept in an old copy of the case
database opens nothing once the keystore has moved on.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.case.tables import Grant
from casework.errors import Denied
from casework.store.base import new_id
from crypto import envelope, shred, signatures
from crypto.age import HybridIdentity, HybridRecipient
from crypto.errors import Tampered
from crypto.labels import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy.orm import Session

    from casework.keys.actor import Actor

WHOLE, SHARE_A, SHARE_B = "whole", "a", "b"
KIND = "grant"
SEED_SIZE = 32


@dataclass(frozen=True)
class Holder:
    """Somebody who is to receive a compartment: a person and the key that the roster vouches for.

    ``recipient`` is the raw hybrid recipient of 1,216 bytes.
    """

    person_id: str
    recipient: bytes


@dataclass(frozen=True)
class Scope:
    """Which case a grant belongs to, and the roster version and day it is made under."""

    instance: str
    case_id: str
    roster_version: int
    day: date


def statement(scope_instance: str, row: Grant, inner: bytes) -> dict[str, str | int]:
    """Return what the granter signs: everything the row says, and the inner age file's hash."""
    return {
        "instance": scope_instance,
        "case": row.case_id,
        "compartment": row.compartment,
        "grant": row.id,
        "holder": row.holder,
        "share": row.share,
        "roster": row.roster_version,
        "day": row.granted.isoformat(),
        "sha256": hashlib.sha256(inner).hexdigest(),
    }


def header(instance: str, row: Grant) -> envelope.Header:
    """Return the envelope header that binds a grant to its row."""
    return envelope.Header(
        instance=instance,
        case=row.case_id,
        compartment=row.compartment,
        item=row.id,
        version=1,
        kind=KIND,
        author=row.granter,
        name=f"{row.holder}:{row.share}",
        media_type="application/octet-stream",
        day=row.granted.isoformat(),
    )


def make(
    scope: Scope,
    compartment: str,
    seed: bytes,
    holder: Holder,
    granter: Actor,
    *,
    share: str = WHOLE,
) -> tuple[Grant, bytes]:
    """Seal ``seed`` (32 bytes) to a holder; return the row and its inner age file.

    The row's ``sealed`` is still empty: :func:`wrap` adds the outer layer.
    """
    row = Grant(
        id=new_id(),
        case_id=scope.case_id,
        compartment=compartment,
        holder=holder.person_id,
        share=share,
        roster_version=scope.roster_version,
        granted=scope.day,
        granter=granter.person_id,
        signature=b"",
        sealed=b"",
    )
    recipient = HybridRecipient.from_bytes(holder.recipient)
    inner = envelope.seal(header(scope.instance, row), seed, [recipient])
    row.signature = granter.person.signing.sign(
        Purpose.GRANT, statement(scope.instance, row, inner)
    )
    return row, inner


def wrap(row: Grant, inner: bytes, shred_key: bytes) -> None:
    """Put the outer layer around a grant."""
    row.sealed = shred.wrap(shred_key, row.id.encode(), inner)


def unwrap(row: Grant, shred_key: bytes) -> bytes:
    """Take the outer layer off; needs no private key.

    Raises:
        Tampered: the row was changed, or the shred key is another case's.
    """
    return shred.unwrap(shred_key, row.id.encode(), row.sealed)


def open_grant(
    instance: str,
    row: Grant,
    shred_key: bytes,
    actor: Actor,
    granter_key: bytes,
) -> bytes:
    """Return the seed or share that a grant holds, after checking who made it.

    ``granter_key`` verifies the granter's signature.

    Raises:
        Tampered: the signature, the row or the ciphertext does not belong together.
        Denied: the grant is not the actor's.
    """
    if row.holder != actor.person_id:
        raise Denied
    inner = unwrap(row, shred_key)
    signatures.verify(granter_key, Purpose.GRANT, statement(instance, row, inner), row.signature)
    seed = envelope.unseal(inner, actor.person.identity, header(instance, row))
    if len(seed) != SEED_SIZE:
        raise Tampered("a grant holds something else than a seed")
    return seed


def rewrap(rows: Iterable[Grant], old_key: bytes, new_key: bytes) -> None:
    """Replace the outer layer of every grant of a case.

    Raises:
        Tampered: a grant cannot be unwrapped; nothing may be committed then.
    """
    for row in rows:
        wrap(row, unwrap(row, old_key), new_key)


def new_identity() -> HybridIdentity:
    """Return a fresh identity for a new compartment."""
    return HybridIdentity.generate()


def identity_of(seed: bytes) -> HybridIdentity:
    """Return the age identity of a compartment from its seed."""
    return HybridIdentity.from_seed(seed)


def rows_of(session: Session, case_id: str) -> list[Grant]:
    """Return every grant of a case, in the order of compartment and holder."""
    return list(
        session.scalars(
            select(Grant)
            .where(Grant.case_id == case_id)
            .order_by(Grant.compartment, Grant.holder, Grant.share)
        )
    )
