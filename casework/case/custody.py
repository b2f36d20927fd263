"""Acts that move keys or look at a case without moving it through the regulation.

The profile does not know them: they follow from people coming, leaving and losing their keys.
Each is a leaf in the chain of the case, and counts only if it keeps the rules below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from casework.case.authority import may_add_files, may_grant, may_hold
from casework.keys.vocabulary import RECOVERY
from casework.law.vocabulary import Compartment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casework.case.past import Entry
    from casework.keys.members import Roster
    from casework.law.profile import Profile

OPENED: Final = "opened"
"""An officer looked at the case; once a day for each officer."""

REGRANTED: Final = "regranted"
"""A holder passed keys on to newcomers of the roles that hold them, or to a new recovery key."""

HANDED_OVER: Final = "handed_over"
"""An approver took a leaver's keys away and named who follows."""

RECUSED: Final = "recused"
"""An officer declared a conflict of interest and gave their own keys away, for good."""

RECOVERED: Final = "recovered"
"""Grants that the share holders made offline were put in force."""

EXAMINED: Final = "examined"
"""An officer had a file scanned, and a copy without traces made of it."""

FILE_OPENED: Final = "file_opened"
"""An officer looked at a file or took it along; the original only with a reason."""

FILE_REASON: Final = "file_reason"
"""Item kind: why an officer opened an original."""

EVENTS: Final = frozenset({
    OPENED, REGRANTED, HANDED_OVER, RECUSED, RECOVERED, EXAMINED, FILE_OPENED,
})  # fmt: skip

LOOKS: Final = frozenset({OPENED, EXAMINED, FILE_OPENED})
"""Events of looking: nobody gains, loses or decides anything."""

QUIET: Final = LOOKS | {REGRANTED}
"""Events that change nothing of what an officer sees: a form filled in before is still good."""

SHARED: Final = frozenset({Compartment.CONTACT, Compartment.IDENTITY})
"""Compartments of which officers hold shares; those never travel by these acts."""

_FILE_HASH_LENGTH: Final = 64
"""Characters of the SHA-256, in hex, of the file that was imported."""


def excluded(entries: Iterable[Entry]) -> frozenset[str]:
    """Return who is to hold nothing of a case any more: who is recused, and whose keys went on."""
    return frozenset(
        entry.actor if entry.event == RECUSED else entry.leaver
        for entry in entries
        if entry.event in (RECUSED, HANDED_OVER)
    )


def counts(profile: Profile, roster: Roster, entry: Entry) -> bool:
    """Return whether the signer of such a leaf was entitled to what it says, on the day of it."""
    if entry.to is not None or entry.from_ is not None or entry.category is not None:
        return False
    roles = roster.roles_on(entry.actor, entry.day)
    if not roles:
        return False
    if entry.event == OPENED:
        return not (entry.granted or entry.revoked or entry.items)
    if entry.event in LOOKS:
        # Whoever can never come to hold a file has none to examine, open or vouch for.
        idle = not (entry.granted or entry.revoked)
        return entry.items <= 1 and idle and may_add_files(profile, roles)
    if entry.event == RECUSED:
        return entry.items <= 1 and not entry.granted and _all_of(entry.revoked, entry.actor)
    if entry.items:
        return False
    if entry.event == REGRANTED:
        return _may_regrant(profile, roster, entry, roles)
    if entry.event == HANDED_OVER:
        return _may_hand_over(profile, roster, entry, roles)
    return entry.event == RECOVERED and _may_import(profile, roster, entry, roles)


def _may_regrant(profile: Profile, roster: Roster, entry: Entry, roles: frozenset[str]) -> bool:
    """Whoever may give a compartment away passes it on; recovery's old grant makes room."""
    return (
        set(entry.revoked) <= set(entry.granted)
        and all(holder == RECOVERY for _, holder in _pairs(entry.revoked))
        and all(may_grant(profile, roles, kind) for kind, _ in _pairs(entry.granted))
        and _receivable(profile, roster, entry)
    )


def _may_import(profile: Profile, roster: Roster, entry: Entry, roles: frozenset[str]) -> bool:
    """Whoever may receive cases puts in force what the share holders signed, and names the file.

    A new recovery key takes the place of the old one: what is given to the one is taken from the
    other, and nothing else is taken.
    """
    replaced = {name for name in entry.granted if name.endswith(f":{RECOVERY}")}
    return (
        not entry.items
        and bool(entry.granted)
        and len(entry.file) == _FILE_HASH_LENGTH
        and any(role.may_receive for role in profile.roles if role.id in roles)
        and set(entry.revoked) == replaced
        and _receivable(profile, roster, entry)
    )


def _may_hand_over(profile: Profile, roster: Roster, entry: Entry, roles: frozenset[str]) -> bool:
    """Whoever may end a leaver's office takes the leaver's keys, and gives those that they hold.

    A case that is over needs no successor, and then nobody receives anything.
    """
    approvable = {name for role in profile.roles if role.id in roles for name in role.approves}
    leaver = roster.people.get(entry.leaver, ())
    return (
        bool(leaver)
        and entry.actor != entry.leaver != entry.successor
        and (not entry.successor or bool(roster.roles_on(entry.successor, entry.day)))
        and {role for record in leaver for role in record.roles} <= approvable
        and _all_of(entry.revoked, entry.leaver)
        and _all_of(entry.granted, entry.successor)
        and all(may_grant(profile, roles, kind) for kind, _ in _pairs(entry.granted))
        and _receivable(profile, roster, entry)
    )


def _receivable(profile: Profile, roster: Roster, entry: Entry) -> bool:
    """Whoever receives a compartment is in office, in a role that may come to hold it.

    The recovery key receives everything but the reporter's own things.
    """
    return all(
        kind != Compartment.MAILBOX
        if holder == RECOVERY
        else kind not in SHARED and may_hold(profile, roster.roles_on(holder, entry.day), kind)
        for kind, holder in _pairs(entry.granted)
    )


def _all_of(names: Iterable[str], person_id: str) -> bool:
    return all(holder == person_id for _, holder in _pairs(names))


def _pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return the compartment and holder that each name of a moved grant states."""
    return [(kind, holder) for kind, _, holder in (name.partition(":") for name in names)]
