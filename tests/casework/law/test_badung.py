"""Badung's profile says what its regulation says, and leads from report to result."""

import pytest

from casework.law.engine import allowed
from casework.law.profile import Profile
from casework.law.vocabulary import REPORTER, Basis, Routing
from tests.casework.law.helpers import Walk

OPERATOR, VERIFIKATOR, IRBAN, INSPEKTUR = "operator", "verifikator", "irban", "inspektur"
TO_INSPEKTUR = [
    ("accept", OPERATOR),
    ("verify", VERIFIKATOR),
    ("analyse", IRBAN),
    ("forward", IRBAN),
]


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("terkirim", "terkirim"),
        ("ditolak", "ditolak"),
        ("diverifikasi", "diverifikasi"),
        ("ditolak_berkas_tidak_lengkap", "ditolak karena berkas tidak lengkap"),
        ("diselidiki", "diselidiki"),
    ],
)
def test_badung_shows_the_words_of_its_regulation(badung: Profile, state: str, word: str) -> None:
    found = badung.state(state)
    assert found.label == word
    assert found.public_label.lower() == word
    assert not found.derived


def test_badungs_other_words_are_marked_as_ours_and_the_first_is_laporan_masuk(
    badung: Profile,
) -> None:
    derived = {state.id for state in badung.states if state.derived}
    assert derived == {"submitted", "diteruskan", "telaah_awal", "selesai"}
    assert badung.state(badung.submission.state).public_label == "Laporan masuk"


def test_badung_has_the_ten_groups_in_order(badung: Profile) -> None:
    assert [category.id for category in badung.categories] == list("abcdefghij")
    for category in badung.categories:
        assert category.article == f"Pasal 5 huruf {category.id}"


def test_badung_has_no_legal_deadline_only_targets(badung: Profile) -> None:
    assert badung.deadlines
    for rule in badung.deadlines:
        assert not rule.legal
        assert rule.article.startswith("[C] Target internal")
    first, feedback = badung.deadline("first_reaction"), badung.deadline("feedback")
    assert (first.amount, first.basis) == (3, Basis.WORKING)
    assert (feedback.amount, feedback.basis) == (90, Basis.CALENDAR)


def test_whoever_stands_above_or_inside_the_inspectorate_cannot_be_routed_yet(
    badung: Profile,
) -> None:
    stopped = {row.id for row in badung.positions if row.routing is Routing.CANNOT_ROUTE}
    assert stopped == {"inspektur", "pegawai_inspektorat", "sekda", "bupati", "wakil_bupati"}


def test_a_role_that_acts_on_a_case_holds_its_contents_by_then(badung: Profile) -> None:
    walk = Walk(badung)
    for act, role in TO_INSPEKTUR:
        assert ("content", role) in walk.holders, act
        walk.take(act, role)
    assert ("content", OPERATOR) not in walk.holders
    assert ("content", VERIFIKATOR) not in walk.holders
    assert ("content", INSPEKTUR) in walk.holders
    assert ("investigation", INSPEKTUR) in walk.holders


def test_badung_from_submission_to_a_rated_result(badung: Profile) -> None:
    walk = Walk(badung)
    end = walk.take_all(
        *TO_INSPEKTUR,
        ("assign_team", INSPEKTUR),
        ("order_examination", INSPEKTUR),
        ("send_result", INSPEKTUR),
        ("rate", REPORTER),
    )
    assert end == "selesai"
    assert [step.to_state for step in walk.steps] == [
        "terkirim",
        "diverifikasi",
        "diverifikasi",
        "diteruskan",
        "telaah_awal",
        "diselidiki",
        "selesai",
        "selesai",
    ]
    assert ("content", "assigned") in walk.holders
    assert ("investigation", "assigned") in walk.holders
    assert not walk.running


def test_badung_without_team_goes_straight_to_the_examination(badung: Profile) -> None:
    walk = Walk(badung)
    walk.take_all(*TO_INSPEKTUR)
    assert walk.take("order_examination", INSPEKTUR).to_state == "diselidiki"
    assert ("content", "assigned") in walk.holders


def test_badung_result_after_the_first_review_alone(badung: Profile) -> None:
    walk = Walk(badung)
    end = walk.take_all(*TO_INSPEKTUR, ("assign_team", INSPEKTUR), ("send_result", INSPEKTUR))
    assert end == "selesai"


def test_irban_forwards_only_what_was_analysed_again_after_a_return(badung: Profile) -> None:
    walk = Walk(badung)
    walk.take_all(*TO_INSPEKTUR, ("return", INSPEKTUR))
    assert walk.state == "diverifikasi"
    assert "analysis" in walk.running
    assert [act.id for act in allowed(badung, walk.state, IRBAN, walk.situation)] == ["analyse"]
    assert walk.take_all(("analyse", IRBAN), ("forward", IRBAN)) == "diteruskan"


def test_an_incomplete_report_is_completed_and_comes_back(badung: Profile) -> None:
    walk = Walk(badung)
    walk.take_all(("accept", OPERATOR), ("reject_incomplete", VERIFIKATOR))
    assert badung.state(walk.state).open
    assert "completion" in walk.running
    assert ("content", VERIFIKATOR) in walk.holders
    assert walk.take("complete", REPORTER).to_state == "terkirim"
    assert "completion" not in walk.running
    assert "verification" in walk.running


@pytest.mark.parametrize(
    "rejection",
    [
        [("reject", OPERATOR)],
        [("accept", OPERATOR), ("reject_verified", VERIFIKATOR)],
        [("accept", OPERATOR), ("reject_incomplete", VERIFIKATOR)],
    ],
)
def test_a_rejection_is_seen_and_can_be_undone_by_the_guardian_alone(
    badung: Profile, rejection: list[tuple[str, str]]
) -> None:
    walk = Walk(badung)
    walk.take_all(*rejection)
    assert badung.state(walk.state).rejected
    assert "guardian" in walk.steps[-1].alerts
    assert ("content", "guardian") in walk.holders
    assert allowed(badung, walk.state, INSPEKTUR, walk.situation) == ()
    asked = walk.take("request_review", REPORTER)
    assert asked.to_state == asked.from_state
    assert asked.alerts == ("guardian",)
    offered = {act.id for act in allowed(badung, walk.state, INSPEKTUR, walk.situation)}
    assert offered == {"reopen", "confirm_rejection"}
    assert "request_review" not in {
        act.id for act in allowed(badung, walk.state, REPORTER, walk.situation)
    }
    walk.take("confirm_rejection", INSPEKTUR)
    assert badung.state(walk.state).rejected
    walk.take_all(("request_review", REPORTER), ("reopen", INSPEKTUR))
    assert walk.state == "terkirim"
    assert walk.running == {"verification", "feedback"}
    assert ("content", VERIFIKATOR) in walk.holders
    assert walk.take("verify", VERIFIKATOR).to_state == "diverifikasi"


def test_only_the_named_role_takes_each_step_of_badung(badung: Profile) -> None:
    by = {act.id: act.by for act in badung.transitions}
    assert by["accept"] == by["reject"] == (OPERATOR,)
    assert by["verify"] == by["reject_verified"] == by["reject_incomplete"] == (VERIFIKATOR,)
    assert by["analyse"] == by["forward"] == (IRBAN,)
    for act in ("assign_team", "order_examination", "return", "send_result", "reopen"):
        assert by[act] == (INSPEKTUR,)
