"""Tables of the keys room: persons, the wraps of their seeds, enrolments and the roster chain.

Nothing is ever sealed to a key read from here: recipients come from the verified roster, and a
person's row only says which keys the person enrolled with.
"""

from datetime import date

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from casework.keys.vocabulary import PersonKind, WrapKind
from casework.store.base import ID_LENGTH, WITHOUT_ROWID, Base, has_length, one_of

RECIPIENT_SIZE = 1216
"""Bytes of a hybrid recipient."""

VERIFY_KEY_SIZE = 32
"""Bytes of an Ed25519 public key."""

SIGNATURE_SIZE = 65
"""Bytes of a signature: suite, then Ed25519."""

LOCATOR_SIZE = 32
"""Bytes of a locator."""

HASH_LENGTH = 64
"""Characters of a SHA-256 in hex."""

USERNAME_MAX = 32
"""Characters of a username."""

LINE_MAX = 160
"""Characters of a name or a position."""


class Person(Base):
    """Somebody who has keys: an officer with a username, or a reporter without."""

    __tablename__ = "person"
    __table_args__ = (
        has_length("id", ID_LENGTH),
        has_length("recipient", RECIPIENT_SIZE),
        has_length("verify_key", VERIFY_KEY_SIZE),
        one_of("kind", tuple(PersonKind)),
        CheckConstraint("(kind = 'officer') = (username IS NOT NULL)", name="username_of_officer"),
        CheckConstraint(f"length(username) BETWEEN 3 AND {USERNAME_MAX}", name="username_length"),
        WITHOUT_ROWID,
    )

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    username: Mapped[str | None] = mapped_column(String(USERNAME_MAX), unique=True)
    recipient: Mapped[bytes] = mapped_column(LargeBinary(RECIPIENT_SIZE))
    verify_key: Mapped[bytes] = mapped_column(LargeBinary(VERIFY_KEY_SIZE), unique=True)
    created_day: Mapped[date] = mapped_column(Date)


class Wrap(Base):
    """A person's seed, sealed under what a passphrase or a secret key derives to."""

    __tablename__ = "wrap"
    __table_args__ = (
        has_length("locator", LOCATOR_SIZE),
        one_of("kind", tuple(WrapKind)),
        CheckConstraint("length(kdf_id) BETWEEN 1 AND 64", name="kdf_id_length"),
        CheckConstraint("length(sealed) BETWEEN 64 AND 8192", name="sealed_length"),
        Index("ix_wrap_kind_kdf_id", "kind", "kdf_id"),
        WITHOUT_ROWID,
    )

    locator: Mapped[bytes] = mapped_column(LargeBinary(LOCATOR_SIZE), primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    kdf_id: Mapped[str] = mapped_column(String(64))
    sealed: Mapped[bytes] = mapped_column(LargeBinary(8192))


class Enrolment(Base):
    """What an officer stated at enrolment, for the ceremony to read; worth nothing afterwards."""

    __tablename__ = "enrolment"
    __table_args__ = (
        CheckConstraint(f"length(name) BETWEEN 1 AND {LINE_MAX}", name="name_length"),
        CheckConstraint(f"length(position) BETWEEN 1 AND {LINE_MAX}", name="position_length"),
        CheckConstraint("length(roles) BETWEEN 1 AND 512", name="roles_length"),
    )

    person: Mapped[str] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(LINE_MAX))
    position: Mapped[str] = mapped_column(String(LINE_MAX))
    roles: Mapped[str] = mapped_column(String(512))
    """Role ids in order, separated by commas."""


class RosterRow(Base):
    """One signed entry of the roster chain, as it was signed."""

    __tablename__ = "roster"
    __table_args__ = (
        CheckConstraint("version >= 1", name="version_positive"),
        CheckConstraint(f"length(body) BETWEEN 2 AND {1 << 20}", name="body_length"),
        CheckConstraint(f"length(signer) BETWEEN 1 AND {ID_LENGTH}", name="signer_length"),
        has_length("signature", SIGNATURE_SIZE),
        has_length("hash", HASH_LENGTH),
    )

    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    body: Mapped[str] = mapped_column(Text)
    signer: Mapped[str] = mapped_column(String(ID_LENGTH))
    signature: Mapped[bytes] = mapped_column(LargeBinary(SIGNATURE_SIZE))
    hash: Mapped[str] = mapped_column(String(HASH_LENGTH), unique=True)
