"""What an audit finds: each finding says what is wrong, of which kind that is, and where."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self

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
    """Everything that an audit can find, each with its kind, in the order in which it is told."""

    kind: Kind

    def __new__(cls, value: str, kind: Kind) -> Self:
        """Make a word of its text and its kind."""
        made = str.__new__(cls, value)
        made._value_, made.kind = value, kind
        return made

    LEAF_GONE = "leaf_gone", Kind.MISSING
    BODY_GONE = "body_gone", Kind.MISSING
    LINK_GONE = "link_gone", Kind.MISSING
    NODE_GONE = "node_gone", Kind.MISSING
    CASE_GONE = "case_gone", Kind.MISSING
    CASE_UNTOLD = "case_untold", Kind.MISSING
    CASE_GAP = "case_gap", Kind.MISSING
    ITEM_GONE = "item_gone", Kind.MISSING
    TEXT_GONE = "text_gone", Kind.MISSING
    FILE_GONE = "file_gone", Kind.MISSING
    BLOB_GONE = "blob_gone", Kind.MISSING
    SHRED_KEY_GONE = "shred_key_gone", Kind.MISSING
    GRANT_GONE = "grant_gone", Kind.MISSING
    COMPARTMENT_GONE = "compartment_gone", Kind.MISSING
    DEADLINE_GONE = "deadline_gone", Kind.MISSING
    CALENDAR_GONE = "calendar_gone", Kind.MISSING
    ROSTER_GONE = "roster_gone", Kind.MISSING
    OFFICER_GONE = "officer_gone", Kind.MISSING
    LOG_KEY_GONE = "log_key_gone", Kind.MISSING
    CHECKPOINT_BEYOND = "checkpoint_beyond", Kind.MISSING
    CHECKPOINT_GONE = "checkpoint_gone", Kind.MISSING
    OUTSIDE_BEYOND = "outside_beyond", Kind.MISSING
    SCHEMA_GONE = "schema_gone", Kind.MISSING

    LEAF_CHANGED = "leaf_changed", Kind.CHANGED
    UNREADABLE = "unreadable", Kind.CHANGED
    BODY_CHANGED = "body_changed", Kind.CHANGED
    COLUMNS_CHANGED = "columns_changed", Kind.CHANGED
    NODE_CHANGED = "node_changed", Kind.CHANGED
    PADDING_CHANGED = "padding_changed", Kind.CHANGED
    CASE_CHANGED = "case_changed", Kind.CHANGED
    ITEM_CHANGED = "item_changed", Kind.CHANGED
    TEXT_CHANGED = "text_changed", Kind.CHANGED
    FILE_CHANGED = "file_changed", Kind.CHANGED
    BLOB_CHANGED = "blob_changed", Kind.CHANGED
    DEADLINE_CHANGED = "deadline_changed", Kind.CHANGED
    CALENDAR_CHANGED = "calendar_changed", Kind.CHANGED
    OFFICER_CHANGED = "officer_changed", Kind.CHANGED
    LOG_KEY_CHANGED = "log_key_changed", Kind.CHANGED
    CHECKPOINT_DIFFERS = "checkpoint_differs", Kind.CHANGED
    CHECKPOINT_ORDER = "checkpoint_order", Kind.CHANGED
    OUTSIDE_DIFFERS = "outside_differs", Kind.CHANGED
    RECEIPT_DIFFERS = "receipt_differs", Kind.CHANGED
    SCHEMA_CHANGED = "schema_changed", Kind.CHANGED

    LEAF_BEYOND = "leaf_beyond", Kind.ADDED
    NODE_BEYOND = "node_beyond", Kind.ADDED
    PADDING_BEYOND = "padding_beyond", Kind.ADDED
    BODY_BACK = "body_back", Kind.ADDED
    ERASED_LEFT = "erased_left", Kind.ADDED
    STRAY = "stray", Kind.ADDED
    ITEM_ADDED = "item_added", Kind.ADDED
    TEXT_ADDED = "text_added", Kind.ADDED
    FILE_ADDED = "file_added", Kind.ADDED
    GRANT_ADDED = "grant_added", Kind.ADDED
    COMPARTMENT_ADDED = "compartment_added", Kind.ADDED
    DEADLINE_ADDED = "deadline_added", Kind.ADDED
    CALENDAR_ADDED = "calendar_added", Kind.ADDED
    ROSTER_ADDED = "roster_added", Kind.ADDED
    LOG_KEY_ADDED = "log_key_added", Kind.ADDED
    SCHEMA_ADDED = "schema_added", Kind.ADDED

    LEAF_MOVED = "leaf_moved", Kind.REORDERED
    LINK_MOVED = "link_moved", Kind.REORDERED
    ITEM_MOVED = "item_moved", Kind.REORDERED
    TEXT_MOVED = "text_moved", Kind.REORDERED

    LEAF_UNSIGNED = "leaf_unsigned", Kind.FORGED
    LEAF_UNPROVEN = "leaf_unproven", Kind.FORGED
    LEAF_BACKDATED = "leaf_backdated", Kind.FORGED
    ERASURE_WRONG = "erasure_wrong", Kind.FORGED
    ITEM_UNSIGNED = "item_unsigned", Kind.FORGED
    GRANT_FORGED = "grant_forged", Kind.FORGED
    ROSTER_BROKEN = "roster_broken", Kind.FORGED
    LOG_KEYS_BROKEN = "log_keys_broken", Kind.FORGED
    CHECKPOINT_FORGED = "checkpoint_forged", Kind.FORGED
    OUTSIDE_KEY = "outside_key", Kind.FORGED
    OUTSIDE_FORGED = "outside_forged", Kind.FORGED
    OUTSIDE_OTHER = "outside_other", Kind.FORGED
    RECEIPT_WRONG = "receipt_wrong", Kind.FORGED
    COSIGNATURE_WRONG = "cosignature_wrong", Kind.FORGED

    CLOCK_BACK = "clock_back", Kind.NOTICE
    CALENDAR_UNTOLD = "calendar_untold", Kind.NOTICE
    BLOB_UNNAMED = "blob_unnamed", Kind.NOTICE
    GRANTS_UNREAD = "grants_unread", Kind.NOTICE
    ERASED = "erased", Kind.NOTICE


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

    ``unread`` are the cases whose grants could not be judged: no keystore was given, or somebody
    acted on the case meanwhile.
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
