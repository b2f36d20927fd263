"""Blobs and rows compared: what no row names can go, what a row names must be there."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from casework.evidence.tables import FilePart, UploadPart

if TYPE_CHECKING:
    from casework.store.office import Office
    from casework.store.unit import UnitOfWork

BATCH: Final = 500
"""Blobs removed under one hold of the write lock."""


@dataclass(frozen=True)
class Found:
    """``orphans``: names of blobs without a row; ``missing``: ids of items that lack a blob."""

    orphans: frozenset[str]
    missing: frozenset[str]


def compare(office: Office) -> Found:
    """Compare the blob folder with the rows. What arrives meanwhile may look like an orphan.

    Raises:
        Unavailable: the database or the folder cannot be read.
    """
    rows = _rows(office)
    there = set(office.blobs.names())
    missing = rows.keys() - there
    if missing:
        # A file that somebody gave up in between is not missed.
        missing &= _rows(office).keys()
    return Found(
        orphans=frozenset(there - rows.keys()),
        missing=frozenset(rows[blob] for blob in missing),
    )


def sweep(office: Office) -> int:
    """Remove blobs that no row names; return how many.

    Each is looked for again under the write lock: a blob gets its name within the transaction
    that writes its row, so none that a row is about to name is ever removed.

    Raises:
        Unavailable: the database or the folder cannot be written.
    """
    orphans = iter(compare(office).orphans)
    removed = 0
    while batch := list(islice(orphans, BATCH)):
        with office.write() as uow:
            kept = _named(uow, batch)
            for name in batch:
                if name not in kept:
                    office.blobs.remove(name)
                    removed += 1
    return removed


def _rows(office: Office) -> dict[str, str]:
    """Return the id of the item or upload that names a blob, by the blob's name."""
    with office.read() as uow:
        arriving = uow.session.execute(select(UploadPart.blob, UploadPart.upload_id))
        whole = uow.session.execute(select(FilePart.blob, FilePart.item_id))
        return {blob: owner for rows in (arriving, whole) for blob, owner in rows}


def _named(uow: UnitOfWork, names: list[str]) -> set[str]:
    files = uow.session.scalars(select(FilePart.blob).where(FilePart.blob.in_(names)))
    arriving = uow.session.scalars(select(UploadPart.blob).where(UploadPart.blob.in_(names)))
    return {*files, *arriving}
