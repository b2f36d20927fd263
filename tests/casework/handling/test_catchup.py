"""Catching up: newcomers get what a colleague of their role holds, from whoever works next."""

from typing import Any

import pytest
from sqlalchemy import text

from casework.case import custody
from casework.case.keyring import Keyring
from casework.case.tables import Case
from casework.errors import NotFound
from casework.handling import acts, astray, catchup, recuse
from casework.keys import chain, enrol, roster, shares
from casework.keys.vocabulary import RECOVERY, TenureState
from casework.store.base import new_id
from crypto.persons import Person
from crypto.signatures import SigningKey
from tests.casework.case.test_standing import kept_grant, put_back
from tests.casework.cases import Filed, all_verified, file_report, inbox, join, texts
from tests.casework.handling.test_keys import TABLE
from tests.casework.office import Bench, passphrase_of

ROLES = ("operator", "verifikator", "irban", "inspektur", "tim")
STATES = tuple(TABLE)
WORKING = ("operator", "verifikator", "irban", "inspektur", "tim")


def everybody_works(bench: Bench, *besides: str) -> int:
    """Let every officer of the first day work until nothing is left to pass on."""
    given = 0
    for user in (*WORKING, *besides):
        given += catchup.pass_on(bench.office, bench[user])
    return given


def held_by(filed: Filed, user: str) -> set[str]:
    return {kind for kind, users in filed.holders().items() if user in users}


@pytest.mark.parametrize("state", STATES)
def test_a_newcomer_holds_exactly_what_a_colleague_does(bench: Bench, state: str) -> None:
    """In each role and state: the colleague was there from the beginning, and never acted."""
    join(bench, {f"lama-{role}": (role,) for role in ROLES})
    filed = file_report(bench).bring_to(state)
    join(bench, {f"baru-{role}": (role,) for role in ROLES})
    everybody_works(bench)
    over = bench.office.profile.state(filed.state()).terminal
    for role in ROLES:
        colleague = set() if over else held_by(filed, f"lama-{role}")
        assert held_by(filed, f"baru-{role}") == colleague, role
        assert (filed.case_id in inbox(bench, f"baru-{role}")) == bool(colleague)
        if colleague:
            assert all_verified(filed.file(f"baru-{role}").pieces)
    with bench.office.read() as uow:
        assert astray.astray(uow) == []


def test_what_a_newcomer_was_given_suffices_for_the_work(bench: Bench) -> None:
    filed = file_report(bench).bring_to("terkirim")
    join(bench, {"verifikator2": ("verifikator",)})
    with pytest.raises(NotFound):
        filed.file("verifikator2")
    assert catchup.pass_on(bench.office, bench["verifikator"]) == 1
    filed.do("verifikator2", "verify")
    assert filed.state() == "diverifikasi"
    leaf = filed.leaves()[-2]
    assert (leaf["event"], leaf["items"], leaf["revoked"]) == (custody.REGRANTED, 0, [])
    person = bench["verifikator2"].person_id
    assert leaf["granted"] == [f"content:{person}", f"handling:{person}"]


def test_nothing_is_given_while_nobody_works(bench: Bench) -> None:
    filed = file_report(bench).bring_to("terkirim")
    join(bench, {"verifikator2": ("verifikator",)})
    for user in ("verifikator2", "admin", "pengawas", "irban"):
        assert catchup.pass_on(bench.office, bench[user]) == 0
    assert held_by(filed, "verifikator2") == set()


def test_what_the_regulation_took_from_a_role_is_not_given_again(bench: Bench) -> None:
    """The operators lost the content by `accept`; a new one gets what they kept."""
    filed = file_report(bench).bring_to("terkirim")
    join(bench, {"operator2": ("operator",)})
    everybody_works(bench)
    assert held_by(filed, "operator2") == {"handling"}
    assert "barang kantor" not in texts(filed.file("operator2").pieces)


def test_who_lost_a_key_and_is_given_it_again_can_use_it(bench: Bench) -> None:
    """Taken by one leaf, given by a later one: the grant stands, and opens."""
    join(bench, {"verifikator2": ("verifikator",)})
    filed = file_report(bench).bring_to("ditolak_berkas_tidak_lengkap")
    filed.do("reporter", "complete")
    filed.do("verifikator2", "reject_verified")
    assert held_by(filed, "verifikator2") == {"handling"}
    filed.do("reporter", "request_review")
    filed.do("inspektur", "reopen")
    filed.tamper(
        "DELETE FROM \"grant\" WHERE case_id = :case AND compartment = 'content' AND holder = :h",
        h=bench["verifikator2"].person_id,
    )
    join(bench, {"lain": ("tim",)})
    assert catchup.pass_on(bench.office, bench["verifikator"]) == 1
    filed.say("verifikator2", "terbuka lagi")
    assert "terbuka lagi" in texts(filed.mailbox().pieces)


