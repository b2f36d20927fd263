"""What an audit finds: each finding says what is wrong, of which kind that is, and where."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import StatementError

from casework.errors import CaseworkError
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST: Final = 1000
"""Findings of one sort that are kept; of further ones only how many there are is known."""


STRANGE: Final = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    RecursionError,
    CaseworkError,
    CryptoError,
    StatementError,
)
"""What looking at a value of a type or form that the program never writes ends in."""


class Kind(StrEnum):
    """What was done; a notice is no damage."""

    MISSING = "missing"
    CHANGED = "changed"
    ADDED = "added"
    REORDERED = "reordered"
    FORGED = "forged"
    NOTICE = "notice"


class What(StrEnum):
    """Everything that an audit can find."""

    LEAF_GONE = "leaf_gone"
    BODY_GONE = "body_gone"
    LINK_GONE = "link_gone"
    NODE_GONE = "node_gone"
    CASE_GONE = "case_gone"
    CASE_UNTOLD = "case_untold"
    CASE_GAP = "case_gap"
    ITEM_GONE = "item_gone"
    TEXT_GONE = "text_gone"
    FILE_GONE = "file_gone"
    BLOB_GONE = "blob_gone"
    GRANT_GONE = "grant_gone"
    COMPARTMENT_GONE = "compartment_gone"
    DEADLINE_GONE = "deadline_gone"
    CALENDAR_GONE = "calendar_gone"
    ROSTER_GONE = "roster_gone"
    OFFICER_GONE = "officer_gone"
    LOG_KEY_GONE = "log_key_gone"
    CHECKPOINT_BEYOND = "checkpoint_beyond"
    CHECKPOINT_GONE = "checkpoint_gone"
    OUTSIDE_BEYOND = "outside_beyond"
    SCHEMA_GONE = "schema_gone"

    LEAF_CHANGED = "leaf_changed"
    UNREADABLE = "unreadable"
    BODY_CHANGED = "body_changed"
    COLUMNS_CHANGED = "columns_changed"
    NODE_CHANGED = "node_changed"
    PADDING_CHANGED = "padding_changed"
    CASE_CHANGED = "case_changed"
    ITEM_CHANGED = "item_changed"
    TEXT_CHANGED = "text_changed"
    FILE_CHANGED = "file_changed"
    BLOB_CHANGED = "blob_changed"
    DEADLINE_CHANGED = "deadline_changed"
    CALENDAR_CHANGED = "calendar_changed"
    OFFICER_CHANGED = "officer_changed"
    LOG_KEY_CHANGED = "log_key_changed"
    CHECKPOINT_DIFFERS = "checkpoint_differs"
    CHECKPOINT_ORDER = "checkpoint_order"
    OUTSIDE_DIFFERS = "outside_differs"
    RECEIPT_DIFFERS = "receipt_differs"
    SCHEMA_CHANGED = "schema_changed"

    LEAF_BEYOND = "leaf_beyond"
    NODE_BEYOND = "node_beyond"
    PADDING_BEYOND = "padding_beyond"
    BODY_BACK = "body_back"
    ERASED_LEFT = "erased_left"
    STRAY = "stray"
    ITEM_ADDED = "item_added"
    TEXT_ADDED = "text_added"
    FILE_ADDED = "file_added"
    GRANT_ADDED = "grant_added"
    COMPARTMENT_ADDED = "compartment_added"
    DEADLINE_ADDED = "deadline_added"
    CALENDAR_ADDED = "calendar_added"
    ROSTER_ADDED = "roster_added"
    LOG_KEY_ADDED = "log_key_added"
    SCHEMA_ADDED = "schema_added"

    LEAF_MOVED = "leaf_moved"
    LINK_MOVED = "link_moved"
    ITEM_MOVED = "item_moved"
    TEXT_MOVED = "text_moved"

    LEAF_UNSIGNED = "leaf_unsigned"
    LEAF_UNPROVEN = "leaf_unproven"
    LEAF_BACKDATED = "leaf_backdated"
    ERASURE_WRONG = "erasure_wrong"
    ITEM_UNSIGNED = "item_unsigned"
    GRANT_FORGED = "grant_forged"
    ROSTER_BROKEN = "roster_broken"
    LOG_KEYS_BROKEN = "log_keys_broken"
    CHECKPOINT_FORGED = "checkpoint_forged"
    OUTSIDE_KEY = "outside_key"
    OUTSIDE_FORGED = "outside_forged"
    OUTSIDE_OTHER = "outside_other"
    RECEIPT_WRONG = "receipt_wrong"
    COSIGNATURE_WRONG = "cosignature_wrong"

    CLOCK_BACK = "clock_back"
    CALENDAR_UNTOLD = "calendar_untold"
    BLOB_UNNAMED = "blob_unnamed"
    GRANTS_UNREAD = "grants_unread"

    @property
    def kind(self) -> Kind:
        """Of which kind this is."""
        return KINDS[self]


def _kinds() -> dict[What, Kind]:
    """Return the kind of each, by the order above: a kind ends where the next begins."""
    firsts = {
        What.LEAF_GONE: Kind.MISSING,
        What.LEAF_CHANGED: Kind.CHANGED,
        What.LEAF_BEYOND: Kind.ADDED,
        What.LEAF_MOVED: Kind.REORDERED,
        What.LEAF_UNSIGNED: Kind.FORGED,
        What.CLOCK_BACK: Kind.NOTICE,
    }
    found, kind = {}, Kind.MISSING
    for what in What:
        kind = firsts.get(what, kind)
        found[what] = kind
    return found


KINDS: Final[Mapping[What, Kind]] = MappingProxyType(_kinds())


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: ``leaf`` counts from 0, ``case`` is an id, ``ticket`` its ticket.

    ``name`` is whatever else says where: a file, an item, a level of the tree.
    """

    what: What
    leaf: int | None = None
    case: str = ""
    ticket: str = ""
    name: str = ""

    @property
    def kind(self) -> Kind:
        """Of which kind it is."""
        return self.what.kind


