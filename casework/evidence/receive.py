"""A file comes into a case: first where it may go, then its parts, then the act that names it.

The first and the last happen in transactions; what arrives between is sealed outside of any, so
that a slow sender holds no lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from casework.case import items
from casework.case.act import Act
from casework.case.authority import FILE_ROOMS
from casework.case.past import EVIDENCE
from casework.case.tables import Item
from casework.errors import Denied, NotFound
from casework.evidence import limits
from casework.evidence.files import files
from casework.evidence.incoming import Slot, keep
from casework.evidence.manifest import Manifest, notes, parts_digest
from casework.evidence.tables import FilePart
from casework.handling import acts, desk, step
from casework.intake import mailbox
from casework.keys.vocabulary import PersonKind
from casework.law.vocabulary import Compartment as Kind
from casework.store.base import new_id
from sandbox import kinds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from casework.case.keyring import Keyring
    from casework.evidence.incoming import Arrived, Kept
    from casework.evidence.limits import Left
    from casework.evidence.manifest import Described
    from casework.keys.actor import Actor
    from casework.store.unit import UnitOfWork


def keyring_of(uow: UnitOfWork, actor: Actor, case_id: str | None) -> Keyring:
    """Return an officer's keyring to a case, or with ``None`` a reporter's to their own.

    Raises:
        NotFound, Denied, RosterBroken, CaseDamaged: see :func:`casework.handling.acts.open_case`
            and :func:`casework.intake.mailbox.open_own`.
    """
    if actor.kind == PersonKind.REPORTER:
        keyring, _ = mailbox.open_own(uow, actor)
        if case_id not in (None, keyring.case.id):
            raise NotFound("case")
    elif case_id is None:
        raise Denied
    else:
        keyring, _ = acts.open_case(uow, actor, case_id)
    return keyring


def rooms(keyring: Keyring) -> tuple[str, ...]:
    """Return the compartments that the actor may add files to: those made and held."""
    if keyring.actor.person_id == keyring.case.reporter:
        return (Kind.CONTENT.value,)
    return tuple(kind for kind in FILE_ROOMS if keyring.holds(kind))


def slot(keyring: Keyring, room: str) -> tuple[Slot, Left]:
    """Return where the actor's next file goes, received in one request, and which limit binds it.

    Raises:
        Denied: the actor may not add files there.
        Full: no further file may be added.
        CaseDamaged: what is stored of the case does not belong together.
    """
    keyring.check_act()
    if room not in rooms(keyring):
        raise Denied
    left = limits.left(keyring)
    uow = keyring.uow
    place = items.Place(uow.office.instance_id, keyring.case.id, room, uow.today())
    recipient = keyring.identity(room).recipient
    return Slot(place, keyring.actor.person_id, recipient, new_id(), left.size), left


def store(keyring: Keyring, slot: Slot, described: Described, arrived: Arrived) -> str | None:
    """Add a file that arrived in one request: row, manifest and leaf at once; return its id.

    The same file of the same name, sent again by the same person, is not stored twice; then
    ``None`` is returned. The blob gets its name here, before the transaction commits.

    Raises:
        Denied: the actor no longer holds the compartment.
        Full: meanwhile others have used up what was left.
        CaseDamaged: what is stored of the case does not belong together.
        Unavailable: the disk is full or read-only.
    """
    limits.admit(keyring, arrived.length)
    manifest = Manifest(
        name=described.name,
        kind=kinds.kind_of(arrived.head, described.name),
        declared=described.media_type,
        size=arrived.length,
        sha256=arrived.sha256.hex(),
        day=slot.place.day.isoformat(),
        parts=notes([arrived]),
    )
    room = slot.place.compartment
    if is_known(keyring, room, manifest):
        return None
    add(keyring, room, slot.item_id, manifest, [keep(arrived)])
    return slot.item_id


def is_known(keyring: Keyring, room: str, manifest: Manifest) -> bool:
    """Return whether the actor has added this very file under this name before.

    Raises:
        Denied: the actor may not add files there.
    """
    if room not in rooms(keyring):
        raise Denied
    mine = files(keyring, rooms=(room,), author=keyring.actor.person_id)
    same = (manifest.name, manifest.size, manifest.sha256)
    return any(
        one.manifest is not None
        and (one.manifest.name, one.manifest.size, one.manifest.sha256) == same
        for one in mine
    )


def add(
    keyring: Keyring, room: str, item_id: str, manifest: Manifest, parts: Sequence[Kept]
) -> None:
    """Append the act that brings a file, and set the case's flags as for a message."""
    put(keyring, EVIDENCE, {}, room, item_id, manifest.to_body(), parts)
    uow, case = keyring.uow, keyring.case
    if keyring.actor.person_id == case.reporter:
        step.raise_flag(uow, case.id, desk.NEW_MESSAGE)
    else:
        step.clear_flags(uow, case.id, (desk.NEW_MESSAGE,))
    desk.refresh(uow, case)


def put(  # noqa: PLR0917 - what happened, where, and the file itself
    keyring: Keyring,
    kind: str,
    facts: Mapping[str, Any],
    room: str,
    item_id: str,
    body: Mapping[str, Any],
    parts: Sequence[Kept],
) -> None:
    """Append the act that brings a file or a copy: ``kind`` names both item and event."""
    act = Act(keyring)
    act.write(room, kind, body, item_id)
    if parts:
        act.attach(parts_digest(part.digest for part in parts))
    act.finish(kind, facts)
    keyring.uow.session.add_all(
        FilePart(
            item_id=item_id,
            number=part.number,
            count=part.count,
            blob=part.blob,
            digest=part.digest,
            size=part.size,
        )
        for part in parts
    )
    keyring.uow.session.flush()


def is_stored(keyring: Keyring, item_id: str) -> bool:
    """Return whether a file of this id is in the case."""
    item = keyring.uow.session.get(Item, item_id)
    return item is not None and item.case_id == keyring.case.id
