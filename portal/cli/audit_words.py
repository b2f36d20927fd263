"""What ``suaka audit verify`` says of each finding: where, and what it means."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from casework.audit.findings import What
from portal.cli.writing import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casework.audit.findings import Finding

SENTENCES: Final[Mapping[What, str]] = MappingProxyType(
    {
        What.LEAF_GONE: "the tree has a leaf here, but its row was removed",
        What.BODY_GONE: "what the leaf said is gone, and no guardian erased it",
        What.LINK_GONE: "the leaf that stood before this one was removed or replaced",
        What.NODE_GONE: "a node of the stored tree was removed",
        What.CASE_GONE: "there are leaves of a case that is no longer there",
        What.CASE_UNTOLD: "no signed submission in the log tells of this case",
        What.CASE_GAP: "leaves of the case before this one were removed or replaced",
        What.ITEM_GONE: "the leaf brought something sealed that is no longer there",
        What.TEXT_GONE: "the sealed text of an item was removed",
        What.FILE_GONE: "the leaf brought a file whose parts are no longer there",
        What.BLOB_GONE: "a part of a file is not in data/blobs, or cannot be read",
        What.SHRED_KEY_GONE: "the keystore lacks the key that the case names: nobody can open it",
        What.GRANT_GONE: "the leaves gave this compartment to this holder, but the key is gone",
        What.COMPARTMENT_GONE: "the leaves made this compartment, but its row is gone",
        What.DEADLINE_GONE: "the acts of the case opened this clock, but it is gone",
        What.CALENDAR_GONE: "the leaf tells of holidays of a version that is not there, or twice",
        What.ROSTER_GONE: "the leaf tells of an entry of the roster that is not there, or twice",
        What.OFFICER_GONE: "an officer who enrolled or is on the roster has no row any more",
        What.LOG_KEY_GONE: "the leaf names a key of the log that is not stored",
        What.CHECKPOINT_BEYOND: "a checkpoint was published of a larger tree than is here",
        What.CHECKPOINT_GONE: "the tree was filled up for a checkpoint that is not there any more",
        What.OUTSIDE_BEYOND: "others hold a larger log than is here: its newest leaves are gone",
        What.SCHEMA_GONE: "the database lacks something that this program made",
        What.LEAF_CHANGED: "the row holds another leaf than the tree",
        What.UNREADABLE: "values of a form that the program never writes: not checked further",
        What.BODY_CHANGED: "the leaf does not say what its hash was made of",
        What.COLUMNS_CHANGED: "the columns by which lists find the leaf say otherwise than it",
        What.NODE_CHANGED: "a node of the stored tree is not the hash of what lies below it",
        What.PADDING_CHANGED: "a run of dummy leaves does not give what the tree holds there",
        What.CASE_CHANGED: "this column of the case is not what was signed",
        What.ITEM_CHANGED: "what is sealed in this item is named by no leaf",
        What.TEXT_CHANGED: "the sealed text is not the one that its author signed",
        What.FILE_CHANGED: "the parts of this file are not those that the leaf names",
        What.BLOB_CHANGED: "a part of a file is not what was sealed",
        What.DEADLINE_CHANGED: "this clock does not start, stand or end as the acts say",
        What.CALENDAR_CHANGED: "the days are not those that the leaf names: due dates moved",
        What.OFFICER_CHANGED: "an officer's row has other keys than the roster",
        What.LOG_KEY_CHANGED: "a key of the log is not the one that the leaf names",
        What.CHECKPOINT_DIFFERS: "a published checkpoint is of another tree than is here",
        What.CHECKPOINT_ORDER: "a published checkpoint is no larger than the one before it",
        What.OUTSIDE_DIFFERS: "the log signed two trees of one size: history was rewritten",
        What.RECEIPT_DIFFERS: "the leaf of this receipt is not the one that stands here",
        What.SCHEMA_CHANGED: "not as this program made it: it may hold what it must not",
        What.LEAF_BEYOND: "a row of a leaf that the tree does not have",
        What.NODE_BEYOND: "a node that a tree of this size does not have",
        What.PADDING_BEYOND: "a run of dummy leaves reaches beyond the tree",
        What.BODY_BACK: "this leaf was erased, and says something again",
        What.ERASED_LEFT: "leaves of the case were erased, but its rows or keys are still there",
        What.STRAY: "rows that belong to nothing that is there",
        What.ITEM_ADDED: "an item that no leaf of its case brought, or that is there twice",
        What.TEXT_ADDED: "an item has more than one sealed text",
        What.FILE_ADDED: "parts of a file that no leaf brought",
        What.GRANT_ADDED: "a key that the leaves gave to nobody, or took away again",
        What.COMPARTMENT_ADDED: "a compartment that no leaf made",
        What.DEADLINE_ADDED: "a clock that no act of the case opened",
        What.CALENDAR_ADDED: "holidays whose days no leaf tells of",
        What.ROSTER_ADDED: "an entry of the roster that no leaf tells of",
        What.LOG_KEY_ADDED: "a key of the log that no leaf tells of",
        What.SCHEMA_ADDED: "the database holds something that this program never made",
        What.LEAF_MOVED: "the row holds the leaf of another place",
        What.LINK_MOVED: "the leaf follows one that stands at another place",
        What.ITEM_MOVED: "what is sealed in this item is what another leaf brought",
        What.TEXT_MOVED: "the sealed text is that of another item",
        What.LEAF_UNSIGNED: "its actor did not sign it",
        What.LEAF_UNPROVEN: "nobody who was entitled to this act signed it",
        What.LEAF_BACKDATED: "an officer signed it for a day before the roster had last changed",
        What.ERASURE_WRONG: "an erasure that no guardian in office signed, or of a wrong form",
        What.ITEM_UNSIGNED: "its author did not sign it as it is",
        What.GRANT_FORGED: "a key that nobody entitled gave, or that no leaf names",
        What.ROSTER_BROKEN: "the chain of the roster is broken at this entry",
        What.LOG_KEYS_BROKEN: "the key before it did not hand over to this key of the log",
        What.CHECKPOINT_FORGED: "a published checkpoint that no key of the log signed as it is",
        What.OUTSIDE_KEY: "signed by no key that counts in this instance for a tree of its size",
        What.OUTSIDE_FORGED: "the signature of the log does not fit: the file was changed",
        What.OUTSIDE_OTHER: "the checkpoint of another log",
        What.RECEIPT_WRONG: "the receipt does not lead to the tree that was signed",
        What.COSIGNATURE_WRONG: "a line in the name of this witness that its key did not make",
        What.CLOCK_BACK: "the day lies before that of an earlier leaf: the clock was set back",
        What.CALENDAR_UNTOLD: "no leaf names the days of these holidays: they are believed",
        What.BLOB_UNNAMED: "a blob that no row names: an upload that was interrupted, or goes on",
        What.GRANTS_UNREAD: "cases whose shred key is not here: their keys could not be judged",
        What.ERASED: "what these leaves of a case said was erased by the guardian, for this reason",
    }
)
"""One sentence for each thing that an audit can find."""


def line(finding: Finding) -> str:
    """Return a finding as one line: kind, place, and what it means."""
    return f"{finding.kind.value:<9} {place(finding)}: {SENTENCES[finding.what]}"


def place(finding: Finding) -> str:
    """Return where it is: leaves are counted from 0, and a case has its ticket where it has one."""
    parts = []
    if finding.case:
        parts.append(f"case {_said(finding.ticket or finding.case)}")
    if finding.leaf is not None:
        parts.append(f"leaf {finding.leaf}")
    if finding.name:
        parts.append(_named(finding))
    return ", ".join(parts) or "log"


def _said(value: object) -> str:
    """Return what is shown of a value, which SQLite may hold as bytes in a column of texts."""
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    return printable(str(value))


def _named(finding: Finding) -> str:
    name = _said(finding.name)
    group = finding.what.value.partition("_")[0]
    if finding.what in {What.LEAF_MOVED, What.LINK_MOVED}:
        return f"that of leaf {name}"
    if finding.what is What.GRANTS_UNREAD:
        return name
    return f"{_NOUNS[group]} {name}" if group in _NOUNS else name


_NOUNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "node": "node at",
        "padding": "places",
        "item": "item",
        "text": "item",
        "file": "item",
        "blob": "blob",
        "shred": "shred key",
        "grant": "key",
        "compartment": "compartment",
        "deadline": "deadline",
        "calendar": "holidays, version",
        "roster": "roster entry",
        "officer": "officer",
        "log": "log key",
        "checkpoint": "checkpoint",
        "case": "column",
        "clock": "day",
    }
)
