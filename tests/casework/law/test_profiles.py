"""The shipped profiles say what their regulations say, and every case can come to an end."""

import re

import pytest

from casework.law.engine import Situation, allowed
from casework.law.profile import Profile
from casework.law.reach import reachable_states
from casework.law.vocabulary import (
    REPORTER,
    Basis,
    Compartment,
    DayKind,
    Direction,
    Lapse,
    Need,
    Routing,
)
from tests.casework.law.helpers import Walk

CITES = re.compile(r"(Pasal \d+|Lampiran [IVX]+)\b")

OPERATOR, VERIFIKATOR, IRBAN, INSPEKTUR = "operator", "verifikator", "irban", "inspektur"
TO_INSPEKTUR = [
    ("accept", OPERATOR),
    ("verify", VERIFIKATOR),
    ("analyse", IRBAN),
    ("forward", IRBAN),
]


def test_every_state_can_be_reached(profile: Profile) -> None:
    assert reachable_states(profile) == {state.id for state in profile.states}


def test_from_every_state_some_path_leads_to_an_end(profile: Profile) -> None:
    ended = {state.id for state in profile.states if state.terminal}
    # A rejection is an end that a review or new information may undo.
    ended |= {state.id for state in profile.states if state.rejected and not state.open}
    grown = True
    while grown:
        before = len(ended)
        ended |= {
            state
            for act in profile.transitions
            for state in act.from_
            if act.target(state) in ended
        }
        grown = len(ended) > before
    assert ended == {state.id for state in profile.states}


def test_every_transition_cites_an_article_or_says_which_internal_rule_it_is(
    profile: Profile,
) -> None:
    articles = [(act.id, act.article) for act in profile.transitions]
    articles += [(state.id, state.article) for state in profile.states]
    articles += [(category.id, category.article) for category in profile.categories]
    articles += [(rule.id, rule.article) for rule in profile.deadlines]
    for name, article in articles:
        internal = re.fullmatch(r"\[C\] (Aturan|Target) internal: .{10,}", article)
        assert internal or CITES.search(article), (name, article)


def test_no_public_text_is_empty_or_holds_a_placeholder(profile: Profile) -> None:
    texts = [
        text
        for state in profile.states
        for text in (state.public_label, state.public_sentence, state.public_next)
    ]
    texts += [text for row in profile.outcomes for text in (row.public_label, row.public_sentence)]
    texts += [text.text for text in profile.texts]
    for text in texts:
        assert text.strip()
        assert not re.search(r"[{}<>%]|TODO|pengaduan", text), text


def test_a_reporter_never_reads_of_examinations_summonses_or_teams(gowa: Profile) -> None:
    for state in gowa.states:
        public = f"{state.public_label} {state.public_sentence} {state.public_next}".lower()
        for hidden in ("pemeriksaan khusus", "panggil", "aph", "ekspose", "lhp", "surat tugas"):
            assert hidden not in public, state.id


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
        assert rule.label.startswith("Target internal")
        assert rule.article.startswith("[C] Target internal")
    first, feedback = badung.deadline("first_reaction"), badung.deadline("feedback")
    assert (first.amount, first.basis) == (3, Basis.WORKING)
    assert (feedback.amount, feedback.basis) == (90, Basis.CALENDAR)


def test_whoever_stands_above_or_inside_the_inspectorate_cannot_be_routed_yet(
    badung: Profile,
) -> None:
    stopped = {row.id for row in badung.positions if row.routing is Routing.CANNOT_ROUTE}
    assert stopped == {"inspektur", "pegawai_inspektorat", "sekda", "bupati", "wakil_bupati"}


def test_only_the_narrative_is_required_to_submit(profile: Profile) -> None:
    assert [row.id for row in profile.contents if row.required_for_submission] == ["narrative"]


def test_two_officers_share_an_identity_and_none_holds_it_whole(profile: Profile) -> None:
    for name in (Compartment.IDENTITY, Compartment.CONTACT):
        found = profile.compartment(name)
        assert found.holders == (REPORTER,)
        assert len(found.shares) == 2
        for act in profile.transitions:
            assert name not in {held.compartment for held in act.grants}