def test_a_round_is_made_once_and_again_when_somebody_comes(bench: Bench) -> None:
    for _ in range(5):
        file_report(bench)
    join(bench, {"operator2": ("operator",)})
    operator = bench["operator"]
    given = [catchup.pass_on(bench.office, operator, most=2) for _ in range(4)]
    assert given == [2, 2, 1, 0]
    join(bench, {"operator3": ("operator",)})
    assert catchup.pass_on(bench.office, operator, most=20) == 5
    assert catchup.pass_on(bench.office, operator, most=20) == 0


def test_a_round_ends_although_the_last_batch_is_full(bench: Bench) -> None:
    for _ in range(2):
        file_report(bench)
    join(bench, {"operator2": ("operator",)})
    given = [catchup.pass_on(bench.office, bench["operator"], most=2) for _ in range(3)]
    assert given == [2, 0, 0]
    with bench.office.read() as uow:
        row = uow.session.execute(text("SELECT done FROM catch_up")).one()
    assert row.done


def test_a_dated_entry_counts_from_its_first_day(bench: Bench) -> None:
    """A Plh whose entry was signed before: the roster does not change on the day it begins."""
    filed = file_report(bench)
    applicant = enrol.Applicant(
        "plh", "Contoh Plh", "Plh Operator", ("operator",), passphrase_of("plh")
    )
    part = enrol.enrol(bench.office, applicant)
    with bench.office.write() as uow:
        first = uow.today().replace(day=uow.today().day + 2)
        enrol.approve(uow, bench["inspektur"], [part.record(first, first)], "SK Plh")
    assert catchup.pass_on(bench.office, bench["operator"]) == 0
    held = 'SELECT count(*) FROM "grant" WHERE holder = :h'
    assert filed.scalar(held, h=part.person_id) == 0
    bench.clock.advance(days=2)
    assert catchup.pass_on(bench.office, bench["operator"]) == 1
    assert filed.scalar(held, h=part.person_id) == 1
    bench.clock.advance(days=1)
    file_report(bench)
    assert filed.scalar(held, h=part.person_id) == 1


@pytest.mark.parametrize("state", [TenureState.SUSPENDED, TenureState.LEFT])
def test_who_is_not_in_office_neither_gives_nor_gets(bench: Bench, state: TenureState) -> None:
    filed = file_report(bench)
    join(bench, {"operator2": ("operator",)})
    with bench.office.write() as uow:
        parts = {one.handle: one for one in enrol.enrolled(uow)}
        for user in ("operator2", "operator"):
            record = parts[user].record(uow.today(), state=state)
            enrol.approve(uow, bench["inspektur"], [record], "Uji")
    assert everybody_works(bench) == 0
    assert held_by(filed, "operator2") == set()


def test_a_key_swapped_in_a_row_receives_nothing(bench: Bench) -> None:
    """Recipients come from the chain: the newcomer opens the case, the swapped key does not."""
    filed = file_report(bench)
    join(bench, {"operator2": ("operator",)})
    stranger = Person.generate().public
    filed.tamper(
        "UPDATE person SET recipient = :key WHERE id = :id",
        key=stranger.recipient,
        id=bench["operator2"].person_id,
    )
    assert catchup.pass_on(bench.office, bench["operator"]) == 1
    assert all_verified(filed.file("operator2").pieces)


def test_an_enrolled_officer_whom_nobody_approved_receives_nothing(bench: Bench) -> None:
    filed = file_report(bench)
    applicant = enrol.Applicant(
        "calon", "Contoh Calon", "Operator", ("operator",), passphrase_of("calon")
    )
    part = enrol.enrol(bench.office, applicant)
    join(bench, {"lain": ("tim",)})
    everybody_works(bench)
    assert filed.scalar('SELECT count(*) FROM "grant" WHERE holder = :h', h=part.person_id) == 0


def test_a_damaged_case_does_not_stop_the_others(bench: Bench) -> None:
    cases = [file_report(bench) for _ in range(3)]
    join(bench, {"operator2": ("operator",)})
    first = min(cases, key=lambda one: one.case_id)
    first.tamper("UPDATE \"case\" SET state = 'selesai' WHERE id = :case")
    assert catchup.pass_on(bench.office, bench["operator"]) == 2
    assert held_by(first, "operator2") == set()


def test_a_recused_colleague_is_given_nothing(bench: Bench) -> None:
    join(bench, {"operator2": ("operator",)})
    filed = file_report(bench)
    with bench.office.write() as uow:
        recuse.recuse(uow, bench["operator2"], filed.case_id, "Saudara saya", new_id())
    join(bench, {"lain": ("tim",)})
    everybody_works(bench)
    assert held_by(filed, "operator2") == set()


