"""Who acts: a person whose seed is unlocked for the length of a session."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from casework.keys.vocabulary import PersonKind
    from crypto.persons import Person


@dataclass(frozen=True)
class Actor:
    """A signed-in person with unlocked keys; every use case takes one.

    ``person`` holds the seed and is kept out of any representation. Being an actor gives no
    authority: what an officer may do, the roster says (:meth:`casework.keys.roster.Roster.may`).
    """

    person_id: str
    person: Person = field(repr=False)
    kind: PersonKind