@dataclass
class Findings:
    """Findings as they come: at most :data:`MOST` of a sort, and the number of all."""

    counts: Counter[What] = field(default_factory=Counter)
    cases: set[str] = field(default_factory=set)
    _kept: dict[What, list[Finding]] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        """Take one."""
        self.counts[finding.what] += 1
        kept = self._kept.setdefault(finding.what, [])
        if len(kept) < MOST:
            kept.append(finding)
        if finding.case and finding.kind is not Kind.NOTICE:
            self.cases.add(finding.case)

    def __iter__(self) -> Iterator[Finding]:
        """Yield what was kept, sorted by kind and sort."""
        for what in What:
            yield from self._kept.get(what, ())


@dataclass
class Counts:
    """How much was looked at; ``bytes`` are those of all blobs.

    ``unread`` are the cases whose grants could not be judged for want of their shred key.
    """

    places: int = 0
    leaves: int = 0
    dummies: int = 0
    erased: int = 0
    cases: int = 0
    items: int = 0
    grants: int = 0
    unread: int = 0
    deadlines: int = 0
    blobs: int = 0
    bytes: int = 0
    roster: int = 0
    keys: int = 0
    checkpoints: int = 0
    outside: int = 0


@dataclass(frozen=True)
class Report:
    """What an audit found.

    ``counts`` say how much was looked at, ``numbers`` how many findings of each sort there are,
    of which ``findings`` holds the first thousand. ``cases`` are the ids of all cases concerned.
    ``vouched``: the largest tree that each given witness has cosigned, and that is the one here.
    """

    findings: tuple[Finding, ...]
    numbers: Mapping[What, int]
    cases: frozenset[str]
    counts: Counts
    vouched: Mapping[str, int]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong; notices are no damage."""
        return all(what.kind is Kind.NOTICE for what in self.numbers)

    def of(self, kind: Kind) -> tuple[Finding, ...]:
        """Return the findings of one kind."""
        return tuple(one for one in self.findings if one.kind is kind)

    def number(self, kind: Kind) -> int:
        """Return how many findings of a kind there are."""
        return sum(count for what, count in self.numbers.items() if what.kind is kind)