def test_a_new_guardian_finds_every_case_also_those_that_are_over(bench: Bench) -> None:
    """The guardian answers for all of them; a newcomer of the same role only for open ones."""
    over, open_ = file_report(bench).bring_to("selesai"), file_report(bench)
    rejected = file_report(bench).bring_to("ditolak")
    join(bench, {"inspektur2": ("inspektur",)})
    everybody_works(bench)
    assert inbox(bench, "inspektur2") == []
    name_guardian(bench, "inspektur2")
    everybody_works(bench)
    assert held_by(over, "inspektur2") == {"content", "handling", "investigation"}
    assert held_by(open_, "inspektur2") == {"content"}
    assert held_by(rejected, "inspektur2") == {"content", "handling"}


def change_roster(bench: Bench, signer: tuple[str, SigningKey], **named: Any) -> None:
    """Append an entry that names no people, but another guardian or recovery key."""
    with bench.office.write() as uow:
        known = roster.load(uow)
        head = (known.instance, known.version, known.head)
        entry = chain.make_change(head, uow.today(), [], "Uji", signer, **named)
        changed = roster.extend(known, entry, uow.office.profile)
        roster.store(uow, changed.version, entry)


def name_guardian(bench: Bench, user: str) -> None:
    now = bench["inspektur"]
    signer = (now.person_id, now.person.signing)
    change_roster(bench, signer, guardian=bench[user].person_id)


def test_a_new_recovery_key_takes_the_place_of_the_old_one(bench: Bench) -> None:
    """In every case, over or not; what holds shares alone stays with the recovery of its time."""
    over, open_ = file_report(bench).bring_to("selesai"), file_report(bench)
    old = shares.combine(bench.mnemonics[:2])
    change_roster(bench, (RECOVERY, old.signing), recovery=Person.generate().public)
    query = (
        'SELECT compartment, roster_version, granter FROM "grant" WHERE case_id = :case'
        " AND holder = :r ORDER BY compartment"
    )
    before = over.rows(query, r=RECOVERY)
    everybody_works(bench)
    for filed in (over, open_):
        rows = filed.rows(query, r=RECOVERY)
        assert {row.compartment for row in rows if row.roster_version == 1} == {
            "contact",
            "identity",
        }
        assert {row.compartment for row in rows if row.roster_version == 2} == set(
            filed.holders()
        ) - {"contact", "identity", "mailbox"}
    assert len(over.rows(query, r=RECOVERY)) == len(before)
    assert all_verified(over.file("inspektur").pieces)
    assert everybody_works(bench) == 0


def test_a_grant_put_back_is_not_mistaken_for_one_that_stands(bench: Bench) -> None:
    """An admin puts a colleague's revoked grant back: it hinders nothing, and goes."""
    filed = file_report(bench)
    kept = kept_grant(filed, "operator")
    filed.do("operator", "accept")
    put_back(filed, kept)
    join(bench, {"verifikator2": ("verifikator",)})
    assert catchup.pass_on(bench.office, bench["verifikator"]) == 1
    assert held_by(filed, "verifikator2") == {"content", "handling"}
    assert held_by(filed, "operator") == {"handling"}
    assert filed.leaves()[-1]["revoked"] == []
    assert all_verified(filed.file("verifikator2").pieces)


def test_passing_on_does_not_spoil_a_form_that_is_being_filled_in(bench: Bench) -> None:
    filed = file_report(bench).bring_to("terkirim")
    seen = filed.revision()
    join(bench, {"verifikator2": ("verifikator",)})
    catchup.pass_on(bench.office, bench["verifikator"])
    with bench.office.write() as uow:
        facts = filed.facts("verify")
        acts.perform(uow, bench["verifikator"], filed.case_id, seen, "verify", facts)
    assert filed.state() == "diverifikasi"


def test_the_old_shred_key_is_dropped(bench: Bench) -> None:
    filed = file_report(bench).bring_to("terkirim")
    query = 'SELECT shred_version FROM "case" WHERE id = :case'
    before = int(filed.scalar(query))
    join(bench, {"verifikator2": ("verifikator",)})
    catchup.pass_on(bench.office, bench["verifikator"])
    assert int(filed.scalar(query)) == before + 1
    assert bench.office.keystore.shred_key(filed.case_id, before) is None
    with bench.office.read() as uow:
        case = uow.session.get(Case, filed.case_id)
        assert case is not None
        keyring = Keyring(uow, case, bench["verifikator2"], roster.load(uow))
        assert keyring.identity("content") is not None
