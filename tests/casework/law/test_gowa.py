"""Gowa's profile says what its regulation says, on each of its ways to an end."""

import pytest

from casework.law.engine import Situation, allowed
from casework.law.profile import Profile
from casework.law.vocabulary import REPORTER, Basis, Direction, Lapse
from tests.casework.law.helpers import Walk

PETUGAS, PENGHUBUNG, PIMPINAN = "petugas", "penghubung", "pimpinan_apip"
IRBAN, TIM = "irban", "tim"
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


def test_a_reporter_never_reads_of_examinations_summonses_or_teams(gowa: Profile) -> None:
    for state in gowa.states:
        public = f"{state.public_label} {state.public_sentence} {state.public_next}".lower()
        for hidden in ("pemeriksaan khusus", "panggil", "aph", "ekspose", "lhp", "surat tugas"):
            assert hidden not in public, state.id


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
