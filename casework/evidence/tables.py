"""Tables of files: where the sealed parts of each lie, and what has not arrived whole yet."""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from casework.case.tables import COMPARTMENTS
from casework.store.base import WITHOUT_ROWID, Base, has_length, one_of


class FilePart(Base):
    """One part of a file of evidence: an age file outside the database.

    ``item_id`` is the item that holds the file's sealed manifest; the manifest names the digest
    of each part. ``blob`` is its name in the blob folder, ``size`` its bytes there.
    """

    __tablename__ = "file_part"

    item_id: Mapped[str] = mapped_column(ForeignKey("item.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int]
    blob: Mapped[str] = mapped_column(String(32), unique=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        CheckConstraint("number >= 1", name="number_positive"),
        CheckConstraint("number <= count", name="number_within_count"),
        has_length("blob", 32),
        has_length("digest", 32),
        CheckConstraint("size >= 1", name="size_positive"),
        WITHOUT_ROWID,
    )


class Upload(Base):
    """A file that is arriving in parts, each in a request of its own; forgotten after a day.

    ``id`` will be the id of its item. ``sealed`` holds its name, type and size, sealed to the
    compartment, so that whoever sends it sees what is not finished yet.
    """

    __tablename__ = "upload"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"))
    compartment: Mapped[str]
    author: Mapped[str] = mapped_column(ForeignKey("person.id"))
    day: Mapped[date]
    count: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        has_length("id", 32),
        one_of("compartment", COMPARTMENTS),
        CheckConstraint("count >= 1", name="count_positive"),
        Index("ix_upload_case_id_author", "case_id", "author"),
        WITHOUT_ROWID,
    )


class UploadPart(Base):
    """A part of an unfinished file that has arrived whole, signed by whoever sent it."""

    __tablename__ = "upload_part"

    upload_id: Mapped[str] = mapped_column(
        ForeignKey("upload.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    blob: Mapped[str] = mapped_column(String(32), unique=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int] = mapped_column(BigInteger)
    signature: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        CheckConstraint("number >= 1", name="number_positive"),
        has_length("blob", 32),
        has_length("digest", 32),
        CheckConstraint("size >= 1", name="size_positive"),
        WITHOUT_ROWID,
    )
