"""The guardian's word that an older copy was put back on purpose: a signed leaf, and its reading.

The leaf names where the log ended before it and where the roster stood. The hash of the leaf
before it pins everything earlier, and every later leaf pins it: a confirmation holds for the one
history that the guardian looked at, and for what followed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from sqlalchemy import select

from casework.errors import NotFound
from casework.keys.chain import Hash, Instance, Line, PersonId
from casework.log import leaf as leaves
from casework.log.tables import Leaf
from casework.log.walk import walk
from crypto.errors import Tampered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from casework.keys.members import Roster
    from casework.store.unit import UnitOfWork

EVENT: Final = "restore_confirmed"

UNREADABLE_MAX: Final = 1000
"""How many unreadable leaves a memory takes for possible confirmations."""

_Count = Annotated[int, msgspec.Meta(ge=0)]
Salt = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the guardian had last seen: roster version, number of leaves."""

    roster: _Count
    size: _Count


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    v: Literal[1]
    instance: Instance
    event: Literal["restore_confirmed"]
    actor: PersonId
    case: None
    day: date
    log: Hash
    objects: tuple[()]
    salt: Salt
    roster: _Count
    head: Hash
    size: _Count
    last: Hash
    seen: Seen
    reason: Line


@dataclass(frozen=True)
class Confirmation:
    """A confirmed restore: by whom, on which day, why, to which roster, and what was seen before.

    ``hash`` is that of the leaf, ``number`` its place, which is also the size of the log that was
    confirmed.
    """

    number: int
    hash: str
    actor: str
    day: date
    reason: str
    roster_version: int
    roster_head: str
    seen: Seen


def facts(roster: Roster, number: int, last: str, seen: Seen, reason: str) -> dict[str, Any]:
    """Return what the leaf of number ``number`` says; ``last`` is the hash of the one before."""
    return {
        "roster": roster.version,
        "head": roster.head,
        "size": number,
        "last": last,
        "seen": msgspec.to_builtins(seen),
        "reason": reason,
    }


def explaining(
    uow: UnitOfWork,
    roster: Roster,
    signers: Mapping[str, bytes],
    known: Collection[str],
    since: date | None = None,
) -> Confirmation | None:
    """Return the newest confirmation by one of ``signers`` that is not among ``known`` hashes.

    ``signers`` are person ids with their verify keys. The roster must still hold what was
    confirmed, and the whole log must be one chain. ``since``: by the day that was signed, only
    one of this day or later explains anything. Nothing else is asked of the database.
    """
    for row in uow.session.scalars(
        select(Leaf).where(Leaf.event == EVENT).order_by(Leaf.number.desc())
    ):
        found = read(row, uow.office.instance_id)
        if found is None or found.hash in known or found.actor not in signers:
            continue
        if since is not None and found.day < since:
            continue
        if not leaves.is_signed(row, found.actor, lambda person: signers[person]):
            continue
        if roster.head_at(found.roster_version) == found.roster_head and _is_chain(
            uow, found.number
        ):
            return found
    return None


def latest(uow: UnitOfWork, roster: Roster, since: date) -> Confirmation | None:
    """Return the newest confirmation from a day on that a guardian of this roster signed."""
    return next(_signed(uow, roster, since), None)


def known(uow: UnitOfWork, roster: Roster, since: date) -> list[str]:
    """Return the hashes of the confirmations from a day on that a guardian of this roster signed.

    It asks the columns for them, since a submission cannot wait for the whole log; one whose
    columns say something else at this moment is not among them.
    """
    return [one.hash for one in _signed(uow, roster, since)]


def _signed(uow: UnitOfWork, roster: Roster, since: date) -> Iterator[Confirmation]:
    """Yield the confirmations from a day on that a guardian of this roster signed, newest first."""
    guardians = set()
    version: Roster | None = roster
    while version is not None:
        guardians.add(version.guardian_id)
        version = version.before
    for row in uow.session.scalars(
        select(Leaf)
        .where(Leaf.event == EVENT, Leaf.day >= since)
        .order_by(Leaf.day.desc(), Leaf.number.desc())
    ):
        found = read(row, uow.office.instance_id)
        if (
            found is not None
            and found.day >= since
            and found.actor in guardians
            and leaves.is_signed(row, found.actor, lambda person: _key(roster, person))
        ):
            yield found


def read(row: Leaf, instance: str) -> Confirmation | None:
    """Return what a leaf confirms, or None if it is no confirmation; its signature is not read."""
    try:
        body = msgspec.convert(leaves.read(row), _Body, strict=True)
    except msgspec.ValidationError:
        return None
    if (body.instance, body.size, body.last) != (instance, row.number, body.log):
        return None
    return Confirmation(
        number=row.number,
        hash=row.hash.hex(),
        actor=body.actor,
        day=body.day,
        reason=body.reason,
        roster_version=body.roster,
        roster_head=body.head,
        seen=body.seen,
    )


def traces(uow: UnitOfWork, since: int) -> list[str]:
    """Return the hashes of all leaves from a number on that are, or may be, confirmations.

    Whoever reads these counts as having seen them. A leaf that cannot be read may be one that
    somebody hides for the moment, and a broken link tells the hash of a leaf that was replaced.
    """
    found: list[str] = []
    unreadable: list[str] = []
    before: bytes | None = None
    for step in walk(uow, max(since - 1, 0)):
        body = step.body
        if step.dummy:
            pass
        elif body is None or leaves.leaf_hash(body.encode()) != step.hash:
            unreadable += [one.hex() for one in {step.hash, step.row_hash} if one is not None]
        else:
            if step.number >= since and f'"{EVENT}"' in body:
                found.append(step.hash.hex())
            if before is not None and f'"log":"{before.hex()}"' not in body:
                unreadable += _link(body)
        before = step.hash
    return found + unreadable[:UNREADABLE_MAX]


def _is_chain(uow: UnitOfWork, confirmed: int) -> bool:
    """Return whether every leaf names the one before it; from ``confirmed`` on, each is whole."""
    expected, before = 0, None
    for step in walk(uow):
        if step.number != expected:
            return False
        body = step.body
        if body is None:
            # Its hash is still named by the next leaf, and held by the tree.
            if step.number >= confirmed and not step.dummy:
                return False
        elif leaves.leaf_hash(body.encode()) != step.hash or _link(body) != (
            [] if before is None else [before.hex()]
        ):
            return False
        expected, before = step.number + 1, step.hash
    return True


class _Link(msgspec.Struct):
    log: Hash | None = None


def _link(body: str) -> list[str]:
    """Return the hash that a leaf names as the one before it, if it names one."""
    try:
        named = msgspec.json.decode(body, type=_Link).log
    except (msgspec.MsgspecError, UnicodeError):
        return []
    return [] if named is None else [named]


def _key(roster: Roster, person_id: str) -> bytes:
    try:
        return roster.verify_key_of(person_id)
    except NotFound as error:
        raise Tampered("nobody vouches for a signer") from error
