"""The closed words of the keys room."""

from enum import StrEnum

RECOVERY = "0" * 32
"""Stands for the recovery key wherever a person id stands: as signer of the genesis and as holder
of grants. No person may have it."""


GENESIS = "genesis"
"""Event of the first leaf of a log, which names the first version of the roster."""

ROSTER_CHANGED = "roster_changed"
"""Event of the leaves that name a new version of the roster as ``roster``."""


class PersonKind(StrEnum):
    """Whether a person works here or reports here."""

    OFFICER = "officer"
    REPORTER = "reporter"


class WrapKind(StrEnum):
    """What opens a wrap."""

    PASSPHRASE = "passphrase"  # noqa: S105 - a name, not one
    SECRET_KEY = "secret_key"  # noqa: S105 - a name, not one


class TenureState(StrEnum):
    """Whether a roster record gives its roles at all."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    LEFT = "left"


class InvitationState(StrEnum):
    """Whether an invitation can still be used."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Standing(StrEnum):
    """Where somebody stands on a day. ``acting`` ends by itself; ``coming`` has not begun."""

    WAITING = "waiting"
    ACTIVE = "active"
    ACTING = "acting"
    COMING = "coming"
    SUSPENDED = "suspended"
    ENDED = "ended"
    LEFT = "left"


class EntryKind(StrEnum):
    """The first roster entry, or a later one."""

    GENESIS = "genesis"
    CHANGE = "change"


class Flaw(StrEnum):
    """Why a roster chain is refused."""

    MISSING = "missing"
    MALFORMED = "malformed"
    NOT_CANONICAL = "not_canonical"
    KIND = "kind"
    INSTANCE = "instance"
    VERSION = "version"
    PREVIOUS = "previous"
    PINNED = "pinned"
    HASH = "hash"
    DAY = "day"
    ORDER = "order"
    DUPLICATE = "duplicate_person"
    OVERLAP = "two_active_entries"
    PERIOD = "until_before_from"
    PAST = "past_changed"
    ROLE = "unknown_role"
    ADMIN = "admin_with_casework_role"
    EXCLUDES = "roles_exclude_each_other"
    KEY = "not_a_key"
    KEY_CHANGED = "key_changed"
    KEY_REUSED = "key_reused"
    HANDLE = "handle_changed_or_reused"
    GUARDIAN = "guardian"
    SIGNER = "signer_not_entitled"
    SELF = "signer_approves_themselves"
    SIGNATURE = "signature"
    RECOVERY = "recovery_changed_without_its_key"
    EMPTY = "changes_nothing"
