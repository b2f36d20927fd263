"""Dummy leaves: they fill the tree up before a checkpoint, so that its size tells of no visit.

A run is one row with a random seed. From the seed and the leaf before the run follows what each
dummy says, so that the leaf after the run, which names the last of them, pins what stood before.
Nobody who lacks the seed can tell the hash of a dummy from that of an act.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from casework.log import tree
from casework.log.tables import Padding
from crypto import canonical, merkle
from crypto.labels import Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casework.store.unit import UnitOfWork

EVENT: Final = "padding"
SEED_SIZE: Final = 32
_NUMBER_SIZE: Final = 8


def fill(uow: UnitOfWork, upto: int) -> int:
    """Append dummies until the tree has ``upto`` leaves; return how many. Raises: TreeDamaged."""
    tree.one_writer(uow.session)
    first, before = tree.end(uow.session)
    if first >= upto:
        return 0
    run = Padding(first=first, count=upto - first, seed=secrets.token_bytes(SEED_SIZE))
    uow.session.add(run)
    tree.add(uow.session, first, hashes(uow.office.instance_id, run, before))
    uow.session.flush()
    return run.count


def hashes(instance: str, run: Padding, before: bytes | None) -> Iterator[bytes]:
    """Yield the leaf hash of each dummy of a run, in order."""
    for number in range(run.first, run.first + run.count):
        yield merkle.leaf_hash(body(instance, run.seed, number, before))


def body(instance: str, seed: bytes, number: int, before: bytes | None) -> bytes:
    """Return the canonical bytes of the dummy at a place.

    ``before`` is the hash of the leaf before the run, 32 bytes; a run that is the first has none.
    """
    place = number.to_bytes(_NUMBER_SIZE) + (before or bytes(merkle.HASH_SIZE))
    nonce = hmac.digest(seed, Label.PADDING.encode() + b"\x00" + place, "sha256")
    return canonical.encode({"v": 1, "instance": instance, "event": EVENT, "nonce": nonce.hex()})


def runs(uow: UnitOfWork, since: int = 0) -> list[Padding]:
    """Return the runs that reach to or beyond a place, in order."""
    query = select(Padding).where(Padding.first + Padding.count > since)
    return list(uow.session.scalars(query.order_by(Padding.first)))
