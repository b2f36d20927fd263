"""Law: profiles = glossary. Every Indonesian value is explained once, under its article."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from casework.intake import report
from casework.law.catalogue import ProfileCatalogue
from casework.law.profile import Profile
from casework.law.vocabulary import DayKind

PAGE = Path(__file__).resolve().parents[2] / "docs" / "glossary.md"
CATALOGUE = ProfileCatalogue.from_package()
NO_ARTICLE = "—"

Row = tuple[str, ...]


def rows_under(title: str) -> list[Row]:
    """The cells of each row of the table under a heading, the table's head left out."""
    section = PAGE.read_text("utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("|")]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table[2:]]


def values_of(profile: Profile) -> list[Row]:
    """Kind, value, Indonesian words and source of everything that a profile names."""
    groups: dict[str, tuple[Any, ...]] = {
        "role": profile.roles,
        "state": profile.states,
        "flag": profile.flags,
        "category": profile.categories,
        "document": profile.documents,
        "outcome": profile.outcomes,
        "approval": profile.approvals,
        "checklist": profile.checklists,
        "position": profile.positions,
        "duty": profile.duties,
    }
    found: list[Row] = [
        (kind, f"`{one.id}`", one.label, getattr(one, "article", NO_ARTICLE))
        for kind, group in groups.items()
        for one in group
    ]
    found += [
        ("check", f"`{checklist.id}.{item.id}`", item.label, item.article)
        for checklist in profile.checklists
        for item in checklist.items
    ]
    return found


@pytest.mark.parametrize("profile_id", CATALOGUE.ids())
def test_the_glossary_says_what_the_profile_says(profile_id: str) -> None:
    """No value without its words and article, no row that outlived its value, none twice."""
    rows = rows_under(f"Profile `{profile_id}`")
    listed: Counter[Row] = Counter(
        (kind, value, label, source) for kind, value, label, _, source in rows
    )
    wanted = Counter(values_of(CATALOGUE.latest(profile_id)))
    assert len(wanted) > 40, "the profile was not read"
    assert not wanted - listed, "missing in docs/glossary.md"
    assert not listed - wanted, "no longer in the profile"


@pytest.mark.parametrize("profile_id", CATALOGUE.ids())
def test_every_value_is_translated(profile_id: str) -> None:
    """An engineer who reads no Indonesian finds an English word for each value."""
    for kind, value, _, english, _ in rows_under(f"Profile `{profile_id}`"):
        assert re.search(r"[A-Za-z]{2}", english), f"{kind} {value}"


def test_values_that_no_profile_owns_are_listed() -> None:
    """Kinds of days and answers of the form are explained, and nothing else stands there."""
    listed = sorted(value.strip("`") for _, value, _, _ in rows_under("Values in code"))
    answers = (*report.WHEN_STATES, *report.RETALIATION)
    assert listed == sorted([*(kind.value for kind in DayKind), *filter(None, answers)])


def test_general_terms_are_whole_and_stand_once() -> None:
    """Each term has an English word and an identifier, and one place."""
    rows = rows_under("General terms")
    assert all(len(row) == 4 and row[1] and "`" in row[2] for row in rows)
    assert not [term for term, count in Counter(row[0] for row in rows).items() if count > 1]
