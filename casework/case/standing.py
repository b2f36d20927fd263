"""Which grants of a case stand: rightly made, named by a leaf, and not taken away since.

Signature and seal alone do not say that. Whoever writes the database has the case's shred key and
may have kept the inner file of a grant that was revoked since; whoever is on the roster can sign
one that nobody decided. What was decided stands in the leaves of the case.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from casework.case import custody, grants
from casework.case.authority import may_grant, may_revoke
from casework.errors import NotFound
from casework.keys.vocabulary import RECOVERY
from crypto import signatures
from crypto.errors import Tampered
from crypto.labels import Purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from casework.case.tables import Case, Grant
    from casework.keys.roster import Roster
    from casework.law.profile import Profile

History = dict[int, dict[str, Any] | None]
"""What each leaf of a case says, by number; ``None`` for one that proves nothing: see
:class:`casework.case.past.Past`. Whoever signed the others held the role that they name."""


@dataclass(frozen=True)
class Judge:
    """All that it takes to judge the grants of one case."""

    instance: str
    case: Case
    profile: Profile
    roster: Roster
    history: History
    verify_key: Callable[[str], bytes]

    def stands(self, row: Grant, shred_key: bytes) -> bool:
        """Return whether a grant is in force; ``False`` if it was taken away since.

        Raises:
            Tampered: its granter did not make it, or was not entitled to, or no leaf of theirs
                names it.
        """
        inner = grants.unwrap(row, shred_key)
        signatures.verify(
            self.granter_key(row),
            Purpose.GRANT,
            grants.statement(self.instance, row, inner),
            row.signature,
        )
        if not self._rightly_made(row):
            raise Tampered("a grant was made without authority")
        given = self._given(row, hashlib.sha256(inner).hexdigest())
        if given is None:
            raise Tampered("no leaf names a grant")
        return not any(number > given and self._takes(body, row) for number, body in self._taking)

    @cached_property
    def _taking(self) -> tuple[tuple[int, dict[str, Any]], ...]:
        """The leaves that take anything away: few, and each grant is held against them all."""
        return tuple(
            (number, body)
            for number, body in self.history.items()
            if body is not None and body.get("revoked")
        )

    @cached_property
    def _naming(self) -> dict[str, list[tuple[int, dict[str, Any]]]]:
        """The leaves that name each sealed object, by its hex SHA-256."""
        found: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        for number, body in self.history.items():
            if body is not None:
                for digest in body.get("objects", ()):
                    found.setdefault(digest, []).append((number, body))
        return found

    def granter_key(self, row: Grant) -> bytes:
        """Return the key that verifies a grant's signature.

        The share holders sign with the recovery key of their time, and it may have been replaced.

        Raises:
            Tampered: nobody vouches for the granter.
        """
        if row.granter != RECOVERY:
            return self.verify_key(row.granter)
        try:
            return self.roster.recovery_at(row.roster_version).verify_key
        except NotFound as error:
            raise Tampered("no recovery key of that time") from error

    def made(self, compartment: str) -> bool:
        """Return whether a leaf gave a compartment to anybody, so that it must exist."""
        return any(
            name.startswith(f"{compartment}:")
            for body in self.history.values()
            if body is not None
            for name in body.get("granted", ())
        )

    def _given(self, row: Grant, digest: str) -> int | None:
        """Return the number of the leaf that names a grant.

        It is the granter's own, or, for what the share holders made offline, that of the officer
        who put it in force.
        """
        return min(
            (
                number
                for number, body in self._naming.get(digest, ())
                if (
                    body.get("event") == custody.RECOVERED
                    if row.granter == RECOVERY
                    else body.get("actor") == row.granter
                )
            ),
            default=None,
        )

    def _takes(self, body: Mapping[str, Any], row: Grant) -> bool:
        """Return whether a leaf takes a grant away, by an act that takes this compartment."""
        if f"{row.compartment}:{row.holder}" not in body.get("revoked", ()):
            return False
        role, event = str(body.get("role")), str(body.get("event"))
        if event in custody.EVENTS:
            return True
        return row.share == grants.WHOLE and may_revoke(
            self.profile, (role,), event, row.compartment
        )

    def _rightly_made(self, row: Grant) -> bool:
        """Return whether the granter could give keys to this compartment at all, on that day.

        Whoever writes the database has keys, too, if they are on the roster; a grant of theirs
        would be signed, and lead officers to a compartment of their own making. The day counts,
        not today: what an officer gave stays given when they leave.
        """
        if row.granter in (self.case.reporter, RECOVERY):
            return True
        roles = self.roster.roles_on(row.granter, row.granted)
        return may_grant(self.profile, roles, row.compartment)
