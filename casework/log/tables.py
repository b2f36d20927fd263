"""The tables of the log: leaves, the tree over them, what fills it up, and what was published."""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from casework.store.base import WITHOUT_ROWID, Base, has_length


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


class Node(Base):
    """The hash of one complete subtree (RFC 9162): written once, by the leaf that completes it.

    ``level`` 0 are the leaf hashes; a place of the tree has one whether or not its leaf's row is
    there, so that a row that is gone stops neither appending nor proofs.
    """

    __tablename__ = "tree_node"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        CheckConstraint("level BETWEEN 0 AND 62", name="level_known"),
        CheckConstraint("position >= 0", name="position_positive"),
        has_length("hash", 32),
        WITHOUT_ROWID,
    )


class Padding(Base):
    """A run of dummy leaves; ``seed`` gives what each of them says."""

    __tablename__ = "padding"

    first: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    count: Mapped[int]
    seed: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        CheckConstraint("first >= 0", name="first_positive"),
        CheckConstraint("count >= 1", name="count_positive"),
        has_length("seed", 32),
        WITHOUT_ROWID,
    )


class CheckpointRow(Base):
    """A published checkpoint: a signed note of the tree of ``size`` leaves.

    ``hour``: hours since 1970 (UTC) at which its period began, whatever the clock's step was then.
    ``signed`` gains the lines of witnesses as they come.
    """

    __tablename__ = "checkpoint"

    hour: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger, unique=True)
    signed: Mapped[str]

    __table_args__ = (
        CheckConstraint("hour BETWEEN 0 AND 10000000", name="hour_possible"),
        CheckConstraint("size >= 1", name="size_positive"),
        WITHOUT_ROWID,
    )


class LogKeyRow(Base):
    """A public key of the log, in the order of their service; the last one is in force.

    ``vkey`` is in the form of a signed note's key. ``handover`` is a note by which the key before
    and this one say that it follows; the first is signed by itself alone.
    """

    __tablename__ = "log_key"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    vkey: Mapped[str] = mapped_column(unique=True)
    handover: Mapped[str]

    __table_args__ = (
        CheckConstraint("number >= 1", name="number_positive"),
        WITHOUT_ROWID,
    )
