"""Append a leaf: the trace of one act, written in the transaction of the act itself.

A leaf is RFC 8785 canonical JSON, and one of the tree (:mod:`casework.log.tree`). It names sealed
objects by the SHA-256 of their ciphertext; it never holds a hash of a plaintext, and no time
finer than the day. A random salt in each keeps its hash from being guessed, also after the body
was erased.

Each leaf names the one before it in the log, so that no place can be filled with another. The
leaves of a case are a chain of their own, too: each names its place in it, the leaf before it and
the submission. What is taken out of the middle is missed, and what an officer has once built on
cannot be rewritten.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
from sqlalchemy import func, select

from casework.log import tree
from casework.log.tables import Leaf
from crypto import canonical, signatures
from crypto.errors import CryptoError
from crypto.labels import Purpose
from crypto.merkle import leaf_hash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from casework.store.unit import UnitOfWork
    from crypto.signatures import SigningKey

__all__ = ["Draft", "append", "is_searchable", "is_signed", "leaf_hash", "next_number", "read"]

LEAF_FORMAT = 1
SALT_SIZE = 16
"""Random bytes in each leaf."""

SYSTEM = "system"

_UNSAFE_INTEGER: Final = 2**53
"""From here on integers have no canonical encoding."""


@dataclass(frozen=True)
class Draft:
    """What a leaf will say: the event, its actor, its case, and the objects it touched."""

    event: str
    actor: str
    case: str | None = None
    objects: Sequence[str] = ()
    facts: Mapping[str, Any] | None = None


def next_number(uow: UnitOfWork) -> int:
    """Return the number that the next leaf of this transaction will have."""
    return tree.size(uow.session)


def append(uow: UnitOfWork, draft: Draft, signing: SigningKey | None = None) -> int:
    """Append one leaf inside the open transaction and return its number.

    ``signing`` is the acting person's key; only the system acts without one. The objects are
    hex SHA-256 of ciphertexts, listed in sorted order.
    """
    tree.one_writer(uow.session)
    number, before = tree.end(uow.session)
    content: dict[str, Any] = {
        "v": LEAF_FORMAT,
        "instance": uow.office.instance_id,
        "event": draft.event,
        "actor": draft.actor,
        "case": draft.case,
        "day": uow.today().isoformat(),
        "log": None if before is None else before.hex(),
        "objects": sorted(draft.objects),
        "salt": secrets.token_hex(SALT_SIZE),
        **(draft.facts or {}),
        **({} if draft.case is None else _link(uow, draft.case)),
    }
    body = canonical.encode(content)
    digest = leaf_hash(body)
    signature = None
    if signing is not None:
        signature = signing.sign(Purpose.LEAF, {"hash": digest.hex(), "number": number})
    uow.session.add(
        Leaf(
            number=number,
            hash=digest,
            body=body.decode(),
            case_id=draft.case,
            actor=draft.actor,
            event=draft.event,
            day=uow.today(),
            signature=signature,
        )
    )
    tree.add(uow.session, number, [digest])
    uow.session.flush()
    return number


def _link(uow: UnitOfWork, case_id: str) -> dict[str, Any]:
    """Return what binds the next leaf of a case to those before it.

    ``seq`` counts from 0; ``prev`` and ``first`` are the hex hashes of the case's last leaf and
    of its submission. A damaged leaf is built on as it stands, so that it cannot vanish later.
    """
    mine = select(Leaf).where(Leaf.case_id == case_id)
    last = uow.session.scalar(mine.order_by(Leaf.number.desc()).limit(1))
    if last is None:
        return {"seq": 0, "prev": None, "first": None}
    first = uow.session.scalars(mine.order_by(Leaf.number).limit(1)).one()
    seq = (read(last) or {}).get("seq")
    if not isinstance(seq, int) or not 0 <= seq <= last.number:
        count = select(func.count()).select_from(Leaf).where(Leaf.case_id == case_id)
        seq = (uow.session.scalar(count) or 1) - 1
    return {"seq": seq + 1, "prev": last.hash.hex(), "first": first.hash.hex()}


def read(row: Leaf) -> dict[str, Any] | None:
    """Return what a leaf says, or ``None`` if its body is gone or is not what its hash names."""
    # SQLite keeps values of any type in any column.
    if not isinstance(row.body, str) or leaf_hash(row.body.encode()) != row.hash:
        return None
    try:
        content = _decoded(row.body.encode())
    except CryptoError:
        return None
    if not isinstance(content, dict):
        return None
    return content


def _decoded(raw: bytes) -> Any:
    """Return the value of canonical JSON as :func:`canonical.decode` does, many times faster.

    Without characters beyond ASCII and without escapes, there is only one way to write strings
    and to order keys; whatever is not plain is left to the slow way. Raises: Malformed.
    """
    if raw.isascii() and b"\\" not in raw:
        with suppress(msgspec.MsgspecError, RecursionError):
            content = msgspec.json.decode(raw)
            if _is_plain(content) and msgspec.json.encode(content, order="sorted") == raw:
                return content
    return canonical.decode(raw)


def _is_plain(content: object) -> bool:
    """Return whether decoded JSON holds neither floats nor integers without canonical encoding."""
    waiting: list[object] = [content]
    for one in waiting:  # grows on the way
        kind = type(one)
        if kind is dict:
            waiting.extend(cast("dict[str, object]", one).values())
        elif kind is list:
            waiting.extend(cast("list[object]", one))
        elif kind is float or (kind is int and abs(cast("int", one)) >= _UNSAFE_INTEGER):
            return False
    return True


def is_searchable(row: Leaf, body: Mapping[str, Any]) -> bool:
    """Return whether the columns that lists are searched by say what the leaf says."""
    said = (body.get("event"), body.get("day"), body.get("actor"), body.get("case"))
    return said == (row.event, row.day.isoformat(), row.actor, row.case_id)


def is_signed(row: Leaf, actor: str, verify_key_of: Callable[[str], bytes]) -> bool:
    """Return whether ``actor`` signed a leaf; acts of the system need no signature."""
    if actor == SYSTEM:
        return row.signature is None
    signed = statement(row.hash, row.number)
    try:
        signatures.verify_encoded(verify_key_of(actor), Purpose.LEAF, signed, row.signature or b"")
    except CryptoError:
        return False
    return True


def statement(digest: bytes, number: int) -> bytes:
    """Return what the signature of a leaf is over: its hash and number, in canonical JSON.

    Verifying a log encodes nothing else so often, and this is many times faster than in general.
    """
    return b'{"hash":"%b","number":%d}' % (digest.hex().encode(), number)
