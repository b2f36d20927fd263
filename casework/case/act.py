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

from casework.case import custody, grants, items
from casework.case.grants import WHOLE, Holder, Scope
from casework.case.keyring import CaseDamaged, Keyring
from casework.case.tables import Compartment, Grant, Item
from casework.errors import Conflict, NotFound
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
    _attached: list[str] = field(default_factory=list)
    _granted: list[tuple[Grant, bytes]] = field(default_factory=list)
    _revoked: list[Grant] = field(default_factory=list)
    _put_back: list[Grant] = field(default_factory=list)
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

    def attach(self, digest: str) -> None:
        """Name something sealed outside the database in the leaf, by its hex SHA-256."""
        self._attached.append(digest)

    def grant(self, compartment: str, holders: Iterable[Holder]) -> None:
        """Give a compartment to holders who do not have it; makes the compartment if absent.

        Raises:
            Denied: the compartment exists and the actor holds no grant of it.
            CaseDamaged: compartments, grants and leaves of the case do not agree.
        """
        identity = self._identity(compartment)
        have = self.holders(compartment)
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
        for row in self.standing():
            if row.compartment == compartment and row.holder in losing and row.share == WHOLE:
                self._revoked.append(row)

    def revoke_all(self, person_id: str) -> None:
        """Take every grant of a person away, shares of contact and identity included.

        Raises:
            CaseDamaged: a grant of the case was tampered with.
        """
        self._revoked += [
            row
            for row in self.standing()
            if row.holder == person_id != RECOVERY and row not in self._revoked
        ]

    def renew_recovery(self, compartment: str) -> None:
        """Give a compartment to the recovery key in force, in place of an earlier one.

        Raises:
            Denied: the actor holds no grant of it.
            CaseDamaged: compartments, grants and leaves of the case do not agree.
        """
        chain = self.keyring.roster
        for row in self.standing():
            if (row.compartment, row.holder) != (compartment, RECOVERY):
                continue
            try:
                outdated = chain.recovery_at(row.roster_version) != chain.recovery
            except NotFound as error:
                raise CaseDamaged("grant") from error
            if outdated:
                self._revoked.append(row)
                self.grant(compartment, (Holder(RECOVERY, chain.recovery.recipient),))

    @property
    def moves_keys(self) -> bool:
        """Whether anybody gains or loses a key by this act, as far as it has come."""
        return bool(self._granted or self._revoked)

    def standing(self) -> list[Grant]:
        """Return the stored grants in force, judged once; those put back leave with this act.

        Raises:
            CaseDamaged: a grant of the case was tampered with.
        """
        if self._stored is None:
            keyring = self.keyring
            judge, shred_key = keyring.judge(), keyring.shred_key()
            stored: list[Grant] = []
            put_back: list[Grant] = []
            try:
                for row in grants.rows_of(keyring.uow.session, self.case.id):
                    (stored if judge.stands(row, shred_key) else put_back).append(row)
            except CryptoError as error:
                raise CaseDamaged("grant") from error
            self._stored, self._put_back = stored, put_back
        return self._stored

    def holders(self, compartment: str) -> set[str]:
        """Return who holds something of a compartment once this act is done, as far as it has come.

        Raises:
            CaseDamaged: a grant of the case was tampered with.
        """
        leaving = {row.id for row in self._revoked}
        stored = {
            row.holder
            for row in self.standing()
            if row.compartment == compartment and row.id not in leaving
        }
        return stored | {row.holder for row, _ in self._granted if row.compartment == compartment}

    def finish(self, event: str, facts: Mapping[str, Any]) -> int:
        """Append the leaf, store everything, rotate the shred key if grants changed.

        Returns the leaf's number.

        Raises:
            CaseDamaged: a grant of the case was tampered with.
        """
        uow, actor = self.keyring.uow, self.keyring.actor
        objects = [sealed.digest for sealed in self._sealed] + self._attached
        objects += [hashlib.sha256(inner).hexdigest() for _, inner in self._granted]
        # An act of custody must not name more than its rules let its actor take away; what was
        # put back had been taken by an earlier leaf, which still says so.
        taken = [] if event in custody.EVENTS else self._put_back
        revoked = sorted(f"{row.compartment}:{row.holder}" for row in (*self._revoked, *taken))
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
        if self._granted or self._revoked or self._put_back:
            self._store_grants()
        if event not in custody.QUIET:
            self.case.revision += 1
        self.keyring.forget_past()
        uow.session.flush()
        return number

    def _store_grants(self) -> None:
        uow = self.keyring.uow
        old_key = self.keyring.shred_key()
        leaving = {row.id for row in (*self._revoked, *self._put_back)}
        staying = [row for row in self.standing() if row.id not in leaving]
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

    def _scope(self) -> Scope:
        uow = self.keyring.uow
        return Scope(uow.office.instance_id, self.case.id, self.keyring.roster.version, uow.today())
