"""A regulation profile: one regulation at one version, with look-ups by id."""

from datetime import date
from typing import Protocol, TypeVar

from casework.errors import NotFound
from casework.law.schema import (
    Approval,
    Category,
    Channel,
    Checklist,
    CompartmentRule,
    Content,
    Deadline,
    DocumentKind,
    Duty,
    Flag,
    Outcome,
    Position,
    Record,
    Reporting,
    Role,
    State,
    Submission,
    Text,
    Transition,
    WorkingWeek,
)
from casework.law.vocabulary import Compartment


class Profile(Record, frozen=True, kw_only=True):
    """One regulation at one version; a case keeps the version under which it was opened."""

    id: str
    version: int
    title: str
    regulation: str
    tz: str
    last_checked: date
    reporting: Reporting
    working_week: WorkingWeek
    submission: Submission
    roles: tuple[Role, ...]
    compartments: tuple[CompartmentRule, ...]
    states: tuple[State, ...]
    transitions: tuple[Transition, ...]
    categories: tuple[Category, ...]
    contents: tuple[Content, ...]
    positions: tuple[Position, ...]
    flags: tuple[Flag, ...] = ()
    checklists: tuple[Checklist, ...] = ()
    documents: tuple[DocumentKind, ...] = ()
    approvals: tuple[Approval, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    channels: tuple[Channel, ...] = ()
    duties: tuple[Duty, ...] = ()
    texts: tuple[Text, ...] = ()

    def role(self, role_id: str) -> Role:
        """Return a role. Raises: NotFound."""
        return _find(self.roles, role_id)

    def state(self, state_id: str) -> State:
        """Return a state. Raises: NotFound."""
        return _find(self.states, state_id)

    def transition(self, transition_id: str) -> Transition:
        """Return a transition. Raises: NotFound."""
        return _find(self.transitions, transition_id)

    def deadline(self, deadline_id: str) -> Deadline:
        """Return a deadline. Raises: NotFound."""
        return _find(self.deadlines, deadline_id)

    def category(self, category_id: str) -> Category:
        """Return a category. Raises: NotFound."""
        return _find(self.categories, category_id)

    def checklist(self, checklist_id: str) -> Checklist:
        """Return a checklist. Raises: NotFound."""
        return _find(self.checklists, checklist_id)

    def outcome(self, outcome_id: str) -> Outcome:
        """Return an outcome class. Raises: NotFound."""
        return _find(self.outcomes, outcome_id)

    def position(self, position_id: str) -> Position:
        """Return a position class. Raises: NotFound."""
        return _find(self.positions, position_id)

    def text(self, text_id: str) -> str:
        """Return a passage. Raises: NotFound."""
        return _find(self.texts, text_id).text

    def compartment(self, compartment: Compartment) -> CompartmentRule:
        """Return who holds a compartment from the start. Raises: NotFound."""
        return _find(self.compartments, compartment)

    def acting_roles(self) -> tuple[str, ...]:
        """Return the roles without whose holder some transition can never happen, in order."""
        acting = {actor for transition in self.transitions for actor in transition.by}
        return tuple(role.id for role in self.roles if role.id in acting)


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


_Row = TypeVar("_Row", bound=_Identified)


def _find(table: tuple[_Row, ...], wanted: str) -> _Row:
    for row in table:
        if row.id == wanted:
            return row
    raise NotFound(wanted)
