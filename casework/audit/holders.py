"""Who holds which compartment of a case by its leaves, and who by its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from casework.audit.findings import Finding, What
from casework.case import custody
from casework.case.authority import may_revoke
from casework.case.grants import SHARE_A, SHARE_B, WHOLE
from casework.case.standing import Judge
from casework.case.tables import Case
from casework.errors import NotFound
from casework.intake import sealing
from casework.keys.vocabulary import RECOVERY
from casework.law.vocabulary import Compartment as Kind
from crypto.errors import CryptoError, Tampered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from casework.audit.findings import Counts, Findings
    from casework.case.past import Entry, Past
    from casework.case.tables import Grant
    from casework.keys.members import Roster
    from casework.law.profile import Profile
    from casework.store.unit import UnitOfWork

FIRST: Final = (Kind.CONTENT, Kind.MAILBOX, Kind.CONTACT, Kind.IDENTITY)
"""Compartments that every case has from its first moment."""

_SEED: Final = bytes(32)

Held = tuple[str, str, str]
"""A compartment, who holds it, and which share of it."""


@dataclass(frozen=True)
class Holders:
    """What it takes to judge the grants of a case; ``sealed``: their keys are looked at, too."""

    uow: UnitOfWork
    roster: Roster
    findings: Findings
    counts: Counts
    sealed: bool

    def look(
        self,
        case: Case,
        past: Past,
        profile: Profile,
        grants: Sequence[Grant],
        made: Iterable[str],
    ) -> None:
        """Compare the grants and compartments of a case with its leaves."""
        self.counts.grants += len(grants)
        added: set[Held] = set()
        if past.whole:
            added = self._compare(case, past, profile, grants)
            self._compartments(case, past, set(made))
        if self.sealed:
            self._judge(case, past, profile, grants, added)

    def _compare(
        self, case: Case, past: Past, profile: Profile, grants: Sequence[Grant]
    ) -> set[Held]:
        """Compare who holds what; return what was told to be there without a leaf."""
        told = self._told(case, past, profile)
        if told is None:
            return set()
        stored = {(row.compartment, row.holder, row.share) for row in grants}
        added = stored - told
        for what, one in (
            *((What.GRANT_GONE, one) for one in sorted(told - stored)),
            *((What.GRANT_ADDED, one) for one in sorted(added)),
        ):
            self._tell(what, case, ":".join(one))
        return added

    def _compartments(self, case: Case, past: Past, made: set[str]) -> None:
        told = {str(kind) for kind in FIRST} | {
            name.partition(":")[0] for entry in past.entries for name in entry.granted
        }
        for kind in sorted(told - made):
            self._tell(What.COMPARTMENT_GONE, case, kind)
        for kind in sorted(made - told):
            self._tell(What.COMPARTMENT_ADDED, case, kind)

    def _told(self, case: Case, past: Past, profile: Profile) -> set[Held] | None:
        """Return who holds what by the leaves; ``None`` if the roster of the first day is gone.

        The submission names no holders: they follow from the roster that it names.
        """
        held = self._first(case, past, profile)
        if held is None:
            return None
        for entry in past.entries:
            if entry is past.submission:
                continue
            for kind, _, holder in (name.partition(":") for name in entry.revoked):
                for share in self._taken(profile, entry, kind, holder):
                    held.discard((kind, holder, share))
            for kind, _, holder in (name.partition(":") for name in entry.granted):
                held.add((kind, holder, WHOLE))
        return held

    @staticmethod
    def _taken(profile: Profile, entry: Entry, kind: str, holder: str) -> tuple[str, ...]:
        """Return which shares an act that names a compartment as revoked takes from a holder.

        Acts of the regulation name what had been put back and leaves with them, too. They take
        what their profile says, and nothing from the recovery key: if its grant was exchanged for
        an old one before the act, the grant that it should have is missed.
        """
        if entry.event in custody.EVENTS:
            return (WHOLE, SHARE_A, SHARE_B)
        takes = holder != RECOVERY and may_revoke(profile, (entry.role,), entry.event, kind)
        return (WHOLE,) if takes else ()

    def _first(self, case: Case, past: Past, profile: Profile) -> set[Held] | None:
        first = next(iter(past.bodies.values()))
        chain: Roster | None = self.roster
        version = (first or {}).get("roster")
        while chain is not None and chain.version != version:
            chain = chain.before
        if chain is None:
            return None
        receiving = sealing.receivers(profile, chain, case.received) or []
        held: set[Held] = {(kind.value, case.reporter, WHOLE) for kind in FIRST}
        held |= {(kind.value, RECOVERY, WHOLE) for kind in FIRST if kind is not Kind.MAILBOX}
        held |= {(Kind.CONTENT.value, one.person_id, WHOLE) for one in receiving}
        for kind in FIRST:
            for one, share, _ in sealing.share_out(profile, chain, case.received, kind, _SEED):
                held.add((kind.value, one.person_id, share))
        return held

    def _judge(
        self,
        case: Case,
        past: Past,
        profile: Profile,
        grants: Sequence[Grant],
        added: Collection[Held],
    ) -> None:
        """Judge each grant as those do who use it; without its shred key there is no way to.

        Holders alone do not tell a grant from its predecessor, which was taken away when the
        holder got another: that one, put back, opens nothing less. What is in ``added`` has been
        told of.
        """
        shred_key = self.uow.keystore.shred_key(case.id, case.shred_version)
        if shred_key is None:
            if self._is_lost(case):
                self._tell(What.SHRED_KEY_GONE, case, str(case.shred_version))
            else:
                self.counts.unread += 1
            return

        def key_of(person_id: str) -> bytes:
            if person_id == case.reporter and past.reporter is not None:
                return past.reporter.verify_key
            try:
                return self.roster.verify_key_of(person_id)
            except NotFound as error:
                raise Tampered("nobody vouches for a granter") from error

        judge = Judge(self.uow.office.instance_id, case, profile, self.roster, past.bodies, key_of)
        for row in grants:
            name = f"{row.compartment}:{row.holder}:{row.share}"
            try:
                stands = judge.stands(row, shred_key)
            except CryptoError:
                self._tell(What.GRANT_FORGED, case, name)
            else:
                if not stands and (row.compartment, row.holder, row.share) not in added:
                    self._tell(What.GRANT_ADDED, case, name)

    def _is_lost(self, case: Case) -> bool:
        """Return whether the key that a case names is gone for good, and was not just replaced.

        The keystore is read as it is now, the case as it was when the audit began.
        """
        if self.uow.keystore.stand_in:
            return False
        with self.uow.office.read() as now:
            query = select(Case.shred_version).where(Case.id == case.id)
            unchanged = now.session.scalar(query) == case.shred_version
        return unchanged and self.uow.keystore.shred_key(case.id, case.shred_version) is None

    def _tell(self, what: What, case: Case, name: str) -> None:
        self.findings.add(Finding(what, case=case.id, ticket=case.ticket, name=name))
