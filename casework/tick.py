"""What time alone brings about: ``suaka tick``, run by a timer or by the server itself.

Deadlines need nothing here: whether one has lapsed follows from its due day. What is left is
forgetting (receipt windows, ended sessions, replaced shred keys, devices that nobody uses any
more, budgets that are full again), desks that somebody wrote to, checkpoints of the log by their
fixed clock, and notices at fixed hours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.case.tables import Case
from casework.errors import Untrustworthy
from casework.evidence import parts
from casework.handling import astray
from casework.intake import receipt
from casework.keys import devices
from casework.log import asking, checkpoints, tree
from casework.log.keys import LogKeyMissing
from casework.notices import rounds
from casework.store.engine import truncate_wal
from casework.store.keystore import SHRED_KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casework.log.asking import Outcome
    from casework.log.checkpoints import Published
    from casework.store.office import Office
    from casework.store.unit import UnitOfWork


@dataclass(frozen=True)
class Done:
    """How much a tick forgot, how many cases it put back on desks, how many officers it told.

    ``parts`` are those of files that nobody finished. ``checkpoints``: 1 if the log's was due.
    ``outgrown``: it tells of more acts than it hides, and the admin is to be told. ``asked``:
    what came of asking each witness, by name; the admin is to be told of who refused.
    """

    receipts: int
    sessions: int
    shred_keys: int
    desks: int
    devices: int
    parts: int
    notices: int = 0
    checkpoints: int = field(default=0, compare=False)
    outgrown: bool = field(default=False, compare=False)
    asked: Mapping[str, Outcome] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class KeyCheck:
    """How keystore and cases agree: case ids by what is wrong with them.

    ``lost``: no key at all is left, so the case cannot be opened. ``ahead``: only another version
    than the one in force is there, as after an old copy of one of the two was put back.
    ``unnamed``: a key of no known case, from an interrupted report or, again, an old copy.
    """

    lost: frozenset[str]
    ahead: frozenset[str]
    unnamed: frozenset[str]


def tick(office: Office) -> Done:
    """Do everything that is due; safe to run at any time, by several processes at once.

    Raises:
        Unavailable: a database is locked, full or unreadable, or its write-ahead log cannot be
            emptied just now; the next tick does it.
        Untrustworthy, LogKeyMissing: no checkpoint of the log can be signed; the rest is done.
    """
    with office.write() as uow:
        receipts = receipt.expire(uow)
        # Under the write lock no act is half-way between the two databases.
        shred_keys = uow.keystore.sweep(_spared(uow))
        unseen = devices.sweep(uow)
        forgotten = parts.sweep(uow)
    for blob in forgotten:
        office.blobs.remove(blob)
    now = int(office.clock().timestamp())
    sessions = office.sessions.sweep(now)
    office.rations.sweep(now)
    desks = astray.mend(office)
    truncate_wal(office.engine)
    truncate_wal(office.keystore.engine)
    failed: Untrustworthy | LogKeyMissing | None = None
    published: Published | None = None
    try:
        published = _publish(office)
    except (Untrustworthy, LogKeyMissing) as error:
        failed = error
    # Last: a mail server or a witness may keep it waiting, and nothing else depends on them.
    told = rounds.send_due(office)
    asked: Mapping[str, Outcome] = {}
    try:
        asked = asking.ask_all(office)
    except Untrustworthy as error:
        failed = failed or error
    if failed is not None:
        raise failed
    return Done(
        receipts,
        sessions,
        shred_keys,
        desks,
        unseen,
        len(forgotten),
        told,
        checkpoints=int(published is not None),
        outgrown=published is not None and published.outgrown,
        asked=asked,
    )


def _publish(office: Office) -> Published | None:
    """Publish the checkpoint that is due, once there is a log at all."""
    with office.read() as uow:
        if not tree.size(uow.session):
            return None
    with office.write() as uow:
        return checkpoints.publish_due(uow)


def check_keys(uow: UnitOfWork) -> KeyCheck:
    """Compare the keystore with the cases, for ``suaka doctor``."""
    in_force, kept = _in_force(uow), _kept(uow)
    astray = {case for case, version in in_force.items() if version not in kept.get(case, ())}
    return KeyCheck(
        lost=frozenset(astray - kept.keys()),
        ahead=frozenset(astray & kept.keys()),
        unnamed=frozenset(kept.keys() - in_force.keys()),
    )


def _spared(uow: UnitOfWork) -> dict[str, int]:
    """Return which version of each case's key must stay.

    A key is forgotten only beside the key in force. The last key of a case is never destroyed on
    a guess: when yesterday's database is put back, today's keys name cases that it does not know,
    and today's database can still be put back, too. A key too many opens nothing by itself.
    """
    in_force = _in_force(uow)
    return {
        case: in_force[case] if in_force.get(case) in versions else max(versions)
        for case, versions in _kept(uow).items()
    }


def _in_force(uow: UnitOfWork) -> dict[str, int]:
    rows = uow.session.execute(select(Case.id, Case.shred_version))
    return {row.id: row.shred_version for row in rows}


def _kept(uow: UnitOfWork) -> dict[str, set[int]]:
    kept: dict[str, set[int]] = {}
    with uow.keystore.engine.connect() as connection:
        for row in connection.execute(select(SHRED_KEYS.c.case_id, SHRED_KEYS.c.version)):
            kept.setdefault(row.case_id, set()).add(row.version)
    return kept
