"""Recusal: who has a conflict of interest holds nothing of the case any more, for good."""

from dataclasses import replace

import pytest

from casework.case import custody
from casework.case.keyring import CaseDamaged
from casework.case.tables import Grant
from casework.errors import Conflict, InvalidInput, NotFound
from casework.handling import acts, astray, catchup, recuse
from casework.handling.story import Trust
from casework.intake.report import LONG
from casework.store.base import new_id
from tests.casework.case.test_standing import kept_grant, put_back
from tests.casework.cases import Filed, all_verified, file_report, inbox, join, leave, texts
from tests.casework.handling.test_catchup import name_guardian
from tests.casework.office import Bench

REASON = "Terlapor adalah ipar saya."


def let_go(filed: Filed, user: str, reason: str = REASON, *, give_up_shares: bool = False) -> None:
    actor, case_id = filed.bench[user], filed.case_id
    with filed.bench.office.write() as uow:
        recuse.recuse(uow, actor, case_id, reason, new_id(), give_up_shares=give_up_shares)


def refusal(filed: Filed, user: str, *, give_up_shares: bool = False) -> dict[str, str]:
    before = filed.leaves()
    with pytest.raises(InvalidInput) as refused:
        let_go(filed, user, give_up_shares=give_up_shares)
    assert filed.leaves() == before
    return dict(refused.value.errors)


def grants_of(filed: Filed, user: str) -> int:
    query = 'SELECT count(*) FROM "grant" WHERE case_id = :case AND holder = :h'
    return int(filed.scalar(query, h=filed.bench[user].person_id))


def test_every_key_goes_shares_included_and_the_leaf_says_so(bench: Bench) -> None:
    join(bench, {"irban2": ("irban",)})
    filed = file_report(bench).bring_to("dianalisis")
    mine = bench["irban2"].person_id
    assert grants_of(filed, "irban2") == 5
    let_go(filed, "irban2")
    assert grants_of(filed, "irban2") == 0
    assert filed.case_id not in inbox(bench, "irban2")
    leaf = filed.leaves()[-1]
    assert (leaf["event"], leaf["items"], leaf["granted"]) == (custody.RECUSED, 1, [])
    kinds = ("contact", "content", "handling", "identity", "investigation")
    assert leaf["revoked"] == [f"{kind}:{mine}" for kind in kinds]
    with pytest.raises(NotFound):
        filed.file("irban2")
    with bench.office.read() as uow:
        assert astray.astray(uow) == []
    assert all_verified(filed.file("irban").pieces)


def test_colleagues_read_the_reason_and_the_reporter_does_not(bench: Bench) -> None:
    """Also where the officer held nothing but the content, which the reporter holds as well."""
    join(bench, {"operator2": ("operator",), "verifikator2": ("verifikator",)})
    early, late = file_report(bench), file_report(bench).bring_to("terkirim")
    let_go(early, "operator2")
    let_go(late, "verifikator2")
    for filed, colleague in ((early, "operator"), (late, "verifikator")):
        pieces = filed.file(colleague).pieces
        assert REASON in texts(pieces)
        assert [one.kind for one in pieces][-2:] == [custody.RECUSED, recuse.RECUSAL]
        assert all(one.trust is Trust.VERIFIED for one in filed.mailbox().pieces)
        assert REASON not in texts(filed.mailbox().pieces)


@pytest.mark.parametrize("reason", ["", "  \n", "a" * (LONG + 1)])
def test_a_reason_is_needed(bench: Bench, reason: str) -> None:
    join(bench, {"operator2": ("operator",)})
    filed = file_report(bench)
    with pytest.raises(InvalidInput) as refused:
        let_go(filed, "operator2", reason)
    assert set(refused.value.errors) == {"reason"}
    assert grants_of(filed, "operator2") == 1


def test_nobody_else_can_be_recused_nor_who_holds_nothing(filed: Filed) -> None:
    for user in ("irban", "admin", "pengawas", "tim"):
        with pytest.raises(NotFound):
            let_go(filed, user)


def test_the_guardian_stays(filed: Filed) -> None:
    assert refusal(filed, "inspektur") == {"recuse": "custody.guardian"}


def test_the_last_who_holds_a_compartment_stays(bench: Bench) -> None:
    """And the way out works: a colleague comes, the keys are passed on, then it is possible."""
    filed = file_report(bench).bring_to("dianalisis")
    assert refusal(filed, "irban", give_up_shares=True) == {"recuse": "custody.last_holder"}
    join(bench, {"irban2": ("irban",)})
    assert refusal(filed, "irban", give_up_shares=True) == {"recuse": "custody.last_holder"}
    catchup.pass_on(bench.office, bench["irban"])
    assert refusal(filed, "irban") == {"recuse": "custody.last_share"}
    let_go(filed, "irban", give_up_shares=True)
    assert grants_of(filed, "irban") == 0
    filed.do("irban2", "forward")
    assert "irban" not in filed.holders()["content"]


