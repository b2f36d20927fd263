"""Tables of the keys room: persons, the wraps of their seeds, how they came, the roster chain.

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

ADDRESS_MAX = 254
"""Characters of a mail address (RFC 5321 §4.5.3.1.3, less the brackets)."""

TOKEN_NAME_SIZE = 32
"""Bytes of the name under which a token is remembered."""


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


class Invitation(Base):
    """A one-time invitation: what an admin states of somebody who is to come.

    ``name_of_token`` is derived from the token, which is printed once and stored nowhere.
    ``expires`` is in seconds since the epoch. ``person`` is whoever used it. ``replaces`` is the
    person whose keys are lost.
    """

    __tablename__ = "invitation"
    __table_args__ = (
        has_length("id", ID_LENGTH),
        has_length("name_of_token", TOKEN_NAME_SIZE),
        CheckConstraint(f"length(name) BETWEEN 1 AND {LINE_MAX}", name="name_length"),
        CheckConstraint(f"length(position) BETWEEN 1 AND {LINE_MAX}", name="position_length"),
        CheckConstraint("length(roles) BETWEEN 1 AND 512", name="roles_length"),
        CheckConstraint(f"length(username) BETWEEN 3 AND {USERNAME_MAX}", name="username_length"),
        CheckConstraint("NOT (withdrawn AND person IS NOT NULL)", name="withdrawn_or_used"),
    )

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    name_of_token: Mapped[bytes] = mapped_column(LargeBinary(TOKEN_NAME_SIZE), unique=True)
    username: Mapped[str] = mapped_column(String(USERNAME_MAX))
    name: Mapped[str] = mapped_column(String(LINE_MAX))
    position: Mapped[str] = mapped_column(String(LINE_MAX))
    roles: Mapped[str] = mapped_column(String(512))
    """Role ids in order, separated by commas."""
    created_day: Mapped[date] = mapped_column(Date)
    expires: Mapped[int] = mapped_column(Integer)
    withdrawn: Mapped[bool]
    replaces: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    person: Mapped[str | None] = mapped_column(ForeignKey("person.id"), unique=True)


class FactorRow(Base):
    """An officer's second factor, sealed to the officer and signed by them.

    ``last_step`` is the last time step whose code was accepted, so that no code works twice.
    ``missed`` counts the wrong codes since the last right one, ``missed_step`` is when the last
    of them was looked at.
    """

    __tablename__ = "factor"
    __table_args__ = (
        has_length("signature", SIGNATURE_SIZE),
        CheckConstraint("length(sealed) BETWEEN 64 AND 8192", name="sealed_length"),
        CheckConstraint("last_step >= 0", name="last_step_positive"),
        CheckConstraint("missed >= 0 AND missed_step >= 0", name="missed_positive"),
        WITHOUT_ROWID,
    )

    person: Mapped[str] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    sealed: Mapped[bytes] = mapped_column(LargeBinary(8192))
    signature: Mapped[bytes] = mapped_column(LargeBinary(SIGNATURE_SIZE))
    last_step: Mapped[int] = mapped_column(Integer)
    missed: Mapped[int] = mapped_column(Integer)
    missed_step: Mapped[int] = mapped_column(Integer)


class Device(Base):
    """A browser from which an officer has signed in; days only.

    Several officers may share one.
    """

    __tablename__ = "device"
    __table_args__ = (has_length("name_of_token", TOKEN_NAME_SIZE), WITHOUT_ROWID)

    name_of_token: Mapped[bytes] = mapped_column(LargeBinary(TOKEN_NAME_SIZE), primary_key=True)
    person: Mapped[str] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    seen_day: Mapped[date] = mapped_column(Date)


class CatchUp(Base):
    """How far a holder has passed keys on to newcomers.

    ``roster_version`` and ``day`` say whose coming was known when the holder began; ``case_id``
    is the last case looked at.
    """

    __tablename__ = "catch_up"
    __table_args__ = (CheckConstraint("roster_version >= 1", name="roster_version_positive"),)

    person: Mapped[str] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    roster_version: Mapped[int] = mapped_column(Integer)
    day: Mapped[date] = mapped_column(Date)
    case_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    done: Mapped[bool]


class NoticeAddress(Base):
    """Where an officer wants to be told that there is something to do; never what.

    ``upto`` is the number of leaves that the officer was told of.
    """

    __tablename__ = "notice_address"
    __table_args__ = (
        CheckConstraint(f"length(address) BETWEEN 3 AND {ADDRESS_MAX}", name="address_length"),
        CheckConstraint("upto >= 0", name="upto_positive"),
    )

    person: Mapped[str] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    address: Mapped[str] = mapped_column(String(ADDRESS_MAX))
    upto: Mapped[int] = mapped_column(Integer)


class NoticeRun(Base):
    """A fixed hour at which notices were sent, as ``YYYY-MM-DDTHH.MM`` in the office's zone."""

    __tablename__ = "notice_run"
    __table_args__ = (has_length("slot", 16),)

    slot: Mapped[str] = mapped_column(String(16), primary_key=True)


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
