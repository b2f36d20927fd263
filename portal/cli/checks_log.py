"""What ``suaka doctor`` sees of the log's keys, its published checkpoints and its witnesses."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from casework.log import adoption, checkpoints, tree, witnesses
from casework.log import keys as log_keys
from casework.log.checkpoints import CheckpointDamaged
from casework.log.clock import HOUR_SECONDS
from crypto.errors import CryptoError
from portal.cli.findings import bad, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casework.store.office import Office
    from portal.cli.findings import Finding
    from portal.settings import Settings

OVERDUE: Final = timedelta(hours=2)
"""How late a checkpoint may be: a timer that ticks every hour is late by one."""

LOOKED_AT: Final = timedelta(days=30)
"""How far back periods are looked at that were outgrown."""


def key(office: Office, _settings: Settings) -> Iterator[Finding]:
    """The key that signs is there, and each key followed the one before it."""
    with office.read() as uow:
        if not tree.size(uow.session):
            return
        if adoption.is_due(uow):
            yield bad("log key: this log has none yet: run suaka migrate")
            return
        known = log_keys.load(uow)
        office.log_key.check(known.in_force)
    yield ok(f"log key: {known.in_force.key_id.hex()}, number {len(known.all)}")


def published(office: Office, _settings: Settings) -> Iterator[Finding]:
    """Checkpoints appear by their clock, are of this tree, and hide how much was done."""
    clock, now = office.checkpoints, office.clock()
    with office.read() as uow:
        if not tree.size(uow.session):
            return
        rows = [(row.hour, row.size) for row in checkpoints.rows(uow)]
        if not rows:
            yield warn("checkpoints: none is published yet: is suaka tick running?")
            return
        try:
            checkpoints.checked(uow, log_keys.load(uow))
        except (CryptoError, CheckpointDamaged):
            yield bad("checkpoints: the newest one is not of this log: somebody wrote to it")
            return
    last, size = rows[-1]
    hours = now.timestamp() / HOUR_SECONDS
    late = timedelta(hours=hours - last - clock.hours)
    if hours < last:
        yield bad(
            "clock: behind the newest checkpoint, and nothing is published before it has caught "
            "up: set the clock"
        )
    elif late > OVERDUE:
        over = late // timedelta(hours=1)
        yield warn(f"checkpoints: the next one is {over} hours late: is suaka tick running?")
    else:
        yield ok(f"checkpoints: size {size}, one every {clock.hours} hours")
    since = (now - LOOKED_AT).timestamp() / HOUR_SECONDS
    recent = [one for hour, one in rows if hour >= since]
    if grown := checkpoints.outgrown(clock, recent):
        yield warn(
            f"checkpoints: {grown} periods of the last {LOOKED_AT.days} days had more acts than "
            f"log.leaves ({clock.leaves}) hides, and their sizes told of it: raise log.leaves"
        )


def watched(office: Office, _settings: Settings) -> Iterator[Finding]:
    """Somebody outside signs what is published, and nobody of them is silent."""
    with office.read() as uow:
        if not tree.size(uow.session):
            return
        found = witnesses.standing(uow)
    if not found.witnesses:
        yield warn(
            "witnesses: none is configured, so nobody outside would notice a log that was "
            "rewritten; officers and reporters are told so (log.witnesses)"
        )
        return
    for one in found.never:
        how = "bring it a request by file" if one.by_file else "was it given the log's key?"
        yield warn(f"witnesses: {one.name} has never signed anything: {how}")
    for one in found.silent:
        how = "bring it a request by file" if one.by_file else "is it running, and reached?"
        yield warn(f"witnesses: {one.name} has signed nothing since {one.moment:%Y-%m-%d}: {how}")
    if not found.silent and not found.never:
        number = len(found.witnesses)
        yield ok(f"witnesses: {found.cosigned} of {number} have signed the newest checkpoint")
