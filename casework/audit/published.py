"""The log's own keys and the checkpoints that it published, against leaves and tree."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, select

from casework.audit.findings import Finding, What
from casework.keys.vocabulary import GENESIS
from casework.log import adoption, keys
from casework.log import leaf as leaves
from casework.log.keys import LogKeys, LogKeysBroken
from casework.log.tables import CheckpointRow, Leaf, LogKeyRow, Padding
from crypto import checkpoint
from crypto.errors import CryptoError
from crypto.note import SignedNote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from casework.audit.findings import Counts, Findings
    from casework.store.unit import UnitOfWork
    from crypto.handover import Handover


def known_keys(uow: UnitOfWork, findings: Findings, counts: Counts) -> LogKeys:
    """Return the keys of the log that follow each other from the first on, and compare leaves."""
    found: list[Handover] = []
    adopted = adoption.adopted_at(uow)
    try:
        if adoption.is_due(uow):
            return LogKeys(())
        for one in keys.followed(uow):
            found.append(one)  # noqa: PERF402 - those before a broken one stay
    except LogKeysBroken as broken:
        findings.add(Finding(What.LOG_KEYS_BROKEN, name=str(broken)))
    rows = uow.session.execute(select(LogKeyRow.number, LogKeyRow.vkey, LogKeyRow.handover)).all()
    counts.keys = len(rows)
    stored = {row.vkey: row for row in rows}
    told: set[str] = set()
    events = select(Leaf).where(Leaf.event.in_((GENESIS, keys.CHANGED))).order_by(Leaf.number)
    for row in uow.session.scalars(events):
        body = leaves.read(row) or {}
        vkey = body.get(keys.FACT)
        if vkey is None:
            continue
        row_of_key = stored.get(str(vkey))
        first = body.get("event") == GENESIS or row.number == adopted
        if row_of_key is None:
            findings.add(Finding(What.LOG_KEY_GONE, leaf=row.number, name=str(vkey)))
        elif (row_of_key.number == 1) != first or not (first or _names(body, row_of_key.handover)):
            findings.add(
                Finding(What.LOG_KEY_CHANGED, leaf=row.number, name=str(row_of_key.number))
            )
        told.add(str(vkey))
    for vkey, extra in stored.items():
        if vkey not in told:
            findings.add(Finding(What.LOG_KEY_ADDED, name=str(extra.number)))
    return LogKeys(tuple(found))


def _names(body: Mapping[str, object], handover: str) -> bool:
    objects = body.get("objects")
    return isinstance(objects, list) and _digest(handover) in objects


def _digest(handover: str) -> str:
    return hashlib.sha256(handover.encode()).hexdigest()


def sizes(uow: UnitOfWork) -> set[int]:
    """Return the sizes of all trees that were published."""
    found: Iterable[Any] = uow.session.scalars(select(CheckpointRow.size))
    return {size for size in found if isinstance(size, int)}


def checkpoints(
    uow: UnitOfWork,
    known: LogKeys,
    roots: Mapping[int, bytes | None],
    findings: Findings,
    counts: Counts,
) -> Iterator[tuple[str, int, SignedNote]]:
    """Judge every published checkpoint; yield name, size and note of those that are as they were.

    The tree is filled up with dummies only when one is published. ``roots`` are those of the
    tree counted again, by size; the last is that of the whole tree.
    """
    end = Padding.first + Padding.count
    unmarked = select(end).where(~exists().where(CheckpointRow.size == end)).order_by(Padding.first)
    for size in uow.session.scalars(unmarked):
        findings.add(Finding(What.CHECKPOINT_GONE, name=f"of size {size}"))
    biggest, largest = max(roots, default=0), 0
    query = select(CheckpointRow.hour, CheckpointRow.size, CheckpointRow.signed)
    rows: Iterable[Any] = uow.session.execute(
        query.order_by(CheckpointRow.hour).execution_options(yield_per=100)
    )
    for hour, size, signed in rows:
        counts.checkpoints += 1
        name = f"of size {size} in the period from hour {hour}"
        if not (isinstance(size, int) and isinstance(signed, str)):
            findings.add(Finding(What.CHECKPOINT_FORGED, name=name))
            continue
        if size <= largest:
            findings.add(Finding(What.CHECKPOINT_ORDER, name=name))
        largest = max(largest, size)
        try:
            note = SignedNote.from_text(signed)
            said = checkpoint.of(note, known.of_size(size))
            forged = said.size != size or said.origin != keys.origin_of(uow.office.instance_id)
        except CryptoError:
            findings.add(Finding(What.CHECKPOINT_FORGED, name=name))
            continue
        if forged:
            findings.add(Finding(What.CHECKPOINT_FORGED, name=name))
        elif size > biggest:
            findings.add(Finding(What.CHECKPOINT_BEYOND, name=name))
        elif roots.get(size) != said.root:
            findings.add(Finding(What.CHECKPOINT_DIFFERS, name=name))
        else:
            yield name, size, note