def test_who_left_office_does_not_count_as_another_holder(bench: Bench) -> None:
    join(bench, {"irban2": ("irban",)})
    filed = file_report(bench).bring_to("dianalisis")
    leave(bench, "irban2")
    assert refusal(filed, "irban") == {"recuse": "custody.last_holder"}


def test_the_same_form_twice_is_one_recusal(bench: Bench) -> None:
    join(bench, {"operator2": ("operator",)})
    filed, nonce = file_report(bench), new_id()
    for _ in range(2):
        with bench.office.write() as uow:
            recuse.recuse(uow, bench["operator2"], filed.case_id, REASON, nonce)
    assert [leaf["event"] for leaf in filed.leaves()].count(custody.RECUSED) == 1


def test_no_later_act_gives_the_case_back(bench: Bench) -> None:
    """The profile grants to all of a role; whoever is recused is left out each time."""
    join(bench, {"verifikator2": ("verifikator",), "irban2": ("irban",)})
    filed = file_report(bench).bring_to("terkirim")
    let_go(filed, "verifikator2")
    filed.do("verifikator", "reject_verified")
    filed.do("reporter", "request_review")
    filed.do("inspektur", "reopen")
    assert grants_of(filed, "verifikator2") == 0
    filed.do("verifikator", "verify")
    let_go(filed, "irban2")
    filed.do("irban", "analyse")
    assert filed.holders()["investigation"] == {"irban", "recovery"}
    join(bench, {"lain": ("tim",)})
    for user in ("operator", "verifikator", "irban", "inspektur"):
        catchup.pass_on(bench.office, bench[user])
    assert grants_of(filed, "verifikator2") == grants_of(filed, "irban2") == 0


def test_a_case_is_not_handed_to_an_office_whose_only_holder_is_recused(bench: Bench) -> None:
    join(bench, {"dua": ("operator", "irban")})
    leave(bench, "irban")
    filed = file_report(bench)
    let_go(filed, "dua", give_up_shares=True)
    filed.do("operator", "accept")
    with pytest.raises(InvalidInput) as refused:
        filed.do("verifikator", "verify")
    assert dict(refused.value.errors) == {"role": "law.role_vacant"}


def test_who_is_recused_is_neither_offered_nor_assigned(bench: Bench) -> None:
    join(bench, {"irban2": ("irban",)})
    filed = file_report(bench).bring_to("diteruskan")
    let_go(filed, "irban2")
    offered = {one.person_id for one in filed.file("inspektur").candidates}
    assert offered == {bench["irban"].person_id, bench["tim"].person_id}
    facts = replace(filed.facts("assign_team"), assignees=(bench["irban2"].person_id,))
    with pytest.raises(InvalidInput) as refused:
        filed.do("inspektur", "assign_team", facts)
    assert dict(refused.value.errors) == {"assignees": "law.assignees_excluded"}


def test_an_assignment_ends_with_the_recusal(bench: Bench) -> None:
    filed = file_report(bench).bring_to("telaah_awal")
    let_go(filed, "tim")
    assert filed.rows("SELECT * FROM assignment WHERE case_id = :case") == []
    assert "tim" not in str(filed.holders())


def test_a_recused_guardian_to_be_is_left_out_too(bench: Bench) -> None:
    join(bench, {"inspektur2": ("inspektur",)})
    filed = file_report(bench).bring_to("diteruskan")
    let_go(filed, "inspektur2")
    name_guardian(bench, "inspektur2")
    catchup.pass_on(bench.office, bench["inspektur"])
    assert grants_of(filed, "inspektur2") == 0


def test_a_kept_key_put_back_opens_nothing(bench: Bench) -> None:
    join(bench, {"operator2": ("operator",)})
    filed = file_report(bench)
    kept = kept_grant(filed, "operator2")
    let_go(filed, "operator2")
    put_back(filed, kept)
    with bench.office.read() as uow:
        assert uow.session.get(Grant, kept[0]["id"]) is not None
    assert not any(piece.body for piece in filed.file("operator2").pieces if piece.compartment)
    with pytest.raises(CaseDamaged):
        filed.say("operator2", "masih di sini")


def test_a_form_seen_before_the_recusal_is_refused(bench: Bench) -> None:
    """The set of keys has changed: the colleague looks again, and nothing is damaged."""
    join(bench, {"operator2": ("operator",)})
    filed = file_report(bench)
    seen = filed.revision()
    let_go(filed, "operator2")
    with bench.office.write() as uow, pytest.raises(Conflict):
        acts.perform(uow, bench["operator"], filed.case_id, seen, "accept", filed.facts("accept"))
    filed.do("operator", "accept")
