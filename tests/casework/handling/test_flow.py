"""The whole of Badung, as its officers and reporters walk it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from casework.errors import InvalidInput, InvalidTransition
from casework.handling.story import Trust
from casework.law.catalogue import ProfileCatalogue
from casework.law.engine import Facts
from casework.law.vocabulary import Need
from tests.casework.cases import STATES, Filed, all_verified, full_facts, inbox, texts, way

SPECIAL = {
    "reject_verified",
    "return",
    "reopen",
    "confirm_rejection",
    "answer_review",
    "complete",
    "request_review",
    "request_review_overdue",
    "rate",
}
"""Transitions off the straight ways, each walked by a test of its own."""


def test_a_report_goes_in_and_a_result_comes_out(filed: Filed) -> None:
    """Every step of b-wise to closure and rating, each told in public words, all verified."""
    labels = []
    for user, transition in way("selesai"):
        filed.do(user, transition)
        box = filed.mailbox()
        labels.append(box.state.id)
        assert all_verified(box.pieces)
        assert all_verified(filed.file(user).pieces)
    assert labels == [
        "terkirim",
        "diverifikasi",
        "diverifikasi",
        "diteruskan",
        "telaah_awal",
        "diselidiki",
        "selesai",
    ]
    box = filed.mailbox()
    assert box.outcome is not None
    assert box.outcome.id == filed.profile.outcomes[0].id
    assert "pesan send_result" in texts(box.pieces)
    assert filed.offered("reporter") == {"rate"}
    filed.do("reporter", "rate")
    assert filed.offered("reporter") == set()
    with pytest.raises(InvalidTransition):
        filed.do("reporter", "rate")
    ratings = [piece.body.get("rating") for piece in filed.file("inspektur").pieces]
    assert ratings.count(4) == 1


def test_every_transition_of_the_profile_happens_in_these_tests() -> None:
    """The walks below leave out no transition of the profile."""
    walked = {transition for state in STATES for _, transition in way(state)} | SPECIAL
    profile = ProfileCatalogue.from_package().latest("badung")
    assert set(STATES) == {state.id for state in profile.states}
    assert walked == {rule.id for rule in profile.transitions}


def test_verifikator_rejects(filed: Filed) -> None:
    """A rejection after verification is told with its reason and reaches the guardian."""
    filed.bring_to("terkirim")
    filed.do("verifikator", "reject_verified")
    assert filed.state() == "ditolak"
    assert "alasan reject_verified" in texts(filed.mailbox().pieces)
    assert "alasan reject_verified" in texts(filed.file("inspektur").pieces)


def test_operator_rejects_and_the_guardian_sees_it_at_once(filed: Filed) -> None:
    filed.do("operator", "reject")
    assert filed.case_id in inbox(filed.bench, "inspektur")
    assert "alasan reject" in texts(filed.file("inspektur").pieces)
    assert filed.offered("reporter") == {"request_review"}


def test_incomplete_report_is_completed_and_comes_back(filed: Filed) -> None:
    filed.bring_to("ditolak_berkas_tidak_lengkap")
    box = filed.mailbox()
    assert box.missing_items == ("kapan", "di mana")
    assert {promise.mine for promise in box.promises} == {True, False}
    filed.do("reporter", "complete")
    assert filed.state() == "terkirim"
    assert "pesan complete" in texts(filed.file("verifikator").pieces)
    filed.do("verifikator", "verify")


@pytest.mark.parametrize("by", ["operator", "verifikator", "incomplete"])
def test_review_of_a_rejection_reopens_it(filed: Filed, by: str) -> None:
    """Whoever rejected: the reporter asks, the Inspektur reopens, the verifikator goes on."""
    if by == "operator":
        filed.do("operator", "reject")
    else:
        filed.bring_to("terkirim")
        filed.do("verifikator", "reject_verified" if by == "verifikator" else "reject_incomplete")
    assert not filed.offered("inspektur")
    filed.do("reporter", "request_review")
    assert filed.mailbox().review_requested
    assert "request_review" not in filed.offered("reporter")
    assert filed.offered("inspektur") == {"reopen", "confirm_rejection"}
    filed.do("inspektur", "reopen")
    assert filed.state() == "terkirim"
    assert not filed.mailbox().review_requested
    filed.do("verifikator", "verify")
    assert filed.state() == "diverifikasi"


def test_review_of_a_rejection_can_confirm_it_and_be_asked_again(filed: Filed) -> None:
    filed.bring_to("ditolak")
    filed.do("reporter", "request_review")
    filed.do("inspektur", "confirm_rejection")
    assert filed.state() == "ditolak"
    assert "alasan confirm_rejection" in texts(filed.mailbox().pieces)
    assert filed.offered("reporter") == {"request_review"}


@pytest.mark.parametrize(
    "state", [s for s in STATES if s not in ("ditolak", "ditolak_berkas_tidak_lengkap", "selesai")]
)
def test_review_of_an_overdue_report(filed: Filed, state: str) -> None:
    """Before the date nothing is offered; after it, the reporter asks and the guardian answers."""
    filed.bring_to(state)
    assert "request_review_overdue" not in filed.offered("reporter")
    filed.bench.clock.advance(days=120)
    assert "request_review_overdue" in filed.offered("reporter")
    filed.do("reporter", "request_review_overdue")
    assert "answer_review" in filed.offered("inspektur")
    filed.do("inspektur", "answer_review")
    assert filed.state() == state
    box = filed.mailbox()
    assert "pesan answer_review" in texts(box.pieces)
    assert not box.review_requested


def test_inspektur_returns_and_the_irban_must_analyse_again(filed: Filed) -> None:
    filed.bring_to("diteruskan")
    filed.do("inspektur", "return")
    assert filed.offered("irban") == {"analyse"}
    filed.do("irban", "analyse")
    filed.do("irban", "forward")
    assert filed.state() == "diteruskan"


def test_an_examination_can_follow_at_once(filed: Filed) -> None:
    filed.bring_to("diteruskan")
    filed.do("inspektur", "order_examination")
    assert filed.state() == "diselidiki"
    assert filed.case_id in inbox(filed.bench, "tim")


def test_a_form_cannot_bring_what_the_act_does_not_ask_for(filed: Filed) -> None:
    """An outcome, category, rating, team or list smuggled into another act is dropped."""
    filed.bring_to("diteruskan")
    smuggled = replace(
        filed.facts("return"),
        outcome="hasil yang tidak ada",
        category="j",
        rating=5,
        assignees=(filed.bench["tim"].person_id,),
        missing_items=("apa saja",),
    )
    filed.do("inspektur", "return", smuggled)
    assert filed.mailbox().outcome is None
    assert filed.mailbox().missing_items == ()
    assert filed.scalar("SELECT count(*) FROM assignment WHERE case_id = :case") == 0
    assert filed.file("irban").category == filed.profile.categories[0].id


@pytest.mark.parametrize(
    "rule", ["accept", "reject", "verify", "reject_incomplete", "assign_team", "send_result"]
)
def test_an_act_without_what_it_asks_for_changes_nothing(filed: Filed, rule: str) -> None:
    state = filed.profile.transition(rule).from_[0]
    user = filed.profile.transition(rule).by[0]
    filed.bring_to(state)
    before = (filed.state(), filed.revision(), filed.holders(), len(filed.leaves()))
    with pytest.raises(InvalidInput):
        filed.do(user, rule, Facts())
    assert (filed.state(), filed.revision(), filed.holders(), len(filed.leaves())) == before


def test_only_people_in_office_and_of_an_assignable_role_can_be_assigned(filed: Filed) -> None:
    filed.bring_to("diteruskan")
    for wrong in (filed.bench["admin"].person_id, filed.reporter.person_id, "f" * 32):
        with pytest.raises(InvalidInput) as refused:
            filed.do(
                "inspektur", "assign_team", replace(filed.facts("assign_team"), assignees=(wrong,))
            )
        assert dict(refused.value.errors) == {Need.ASSIGNEES: "law.assignees_unknown"}


def test_a_text_that_is_too_long_is_refused_by_field(filed: Filed) -> None:
    with pytest.raises(InvalidInput) as refused:
        filed.do("operator", "reject", Facts(reason="a" * 60_001))
    assert dict(refused.value.errors) == {"reason": "report.too_long"}


def test_a_result_needs_a_known_outcome(filed: Filed) -> None:
    filed.bring_to("diselidiki")
    facts = replace(full_facts(filed.bench, filed.profile.transition("send_result")), outcome="x")
    with pytest.raises(InvalidInput):
        filed.do("inspektur", "send_result", facts)
    assert filed.state() == "diselidiki"


def test_messages_go_both_ways_and_count_once(filed: Filed) -> None:
    filed.bring_to("diverifikasi")
    filed.say("irban", "Bolehkah kami bertanya?", "a" * 32)
    filed.say("irban", "Bolehkah kami bertanya?", "a" * 32)
    filed.say("reporter", "Silakan.", "b" * 32)
    filed.say("reporter", "Silakan.", "b" * 32)
    said = [
        (piece.author, piece.body["text"])
        for piece in filed.mailbox().pieces
        if piece.kind == "message"
    ]
    assert said == [
        (filed.bench["irban"].person_id, "Bolehkah kami bertanya?"),
        (filed.reporter.person_id, "Silakan."),
    ]
    assert len([leaf for leaf in filed.leaves() if leaf["event"] == "message"]) == 2


def test_a_form_sent_again_late_neither_raises_nor_hides_the_new_message_mark(
    filed: Filed,
) -> None:
    """Only what is new changes the mark on the desk."""
    filed.say("reporter", "pertama", "a" * 32)
    filed.say("operator", "jawaban", "b" * 32)
    assert "new_message" not in filed.file("operator").flags
    filed.say("reporter", "pertama", "a" * 32)
    assert "new_message" not in filed.file("operator").flags
    filed.say("reporter", "kedua", "c" * 32)
    filed.say("operator", "jawaban", "b" * 32)
    assert "new_message" in filed.file("operator").flags


@pytest.mark.parametrize("user", ["reporter", "operator"])
def test_an_empty_or_endless_message_is_refused(filed: Filed, user: str) -> None:
    for words, key in ((" \n", "message.required"), ("a" * 60_001, "report.too_long")):
        with pytest.raises(InvalidInput) as refused:
            filed.say(user, words)
        assert dict(refused.value.errors) == {"text": key}
    assert len(filed.leaves()) == 1


def test_dates_told_to_the_reporter_are_marked_as_targets(filed: Filed) -> None:
    """Badung sets no deadline, so no promise claims to be law."""
    for user, transition in way("selesai"):
        for promise in filed.mailbox().promises:
            assert not promise.legal
            assert promise.due >= filed.bench.clock.now.date() - timedelta(days=1)
        filed.do(user, transition)
    assert filed.mailbox().promises == ()


def test_nothing_is_ever_missing_in_an_honest_story(filed: Filed) -> None:
    filed.bring_to("selesai")
    for user in ("operator", "verifikator", "irban", "inspektur", "tim"):
        assert {piece.trust for piece in filed.file(user).pieces} <= {Trust.VERIFIED}
