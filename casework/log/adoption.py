"""A log that began before it had a key: it gets its first one with the upgrade, and says so.

New instances name their first key in the first leaf of all; here a later leaf names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from casework.log import keys, leaf, tree
from casework.log.keys import LogKeysBroken
from casework.log.tables import Leaf, LogKeyRow

if TYPE_CHECKING:
    from casework.store.unit import UnitOfWork


def is_due(uow: UnitOfWork) -> bool:
    """Return whether there is a log, and no key of it.

    Raises:
        LogKeysBroken: none is stored, though a leaf names one or the first leaf cannot be read.
    """
    if not tree.size(uow.session) or has_key(uow):
        return False
    if not _began_without(uow) or _is_named(uow):
        raise LogKeysBroken("none")
    return True


def adopt(uow: UnitOfWork) -> bool:
    """Make the key in the file the first one of a log that has none; return whether it had none.

    A leaf names it in the same transaction. Done once; again, nothing happens.

    Raises:
        LogKeyMissing: the file is gone.
        LogKeysBroken: none is stored, though a leaf names one.
    """
    if not is_due(uow):
        return False
    keys.name_in_log(uow, keys.found(uow))
    return True


def adopted_at(uow: UnitOfWork) -> int | None:
    """Return the number of the leaf that named the first key, where the first leaf of all did not.

    The first leaf cannot be changed unseen, so that no later one passes for such a leaf in a log
    that had its key from the beginning. Else the key itself has signed where its leaf stands.
    """
    if not _began_without(uow):
        return None
    try:
        first = next(keys.followed(uow), None)
    except LogKeysBroken:
        return None
    if first is None:
        return None
    named = _body(uow, _leaf(uow, first.size)).get(keys.FACT)
    return first.size if named == first.new.to_text() else None


def is_older(uow: UnitOfWork, case_id: str) -> bool:
    """Return whether a case was reported before the log got a key; never, if it began with one."""
    adopted = adopted_at(uow)
    first = uow.session.scalar(
        select(Leaf).where(Leaf.case_id == case_id).order_by(Leaf.number).limit(1)
    )
    # The column finds the leaf of the report, what the leaf says decides.
    if adopted is None or first is None or _body(uow, first).get("case") != case_id:
        return False
    return first.number < adopted


def has_key(uow: UnitOfWork) -> bool:
    """Return whether any public key of the log is stored; nothing is checked."""
    return uow.session.scalar(select(LogKeyRow.number).limit(1)) is not None


def _began_without(uow: UnitOfWork) -> bool:
    """Return whether the first leaf is there, unchanged, and names no key."""
    body = _body(uow, _leaf(uow, 0))
    return bool(body) and keys.FACT not in body


def _is_named(uow: UnitOfWork) -> bool:
    """Return whether any leaf names a key, whatever the columns say that lists are searched by."""
    # In a text that a leaf quotes, these marks stand behind backslashes.
    naming = select(Leaf).where(Leaf.body.contains(f'"{keys.FACT}":', autoescape=True))
    return any(keys.FACT in (leaf.read(row) or {}) for row in uow.session.scalars(naming))


def _leaf(uow: UnitOfWork, number: int) -> Leaf | None:
    return uow.session.scalar(select(Leaf).where(Leaf.number == number))


def _body(uow: UnitOfWork, row: Leaf | None) -> dict[str, Any]:
    """Return what a leaf says that stands in the tree as it was written, else nothing."""
    if row is None or tree.hash_at(uow.session, row.number) != row.hash:
        return {}
    return leaf.read(row) or {}
