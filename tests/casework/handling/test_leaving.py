"""Leaving: each case goes to a successor, every key ends, and what is interrupted goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from casework.case import custody
from casework.case.keyring import CaseDamaged
from casework.errors import CaseworkError, Conflict, Denied, InvalidInput, NotFound
from casework.handling import acts, astray, catchup, departure, leaving, recuse
from casework.handling.leaving import Plan
from casework.handling.story import Trust
from casework.keys import accounts, enrol, roster
from casework.keys.sessions import Kind
from casework.keys.tables import Device, NoticeAddress
from casework.keys.vocabulary import TenureState
from casework.store.base import new_id
from tests.casework.case.test_standing import kept_grant, put_back, write_leaf
from tests.casework.cases import Filed, all_verified, file_report, inbox, join, leave, texts
from tests.casework.handling.test_catchup import name_guardian
from tests.casework.office import Bench, passphrase_of

if TYPE_CHECKING:
    from casework.handling.leaving import Progress


def go(
    bench: Bench, leaver: str, successor: str = "", by: str = "inspektur", most: int = 50
) -> Progress:
    plan = Plan(bench[successor].person_id if successor else "", {}, give_up_shares=True)
    return leaving.off_board(
        bench.office, bench[by], bench[leaver].person_id, plan, "SK mutasi", most
    )


def problems(progress: Progress) -> set[str]:
    return {one.problem for one in progress.refused}


def refusal(bench: Bench, leaver: str, successor: str = "", by: str = "inspektur") -> object:
    with pytest.raises(InvalidInput) as refused:
        go(bench, leaver, successor, by)
    return dict(refused.value.errors)


def grants_of(filed: Filed, user: str) -> int:
    query = 'SELECT count(*) FROM "grant" WHERE case_id = :case AND holder = :h'
    return int(filed.scalar(query, h=filed.bench[user].person_id))


def state_of(bench: Bench, user: str) -> TenureState:
    with bench.office.read() as uow:
        return roster.load(uow).person(bench[user].person_id).state


def all_work(bench: Bench, *besides: str) -> None:
    for user in ("operator", "verifikator", "irban", "inspektur", "tim", *besides):
        catchup.pass_on(bench.office, bench[user])


@pytest.fixture
def two(bench: Bench) -> Bench:
    """An office with a colleague of each role from the beginning."""
    join(bench, {f"{role}2": (role,) for role in ("operator", "verifikator", "irban", "tim")})
    return bench


def test_a_leaver_loses_everything_and_the_successor_follows(two: Bench) -> None:
    filed = file_report(two).bring_to("dianalisis")
    kept = filed.holders()
    progress = go(two, "irban", "irban2")
    assert (progress.done, progress.refused, progress.left) == (1, (), 0)
    assert grants_of(filed, "irban") == 0
    assert filed.holders() == {kind: users - {"irban"} for kind, users in kept.items()}
    leaf = filed.leaves()[-1]
    me, next_ = two["irban"].person_id, two["irban2"].person_id
    assert (leaf["event"], leaf["leaver"], leaf["successor"]) == ("handed_over", me, next_)
    assert {name.partition(":")[2] for name in leaf["revoked"]} == {me}
    filed.do("irban2", "forward")
    assert all_verified(filed.file("irban2").pieces)
    with two.office.read() as uow:
        assert astray.astray(uow) == []


def test_the_office_ends_with_its_sign_in_sessions_and_devices(two: Bench) -> None:
    leaver, office = two["operator"], two.office
    cookie = office.sessions.open(Kind.STAFF, leaver.person_id, leaver.person.seed, 1)
    with office.write() as uow:
        today = uow.today()
        uow.session.add(Device(name_of_token=bytes(32), person=leaver.person_id, seen_day=today))
        uow.session.add(NoticeAddress(person=leaver.person_id, address="a@b.test", upto=0))
    file_report(two)
    assert go(two, "operator", "operator2").left == 0
    assert state_of(two, "operator") is TenureState.LEFT
    assert office.sessions.resume(cookie, 2) is None
    with office.read() as uow:
        for table in ("wrap", "factor", "device", "notice_address", "catch_up"):
            query = text(f"SELECT count(*) FROM {table} WHERE person = :p")
            assert uow.session.scalar(query, {"p": leaver.person_id}) == 0, table
        assert roster.load(uow).person_on(leaver.person_id, uow.today()) is None
        keys = accounts.officer_keys(office, "operator", passphrase_of("operator"))
        assert accounts.locate_and_unwrap(uow, keys) is None
    two.clock.advance(days=1)
    later = file_report(two)
    assert grants_of(later, "operator") == 0


def test_what_a_leaver_did_stays_good(two: Bench) -> None:
    """Acts, words and grants of theirs were right on their day."""
    filed = file_report(two).bring_to("terkirim")
    filed.say("verifikator", "kata seorang yang pergi")
    filed.do("verifikator", "verify")
    assert go(two, "verifikator", "verifikator2").left == 0
    two.clock.advance(days=30)
    assert all_verified(filed.file("irban").pieces)
    filed.do("irban", "analyse")
    assert all_verified(filed.file("irban2").pieces)
    assert "kata seorang yang pergi" in texts(filed.mailbox().pieces)


def test_what_the_approver_does_not_hold_reaches_the_successor_from_colleagues(
    two: Bench,
) -> None:
    """A newcomer follows: the approver gives the content, a colleague who works the rest."""
    filed = file_report(two).bring_to("telaah_awal")
    join(two, {"tim3": ("tim",)})
    assert go(two, "tim", "tim3").left == 0
    assert {kind for kind, who in filed.holders().items() if "tim3" in who} == {
        "content",
        "investigation",
    }
    rows = filed.rows("SELECT person FROM assignment WHERE case_id = :case")
    assert [row.person for row in rows] == [two["tim3"].person_id]
    late = file_report(two).bring_to("terkirim")
    join(two, {"verifikator3": ("verifikator",)})
    assert go(two, "verifikator2", "verifikator3").left == 0
    held = {kind for kind, who in late.holders().items() if "verifikator3" in who}
    assert held == {"content"}
    all_work(two)
    assert "verifikator3" in late.holders()["handling"]
    late.do("verifikator3", "verify")


def test_an_assigned_persons_case_goes_on_with_the_successor_of_the_successor(two: Bench) -> None:
    """Entitlement follows the whole line, also where the one between was never given the keys."""
    filed = file_report(two).bring_to("telaah_awal")
    join(two, {"tim3": ("tim",)})
    assert go(two, "tim", "tim2").left == 0
    filed.tamper(
        "DELETE FROM \"grant\" WHERE case_id = :case AND compartment = 'investigation'"
        " AND holder = :h",
        h=two["tim2"].person_id,
    )
    assert go(two, "tim2", "tim3").left == 0
    all_work(two)
    assert "tim3" in filed.holders()["investigation"]
    assert "tim2" not in str(filed.holders())


def test_cases_go_to_several_successors(two: Bench) -> None:
    join(two, {"operator3": ("operator",)})
    one, other = file_report(two), file_report(two)
    plan = Plan(
        two["operator2"].person_id,
        {other.case_id: two["operator3"].person_id},
        give_up_shares=True,
    )
    leaver = two["operator"].person_id
    leaving.off_board(two.office, two["inspektur"], leaver, plan, "SK")
    told = {filed.case_id: filed.leaves()[-1]["successor"] for filed in (one, other)}
    assert told == {
        one.case_id: two["operator2"].person_id,
        other.case_id: two["operator3"].person_id,
    }


def test_a_case_that_is_over_needs_no_successor(two: Bench) -> None:
    over = file_report(two).bring_to("selesai")
    assert go(two, "irban").left == 0
    assert grants_of(over, "irban") == 0
    leaf = over.leaves()[-1]
    assert (leaf["event"], leaf["successor"], leaf["granted"]) == ("handed_over", "", [])
    assert all_verified(over.file("irban2").pieces)


def test_an_open_case_needs_a_successor_and_the_office_does_not_end_before(two: Bench) -> None:
    filed = file_report(two)
    progress = go(two, "operator")
    assert (progress.done, progress.left) == (0, 1)
    assert problems(progress) == {"leaving.successor_required"}
    assert state_of(two, "operator") is TenureState.ACTIVE
    assert "operator" in filed.holders()["content"]


@pytest.mark.parametrize(
    ("successor", "problem"),
    [
        ("tim2", "leaving.successor_role"),
        ("admin", "leaving.successor_role"),
        ("pengawas", "leaving.successor_role"),
        ("irban", "leaving.successor_self"),
        ("away", "leaving.successor_unknown"),
        ("gone", "leaving.successor_unknown"),
        ("recused", "leaving.successor_excluded"),
    ],
)
def test_who_cannot_follow_is_refused_and_nothing_changes(
    two: Bench, successor: str, problem: str
) -> None:
    join(two, dict.fromkeys(("away", "gone", "recused"), ("irban",)))
    filed = file_report(two).bring_to("dianalisis")
    with two.office.write() as uow:
        recuse.recuse(uow, two["recused"], filed.case_id, "Ipar saya", new_id())
    leave(two, "gone")
    with two.office.write() as uow:
        part = next(one for one in enrol.enrolled(uow) if one.handle == "away")
        record = part.record(uow.today(), state=TenureState.SUSPENDED)
        enrol.approve(uow, two["inspektur"], [record], "Diberhentikan sementara")
    before = filed.leaves()
    progress = go(two, "irban", successor)
    assert problems(progress) == {problem}
    assert filed.leaves() == before
    assert state_of(two, "irban") is TenureState.ACTIVE


def test_a_stranger_cannot_follow(two: Bench) -> None:
    file_report(two)
    plan = Plan("f" * 32)
    leaver = two["operator"].person_id
    progress = leaving.hand_over_all(two.office, two["inspektur"], leaver, plan)
    assert problems(progress) == {"leaving.successor_unknown"}


@pytest.mark.parametrize("user", ["operator", "verifikator", "irban"])
def test_the_last_of_a_role_cannot_leave_and_the_way_out_works(bench: Bench, user: str) -> None:
    """Approve a successor, let the leaver work once, and then it is possible."""
    filed = file_report(bench).bring_to({"irban": "dianalisis"}.get(user, "terkirim"))
    assert refusal(bench, user) == {"leaver": "leaving.role_vacant"}
    join(bench, {"baru": (user,)})
    if user == "irban":  # alone with the analysis
        assert problems(go(bench, user, "baru")) == {"custody.last_holder"}
        assert grants_of(filed, user) > 0
    catchup.pass_on(bench.office, bench[user])
    assert go(bench, user, "baru").left == 0
    assert grants_of(filed, user) == 0
    assert state_of(bench, user) is TenureState.LEFT
    all_work(bench)
    act = {"irban": "forward", "verifikator": "verify"}.get(user)
    if act is not None:
        filed.do("baru", act)


def test_the_last_share_of_an_identity_goes_only_knowingly(bench: Bench) -> None:
    """A colleague who came after the report holds no share of it, and none travels."""
    filed = file_report(bench)
    join(bench, {"irban2": ("irban",)})
    leaver, by = bench["irban"].person_id, bench["inspektur"]
    plan = Plan(bench["irban2"].person_id)
    progress = leaving.hand_over_all(bench.office, by, leaver, plan)
    assert problems(progress) == {"custody.last_share"}
    assert grants_of(filed, "irban") == 2
    progress = leaving.hand_over_all(bench.office, by, leaver, replace(plan, give_up_shares=True))
    assert (progress.done, progress.left) == (1, 0)
    assert filed.holders()["identity"] == {"recovery", "reporter"}
    all_work(bench, "irban2")
    assert grants_of(filed, "irban2") == 0


def test_the_guardian_cannot_leave_before_another_is_named(bench: Bench) -> None:
    join(bench, {"inspektur2": ("inspektur",)})
    open_, over = file_report(bench), file_report(bench).bring_to("selesai")
    with pytest.raises(Denied):
        go(bench, "inspektur2", by="inspektur2")
    assert refusal(bench, "inspektur", "inspektur2", by="inspektur2") == {
        "leaver": "leaving.guardian"
    }
    name_guardian(bench, "inspektur2")
    all_work(bench)
    progress = go(bench, "inspektur", "inspektur2", by="inspektur2")
    assert progress.left == 0, progress
    for filed in (open_, over):
        assert "inspektur2" in filed.holders()["content"]
        assert all_verified(filed.file("inspektur2").pieces)
    assert "inspektur2" in over.holders()["investigation"]


@pytest.mark.parametrize("who", ["operator", "verifikator", "irban", "tim", "admin", "pengawas"])
def test_who_approves_nobody_sends_nobody_away(two: Bench, who: str) -> None:
    filed = file_report(two)
    leaver = "operator2" if who != "operator2" else "operator"
    with pytest.raises(Denied):
        go(two, leaver, "operator", by=who)
    with two.office.read() as uow, pytest.raises(Denied):
        departure.preview(uow, two[who], two[leaver].person_id)
    with two.office.read() as uow, pytest.raises(Denied):
        departure.record(uow, two[who], two[leaver].person_id)
    with pytest.raises(Denied):
        leaving.finish(two.office, two[who], two[leaver].person_id, "SK")
    assert grants_of(filed, leaver) == 1


def test_nobody_leaves_by_themselves_and_strangers_are_not_found(two: Bench) -> None:
    with pytest.raises(Denied):
        go(two, "inspektur")
    with pytest.raises(NotFound):
        leaving.off_board(two.office, two["inspektur"], "f" * 32, Plan(), "SK")


def test_an_approver_who_is_recused_leaves_the_case_to_another(two: Bench) -> None:
    join(two, {"inspektur2": ("inspektur",)})
    filed = file_report(two).bring_to("diteruskan")
    with two.office.write() as uow:
        recuse.recuse(uow, two["inspektur2"], filed.case_id, "Ipar saya", new_id())
    progress = go(two, "irban", "irban2", by="inspektur2")
    assert problems(progress) == {"leaving.approver_excluded"}
    assert go(two, "irban", "irban2").left == 0


@pytest.mark.parametrize("reason", ["", " \n ", "a" * 161])
def test_a_reason_is_asked_for_before_anything_is_done(two: Bench, reason: str) -> None:
    filed = file_report(two)
    plan = Plan(two["operator2"].person_id)
    with pytest.raises(InvalidInput) as refused:
        leaving.off_board(two.office, two["inspektur"], two["operator"].person_id, plan, reason)
    assert set(refused.value.errors) == {"reason"}
    assert "operator" in filed.holders()["content"]


def test_the_office_does_not_end_while_a_case_is_held(two: Bench) -> None:
    file_report(two)
    with pytest.raises(InvalidInput) as refused:
        leaving.finish(two.office, two["inspektur"], two["operator"].person_id, "SK")
    assert dict(refused.value.errors) == {"leaver": "leaving.cases_left"}


def test_an_interrupted_hand_over_goes_on(two: Bench) -> None:
    """After some cases, whoever works in between gives nothing back, and the rest follows."""
    cases = [file_report(two) for _ in range(5)]
    first = go(two, "operator", "operator2", most=2)
    assert (first.done, first.left) == (2, 3)
    assert state_of(two, "operator") is TenureState.ACTIVE
    all_work(two, "operator2")
    assert sum(grants_of(filed, "operator") for filed in cases) == 3
    for filed in cases[:1]:
        filed.do("operator2", "accept")
    late = file_report(two)
    second = go(two, "operator", "operator2")
    assert second.left == 0
    assert state_of(two, "operator") is TenureState.LEFT
    assert sum(grants_of(filed, "operator") for filed in (*cases, late)) == 0
    third = go(two, "operator", "operator2")
    assert (third.done, third.left) == (0, 0)


def test_who_left_by_the_roster_alone_can_still_be_cleared(two: Bench) -> None:
    """Keys of somebody whose office ended without a hand-over."""
    filed = file_report(two)
    leave(two, "operator")
    assert grants_of(filed, "operator") == 1
    with two.office.read() as uow:
        version = roster.load(uow).version
    assert go(two, "operator", "operator2").left == 0
    assert grants_of(filed, "operator") == 0
    with two.office.read() as uow:
        assert roster.load(uow).version == version


def test_a_leavers_key_put_back_opens_nothing(two: Bench) -> None:
    filed = file_report(two)
    kept = kept_grant(filed, "operator")
    before = int(filed.scalar('SELECT shred_version FROM "case" WHERE id = :case'))
    leaving.hand_over_all(
        two.office,
        two["inspektur"],
        two["operator"].person_id,
        Plan(two["operator2"].person_id),
    )
    assert two.office.keystore.shred_key(filed.case_id, before) is None
    put_back(filed, kept)
    filed.say("reporter", "rahasia sesudah kepergian")
    assert "rahasia sesudah" not in texts(filed.file("operator").pieces)
    with pytest.raises(CaseDamaged):
        filed.say("operator", "masih di sini")
    assert all_verified(filed.file("operator2").pieces)
    # Found again by the approver, and gone for good.
    assert go(two, "operator", "operator2").left == 0
    assert grants_of(filed, "operator") == 0


def test_a_colleagues_form_meanwhile_is_refused_and_harms_nothing(two: Bench) -> None:
    filed = file_report(two)
    seen = filed.revision()
    go(two, "operator", "operator2")
    with two.office.write() as uow, pytest.raises(Conflict):
        acts.perform(uow, two["operator2"], filed.case_id, seen, "accept", filed.facts("accept"))
    filed.do("operator2", "accept")
    assert all_verified(filed.file("verifikator").pieces)


def test_a_damaged_case_stays_and_says_so(two: Bench) -> None:
    good, bad = file_report(two), file_report(two)
    bad.tamper("UPDATE \"case\" SET state = 'selesai' WHERE id = :case")
    with two.office.read() as uow:
        found = departure.preview(uow, two["inspektur"], two["operator"].person_id)
    assert {one.case_id: one.problem for one in found.cases} == {
        good.case_id: "",
        bad.case_id: "leaving.damaged",
    }
    progress = go(two, "operator", "operator2")
    assert (progress.done, progress.left) == (1, 1)
    assert problems(progress) == {"leaving.damaged"}
    assert state_of(two, "operator") is TenureState.ACTIVE


def test_the_preview_says_who_else_holds_what_and_who_may_follow(two: Bench) -> None:
    filed = file_report(two).bring_to("dianalisis")
    over = file_report(two).bring_to("selesai")
    with two.office.read() as uow:
        found = departure.preview(uow, two["inspektur"], two["irban"].person_id)
    assert [one.case_id for one in found.cases] == [filed.case_id, over.case_id]
    first, last = found.cases
    assert (first.over, last.over, found.total, found.obstacle) == (False, True, 2, "")
    assert first.due is not None
    assert {one.compartment: one.others for one in first.held if not one.share} == {
        "content": ("Contoh Inspektur", "Contoh irban2"),
        "handling": (
            "Contoh Operator",
            "Contoh Verifikator",
            "Contoh irban2",
            "Contoh operator2",
            "Contoh verifikator2",
        ),
        "investigation": ("Contoh irban2",),
    }
    fitting = {two[name].person_id for name in ("irban2", "inspektur")}
    assert fitting <= set(first.fitting)
    assert two["tim"].person_id not in first.fitting
    assert two["irban"].person_id not in {one.person_id for one in found.candidates}


def test_the_record_is_told_by_the_log_and_can_be_printed_again(two: Bench) -> None:
    open_, over = file_report(two).bring_to("dianalisis"), file_report(two).bring_to("selesai")
    leaver = two["irban"].person_id
    with two.office.read() as uow:
        before = departure.record(uow, two["inspektur"], leaver)
    assert (before.left, before.lines) == (None, ())
    go(two, "irban", "irban2")
    today = two.clock.now.date()
    two.clock.advance(days=400)
    with two.office.read() as uow:
        found = departure.record(uow, two["inspektur"], leaver)
    me = two["inspektur"].person_id
    assert (found.left, found.by, found.reason) == (today, me, "SK mutasi")
    told = {line.ticket: (line.successor, line.by, line.day) for line in found.lines}
    assert told == {
        open_.receipt.ticket: (two["irban2"].person_id, me, today),
        over.receipt.ticket: ("", me, today),
    }
    documents = {line.ticket: line.documents for line in found.lines}
    # The report, what each act recorded; not the padded items of contact and identity.
    assert documents[open_.receipt.ticket] == open_.scalar(
        "SELECT count(*) FROM item WHERE case_id = :case"
        " AND compartment IN ('content', 'handling', 'investigation')"
    )


def test_a_forged_hand_over_is_in_no_record(two: Bench) -> None:
    filed = file_report(two)
    admin = two["admin"]
    leaver = two["operator"].person_id
    write_leaf(
        filed, admin.person_id, admin, event=custody.HANDED_OVER, leaver=leaver,
        successor=two["operator2"].person_id, granted=[], revoked=[],
    )  # fmt: skip
    with two.office.read() as uow:
        assert departure.record(uow, two["inspektur"], leaver).lines == ()


def test_the_story_tells_colleagues_who_followed_whom(two: Bench) -> None:
    filed = file_report(two).bring_to("dianalisis")
    go(two, "irban", "irban2")
    piece = next(one for one in filed.file("irban2").pieces if one.kind == custody.HANDED_OVER)
    assert piece.trust is Trust.VERIFIED
    assert piece.author == two["inspektur"].person_id
    assert piece.body["leaver"] == two["irban"].person_id
    assert piece.body["successor"] == two["irban2"].person_id
    assert not [one for one in filed.mailbox().pieces if one.kind in custody.EVENTS]
    with pytest.raises(CaseworkError):
        filed.file("irban")


def test_a_lost_key_pair_is_followed_by_its_owners_new_one(two: Bench) -> None:
    """A forgotten passphrase: new keys, and the old ones are handed over to them."""
    filed = file_report(two).bring_to("telaah_awal")
    join(two, {"tim-baru": ("tim",)})
    assert go(two, "tim", "tim-baru").left == 0
    assert filed.case_id in inbox(two, "tim-baru")
    assert all_verified(filed.file("tim-baru").pieces)
