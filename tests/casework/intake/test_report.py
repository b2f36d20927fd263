"""What a report may say: only the narrative is required, everything has a limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.errors import InvalidInput
from casework.intake import report
from casework.law.catalogue import ProfileCatalogue
from casework.law.profile import Profile
from casework.law.vocabulary import Routing

OK = {"position": "asn", "narrative": "Saya melihat sesuatu."}


LAW = ProfileCatalogue.from_package().latest("badung")


@pytest.fixture
def profile() -> Profile:
    return LAW


def errors_of(profile: Profile, given_fields: dict[str, str]) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refused:
        report.parse(profile, given_fields)
    return dict(refused.value.errors)


def test_a_narrative_is_enough(profile: Profile) -> None:
    parsed = report.parse(profile, OK)
    assert parsed.to_body() == OK


def test_every_field_is_carried(profile: Profile) -> None:
    full = {name: f"isi {name}" for name in report.FIELDS} | OK
    full |= {"when_state": "sudah", "fears_retaliation": "ya"}
    assert report.parse(profile, {**full, "unknown": "x"}).to_body() == full


@pytest.mark.parametrize("narrative", ["", "  \n\t"])
def test_without_a_narrative_there_is_no_report(profile: Profile, narrative: str) -> None:
    assert errors_of(profile, OK | {"narrative": narrative}) == {
        "narrative": "report.narrative_required"
    }


def test_all_errors_come_at_once(profile: Profile) -> None:
    wrong = {
        "position": "asn",
        "narrative": " ",
        "where": "a" * (report.SHORT + 1),
        "chronology": "a" * (report.LONG + 1),
        "when_state": "nanti",
        "fears_retaliation": "mungkin",
    }
    assert errors_of(profile, wrong) == {
        "narrative": "report.narrative_required",
        "where": "report.too_long",
        "chronology": "report.too_long",
        "when_state": "report.choice_unknown",
        "fears_retaliation": "report.choice_unknown",
    }


def test_limits_are_inclusive(profile: Profile) -> None:
    longest = {
        name: "a" * (report.LONG if name in report.LONG_FIELDS else report.SHORT)
        for name in report.FIELDS
        if name not in {"position", *report.CHOICES}
    }
    assert report.parse(profile, OK | longest).to_body() == OK | longest


def test_positions_that_cannot_be_routed_are_refused_before_anything_else(
    profile: Profile,
) -> None:
    """Nothing else is looked at, so nothing typed is needed to be told so."""
    refused = [one.id for one in profile.positions if one.routing is Routing.CANNOT_ROUTE]
    assert {"inspektur", "pegawai_inspektorat", "sekda", "bupati", "wakil_bupati"} == set(refused)
    for position in refused:
        with pytest.raises(report.CannotRoute) as error:
            report.parse(profile, {"position": position})
        assert error.value.position == position
        with pytest.raises(report.CannotRoute):
            report.check_position(profile, position)


@pytest.mark.parametrize("position", ["", "gubernur"])
def test_an_unknown_position_is_asked_for_again(profile: Profile, position: str) -> None:
    assert errors_of(profile, {"position": position, "narrative": "x"}) == {
        "position": "report.position_required"
    }


def test_a_report_is_not_in_its_representation(profile: Profile) -> None:
    assert "melihat" not in repr(report.parse(profile, OK))


@given(st.dictionaries(st.sampled_from(report.FIELDS), st.text(max_size=30)))
def test_any_input_is_a_report_or_a_refusal(given_fields: dict[str, str]) -> None:
    wrong: set[str] = set()
    narrative = ""
    try:
        narrative = report.parse(LAW, given_fields).narrative
    except InvalidInput as refused:
        wrong = set(refused.errors)
    assert wrong <= set(report.FIELDS)
    assert bool(wrong) != bool(narrative)
