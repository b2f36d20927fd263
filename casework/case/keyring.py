"""An actor's keys to one case: opens compartments by the actor's grants, and checks every name.

Verify keys come from two places only: the roster chain for officers, and for the reporter the
submit leaf, which names the hash of the reporter's public keys.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from casework.case import grants, items
from casework.case.authority import may_grant
from casework.case.tables import Case, Grant, Item
from casework.errors import Conflict, Denied, NotFound, Untrustworthy
from casework.keys.tables import Person as PersonRow
from casework.log import leaf as leaves
from casework.log.tables import Leaf
from crypto import canonical
from crypto.errors import CryptoError, Tampered
from crypto.persons import PublicKeys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casework.case.items import Opened
    from casework.keys.actor import Actor
    from casework.keys.roster import Roster
    from casework.store.unit import UnitOfWork
    from crypto.age import HybridIdentity

SUBMIT = "submit"
REPORTER_FACT = "reporter"


class CaseDamaged(Untrustworthy):
    """What is stored about a case does not belong together; nothing of it may be used.

    Somebody changed rows or keys behind the portal's back, or the disk is failing.
    """


def keys_digest(keys: PublicKeys) -> str:
    """Return the hex SHA-256 by which a submit leaf names a reporter's public keys."""
    return hashlib.sha256(canonical.encode(keys.to_json())).hexdigest()


@dataclass
class Keyring:
    """One actor's view of one case inside one unit of work; nothing is cached beyond it."""

    uow: UnitOfWork
    case: Case
    actor: Actor
    roster: Roster
    _identities: dict[str, HybridIdentity] = field(default_factory=dict, repr=False)
    _shred_keys: dict[int, bytes] = field(default_factory=dict, repr=False)
    _reporter: PublicKeys | None = None

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
                if not self._rightly_made(row):
                    raise Tampered("a grant was made without authority")
                seed = grants.open_grant(
                    self.uow.office.instance_id, row, self.shred_key(), self.actor, self.verify_key
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
            Tampered: the row, the leaf or its hash was changed.
        """
        if self._reporter is None:
            row = self.uow.session.get(PersonRow, self.case.reporter)
            if row is None:
                raise Tampered("the reporter's keys are gone")
            keys = PublicKeys(row.recipient, row.verify_key)
            if submit_fact(self.uow, self.case.id, REPORTER_FACT) != keys_digest(keys):
                raise Tampered("the reporter's keys were exchanged")
            self._reporter = keys
        return self._reporter

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
        """Return what a leaf says, or ``None`` if it is not what its actor signed."""
        body = leaves.read(leaf)
        if body is None or body.get("case") != self.case.id:
            return None
        actor = body.get("actor")
        if not isinstance(actor, str) or not leaves.is_signed(leaf, actor, self.verify_key):
            return None
        return body

    def _rightly_made(self, row: Grant) -> bool:
        """Return whether the granter may give keys to this compartment at all.

        Whoever writes the database has keys, too, if they are on the roster; a grant of theirs
        would be signed, and lead officers to a compartment of their own making.
        """
        if row.granter == self.case.reporter:
            return True
        profile = self.uow.office.catalogue.get(self.case.profile, self.case.profile_version)
        person = self.roster.person_on(row.granter, row.granted)
        return person is not None and may_grant(profile, person.roles, row.compartment)

    def _row(self, compartment: str) -> Grant | None:
        return self.uow.session.scalar(
            select(Grant).where(
                Grant.case_id == self.case.id,
                Grant.compartment == compartment,
                Grant.holder == self.actor.person_id,
                Grant.share == grants.WHOLE,
            )
        )


def submit_fact(uow: UnitOfWork, case_id: str, name: str) -> object:
    """Return a fact that a case's first leaf states.

    Raises:
        Tampered: the leaf is gone, erased, changed, or not a submission.
    """
    leaf = uow.session.scalar(
        select(Leaf).where(Leaf.case_id == case_id).order_by(Leaf.number).limit(1)
    )
    body = None if leaf is None else leaves.read(leaf)
    if body is None:
        raise Tampered("the first leaf of a case was changed")
    if body.get("event") != SUBMIT or body.get("case") != case_id:
        raise Tampered("the first leaf of a case is not its submission")
    return body.get(name)
