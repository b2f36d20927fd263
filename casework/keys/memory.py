"""What a keyring remembers of roster and log, so that an older copy is noticed.

Officers have one, and so have reporters (:mod:`casework.intake.watch`).

The memory lies in the keystore, apart from the main database: putting yesterday's main database
back makes the next sign-in fail. It is sealed to the officer and signed by them, so that whoever
writes the keystore can delete it or put an old one back, but not make one. Yesterday's main
database together with yesterday's keystore goes unnoticed here. What is sealed has a padded length,
which tells neither how far the log had come nor who has been back since.

After an honest restore the guardian says so in a signed leaf
(:mod:`casework.keys.confirmations`). It ends the alarm of an officer whose memory names that
guardian, once: a memory keeps which confirmations it has seen, so that no older copy is let in by
a confirmation that it happens to hold.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec

from casework.errors import Untrustworthy
from casework.keys import confirmations
from casework.keys import roster as rosters
from casework.keys.chain import NO_PREVIOUS, Hash, Instance, PersonId
from casework.log import seen as logs
from casework.log.seen import Seen
from crypto import age, canonical, signatures
from crypto.errors import CryptoError
from crypto.signatures import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casework.keys.actor import Actor
    from casework.keys.confirmations import Confirmation
    from casework.keys.members import Roster
    from casework.store.unit import UnitOfWork


FORMAT: Final = 3
OLDER_FORMATS: Final = (1, 2)

STEP: Final = 1024
"""What is sealed is canonical JSON and NUL bytes up to a multiple of this many bytes."""


class Rollback(StrEnum):
    """How what is stored contradicts what an officer has already seen."""

    ROSTER_OLDER = "roster_older"
    ROSTER_DIFFERS = "roster_differs"
    LOG_SHORTER = "log_shorter"
    LOG_DIFFERS = "log_differs"
    LOG_KEY_DIFFERS = "log_key_differs"
    CHECKPOINT_FORGED = "checkpoint_forged"
    MEMORY_MISSING = "memory_missing"
    MEMORY_FORGED = "memory_forged"


class RolledBack(Untrustworthy):
    """The instance is not the one this officer has seen before; nothing may be done on it."""

    def __init__(self, reason: Rollback) -> None:
        """Say which part is older, different or missing."""
        super().__init__(reason.value)
        self.reason = reason


class Memory(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Roster version and head, size of the log, hash of its last leaf, root of its tree.

    All zero before the genesis. ``log_key`` is the key of the log that was in force.
    ``guardian`` and ``guardian_key`` (hex) are who the guardian was when last seen.
    ``confirmed`` are the hashes of the confirmed restores seen so far, in order: an officer's of
    all, a reporter's of those that ``written`` does not rule out.
    ``written`` is the day on which a reporter's was last written, None in an officer's.
    """

    v: Literal[3] = 3
    instance: Instance
    person: PersonId
    roster_version: Annotated[int, msgspec.Meta(ge=0)] = 0
    roster_head: Hash = NO_PREVIOUS
    log_size: Annotated[int, msgspec.Meta(ge=0)] = 0
    log_last: Hash = NO_PREVIOUS
    log_root: Hash = NO_PREVIOUS
    log_key: str = ""
    guardian: PersonId | None = None
    guardian_key: Hash | None = None
    confirmed: tuple[Hash, ...] = ()
    written: date | None = None


@dataclass(frozen=True)
class Checked:
    """The verified roster, and the confirmed restore that explains why it is not as remembered."""

    roster: Roster
    explained: Confirmation | None


def begin(uow: UnitOfWork, actor: Actor) -> None:
    """Give a newly enrolled officer an empty memory, so that a missing one is always an alarm."""
    remember(uow, actor, Memory(instance=uow.office.instance_id, person=actor.person_id))


def check_and_update(uow: UnitOfWork, actor: Actor) -> Roster:
    """Return the roster that :func:`check` verified. Raises: as there."""
    return check(uow, actor).roster


def check(uow: UnitOfWork, actor: Actor) -> Checked:
    """Compare roster and log with what the officer has seen, then remember them as they are now.

    Call it outside of any writing unit of work, at sign-in: the keystore commits on its own, and
    a memory of leaves that are then rolled back would be a false alarm for ever after. Returns
    the verified roster, which may be newer than the caller's look at the database.

    Raises:
        RolledBack: something is older, different or missing, and no confirmed restore that is new
            to this officer explains it; the memory stays as it was.
        RosterBroken: the roster does not verify at all.
    """
    memory = recall(uow, actor)
    # Looked at afterwards, in a snapshot of its own: one that is older than the memory would be a
    # false alarm whenever the same officer signs in twice at once.
    with uow.office.read() as fresh:
        roster = rosters.load(fresh)
        reason = contradiction(fresh, memory, roster)
        explained = None
        if reason is not None:
            explained = confirmations.explaining(
                fresh, roster, signers(memory, actor), memory.confirmed
            )
            if explained is None:
                raise RolledBack(reason)
        traces = confirmations.traces(fresh, 0 if explained else memory.log_size)
        now = seen(fresh, memory, roster, traces)
    if now != memory:
        remember(uow, actor, now)
    return Checked(roster, explained)


