"""Tables of holidays and deadlines."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from casework.law.vocabulary import DayKind
from casework.store.base import WITHOUT_ROWID, Base, has_length, one_of

RUNNING, MET, STOPPED = "running", "met", "stopped"


class Calendar(Base):
    """One version of the holiday table; deadlines name the version they were counted with."""

    __tablename__ = "calendar"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    created: Mapped[date]
    source: Mapped[str]

    __table_args__ = (
        CheckConstraint("version >= 1", name="version_positive"),
        CheckConstraint("source <> ''", name="source_named"),
    )


class Holiday(Base):
    """A day that does not count as an ordinary working day, in one version of the table."""

    __tablename__ = "holiday"

    calendar: Mapped[int] = mapped_column(ForeignKey("calendar.version"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]

    __table_args__ = (
        one_of("kind", tuple(kind.value for kind in DayKind)),
        CheckConstraint("name <> ''", name="name_given"),
        WITHOUT_ROWID,
    )


class DeadlineRow(Base):
    """One running, met or stopped clock of a case.

    ``due`` is the last day in the office's time zone. ``due_at`` (UTC) is set for clocks that
    count hours. ``warn`` is the earlier day under the other reading of an ambiguous rule.
    Whether it has lapsed follows from ``due`` and today.
    """

    __tablename__ = "deadline"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"))
    rule: Mapped[str]
    start: Mapped[date]
    due: Mapped[date]
    due_at: Mapped[datetime | None]
    warn: Mapped[date | None]
    calendar: Mapped[int] = mapped_column(ForeignKey("calendar.version"))
    status: Mapped[str]
    closed: Mapped[date | None]

    __table_args__ = (
        has_length("id", 32),
        CheckConstraint("rule <> ''", name="rule_named"),
        one_of("status", (RUNNING, MET, STOPPED)),
        CheckConstraint("(status = 'running') = (closed IS NULL)", name="closed_when_not_running"),
        Index("ix_deadline_case_id_status", "case_id", "status"),
        Index("ix_deadline_status_due", "status", "due"),
        WITHOUT_ROWID,
    )
