"""The table of log leaves."""

from sqlalchemy import CheckConstraint, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from casework.store.base import Base, has_length


class Leaf(Base):
    """One leaf of the log (RFC 6962): its body may be erased later, its hash never.

    ``signature`` is the acting person's over the leaf hash; acts of the system have none.
    """

    __tablename__ = "leaf"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[str | None]
    case_id: Mapped[str | None] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(String(32))
    signature: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        CheckConstraint("number >= 0", name="number_positive"),
        has_length("hash", 32),
        Index("ix_leaf_case_id", "case_id", "number"),
    )
