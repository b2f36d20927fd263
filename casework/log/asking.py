"""Put what was published before every witness that can be reached over a network."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from casework.errors import CaseworkError, NotFound
from casework.log import witnesses
from casework.log.witnesses import MoreThanPublished
from crypto import checkpoint
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casework.log.witnesses import Witness
    from casework.store.office import Office
    from crypto.witness_request import AddCheckpoint

OK: Final = 200
CONFLICT: Final = 409
"""What a witness answers to a request that begins elsewhere than its newest checkpoint."""

UNPROCESSABLE: Final = 422
"""What it answers where nothing shows that the tree grew from the one it has signed."""

UNKNOWN: Final = frozenset({400, 403, 404})
"""What it answers about a log, or a key, that it does not know, or at another address."""


class Unreachable(CaseworkError):
    """No usable answer came from a witness; the message names no address."""


@dataclass(frozen=True)
class Answer:
    """What a witness answered: the status of HTTP, and at most 64 KiB."""

    status: int
    body: bytes


class Outcome(Enum):
    """What came of asking one witness."""

    SIGNED = "signed"
    NOTHING = "nothing"
    """There is nothing to ask, or another process has asked meanwhile."""

    UNREACHABLE = "unreachable"
    """No answer came, or one that says nothing about this log (503)."""

    STRANGE = "strange"
    """An answer came that is none, or whose signature does not count (its time, its text)."""

    UNKNOWN = "unknown"
    """It refused: it does not know this log, or the key that signs it."""

    FORKED = "forked"
    """It refused: it has signed a log that this one does not continue."""


class Ask(Protocol):
    """How a request reaches a witness; called by several threads at once, each bounded in time."""

    def __call__(self, url: str, body: bytes) -> Answer:
        """Post ``body`` to ``add-checkpoint`` below a witness's address. Raises: Unreachable."""


def ask_all(office: Office) -> Mapping[str, Outcome]:
    """Ask each witness that has not signed the newest checkpoint; return what came of it, by name.

    All at once, so that one that takes its time keeps no other waiting. Nothing but signatures is
    stored. Whoever has not signed is asked again the next time.

    Raises:
        LogKeysBroken, TreeDamaged: the log is damaged.
        Unavailable: a database is locked, full or unreadable.
    """
    reached = [one for one in office.witnesses if one.url]
    if office.ask is None or not reached:
        return {}
    with ThreadPoolExecutor(len(reached)) as pool:
        found = pool.map(partial(_ask, office, office.ask), reached)
        return {one.key.name: came for one, came in zip(reached, found, strict=True)}


def _ask(office: Office, ask: Ask, witness: Witness) -> Outcome:
    """Ask one witness; no answer of it, however odd, hinders what others answer."""
    try:
        return _asked(office, ask, witness)
    except Unreachable:
        return Outcome.UNREACHABLE
    except MoreThanPublished:
        return Outcome.FORKED
    except (CryptoError, ValueError, ArithmeticError, LookupError):
        return Outcome.STRANGE


def _asked(office: Office, ask: Ask, witness: Witness) -> Outcome:
    found = _request(office, witness)
    if found is None:
        return Outcome.NOTHING
    answer = ask(witness.url, found.to_text().encode())
    if answer.status == CONFLICT:
        # It says which size it has signed last; what it says is no secret and no promise.
        found = _request(office, witness, _size(answer))
        if found is None:
            return Outcome.NOTHING
        answer = ask(witness.url, found.to_text().encode())
        if answer.status == CONFLICT:
            moved = _moved_on(office, witness, found, answer)
            return Outcome.NOTHING if moved else Outcome.FORKED
    if answer.status == UNPROCESSABLE:
        return Outcome.FORKED
    if answer.status in UNKNOWN:
        return Outcome.UNKNOWN
    if answer.status != OK:
        return Outcome.UNREACHABLE
    with office.write() as uow:
        witnesses.accept(uow, answer.body, found.signed)
    return Outcome.SIGNED


def _size(answer: Answer) -> int:
    """Return the size that a conflict names. Raises: Malformed, UnicodeDecodeError: none."""
    return checkpoint.number(answer.body.decode().removesuffix("\n"))


def _moved_on(office: Office, witness: Witness, asked: AddCheckpoint, answer: Answer) -> bool:
    """Return whether a witness has signed more of this log since it named its size.

    Several processes ask at once; that one came first is no sign of another log.
    """
    try:
        size = _size(answer)
        return size > asked.old and _request(office, witness, size) is not None
    except (CryptoError, UnicodeDecodeError):
        return False


def _request(office: Office, witness: Witness, old: int | None = None) -> AddCheckpoint | None:
    with office.read() as uow:
        try:
            return witnesses.request(uow, witness, old)
        except NotFound:
            return None
