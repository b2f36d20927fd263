"""The roster against the log: every entry has the leaf of its act, and every officer their row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from casework.audit.findings import Finding, What
from casework.errors import NotFound
from casework.keys import roster as rosters
from casework.keys.chain import RosterBroken, StoredEntry
from casework.keys.tables import Person, RosterRow
from casework.keys.vocabulary import GENESIS, ROSTER_CHANGED, PersonKind
from casework.log import leaf as leaves
from casework.log.tables import Leaf
from crypto.persons import PublicKeys

if TYPE_CHECKING:
    from casework.audit.findings import Counts, Findings
    from casework.keys.members import Roster
    from casework.store.unit import UnitOfWork

ENROLLED: Final = "enrolled"


def longest(uow: UnitOfWork, findings: Findings) -> Roster | None:
    """Return the roster, or as much of its chain as can be trusted; ``None`` if nothing can."""
    try:
        return rosters.load(uow)
    except RosterBroken as broken:
        findings.add(Finding(What.ROSTER_BROKEN, name=f"{broken.version}: {broken.flaw}"))
        good = broken.version - 1
    rows = uow.session.scalars(select(RosterRow).order_by(RosterRow.version).limit(good))
    entries = [StoredEntry(row.body.encode(), row.signer, row.signature) for row in rows]
    office = uow.office
    try:
        return rosters.verify(entries, office.instance_id, office.profile, office.genesis)
    except RosterBroken:
        return None


def compare(uow: UnitOfWork, chain: Roster | None, findings: Findings, counts: Counts) -> None:
    """Compare roster entries and officers with the leaves that tell of them."""
    named = _named(uow, findings)
    for version, digest in uow.session.execute(
        select(RosterRow.version, RosterRow.hash).order_by(RosterRow.version)
    ):
        counts.roster += 1
        if named.pop(version, (0, ""))[1] != digest:
            findings.add(Finding(What.ROSTER_ADDED, name=str(version)))
    for version, (number, _) in named.items():
        findings.add(Finding(What.ROSTER_GONE, leaf=number, name=str(version)))
    _officers(uow, chain, findings)


def _named(uow: UnitOfWork, findings: Findings) -> dict[int, tuple[int, str]]:
    """Return leaf and hash by the version of each entry that a leaf names; the first one counts."""
    named: dict[int, tuple[int, str]] = {}
    query = select(Leaf).where(Leaf.event.in_((GENESIS, ROSTER_CHANGED))).order_by(Leaf.number)
    for row in uow.session.scalars(query):
        body = leaves.read(row)
        if body is None:
            continue
        version, objects = body.get("roster"), body.get("objects", ())
        stored = uow.session.scalar(select(RosterRow.hash).where(RosterRow.version == version))
        digest = stored if stored in objects else next(iter(objects), "")
        if not isinstance(version, int) or version in named:
            findings.add(Finding(What.ROSTER_GONE, leaf=row.number, name=str(version)))
        else:
            named[version] = (row.number, str(digest))
    return named


def _officers(uow: UnitOfWork, chain: Roster | None, findings: Findings) -> None:
    """Whoever enrolled is there, with the keys that the roster vouches for."""
    query = select(Person).where(Person.kind == PersonKind.OFFICER.value)
    there = {one.id: (one.recipient, one.verify_key) for one in uow.session.scalars(query)}
    for row in uow.session.scalars(
        select(Leaf).where(Leaf.event == ENROLLED).order_by(Leaf.number)
    ):
        person = (leaves.read(row) or {}).get("person")
        if person is not None and person not in there:
            findings.add(Finding(What.OFFICER_GONE, leaf=row.number, name=str(person)))
    for person in chain.people if chain is not None else ():
        keys = _keys(chain, person)
        if person not in there:
            findings.add(Finding(What.OFFICER_GONE, name=person))
        elif keys is not None and there[person] != (keys.recipient, keys.verify_key):
            findings.add(Finding(What.OFFICER_CHANGED, name=person))


def _keys(chain: Roster | None, person_id: str) -> PublicKeys | None:
    try:
        return None if chain is None else chain.person(person_id).keys
    except NotFound:
        return None
