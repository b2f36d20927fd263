"""The unit of work: one transaction, one clock, one office."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from casework.store.keystore import Keystore
    from casework.store.office import Office


@dataclass(frozen=True)
class UnitOfWork:
    """What a use case works with; it ends with its transaction.

    ``session`` is the open transaction on the main database. ``keystore`` commits on its own:
    what it gains before the main commit is swept when that commit never comes.
    """

    office: Office
    session: Session
    keystore: Keystore

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return self.office.clock()

    def today(self) -> date:
        """Return the day in the office's time zone."""
        return self.now().astimezone(self.office.tz).date()
