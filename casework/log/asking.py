"""Put what was published before every witness that can be reached over a network."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from casework.errors import CaseworkError, NotFound
from casework.log import witnesses
from crypto import checkpoint
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from casework.log.witnesses import Witness
    from casework.store.office import Office
    from crypto.witness_request import AddCheckpoint

OK: Final = 200
CONFLICT: Final = 409
"""What a witness answers to a request that begins elsewhere than its newest checkpoint."""


class Unreachable(CaseworkError):
    """No usable answer came from a witness; the message names no address."""


@dataclass(frozen=True)
class Answer:
    """What a witness answered: the status of HTTP, and at most 64 KiB."""

    status: int
    body: bytes


class Ask(Protocol):
    """How a request reaches a witness; called by several threads at once, each bounded in time."""

    def __call__(self, url: str, body: bytes) -> Answer:
        """Post ``body`` to ``add-checkpoint`` below a witness's address. Raises: Unreachable."""


def ask_all(office: Office) -> int:
    """Ask each witness that has not signed the newest checkpoint; return how many now have.

    All at once, so that one that takes its time keeps no other waiting. One that cannot be
    reached, or refuses, is left for the next time; that it is silent shows in
    :func:`casework.log.witnesses.standing`.

    Raises:
        LogKeysBroken, TreeDamaged: the log is damaged.
        Unavailable: a database is locked, full or unreadable.
    """
    reached = [one for one in office.witnesses if one.url]
    if office.ask is None or not reached:
        return 0
    with ThreadPoolExecutor(len(reached)) as pool:
        return sum(pool.map(partial(_ask, office, office.ask), reached))


def _ask(office: Office, ask: Ask, witness: Witness) -> bool:
    try:
        found = _request(office, witness)
        if found is None:
            return False
        answer = ask(witness.url, found.to_text().encode())
        if answer.status == CONFLICT:
            # It says which size it has signed last; what it says is no secret and no promise.
            newest = checkpoint.number(answer.body.decode().removesuffix("\n"))
            found = _request(office, witness, newest)
            if found is None:
                return False
            answer = ask(witness.url, found.to_text().encode())
        if answer.status != OK:
            return False
        with office.write() as uow:
            witnesses.accept(uow, answer.body, found.signed)
    except (Unreachable, CryptoError, UnicodeDecodeError):
        return False
    return True


def _request(office: Office, witness: Witness, old: int | None = None) -> AddCheckpoint | None:
    with office.read() as uow:
        try:
            return witnesses.request(uow, witness, old)
        except NotFound:
            return None
