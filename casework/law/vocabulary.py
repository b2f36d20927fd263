"""The closed words of a profile: what a transition can ask for and how a deadline can count.

These are mechanism. Roles, states, articles and labels are open: they are values of the files
in ``casework/profiles/``.
"""

from enum import StrEnum

UNCHANGED = "unchanged"
"""Value of ``Transition.to`` for an act that leaves the case in its state."""

REPORTER = "reporter"
SYSTEM = "system"
ASSIGNED = "assigned"
GUARDIAN = "guardian"
EXTERNAL = "external"
ACT = "act"
"""Value of ``Deadline.starts_at`` for a clock that starts with the act that opens it."""

ALL = "all"
"""Value in ``Transition.stops`` for every deadline of the case that still runs."""

RESERVED = frozenset({UNCHANGED, REPORTER, SYSTEM, ASSIGNED, GUARDIAN, EXTERNAL, ACT, ALL})
"""Words with a meaning of their own, which no table may use as an id."""


class Compartment(StrEnum):
    """The compartments of a case (DESIGN §3)."""

    CONTENT = "content"
    MAILBOX = "mailbox"
    HANDLING = "handling"
    INVESTIGATION = "investigation"
    APH = "aph"
    CONTACT = "contact"
    IDENTITY = "identity"


class Need(StrEnum):
    """What an actor may have to bring besides checklists, documents and approvals."""

    REASON = "reason"
    NOTE = "note"
    MESSAGE = "message"
    MISSING_ITEMS = "missing_items"
    OUTCOME = "outcome"
    ASSIGNEES = "assignees"
    CATEGORY = "category"
    RATING = "rating"


class Basis(StrEnum):
    """How the amount of a deadline counts (extraction §f.0)."""

    WORKING = "working"
    CALENDAR = "calendar"
    HOURS = "hours"


class Direction(StrEnum):
    """Whether a deadline falls after its start, or before a fixed date (a summons)."""

    AFTER = "after"
    BEFORE = "before"


class Lapse(StrEnum):
    """What follows when a deadline passes unmet (extraction §f.5)."""

    FLAG = "flag"
    ESCALATE = "escalate"
    ARCHIVE_MANUAL = "archive_manual"
    ARCHIVE_AUTO = "archive_auto"
    CLOSE = "close"
    WITHDRAW = "withdraw"


class Routing(StrEnum):
    """Whether this instance can take a report about a position."""

    ORDINARY = "ordinary"
    CANNOT_ROUTE = "cannot_route"


class DayKind(StrEnum):
    """Kinds of days in the holiday table (context §7.4)."""

    LIBUR_NASIONAL = "libur_nasional"
    CUTI_BERSAMA = "cuti_bersama"
    DISPENSASI_DAERAH = "dispensasi_daerah"
    PENUTUPAN_KANTOR = "penutupan_kantor"
    HARI_KERJA_PENGGANTI = "hari_kerja_pengganti"
