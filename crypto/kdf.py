"""Argon2id (RFC 9106): the only place where something that a person types becomes a key."""

import re
from dataclasses import dataclass
from typing import Final, Self

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw

from crypto.errors import LimitExceeded, Malformed

SALT_SIZE: Final = 16
"""Fewest bytes of a salt."""

OUTPUT_SIZE: Final = 32
"""Bytes that stretching gives."""

_ID: Final = re.compile(r"argon2id:m=([1-9][0-9]{0,9}),t=([1-9][0-9]{0,9}),p=([1-9][0-9]{0,9})")
_MEMORY_PER_LANE: Final = 8
_MOST_MEMORY: Final = 1024 * 1024
_MOST_PASSES: Final = 16
_MOST_LANES: Final = 16


@dataclass(frozen=True, slots=True)
class Kdf:
    """The cost of one stretching. Stored with what it protects, so that costs can rise.

    The limits keep a row that somebody planted from asking for all the memory of the server.

    Raises:
        Malformed: less than one pass or lane, or less than 8 KiB of memory per lane.
        LimitExceeded: more than 1 GiB, 16 passes or 16 lanes.
    """

    memory_kib: int
    passes: int
    lanes: int

    def __post_init__(self) -> None:
        """Refuse costs outside the limits."""
        least = min(self.passes, self.lanes)
        if least < 1 or self.memory_kib < _MEMORY_PER_LANE * self.lanes:
            raise Malformed("kdf: cost below what Argon2id allows")
        if self.memory_kib > _MOST_MEMORY or self.passes > _MOST_PASSES or self.lanes > _MOST_LANES:
            raise LimitExceeded("kdf: cost too high")

    @property
    def id(self) -> str:
        """The cost in words, such as `argon2id:m=19456,t=2,p=1`."""
        return f"argon2id:m={self.memory_kib},t={self.passes},p={self.lanes}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the cost that `id` wrote; no other spelling is accepted.

        Raises:
            Malformed: not such a text, or a cost that Argon2id does not allow.
            LimitExceeded: the cost is too high.
        """
        match = _ID.fullmatch(text)
        if match is None:
            raise Malformed("kdf: unknown id")
        memory, passes, lanes = (int(number) for number in match.groups())
        return cls(memory, passes, lanes)


SECRET_KEY: Final = Kdf(memory_kib=19 * 1024, passes=2, lanes=1)
"""For a reporter's secret key, which has 80 bits of its own."""

PASSPHRASE: Final = Kdf(memory_kib=64 * 1024, passes=3, lanes=4)
"""For a passphrase, which people choose badly (RFC 9106 §4, second recommendation)."""


def stretch(password: bytes, salt: bytes, kdf: Kdf) -> bytes:
    """Return 32 bytes; takes the time and memory of `kdf`, so it belongs into a worker thread.

    Raises:
        Malformed: `salt` has less than 16 bytes.
        LimitExceeded: the memory cannot be had now.
    """
    if len(salt) < SALT_SIZE:
        raise Malformed("kdf: salt too short")
    try:
        return hash_secret_raw(
            password,
            salt,
            time_cost=kdf.passes,
            memory_cost=kdf.memory_kib,
            parallelism=kdf.lanes,
            hash_len=OUTPUT_SIZE,
            type=Type.ID,
        )
    except HashingError:
        # Every other cause is ruled out by the checks above and in `Kdf`.
        raise LimitExceeded("kdf: not enough memory") from None


def below_floor(kdf: Kdf, floor: Kdf) -> bool:
    """Say whether guessing under `kdf` is cheaper than under `floor`, in memory or in passes.

    Lanes do not count: they shorten the owner's wait, not the work of one guess.
    """
    return kdf.memory_kib < floor.memory_kib or kdf.passes < floor.passes
