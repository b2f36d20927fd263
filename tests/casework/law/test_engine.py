"""Nothing but a transition of the profile moves a case, and only with all that it asks for."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from casework.errors import InvalidInput, InvalidTransition
from casework.law.catalogue import ProfileCatalogue
from casework.law.engine import DocumentRef, Facts, Situation, Step, allowed, apply
from casework.law.profile import Profile
from casework.law.reach import reachable_states
from casework.law.vocabulary import REPORTER, SYSTEM, UNCHANGED
from tests.casework.law.helpers import DAY, Walk, enough

CATALOGUE = ProfileCatalogue.from_package()


def actors(profile: Profile) -> list[str]:
    return [*(role.id for role in profile.roles), REPORTER, SYSTEM]


def refusal(profile: Profile, state: str, act: str, role: str, facts: Facts) -> Mapping[str, str]:
    with pytest.raises(InvalidInput) as refused:
        apply(profile, state, act, role, facts)
    return refused.value.errors


def test_a_step_names_everything_that_changes(badung: Profile) -> None:
    step = apply(badung, "submitted", "accept", "operator", enough(badung, "accept"))
    assert (step.from_state, step.to_state, step.role) == ("submitted", "terkirim", "operator")
    assert {(held.compartment, held.holder) for held in step.grants} == {
        ("content", "verifikator"),
        ("handling", "verifikator"),
        ("handling", "operator"),
    }
    assert {(held.compartment, held.holder) for held in step.revokes} == {("content", "operator")}
    assert step.opened == ("verification",)
    assert step.met == ("first_reaction", "acknowledgement")
    assert step.article == "Lampiran I.III Fitur 2"


def test_the_reporter_and_the_admin_have_no_act_of_an_officer(badung: Profile) -> None:
    for state in badung.states:
        assert allowed(badung, state.id, "admin") == ()
        assert allowed(badung, state.id, "pengawas") == ()
        for act in allowed(badung, state.id, REPORTER):
            assert act.by == (REPORTER,)


def test_what_is_not_allowed_is_refused_for_every_state_role_and_transition(
    profile: Profile,
) -> None:
    for state in (*(state.id for state in profile.states), "nowhere"):
        for role in (*actors(profile), "nobody"):
            offered = {act.id for act in allowed(profile, state, role)}
            for act in profile.transitions:
                if act.id in offered:
                    continue
                with pytest.raises(InvalidTransition):
                    apply(profile, state, act.id, role, enough(profile, act.id))


def test_a_transition_that_the_profile_does_not_have_cannot_happen(badung: Profile) -> None:
    with pytest.raises(InvalidTransition) as refused:
        apply(badung, "submitted", "burn", "operator", Facts())
    assert (refused.value.state, refused.value.transition) == ("submitted", "burn")


def test_every_missing_thing_is_named_at_once(badung: Profile) -> None:
    assert refusal(badung, "diteruskan", "assign_team", "inspektur", Facts()) == {
        "assignees": "law.assignees_required",
        "document.surat_tugas": "law.document_required",
    }
    assert refusal(badung, "diselidiki", "send_result", "inspektur", Facts(message=" \n")) == {
        "outcome": "law.outcome_required",
        "message": "law.message_required",
    }


@pytest.mark.parametrize(
    ("state", "act", "role", "field"),
    [
        ("submitted", "reject", "operator", "reason"),
        ("terkirim", "reject_verified", "verifikator", "reason"),
        ("terkirim", "reject_incomplete", "verifikator", "missing_items"),
        ("terkirim", "verify", "verifikator", "category"),
        ("diverifikasi", "analyse", "irban", "note"),
        ("diteruskan", "return", "inspektur", "reason"),
        ("selesai", "rate", "reporter", "rating"),
        ("ditolak_berkas_tidak_lengkap", "complete", "reporter", "message"),
        ("ditolak", "request_review", "reporter", "message"),
    ],
)
def test_what_badung_requires_is_required(
    badung: Profile, state: str, act: str, role: str, field: str
) -> None:
    empty = Facts(checklist=enough(badung, act).checklist)
    assert refusal(badung, state, act, role, empty) == {field: f"law.{field}_required"}


def test_a_checklist_wants_every_answer_and_a_yes_where_the_law_does(badung: Profile) -> None:
    answers = {"indikasi": False, "bukti_disebut": False, "nama_ibu": True}
    assert refusal(badung, "submitted", "accept", "operator", Facts(checklist=answers)) == {
        "checklist.indikasi": "law.item_must_be_met",
        "checklist.pemerintah_daerah": "law.answer_required",
        "checklist.nama_ibu": "law.item_unknown",
    }


def test_evidence_never_blocks_an_acceptance(badung: Profile) -> None:
    answers = {"indikasi": True, "pemerintah_daerah": True, "bukti_disebut": False}
    step = apply(badung, "submitted", "accept", "operator", Facts(checklist=answers))
    assert step.to_state == "terkirim"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"outcome": "guilty"}, {"outcome": "law.outcome_unknown"}),
        ({"outcome": ""}, {"outcome": "law.outcome_required"}),
    ],
)
def test_an_outcome_comes_from_the_profile(
    badung: Profile, changed: dict[str, str], error: dict[str, str]
) -> None:
    facts = replace(enough(badung, "send_result"), **changed)  # type: ignore[arg-type]
    assert refusal(badung, "telaah_awal", "send_result", "inspektur", facts) == error


@pytest.mark.parametrize("rating", [0, 6, -1])
def test_a_rating_lies_on_the_scale(badung: Profile, rating: int) -> None:
    errors = refusal(badung, "selesai", "rate", REPORTER, Facts(rating=rating))
    assert errors == {"rating": "law.rating_unknown"}


@pytest.mark.parametrize("rating", [1, 5])
def test_both_ends_of_the_scale_are_ratings(badung: Profile, rating: int) -> None:
    assert apply(badung, "selesai", "rate", REPORTER, Facts(rating=rating)).to_state == "selesai"


def test_a_reporter_rates_once(badung: Profile) -> None:
    rated = Situation(times={"rate": 1})
    assert [act.id for act in allowed(badung, "selesai", REPORTER)] == ["rate"]
    assert allowed(badung, "selesai", REPORTER, rated) == ()


@pytest.mark.parametrize("assignees", [("a", " "), ("a", "a")])
def test_a_team_is_named_without_blanks_or_repetition(
    badung: Profile, assignees: tuple[str, ...]
) -> None:
    facts = replace(enough(badung, "assign_team"), assignees=assignees)
    errors = refusal(badung, "diteruskan", "assign_team", "inspektur", facts)
    assert errors == {"assignees": "law.assignees_unclear"}


def test_a_document_without_a_number_is_no_document(badung: Profile) -> None:
    blank = {"surat_tugas": DocumentRef(" ", date(2026, 11, 23))}
    facts = replace(enough(badung, "order_examination"), documents=blank)
    errors = refusal(badung, "telaah_awal", "order_examination", "inspektur", facts)
    assert errors == {"document.surat_tugas": "law.document_required"}


def test_transfer_to_aph_needs_both_approvals_and_the_lapsed_window(gowa: Profile) -> None:
    loss = frozenset({"potensi_kerugian"})
    early = enough(gowa, "transfer_aph_loss", Situation(flags=loss))
    with pytest.raises(InvalidTransition):
        apply(gowa, "pemantauan", "transfer_aph_loss", "pimpinan_apip", early)
    late = replace(early, situation=Situation(flags=loss, lapsed=frozenset({"recommendation"})))
    one = replace(late, approvals=frozenset({"persetujuan_pimpinan"}))
    assert refusal(gowa, "pemantauan", "transfer_aph_loss", "pimpinan_apip", one) == {
        "approval.petunjuk_bupati": "law.approval_required"
    }
    step = apply(gowa, "pemantauan", "transfer_aph_loss", "pimpinan_apip", late)
    assert step.to_state == "pelimpahan_aph"


def test_a_review_after_a_target_has_passed_needs_that_it_has(badung: Profile) -> None:
    overdue = Situation(lapsed=frozenset({"first_reaction"}))
    assert allowed(badung, "submitted", REPORTER) == ()
    offered = allowed(badung, "submitted", REPORTER, overdue)
    assert [act.id for act in offered] == ["request_review_overdue"]
    assert offered[0].alerts == ("guardian",)


def test_stopping_all_clocks_spares_those_met_or_just_opened(badung: Profile) -> None:
    step = apply(badung, "submitted", "reject", "operator", Facts(reason="bukan pengaduan"))
    assert set(step.met).isdisjoint(step.stopped)
    assert set(step.met) | set(step.stopped) == {rule.id for rule in badung.deadlines}


def test_a_clock_that_the_act_opens_survives_its_stopping_all(badung: Profile) -> None:
    data = msgspec.to_builtins(badung)
    for act in data["transitions"]:
        if act["id"] == "reject":
            act["opens"] = ["review_answer"]
    changed = msgspec.convert(data, Profile)
    step = apply(changed, "submitted", "reject", "operator", Facts(reason="bukan pengaduan"))
    assert step.opened == ("review_answer",)
    assert "review_answer" not in step.stopped


def test_classification_raises_the_flags_of_its_category(gowa: Profile) -> None:
    facts = replace(enough(gowa, "declare_complete"), category="kkn")
    step = apply(gowa, "verifikasi", "declare_complete", "petugas", facts)
    assert step.flags_after(frozenset()) == {"berkadar"}


def test_a_category_classifies_only_where_it_is_asked_for(gowa: Profile) -> None:
    facts = replace(enough(gowa, "start_verification"), category="kkn")
    assert apply(gowa, "diterima", "start_verification", "petugas", facts).raised == ()


def test_an_act_stops_the_clocks_that_it_names_and_no_other(badung: Profile, gowa: Profile) -> None:
    step = apply(badung, "submitted", "accept", "operator", enough(badung, "accept"))
    assert step.stopped == ()
    facts = enough(gowa, "return_to_intake")
    back = apply(gowa, "didistribusikan", "return_to_intake", "penghubung", facts)
    assert back.stopped == ("service_response", "status_information")


def test_a_clock_pauses_and_resumes_where_the_profile_says(badung: Profile) -> None:
    data = msgspec.to_builtins(badung)
    for deadline in data["deadlines"]:
        if deadline["id"] == "feedback":
            deadline["paused_in"] = ["ditolak_berkas_tidak_lengkap"]
    pausing = msgspec.convert(data, Profile)
    facts = enough(pausing, "reject_incomplete")
    away = apply(pausing, "terkirim", "reject_incomplete", "verifikator", facts)
    assert (away.paused, away.resumed) == (("feedback",), ())
    back = apply(pausing, away.to_state, "complete", REPORTER, enough(pausing, "complete"))
    assert (back.paused, back.resumed) == ((), ("feedback",))


def test_texts_that_were_typed_are_not_in_the_representation_of_facts() -> None:
    secret = "CANARY"
    facts = Facts(
        reason=secret,
        note=secret,
        message=secret,
        missing_items=(secret,),
        assignees=(secret,),
        documents={"surat_tugas": DocumentRef(secret, DAY)},
        checklist={secret: True},
    )
    assert secret not in repr(facts)
    assert str(DAY.year) not in repr(facts)
    assert secret not in repr(DocumentRef(secret, DAY))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_apply_agrees_with_the_table_for_any_input(profile: Profile, data: st.DataObject) -> None:
    state = data.draw(st.sampled_from([state.id for state in profile.states]))
    role = data.draw(st.sampled_from(actors(profile)))
    act = data.draw(st.sampled_from(profile.transitions))
    flags = frozenset(data.draw(st.sets(st.sampled_from([flag.id for flag in profile.flags]))))
    lapsed = frozenset(
        data.draw(st.sets(st.sampled_from([rule.id for rule in profile.deadlines]), max_size=2))
    )
    situation = Situation(flags, lapsed)
    try:
        step = apply(profile, state, act.id, role, enough(profile, act.id, situation))
    except InvalidTransition:
        assert act not in allowed(profile, state, role, situation)
        return
    assert state in act.from_
    assert role in act.by
    assert step.to_state == (state if act.to == UNCHANGED else act.to)
    assert set(act.only_if) <= flags
    assert not set(act.unless) & flags
    assert act.after_lapse_of is None or act.after_lapse_of in lapsed


class CaseMachine(RuleBasedStateMachine):
    """Anybody tries anything, in any order; the case only ever moves along the profile."""

    profile: Profile

    def __init__(self) -> None:
        super().__init__()
        self.walk = Walk(self.profile)
        self.reachable = reachable_states(self.profile)
        self.edges = {
            (state, act.target(state)) for act in self.profile.transitions for state in act.from_
        }

    @rule(data=st.data())
    def try_anything(self, data: st.DataObject) -> None:
        act = data.draw(st.sampled_from([*self.profile.transitions]))
        role = data.draw(st.sampled_from(actors(self.profile)))
        offered = allowed(self.profile, self.walk.state, role, self.walk.situation)
        facts = enough(self.profile, act.id, self.walk.situation)
        try:
            step = apply(self.profile, self.walk.state, act.id, role, facts)
        except InvalidTransition:
            assert act not in offered
        else:
            assert act in offered
            self.check(step)

    @rule(data=st.data())
    def take_something_allowed(self, data: st.DataObject) -> None:
        choices = [
            (act.id, role)
            for role in actors(self.profile)
            for act in allowed(self.profile, self.walk.state, role, self.walk.situation)
        ]
        if choices:
            act_id, role = data.draw(st.sampled_from(choices))
            facts = enough(self.profile, act_id, self.walk.situation)
            if facts.category is not None:
                categories = [category.id for category in self.profile.categories]
                facts = replace(facts, category=data.draw(st.sampled_from(categories)))
            self.check(apply(self.profile, self.walk.state, act_id, role, facts))

    @rule(data=st.data())
    def declare_a_circumstance(self, data: st.DataObject) -> None:
        declared = [flag.id for flag in self.profile.flags if flag.declared]
        if declared:
            self.walk.flags |= {data.draw(st.sampled_from(declared))}

    @precondition(lambda self: self.walk.running)
    @rule(data=st.data())
    def let_a_clock_lapse(self, data: st.DataObject) -> None:
        self.walk.lapsed |= {data.draw(st.sampled_from(sorted(self.walk.running)))}

    def check(self, step: Step) -> None:
        assert step.from_state == self.walk.state
        assert (step.from_state, step.to_state) in self.edges
        assert step.article.strip()
        self.walk.follow(step)

    @invariant()
    def the_state_is_one_of_the_profile(self) -> None:
        assert self.walk.state in self.reachable

    @invariant()
    def the_reporter_and_the_guardian_keep_the_contents(self) -> None:
        assert {("content", "reporter"), ("content", "guardian")} <= self.walk.holders
        assert ("mailbox", "reporter") in self.walk.holders

    @invariant()
    def nobody_but_roles_that_may_receive_holds_anything(self) -> None:
        people = {REPORTER, "guardian", "assigned"}
        people |= {role.id for role in self.profile.roles if role.may_receive}
        assert {holder for _, holder in self.walk.holders} <= people

    @invariant()
    def a_closed_case_has_no_running_clock(self) -> None:
        if self.profile.state(self.walk.state).terminal:
            assert not self.walk.running


class BadungMachine(CaseMachine):
    profile = CATALOGUE.latest("badung")


class GowaMachine(CaseMachine):
    profile = CATALOGUE.latest("gowa")


TestBadungMachine = BadungMachine.TestCase
TestGowaMachine = GowaMachine.TestCase
TestBadungMachine.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestGowaMachine.settings = settings(max_examples=40, stateful_step_count=60, deadline=None)