def test_what_everyone_has_from_the_start_exists_from_the_start(profile: Profile) -> None:
    at_start = {rule.id for rule in profile.compartments if rule.from_start}
    assert at_start == {
        Compartment.CONTENT,
        Compartment.MAILBOX,
        Compartment.CONTACT,
        Compartment.IDENTITY,
    }
    assert profile.compartment(Compartment.MAILBOX).holders == (REPORTER,)


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


# Gowa.

PETUGAS, PENGHUBUNG, PIMPINAN, TIM = "petugas", "penghubung", "pimpinan_apip", "tim"
DIRECTED = [
    ("forward_apip", PENGHUBUNG),
    ("dispose", PIMPINAN),
    ("report_review", IRBAN),
]
EXAMINED = [
    ("coordinate_province", PIMPINAN),
    ("start_examination", PIMPINAN),
    ("summon", TIM),
    ("record_served", TIM),
    ("record_examination", TIM),
    ("joint_calculation", TIM),
    ("expose_examination", TIM),
    ("issue_lhp", TIM),
    ("record_lhp_receipt", IRBAN),
]


def gowa_intake(gowa: Profile, category: str, distribute: str) -> Walk:
    walk = Walk(gowa)
    walk.take_all(("record_sp4n", PETUGAS), ("start_verification", PETUGAS))
    walk.take("declare_complete", PETUGAS, category=category)
    walk.take(distribute, PETUGAS)
    return walk


def gowa_oversight(gowa: Profile) -> Walk:
    walk = gowa_intake(gowa, "kkn", "distribute_oversight")
    walk.take_all(*DIRECTED)
    return walk


def test_gowa_type_a_is_answered_and_closes_in_silence(gowa: Profile) -> None:
    walk = gowa_intake(gowa, "keluhan", "distribute_service")
    walk.take_all(("follow_up", PENGHUBUNG), ("respond", "pelaksana"))
    walk.take_all(("reply", REPORTER), ("respond", PENGHUBUNG))
    assert allowed(gowa, walk.state, "system", walk.situation) == ()
    walk.lapsed = frozenset({"reply_window"})
    assert walk.take("close_silent", "system").to_state == "ditutup"
    assert not walk.running


def test_gowa_never_closes_an_oversight_case_by_silence(gowa: Profile) -> None:
    situation = Situation(frozenset({"berkadar"}), frozenset({"reply_window"}))
    for state in gowa.states:
        assert allowed(gowa, state.id, "system", situation) == ()


def test_gowa_faq_is_for_services_and_never_for_the_whistleblowing_channel(gowa: Profile) -> None:
    def offered(*flags: str) -> set[str]:
        situation = Situation(frozenset(flags))
        return {act.id for act in allowed(gowa, "terverifikasi", PETUGAS, situation)}

    assert offered("tidak_berkadar") == {"faq_reply", "distribute_service"}
    assert offered("tidak_berkadar", "saluran_wbs") == {"distribute_service"}
    assert offered("berkadar") == {"distribute_oversight"}


def test_gowa_archives_an_incomplete_report_only_by_hand_and_after_the_window(
    gowa: Profile,
) -> None:
    walk = Walk(gowa)
    walk.take_all(("start_verification", PETUGAS), ("ask_completion", PETUGAS))
    assert gowa.deadline("completion").lapse is Lapse.ARCHIVE_MANUAL
    assert allowed(gowa, walk.state, PETUGAS, walk.situation) == ()
    walk.lapsed = frozenset({"completion"})
    assert allowed(gowa, walk.state, "system", walk.situation) == ()
    assert walk.take("archive_incomplete", PETUGAS).to_state == "diarsipkan"
    assert walk.take("complete", REPORTER).to_state == "verifikasi"


def test_gowa_return_from_the_wrong_office_starts_intake_again(gowa: Profile) -> None:
    walk = gowa_intake(gowa, "keluhan", "distribute_service")
    walk.take("return_to_intake", PENGHUBUNG)
    assert walk.state == "verifikasi"
    assert not walk.running
    assert ("content", PETUGAS) in walk.holders
    walk.take("declare_complete", PETUGAS, category="kkn")
    assert walk.flags >= {"berkadar"}
    assert "tidak_berkadar" not in walk.flags


