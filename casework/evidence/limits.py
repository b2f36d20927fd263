"""How much may be kept: for one file, one case, and the instance."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from casework.case.past import EVIDENCE
from casework.case.tables import Item
from casework.errors import CaseworkError
from casework.evidence.tables import FilePart, Upload

if TYPE_CHECKING:
    from sqlalchemy import ScalarSelect

    from casework.case.keyring import Keyring
    from casework.store.unit import UnitOfWork

MIB: Final = 1024 * 1024
PART: Final = 4 * MIB
"""Bytes of each part of a file that arrives in several requests; the last may be shorter."""


class Bound(StrEnum):
    """Which limit a file ran into; the pages have words for each."""

    FILE = "file"
    CASE_FILES = "case_files"
    CASE_BYTES = "case_bytes"
    INSTANCE = "instance"


class Full(CaseworkError):
    """A file cannot be taken; ``limit`` in bytes (or files) is what is allowed."""

    def __init__(self, bound: Bound, limit: int) -> None:
        super().__init__(bound.value)
        self.bound = bound
        self.limit = limit


@dataclass(frozen=True)
class Limits:
    """Set by the operator, in bytes but for the numbers of files.

    ``case_files`` from the reporter, ``officer_files`` from the officers of a case together.
    ``instance`` is 0 where only the disk decides; below ``low_water`` of free space no file is
    taken, so that there is always room for the text of a report.
    """

    file: int = 512 * MIB
    case_files: int = 20
    officer_files: int = 200
    case: int = 4096 * MIB
    instance: int = 0
    low_water: int = 1024 * MIB


@dataclass(frozen=True)
class Left:
    """What one more file may have in bytes, and which limit says so."""

    size: int
    bound: Bound
    limit: int


def left(keyring: Keyring) -> Left:
    """Return how large the actor's next file in this case may be.

    What is counted are sealed bytes, of which a file takes a few hundredths more than its own.

    Raises:
        Full: none is possible, whatever its size.
        Unavailable: the disk cannot be asked.
    """
    office = keyring.uow.office
    room = office.blobs.free() - office.evidence.low_water
    return _least([*_bounds(keyring), Left(room, Bound.INSTANCE, 0)])


def admit(keyring: Keyring, length: int) -> None:
    """Refuse a file that was received while others used up the room that there was.

    ``length`` in bytes. The disk is not asked: the file lies on it already.

    Raises:
        Full: it does not fit any more.
    """
    least = _least(_bounds(keyring))
    if length > least.size:
        raise Full(least.bound, least.limit)


def _least(bounds: list[Left]) -> Left:
    least = min(bounds, key=lambda one: one.size)
    if least.size <= 0:
        raise Full(least.bound, least.limit)
    return least


def _bounds(keyring: Keyring) -> list[Left]:
    uow, case = keyring.uow, keyring.case
    limits = uow.office.evidence
    by_reporter = keyring.actor.person_id == case.reporter
    most = limits.case_files if by_reporter else limits.officer_files
    if _files(keyring, by_reporter=by_reporter) >= most:
        raise Full(Bound.CASE_FILES, most)
    bounds = [
        Left(limits.file, Bound.FILE, limits.file),
        Left(limits.case - _bytes_of(uow, case.id), Bound.CASE_BYTES, limits.case),
    ]
    if limits.instance:
        used = _bytes_of(uow, None)
        bounds.append(Left(limits.instance - used, Bound.INSTANCE, 0))
    return bounds


def _files(keyring: Keyring, *, by_reporter: bool) -> int:
    """Return how many files one side has added or begun to add."""
    case = keyring.case
    session = keyring.uow.session
    side = Item.author == case.reporter if by_reporter else Item.author != case.reporter
    begun = Upload.author == case.reporter if by_reporter else Upload.author != case.reporter
    whole = select(func.count()).where(Item.case_id == case.id, Item.kind == EVIDENCE, side)
    arriving = select(func.count()).select_from(Upload).where(Upload.case_id == case.id, begun)
    return (session.scalar(whole) or 0) + (session.scalar(arriving) or 0)


def _bytes_of(uow: UnitOfWork, case_id: str | None) -> int:
    """Return the bytes that sealed files take, of one case or of all.

    One that is arriving counts with all its parts from the first: otherwise many begun at once
    would each find the same room.
    """
    whole = select(func.coalesce(func.sum(FilePart.size), 0))
    arriving = select(func.coalesce(func.sum(Upload.count), 0) * PART)
    if case_id is not None:
        whole = whole.join(Item, Item.id == FilePart.item_id).where(Item.case_id == case_id)
        arriving = arriving.where(Upload.case_id == case_id)
    sums: list[ScalarSelect[int]] = [whole.scalar_subquery(), arriving.scalar_subquery()]
    return uow.session.scalar(select(sums[0] + sums[1])) or 0
