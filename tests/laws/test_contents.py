"""Law: the contents that a regulation asks for are questions of the form."""

import pytest

from casework.intake.report import FIELDS
from casework.law.catalogue import ProfileCatalogue

CATALOGUE = ProfileCatalogue.from_package()
ELSEWHERE = frozenset({"identity"})
"""Contents that no field of the report form asks for: identity lies in a compartment of its own."""


@pytest.mark.parametrize("profile_id", CATALOGUE.ids())
def test_every_content_of_a_profile_is_a_field_of_the_form(profile_id: str) -> None:
    contents = {row.id for row in CATALOGUE.latest(profile_id).contents}
    assert contents - ELSEWHERE <= set(FIELDS)


@pytest.mark.parametrize("profile_id", CATALOGUE.ids())
def test_only_the_narrative_blocks_a_submission(profile_id: str) -> None:
    required = {
        row.id for row in CATALOGUE.latest(profile_id).contents if row.required_for_submission
    }
    assert required <= {"narrative"}
