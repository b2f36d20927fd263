"""What a report says: the fields of the form, their limits, and which of them a text asks for."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING

from casework.errors import InvalidInput
from casework.law.vocabulary import Routing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casework.law.profile import Profile

LONG = 60_000
"""Most characters of a long answer (about 30 printed pages)."""

SHORT = 4_000
"""Most characters of a short answer."""

WHEN_STATES = ("", "sudah", "sedang", "akan")
RETALIATION = ("", "ya", "tidak", "belum tahu")


@dataclass(frozen=True)
class Report:
    """A report as the reporter typed it; only ``narrative`` is ever required (G7)."""

    position: str = field(repr=False)
    narrative: str = field(repr=False)
    reported_person: str = field(default="", repr=False)
    what: str = field(default="", repr=False)
    when_state: str = field(default="", repr=False)
    when_text: str = field(default="", repr=False)
    where: str = field(default="", repr=False)
    how: str = field(default="", repr=False)
    chronology: str = field(default="", repr=False)
    witnesses: str = field(default="", repr=False)
    evidence_known: str = field(default="", repr=False)
    loss: str = field(default="", repr=False)
    how_known: str = field(default="", repr=False)
    reported_elsewhere: str = field(default="", repr=False)
    fears_retaliation: str = field(default="", repr=False)
    retaliation_text: str = field(default="", repr=False)

    def to_body(self) -> dict[str, str]:
        """Return the report as the JSON object that is sealed; empty answers are left out."""
        return {name: value for name, value in asdict(self).items() if value}


FIELDS = tuple(entry.name for entry in fields(Report))
LONG_FIELDS = frozenset({"narrative", "chronology", "how", "evidence_known", "retaliation_text"})
CHOICES: Mapping[str, tuple[str, ...]] = {
    "when_state": WHEN_STATES,
    "fears_retaliation": RETALIATION,
}


class CannotRoute(InvalidInput):
    """This instance cannot yet keep the report away from the reported person."""

    def __init__(self, position: str) -> None:
        """Name the position class."""
        super().__init__({"position": "report.cannot_route"})
        self.position = position


def check_position(profile: Profile, position: str) -> None:
    """Refuse a position class that is unknown or cannot be routed around.

    Raises:
        CannotRoute: the profile says that nothing may be typed for this position.
        InvalidInput: the position is missing or not one of the profile's.
    """
    known = {entry.id: entry for entry in profile.positions}
    if position not in known:
        raise InvalidInput({"position": "report.position_required"})
    if known[position].routing is Routing.CANNOT_ROUTE:
        raise CannotRoute(position)


def parse(profile: Profile, given: Mapping[str, str]) -> Report:
    """Return the report that the form's fields make; unknown fields are ignored.

    Raises:
        CannotRoute: see :func:`check_position`.
        InvalidInput: with every field that is missing, too long or not one of its choices.
    """
    values = {name: given.get(name, "").strip() for name in FIELDS}
    check_position(profile, values["position"])
    errors: dict[str, str] = {}
    if not values["narrative"]:
        errors["narrative"] = "report.narrative_required"
    for name, value in values.items():
        if len(value) > (LONG if name in LONG_FIELDS else SHORT):
            errors[name] = "report.too_long"
        if name in CHOICES and value not in CHOICES[name]:
            errors[name] = "report.choice_unknown"
    if errors:
        raise InvalidInput(errors)
    return Report(**values)
