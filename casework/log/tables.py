"""The table of log leaves."""

from datetime import date

from sqlalchemy import CheckConstraint, Date, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from casework.store.base import Base, has_length


class Leaf(Base):
    """One leaf of the log (RFC 6962): its body may be erased later, its hash never.

    ``signature`` is the acting person's over the leaf hash; acts of the system have none.
    ``event`` and ``day`` repeat what the body says, to be searched by; the body decides.
    """

    __tablename__ = "leaf"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[str | None]
    case_id: Mapped[str | None] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(String(32))
    event: Mapped[str] = mapped_column(String(32))
    day: Mapped[date] = mapped_column(Date)
    signature: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        CheckConstraint("number >= 0", name="number_positive"),
        has_length("hash", 32),
        CheckConstraint("event <> ''", name="event_named"),
        Index("ix_leaf_case_id", "case_id", "number"),
        Index("ix_leaf_day", "day", "number"),
        Index("ix_leaf_actor_event_day", "actor", "event", "day"),
        Index("ix_leaf_actor_day", "actor", "day", "number"),
        Index("ix_leaf_event_day", "event", "day", "number"),
    )
