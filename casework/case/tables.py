"""Tables of the case file. In clear stands only what lists and deadlines need (DESIGN §3)."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from casework.law.vocabulary import Compartment as Kind
from casework.store.base import WITHOUT_ROWID, Base, has_length, one_of

COMPARTMENTS = tuple(kind.value for kind in Kind)
SHARES = ("whole", "a", "b")
TICKET_LENGTH = 12
"""Characters of a ticket: ``WBS-`` and eight more."""


class Case(Base):
    """One report and its handling.

    ``submission`` is derived from the form's token and makes a second case of the same form
    impossible. ``receipt_open``: the same form still shows the same receipt. ``shred_version``
    names the shred key in force. ``revision`` counts acts, so that two officers cannot act on
    the same picture.
    """

    __tablename__ = "case"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    ticket: Mapped[str] = mapped_column(unique=True)
    submission: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    receipt_open: Mapped[bool]
    profile: Mapped[str]
    profile_version: Mapped[int]
    state: Mapped[str]
    category: Mapped[str | None]
    received: Mapped[date]
    reporter: Mapped[str] = mapped_column(ForeignKey("person.id"), unique=True)
    shred_version: Mapped[int]
    revision: Mapped[int]

    __table_args__ = (
        has_length("id", 32),
        has_length("ticket", TICKET_LENGTH),
        has_length("submission", 32),
        CheckConstraint("profile_version >= 1", name="profile_version_positive"),
        CheckConstraint("shred_version >= 1", name="shred_version_positive"),
        CheckConstraint("revision >= 1", name="revision_positive"),
        WITHOUT_ROWID,
    )


class CaseFlag(Base):
    """A circumstance of a case that the profile knows; it stands while the row does."""

    __tablename__ = "case_flag"

    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), primary_key=True)
    flag: Mapped[str] = mapped_column(primary_key=True)

    __table_args__ = (CheckConstraint("flag <> ''", name="flag_named"), WITHOUT_ROWID)


class Assignment(Base):
    """A person named for one case, for instance in a letter of assignment."""

    __tablename__ = "assignment"

    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    since: Mapped[date]

    __table_args__ = (WITHOUT_ROWID,)


class Compartment(Base):
    """A sealed part of a case with an identity of its own.

    Its recipient is not stored: who may write into it holds its seed and derives the recipient
    from that, so that nobody can be tricked by a changed column.
    """

    __tablename__ = "compartment"

    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    created: Mapped[date]

    __table_args__ = (one_of("kind", COMPARTMENTS), WITHOUT_ROWID)


class Grant(Base):
    """A compartment's seed (or one XOR share of it), sealed to one person and signed.

    ``sealed`` is an age file wrapped once more under the case's shred key.
    """

    __tablename__ = "grant"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"))
    compartment: Mapped[str]
    holder: Mapped[str] = mapped_column(String(32))
    share: Mapped[str]
    roster_version: Mapped[int]
    granted: Mapped[date]
    granter: Mapped[str] = mapped_column(String(32))
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        has_length("id", 32),
        has_length("holder", 32),
        has_length("granter", 32),
        one_of("compartment", COMPARTMENTS),
        one_of("share", SHARES),
        CheckConstraint("roster_version >= 1", name="roster_version_positive"),
        UniqueConstraint("case_id", "compartment", "holder", "share"),
        Index("ix_grant_holder_case_id", "holder", "case_id"),
        WITHOUT_ROWID,
    )


class Item(Base):
    """Something sealed in a compartment, written and signed by one person.

    ``leaf`` is the log leaf of the act that brought it, and its place in the story. ``digest``
    is the SHA-256 of the ciphertext of all parts.
    """

    __tablename__ = "item"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"))
    compartment: Mapped[str]
    kind: Mapped[str]
    version: Mapped[int]
    author: Mapped[str] = mapped_column(ForeignKey("person.id"))
    day: Mapped[date]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    leaf: Mapped[int] = mapped_column(ForeignKey("leaf.number"))

    __table_args__ = (
        has_length("id", 32),
        one_of("compartment", COMPARTMENTS),
        CheckConstraint("kind <> ''", name="kind_named"),
        CheckConstraint("version >= 1", name="version_positive"),
        has_length("digest", 32),
        Index("ix_item_case_id_leaf", "case_id", "leaf"),
        WITHOUT_ROWID,
    )


class Part(Base):
    """One age file of an item; texts have exactly one."""

    __tablename__ = "part"

    item_id: Mapped[str] = mapped_column(ForeignKey("item.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        CheckConstraint("number >= 1", name="number_positive"),
        CheckConstraint("number <= count", name="number_within_count"),
        has_length("digest", 32),
        WITHOUT_ROWID,
    )


class DeskEntry(Base):
    """A case as it lies on one officer's desk, in the order of what is due first.

    Derived from grants, case and deadlines by ``casework.handling.desk`` in the transaction
    of each act; stored because the inbox must not slow down with the number of cases
    (``bench/inbox.py``). ``due`` is the far end of time while nothing runs.
    """

    __tablename__ = "desk_entry"

    person: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), primary_key=True)
    due: Mapped[date]
    state: Mapped[str]
    category: Mapped[str | None]

    __table_args__ = (
        Index("ix_desk_entry_due", "person", "due", "case_id"),
        Index("ix_desk_entry_state", "person", "state", "due", "case_id"),
        Index("ix_desk_entry_category", "person", "category", "due", "case_id"),
        Index("ix_desk_entry_both", "person", "state", "category", "due", "case_id"),
        Index("ix_desk_entry_case", "case_id"),
        WITHOUT_ROWID,
    )