def contradiction(uow: UnitOfWork, memory: Memory, roster: Roster) -> Rollback | None:
    """Return how what is stored contradicts a memory, or None if it merely went on."""
    if roster.version < memory.roster_version:
        return Rollback.ROSTER_OLDER
    if memory.roster_version and roster.head_at(memory.roster_version) != memory.roster_head:
        return Rollback.ROSTER_DIFFERS
    found = logs.contradiction(
        uow, Seen(memory.log_size, memory.log_last, memory.log_root, memory.log_key)
    )
    return None if found is None else Rollback(found.value)


def recall(uow: UnitOfWork, actor: Actor) -> Memory:
    """Return what an officer remembers.

    Raises:
        RolledBack: nothing, or what the officer never wrote.
    """
    kept = uow.keystore.memory(actor.person_id)
    if kept is None:
        raise RolledBack(Rollback.MEMORY_MISSING)
    sealed, signature = kept
    expected = Memory(instance=uow.office.instance_id, person=actor.person_id)
    try:
        # The signature first: nothing that this officer did not write is even opened.
        signatures.verify(
            actor.person.signing.verify_key,
            Purpose.KEYRING,
            _statement(expected, sealed),
            signature,
        )
        memory = _parsed(age.decrypt(sealed, [actor.person.identity]))
    except (CryptoError, msgspec.ValidationError):
        raise RolledBack(Rollback.MEMORY_FORGED) from None
    if (memory.instance, memory.person) != (expected.instance, expected.person):
        raise RolledBack(Rollback.MEMORY_FORGED)
    return memory


def _parsed(plain: bytes) -> Memory:
    """Return a memory of any format; older ones name neither guardian nor root and key of the log.

    They are not padded, either; no JSON ends in a NUL byte.

    Raises:
        Malformed: it is no canonical JSON.
        msgspec.ValidationError: it is of no format.
    """
    body: Any = canonical.decode(plain.rstrip(b"\0"))
    if isinstance(body, dict) and body.get("v") in OLDER_FORMATS:
        body = {**body, "v": FORMAT}
    return msgspec.convert(body, Memory, strict=True)


def signers(memory: Memory, actor: Actor) -> dict[str, bytes]:
    """Return whose word on a restore counts: the guardian whom the memory names, and oneself."""
    found = {actor.person_id: actor.person.signing.verify_key}
    if memory.guardian is not None and memory.guardian_key is not None:
        found.setdefault(memory.guardian, bytes.fromhex(memory.guardian_key))
    return found


def seen(
    uow: UnitOfWork,
    memory: Memory,
    roster: Roster,
    confirmed: Iterable[str],
    *,
    size: int | None = None,
    written: date | None = None,
) -> Memory:
    """Return what is to be remembered now, ``confirmed`` being the confirmations in the log.

    ``size``: how much of the log, if not all of it. ``written``: the day, in a reporter's.
    """
    log = logs.now(uow, size)
    return Memory(
        instance=memory.instance,
        person=memory.person,
        roster_version=roster.version,
        roster_head=roster.head,
        log_size=log.size,
        log_last=log.last,
        log_root=log.root,
        log_key=log.key,
        guardian=roster.guardian_id,
        guardian_key=roster.guardian.verify_key.hex(),
        confirmed=tuple(dict.fromkeys((*memory.confirmed, *confirmed))),
        written=written,
    )


def remember(uow: UnitOfWork, actor: Actor, memory: Memory) -> None:
    """Keep what an officer or a reporter has seen."""
    uow.keystore.remember(actor.person_id, *sealed(actor, memory))


def sealed(actor: Actor, memory: Memory) -> tuple[bytes, bytes]:
    """Seal a memory to the person whose it is; return it and their signature over it.

    Its length is the same whatever was seen, up to some confirmed restores: a keystore names
    people in the clear.
    """
    body = canonical.encode(msgspec.to_builtins(memory))
    padded = body.ljust(-(-len(body) // STEP) * STEP, b"\0")
    closed = age.encrypt(padded, [actor.person.identity.recipient])
    return closed, actor.person.signing.sign(Purpose.KEYRING, _statement(memory, closed))


def _statement(memory: Memory, sealed: bytes) -> dict[str, str]:
    return {
        "instance": memory.instance,
        "person": memory.person,
        "sha256": hashlib.sha256(sealed).hexdigest(),
    }
