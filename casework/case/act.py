"""One act on a case: what it writes, grants and revokes, stored with its leaf in one transaction.

An act collects sealed items and changes of grants; :meth:`Act.finish` appends the one leaf that
names them all, stores them, and replaces the case's shred key if the set of grants changed.
Nothing is stored before ``finish``, so that no item can exist without its leaf.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete

from casework.case import grants, items
from casework.case.grants import WHOLE, Holder, Scope
from casework.case.keyring import CaseDamaged, Keyring
from casework.case.tables import Compartment, Grant, Item
from casework.errors import Conflict
from casework.keys.vocabulary import RECOVERY
from casework.log.leaf import Draft, append
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from casework.case.tables import Case
    from crypto.age import HybridIdentity


@dataclass
class Act:
    """An act in the making, by one actor on one case."""

    keyring: Keyring
    _sealed: list[items.Sealed] = field(default_factory=list)
    _granted: list[tuple[Grant, bytes]] = field(default_factory=list)
    _revoked: list[Grant] = field(default_factory=list)
    _created: list[str] = field(default_factory=list)
    _stored: list[Grant] | None = None

    def __post_init__(self) -> None:
        """Begin only on what was signed. Raises: CaseDamaged."""
        self.keyring.check_act()

    @property
    def case(self) -> Case:
        """The case acted on."""
        return self.keyring.case

    def write(
        self, compartment: str, kind: str, body: Mapping[str, Any], item_id: str | None = None
    ) -> None:
        """Seal and sign a JSON object into a compartment that the actor holds, or make it.

        Raises:
            Denied: the compartment exists and the actor holds no grant of it.
            Conflict: an item of this id exists already (the same form sent twice).
            CaseDamaged: compartments, grants and leaves of the case do not agree.
        """
        uow = self.keyring.uow
        if item_id is not None and uow.session.get(Item, item_id) is not None:
            raise Conflict("item")
        identity = self._identity(compartment)
        place = items.Place(uow.office.instance_id, self.case.id, compartment, uow.today())
        self._sealed.append(
            items.seal(place, kind, body, self.keyring.actor, identity.recipient, item_id=item_id)
        )

    def grant(self, compartment: str, holders: Iterable[Holder]) -> None:
        """Give a compartment to holders who do not have it; makes the compartment if absent.

        Raises:
            Denied: the compartment exists and the actor holds no grant of it.
            CaseDamaged: compartments, grants and leaves of the case do not agree.
        """
        identity = self._identity(compartment)
        have = self._holders(compartment)
        for holder in holders:
            if holder.person_id not in have:
                have.add(holder.person_id)
                self._granted.append(
                    grants.make(
                        self._scope(), compartment, identity.seed, holder, self.keyring.actor
                    )
                )

    def revoke(self, compartment: str, persons: Iterable[str]) -> None:
        """Take a compartment from persons; recovery cannot lose it.

        Raises:
            CaseDamaged: a grant of the case was tampered with.
        """
        losing = set(persons) - {RECOVERY}
        for row in self._standing():
            if row.compartment == compartment and row.holder in losing and row.share == WHOLE:
                self._revoked.append(row)

    def finish(self, event: str, facts: Mapping[str, Any]) -> int:
        """Append the leaf, store everything, rotate the shred key if grants changed.

        Returns the leaf's number.

        Raises:
            CaseDamaged: a grant of the case was tampered with.
        """
        uow, actor = self.keyring.uow, self.keyring.actor
        objects = [sealed.digest for sealed in self._sealed]
        objects += [hashlib.sha256(inner).hexdigest() for _, inner in self._granted]
        revoked = sorted(f"{row.compartment}:{row.holder}" for row in self._revoked)
        granted = sorted(f"{row.compartment}:{row.holder}" for row, _ in self._granted)
        number = append(
            uow,
            Draft(
                event=event,
                actor=actor.person_id,
                case=self.case.id,
                objects=objects,
                facts={
                    **facts,
                    "items": len(self._sealed),
                    "granted": granted,
                    "revoked": revoked,
                },
            ),
            actor.person.signing,
        )
        for kind in self._created:
            uow.session.add(Compartment(case_id=self.case.id, kind=kind, created=uow.today()))
        for sealed in self._sealed:
            items.store(uow.session, sealed, number)
        if self._granted or self._revoked:
            self._store_grants()
        self.case.revision += 1
        uow.session.flush()
        return number

    def _store_grants(self) -> None:
        uow = self.keyring.uow
        old_key = self.keyring.shred_key()
        leaving = {row.id for row in self._revoked}
        staying = [row for row in self._standing() if row.id not in leaving]
        version = self.case.shred_version + 1
        new_key = uow.keystore.new_shred_key(self.case.id, version)
        try:
            grants.rewrap(staying, old_key, new_key)
        except CryptoError as error:
            raise CaseDamaged("grant") from error
        if leaving:
            uow.session.execute(delete(Grant).where(Grant.id.in_(leaving)))
        for row, inner in self._granted:
            grants.wrap(row, inner, new_key)
            uow.session.add(row)
        self.case.shred_version = version

    def _identity(self, compartment: str) -> HybridIdentity:
        if compartment in self._created or self._exists(compartment):
            return self.keyring.identity(compartment)
        identity = grants.new_identity()
        self.keyring.adopt(compartment, identity)
        self._created.append(compartment)
        actor = self.keyring.actor
        mine = Holder(actor.person_id, actor.person.public.recipient)
        recovery = Holder(RECOVERY, self.keyring.roster.recovery.recipient)
        self.grant(compartment, (mine, recovery))
        return identity

    def _exists(self, compartment: str) -> bool:
        """Return whether a compartment was made.

        Raises:
            CaseDamaged: some of its traces are gone. Made again, it would have an identity that
                the holders of the first do not know.
        """
        uow = self.keyring.uow
        row = uow.session.get(Compartment, (self.case.id, compartment)) is not None
        held = any(
            grant.compartment == compartment for grant in grants.rows_of(uow.session, self.case.id)
        )
        if row != held or (not row and self.keyring.judge().made(compartment)):
            raise CaseDamaged(f"compartment {compartment}")
        return row

    def _standing(self) -> list[Grant]:
        """Return the stored grants in force, judged once; those put back leave with this act.

        Raises:
            CaseDamaged: a grant of the case was tampered with.
        """
        if self._stored is None:
            keyring = self.keyring
            judge, shred_key = keyring.judge(), keyring.shred_key()
            self._stored = []
            try:
                for row in grants.rows_of(keyring.uow.session, self.case.id):
                    (self._stored if judge.stands(row, shred_key) else self._revoked).append(row)
            except CryptoError as error:
                raise CaseDamaged("grant") from error
        return self._stored

    def _holders(self, compartment: str) -> set[str]:
        standing = self._standing()
        leaving = {row.id for row in self._revoked}
        stored = {
            row.holder
            for row in standing
            if row.compartment == compartment and row.id not in leaving
        }
        return stored | {row.holder for row, _ in self._granted if row.compartment == compartment}

    def _scope(self) -> Scope:
        uow = self.keyring.uow
        return Scope(uow.office.instance_id, self.case.id, self.keyring.roster.version, uow.today())