def test_gowa_oversight_through_special_examination_to_tuntas(gowa: Profile) -> None:
    walk = gowa_oversight(gowa)
    assert "status_information" in walk.running
    walk.take("direct_examination", PIMPINAN)
    offered = {act.id for act in allowed(gowa, walk.state, PIMPINAN, walk.situation)}
    assert "start_examination" not in offered
    walk.take_all(*EXAMINED, ("monitor", IRBAN), ("all_done", IRBAN), ("send_result", PIMPINAN))
    assert walk.state == "selesai"
    walk.take("enter_final_status", PENGHUBUNG)
    assert not walk.running
    assert allowed(gowa, walk.state, PENGHUBUNG, walk.situation) == ()


def test_gowa_clarification_either_ends_or_rises(gowa: Profile) -> None:
    steps = [
        ("direct_clarification", PIMPINAN),
        ("start_clarification", PIMPINAN),
        ("take_statement", TIM),
        ("expose_clarification", TIM),
        ("issue_lhk", TIM),
    ]
    walk = gowa_oversight(gowa)
    walk.take_all(*steps)
    offered = {act.id for act in allowed(gowa, "lhk", PIMPINAN) if act.to != "unchanged"}
    assert offered - {"ask_province"} == {"conclude_not_continued", "raise_to_examination"}
    end = walk.take_all(("conclude_not_continued", PIMPINAN), ("send_result", PIMPINAN))
    assert end == "selesai"
    risen = gowa_oversight(gowa)
    risen.take_all(*steps, ("raise_to_examination", PIMPINAN))
    assert risen.take_all(*EXAMINED) == "pemantauan"


@pytest.mark.parametrize(
    ("state", "report"),
    [("klarifikasi_berjalan", "issue_lhk"), ("pemeriksaan_berjalan", "issue_lhp")],
)
def test_gowa_no_report_without_the_presentation_before_it(
    gowa: Profile, state: str, report: str
) -> None:
    for role in gowa.roles:
        assert report not in {act.id for act in allowed(gowa, state, role.id)}


def test_gowa_coordination_returns_for_a_new_direction_and_archive_can_be_reopened(
    gowa: Profile,
) -> None:
    walk = gowa_oversight(gowa)
    walk.take_all(
        ("direct_coordination", PIMPINAN),
        ("start_coordination", PIMPINAN),
        ("report_coordination", IRBAN),
        ("direct_archive", PIMPINAN),
    )
    assert gowa.state(walk.state).rejected
    walk.take_all(("reopen_archive", PIMPINAN), ("report_review", IRBAN))
    assert walk.take_all(("direct_archive", PIMPINAN), ("send_result", PIMPINAN)) == "selesai"


def test_gowa_transfer_is_followed_for_its_own_sixty_days(gowa: Profile) -> None:
    walk = gowa_oversight(gowa)
    walk.take_all(("direct_transfer", PIMPINAN), ("transfer", "kesekretariatan"))
    assert "transfer_followup" in walk.running
    assert ("content", "kesekretariatan") not in walk.holders
    assert walk.take("transfer_answered", PIMPINAN).to_state == "selesai"


def test_gowa_second_absence_leads_on_without_an_examination(gowa: Profile) -> None:
    walk = gowa_oversight(gowa)
    walk.take("direct_examination", PIMPINAN)
    walk.take_all(*EXAMINED[:3])
    assert "absent_twice" not in {act.id for act in allowed(gowa, walk.state, TIM, walk.situation)}
    walk.take_all(("summon_again", TIM), ("absent_twice", TIM), ("expose_examination", TIM))
    assert walk.state == "ekspose_pemeriksaan"


@pytest.mark.parametrize(
    ("found", "act"),
    [("potensi_kerugian", "transfer_aph_loss"), ("unsur_pidana", "transfer_aph_crime")],
)
def test_gowa_law_enforcement_only_after_sixty_days(gowa: Profile, found: str, act: str) -> None:
    walk = gowa_oversight(gowa)
    walk.take_all(("direct_examination", PIMPINAN), *EXAMINED)
    walk.flags |= {found}
    assert act not in {row.id for row in allowed(gowa, walk.state, PIMPINAN, walk.situation)}
    walk.lapsed = frozenset({"recommendation"})
    walk.take_all((act, PIMPINAN), ("coordinate_aph", IRBAN), ("aph_criminal", PIMPINAN))
    assert walk.take("send_result", PIMPINAN).to_state == "selesai"


