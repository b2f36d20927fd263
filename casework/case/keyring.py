"""An actor's keys to one case: opens compartments by the actor's grants, and checks every name.

Verify keys come from two places only: the roster chain for officers, and for the reporter the
submit leaf, which names the hash of the reporter's public keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from casework.case import grants, items, past
from casework.case.standing import Judge
from casework.case.tables import Case, Grant, Item
from casework.errors import Conflict, Denied, NotFound, Untrustworthy
from crypto.errors import CryptoError, Tampered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casework.case.items import Opened
    from casework.case.past import Past
    from casework.keys.actor import Actor
    from casework.keys.roster import Roster
    from casework.log.tables import Leaf
    from casework.store.unit import UnitOfWork
    from crypto.age import HybridIdentity
    from crypto.persons import PublicKeys


class CaseDamaged(Untrustworthy):
    """What is stored about a case does not belong together; nothing of it may be used.

    Somebody changed rows or keys behind the portal's back, or the disk is failing.
    """


@dataclass
class Keyring:
    """One actor's view of one case inside one unit of work; nothing is cached beyond it."""

    uow: UnitOfWork
    case: Case
    actor: Actor
    roster: Roster
    _identities: dict[str, HybridIdentity] = field(default_factory=dict, repr=False)
    _shred_keys: dict[int, bytes] = field(default_factory=dict, repr=False)
    _past: tuple[int, Past] | None = field(default=None, repr=False)

    def holds(self, compartment: str) -> bool:
        """Return whether the actor has a whole grant of a compartment."""
        return self._row(compartment) is not None

    def identity(self, compartment: str) -> HybridIdentity:
        """Open a compartment by the actor's own grant.

        Raises:
            Denied: the actor holds no grant.
            CaseDamaged: a grant or key was changed.
        """
        if compartment not in self._identities:
            row = self._row(compartment)
            if row is None:
                raise Denied
            try:
                judge, shred_key = self.judge(), self.shred_key()
                if not judge.stands(row, shred_key):
                    raise Tampered("a grant was put back that had been taken away")
                seed = grants.open_grant(
                    judge.instance, row, shred_key, self.actor, judge.granter_key(row)
                )
            except CryptoError as error:
                raise CaseDamaged(f"grant of {compartment}") from error
            self._identities[compartment] = grants.identity_of(seed)
        return self._identities[compartment]

    def adopt(self, compartment: str, identity: HybridIdentity) -> None:
        """Use the identity of a compartment that this act has just made."""
        self._identities[compartment] = identity

    def shred_key(self) -> bytes:
        """Return the case's shred key.

        Raises:
            Conflict: somebody replaced it since this reading transaction began.
            CaseDamaged: it is gone.
        """
        version = self.case.shred_version
        if version not in self._shred_keys:
            key = self.uow.keystore.shred_key(self.case.id, version)
            if key is None:
                if self.uow.keystore.holds_newer(self.case.id, version):
                    raise Conflict("shred key")
                raise CaseDamaged("shred key")
            self._shred_keys[version] = key
        return self._shred_keys[version]

    def verify_key(self, person_id: str) -> bytes:
        """Return the key that verifies what a person signed.

        Raises:
            Tampered: neither the roster chain nor the submit leaf vouches for the person.
        """
        if person_id == self.case.reporter:
            return self.reporter_keys().verify_key
        try:
            return self.roster.verify_key_of(person_id)
        except NotFound as error:
            raise Tampered("nobody vouches for a signer") from error

    def reporter_keys(self) -> PublicKeys:
        """Return the reporter's public keys, as the submit leaf vouches for them.

        Raises:
            Tampered: the row or the leaf was changed, or an officer built on another submission.
        """
        keys = self.past().reporter
        if keys is None:
            raise Tampered("no submission vouches for the reporter's keys")
        return keys

    def past(self) -> Past:
        """Return what the leaves of the case prove, checked once for each revision of the case."""
        if self._past is None or self._past[0] != self.case.revision:
            self._past = (self.case.revision, past.of(self.uow, self.case, self.roster))
        return self._past[1]

    def forget_past(self) -> None:
        """Read the leaves again when they are asked for next: an act has added one."""
        self._past = None

    def check_row(self) -> None:
        """Compare the case's row with what was signed, before anything of it is believed.

        Raises:
            CaseDamaged: naming the columns that differ.
        """
        if wrong := self.past().contradictions(self.case):
            raise CaseDamaged(f"case row: {', '.join(wrong)}")
        try:
            self.uow.office.catalogue.get(self.case.profile, self.case.profile_version)
        except NotFound as error:
            raise CaseDamaged("case row: profile") from error

    def may_act(self) -> bool:
        """Return whether the case's row is what was signed, so that acts can be built on it."""
        return not self.past().doubts(self.case)

    def check_act(self) -> None:
        """Refuse to act on what nobody signed.

        Raises:
            CaseDamaged: naming what differs or is not vouched for.
        """
        if doubts := self.past().doubts(self.case):
            raise CaseDamaged(f"case row: {', '.join(doubts)}")

    def items(self) -> Sequence[Item]:
        """Return the case's items in order of time, unopened."""
        return self.uow.session.scalars(
            select(Item).where(Item.case_id == self.case.id).order_by(Item.leaf, Item.id)
        ).all()

    def open(self, item: Item) -> Opened | None:
        """Open an item of a compartment that the actor holds; ``None`` when it was tampered with.

        A damaged grant makes every item of its compartment unreadable, and no other.

        Raises:
            Denied: the actor does not hold the compartment.
        """
        try:
            identity = self.identity(item.compartment)
            return items.open_item(
                self.uow.session, self.uow.office.instance_id, item, identity, self.verify_key
            )
        except (CryptoError, CaseDamaged):
            return None

    def is_signed(self, item: Item) -> bool:
        """Return whether an item's row is what its author signed; opens nothing."""
        try:
            items.check_signature(self.uow.office.instance_id, item, self.verify_key)
        except CryptoError:
            return False
        return True

    def told(self, leaf: Leaf) -> dict[str, Any] | None:
        """Return what a leaf says, or ``None`` if nobody entitled to it signed that."""
        return self.past().bodies.get(leaf.number)

    def judge(self) -> Judge:
        """Return the judge of the case's grants."""
        return Judge(
            instance=self.uow.office.instance_id,
            case=self.case,
            profile=self.uow.office.catalogue.get(self.case.profile, self.case.profile_version),
            roster=self.roster,
            history=self.past().bodies,
            verify_key=self.verify_key,
        )

    def _row(self, compartment: str) -> Grant | None:
        return self.uow.session.scalar(
            select(Grant).where(
                Grant.case_id == self.case.id,
                Grant.compartment == compartment,
                Grant.holder == self.actor.person_id,
                Grant.share == grants.WHOLE,
            )
        )