def test_gowa_other_failures_end_in_an_administrative_sanction(gowa: Profile) -> None:
    walk = gowa_oversight(gowa)
    walk.take_all(("direct_examination", PIMPINAN), *EXAMINED)
    walk.lapsed = frozenset({"recommendation"})
    assert walk.take_all(("sanction", PIMPINAN), ("send_result", PIMPINAN)) == "selesai"


def test_gowa_monitors_at_most_three_times(gowa: Profile) -> None:
    walk = gowa_oversight(gowa)
    walk.take_all(("direct_examination", PIMPINAN), *EXAMINED, *[("monitor", IRBAN)] * 3)
    assert "monitor" not in {act.id for act in allowed(gowa, walk.state, IRBAN, walk.situation)}


def test_gowa_leaders_of_the_inspectorate_never_reach_apip(gowa: Profile) -> None:
    walk = gowa_intake(gowa, "kkn", "distribute_oversight")
    walk.flags |= {"terlapor_dikecualikan"}
    offered = {act.id for act in allowed(gowa, walk.state, PENGHUBUNG, walk.situation)}
    assert "forward_apip" not in offered
    walk.take_all(("outside_competence", PENGHUBUNG), ("hand_to_province", PENGHUBUNG))
    assert walk.state == "diminta_ke_apip_provinsi"
    assert ("content", PIMPINAN) not in walk.holders


def test_gowa_non_asn_and_cases_from_law_enforcement_take_their_own_way(gowa: Profile) -> None:
    walk = gowa_intake(gowa, "disiplin", "distribute_oversight")
    walk.flags |= {"terlapor_non_asn"}
    walk.take_all(("forward_apip", PENGHUBUNG), ("hand_to_non_asn_supervisor", PIMPINAN))
    assert walk.take("send_result", PIMPINAN).to_state == "selesai"
    other = gowa_intake(gowa, "kkn", "distribute_oversight")
    other.flags |= {"sumber_aph"}
    other.take_all(("forward_apip", PENGHUBUNG), ("coordinate_incoming_aph", PIMPINAN))
    assert other.take("close_incoming_aph", PIMPINAN).to_state == "penelaahan"


def test_gowa_province_can_take_over_on_request(gowa: Profile) -> None:
    walk = gowa_oversight(gowa)
    assert walk.take("ask_province", PIMPINAN).to_state == "diminta_ke_apip_provinsi"


@pytest.mark.parametrize(
    ("deadline", "amount", "start"),
    [
        ("completion", 10, "act"),
        ("service_response", 14, "act"),
        ("reply_window", 10, "act"),
        ("status_information", 60, "act"),
        ("transfer_followup", 60, "surat_pelimpahan"),
        ("special_examination", 45, "surat_tugas"),
        ("summons_notice", 7, "jadwal_pemeriksaan"),
        ("second_summons", 7, "jadwal_pemeriksaan"),
        ("recommendation", 60, "tanda_terima_lhp"),
    ],
)
def test_gowas_deadlines_are_those_of_extraction_f3(
    gowa: Profile, deadline: str, amount: int, start: str
) -> None:
    found = gowa.deadline(deadline)
    assert (found.amount, found.starts_at, found.legal) == (amount, start, True)
    assert found.basis is Basis.WORKING
    assert (found.direction is Direction.BEFORE) == (deadline == "summons_notice")


def test_badung_counts_local_days_off_and_gowa_has_none(badung: Profile, gowa: Profile) -> None:
    assert DayKind.DISPENSASI_DAERAH in badung.working_week.days_off
    assert DayKind.DISPENSASI_DAERAH not in gowa.working_week.days_off


def test_a_rejection_always_asks_for_its_reason(profile: Profile) -> None:
    for act in profile.transitions:
        if act.to in {state.id for state in profile.states if state.rejected}:
            assert {Need.REASON, Need.MISSING_ITEMS} & set(act.requires), act.id
            assert {"guardian", REPORTER} <= set(act.alerts), act.id
