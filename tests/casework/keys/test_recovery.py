"""Recovery from end to end in the domain: who gets keys back, what is refused, what it leaves."""

from __future__ import annotations

import base64
import hashlib
import json
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from casework.audit.verify import verify
from casework.case import custody, grants, recovery_checks
from casework.case.keyring import Keyring
from casework.case.lost import nobody
from casework.case.tables import Case, Grant
from casework.errors import CaseworkError, Denied
from casework.keys import chain, enrol, recovery, roster, shares
from casework.keys.actor import Actor
from casework.keys.chain import RosterBroken
from casework.keys.enrol import KeysDiffer
from casework.keys.obstacles import Obstacle, RecoveryRefused
from casework.keys.parts import PublicPart, UnreadableFile
from casework.keys.recovery import Decision
from casework.keys.recovery_file import Carried, Export, Result
from casework.keys.shares import ForeignShare, SharesWrong
from casework.keys.vocabulary import RECOVERY, Flaw, PersonKind
from casework.log import leaf
from casework.store.base import new_id
from crypto import canonical, envelope
from crypto.errors import CryptoError
from crypto.persons import Person
from crypto.signatures import Purpose
from tests.casework.cases import (
    NARRATIVE,
    Filed,
    copy_of,
    count,
    file_report,
    inbox,
    join,
    leave,
    texts,
)
from tests.casework.conftest import close
from tests.casework.keys.recoveries import (
    REASON,
    bring_in,
    decide,
    dying_when,
    export,
    lose_handling,
    meet,
    new_shares,
    today,
)
from tests.casework.office import Bench, make_office, passphrase_of, sign_in

ALONE: dict[str, tuple[str, ...]] = {
    "operator": ("operator",),
    "serba": ("verifikator", "irban"),
    "inspektur": ("inspektur",),
    "tim": ("tim",),
    "admin": ("admin",),
}
"""A small office, in which losing two people is losing everything."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return make_office(tmp_path_factory.mktemp("small") / "office", ALONE)


@pytest.fixture
def alone(small: Bench, tmp_path: Path) -> Any:
    bench = copy_of(small, tmp_path / "alone")
    yield bench
    close(bench)


def refused(obstacle: Obstacle, call: Callable[[], object]) -> RecoveryRefused:
    with pytest.raises(RecoveryRefused) as caught:
        call()
    assert caught.value.obstacle is obstacle
    return caught.value


def state_of(bench: Bench) -> tuple[int, ...]:
    tables = ("leaf", "grant", "roster", "item")
    return tuple(count(bench.office, table) for table in tables)


def log_of(bench: Bench) -> list[dict[str, Any]]:
    with bench.office.read() as uow:
        rows = uow.session.execute(text("SELECT body FROM leaf ORDER BY number")).all()
    return [json.loads(row[0]) for row in rows]


def events_of(bench: Bench) -> list[str]:
    return [str(one["event"]) for one in log_of(bench)]


def rewritten(data: bytes, **fields: Any) -> bytes:
    """The file with fields changed, written as canonically as before."""
    content = canonical.decode(data)
    assert isinstance(content, dict)
    return canonical.encode({**content, **fields})


def content_of(data: bytes) -> dict[str, Any]:
    content = canonical.decode(data)
    assert isinstance(content, dict)
    return content


def is_sound(bench: Bench) -> bool:
    with bench.office.read() as uow:
        return verify(uow).sound


def test_what_only_lost_officers_held_comes_back_to_a_named_one(bench: Bench) -> None:
    """Export, two of three shares, import; the new verifikator reads what the old one read."""
    filed = lose_handling(bench)
    assert inbox(bench, "pengganti") == []
    exported = export(bench, "pengganti")
    assert (exported.cases, len(exported.file.grants), exported.damaged) == (1, 1, ())
    assert exported.held == 1, "the guardian holds the content"
    result = decide(bench, exported.file.to_bytes())
    done = bring_in(bench, "pengganti", result.to_bytes())
    assert (done.cases, done.before, done.damaged, done.replaced) == (1, 0, (), False)
    assert "pengganti" in filed.holders()["handling"]
    assert inbox(bench, "pengganti") == [filed.case_id]
    assert '"transition": "accept"' in texts(filed.file("pengganti").pieces)
    assert is_sound(bench)


def test_the_trace_is_a_leaf_in_the_case_and_one_of_no_case(bench: Bench) -> None:
    filed = lose_handling(bench)
    data = decide(bench, export(bench, "pengganti").file.to_bytes()).to_bytes()
    bring_in(bench, "inspektur", data)
    said = filed.leaves()[-1]
    person = bench["pengganti"].person_id
    assert said["event"] == custody.RECOVERED
    assert said["actor"] == bench["inspektur"].person_id
    assert said["granted"] == [f"handling:{person}"]
    assert said["revoked"] == []
    last = log_of(bench)[-1]
    assert last["event"] == recovery_checks.IMPORTED
    assert last["file"] == said["file"] == last["objects"][0]
    assert (last["cases"], last["receivers"], last["case"]) == (1, [person], None)


def test_the_reporter_reads_of_it_and_of_no_name(bench: Bench) -> None:
    filed = lose_handling(bench)
    assert filed.mailbox().recovered == ()
    bench.clock.advance(days=2)
    bring_in(
        bench,
        "pengganti",
        decide(bench, export(bench, "pengganti").file.to_bytes()).to_bytes(),
    )
    assert filed.mailbox().recovered == (today(bench),)
    assert filed.mailbox().resealed == ()


def test_a_whole_office_comes_back_in_one_meeting(alone: Bench) -> None:
    """Inspektur and verifikator lost everything: the share holders end, approve, name, give."""
    filed = file_report(alone).bring_to("terkirim")
    leave(alone, "operator")
    for username, roles in (("inspektur2", ("inspektur",)), ("serba2", ("verifikator", "irban"))):
        applicant = enrol.Applicant(
            username=username,
            name=f"Contoh {username}",
            position="Jabatan contoh",
            roles=roles,
            passphrase=passphrase_of(username),
        )
        enrol.enrol(alone.office, applicant)
        alone.officers[username] = sign_in(alone.office, username)
    exported = export(alone, "inspektur2", "serba2", lost=("inspektur", "serba"))
    kinds = sorted(one.carried.row.compartment for one in exported.file.grants)
    assert kinds == ["content", "handling"]
    meeting = meet(exported.file.to_bytes())
    approve = tuple(meeting.waiting(name).person_id for name in ("inspektur2", "serba2"))
    data = decide(alone, exported.file.to_bytes(), approve=approve, guardian=approve[0]).to_bytes()
    bring_in(alone, "inspektur2", data)
    with alone.office.read() as uow:
        now = roster.load(uow)
    assert now.guardian_id == alone["inspektur2"].person_id
    assert now.person_on(alone["inspektur"].person_id, today(alone)) is None
    assert NARRATIVE in texts(filed.file("inspektur2").pieces)
    assert '"transition": "accept"' in texts(filed.file("serba2").pieces)
    with pytest.raises(Denied):
        filed.file("inspektur")
    filed.do("serba2", "verify")
    assert filed.state() == "diverifikasi"
    assert events_of(alone).count("roster_changed") == 2
    assert is_sound(alone)


def test_what_somebody_in_office_holds_is_not_asked_of_the_share_holders(bench: Bench) -> None:
    file_report(bench).bring_to("terkirim")
    exported = export(bench, "verifikator")
    assert (exported.cases, exported.held, exported.file.grants) == (0, 2, ())
    refused(Obstacle.NOTHING, lambda: decide(bench, exported.file.to_bytes()))


def test_what_no_receiver_may_hold_is_not_exported(bench: Bench) -> None:
    lose_handling(bench)
    exported = export(bench, "tim")
    assert (exported.cases, exported.unfit) == (0, 1)


def test_halves_and_the_reporters_own_things_are_never_exported_to_officers(alone: Bench) -> None:
    file_report(alone)
    leave(alone, "operator")
    exported = export(alone, "serba", lost=("inspektur",))
    assert {one.carried.row.compartment for one in exported.file.grants} == {"content"}
    everything = export(alone, everything=True)
    kinds = {one.carried.row.compartment for one in everything.file.grants}
    assert kinds == {"content", "contact", "identity"}


@pytest.mark.parametrize("name", ["tidak_ada", "operator", "verifikator"])
def test_nobody_receives_who_is_neither_in_office_nor_waiting(bench: Bench, name: str) -> None:
    lose_handling(bench)
    refused(Obstacle.RECEIVER, lambda: export(bench, name))


def test_a_damaged_case_is_named_and_keeps_nobody_else_from_keys(bench: Bench) -> None:
    spoiled = file_report(bench).bring_to("terkirim")
    filed = lose_handling(bench)
    spoiled.tamper('UPDATE "grant" SET signature = zeroblob(65) WHERE case_id = :case')
    exported = export(bench, "pengganti")
    assert exported.damaged == (spoiled.receipt.ticket,)
    assert {one.carried.row.case_id for one in exported.file.grants} == {filed.case_id}


class TestShareHolders:
    def test_one_share_decides_nothing(self, bench: Bench) -> None:
        with pytest.raises(SharesWrong):
            shares.combine(bench.mnemonics[:1])

    def test_another_keys_shares_decide_nothing(self, bench: Bench) -> None:
        lose_handling(bench)
        meeting = meet(export(bench, "pengganti").file.to_bytes())
        foreign = shares.combine(new_shares().mnemonics[:2])
        with pytest.raises(ForeignShare):
            recovery.decide(meeting, Decision(today(bench), REASON), foreign)

    def test_the_genesis_that_is_compared_with_the_paper_is_the_pinned_one(
        self, bench: Bench
    ) -> None:
        lose_handling(bench)
        meeting = meet(export(bench, "pengganti").file.to_bytes())
        assert meeting.fingerprint == bench.office.genesis

    def test_a_guardian_who_is_lost_must_be_followed(self, alone: Bench) -> None:
        file_report(alone)
        data = export(alone, "serba", lost=("inspektur",)).file.to_bytes()
        refused(Obstacle.NO_GUARDIAN, lambda: decide(alone, data))
        with_serba = alone["serba"].person_id
        refused(Obstacle.GUARDIAN, lambda: decide(alone, data, guardian=with_serba))

    def test_a_meeting_dated_before_the_roster_is_refused(self, bench: Bench) -> None:
        lose_handling(bench)
        meeting = meet(export(bench, "pengganti").file.to_bytes())
        early = Decision(today(bench) - timedelta(days=1), REASON)
        refused(Obstacle.DAY, lambda: recovery.check_decision(meeting, early))

    def test_all_keys_are_for_a_new_recovery_key_alone(self, bench: Bench) -> None:
        lose_handling(bench)
        everything = export(bench, everything=True).file.to_bytes()
        refused(Obstacle.ALL, lambda: decide(bench, everything))
        some = export(bench, "pengganti").file.to_bytes()
        refused(Obstacle.NOT_ALL, lambda: decide(bench, some, replacement=new_shares().person))


class TestExportEdited:
    """An admin edits the file on its way to the share holders."""

    @pytest.fixture
    def data(self, bench: Bench) -> bytes:
        lose_handling(bench)
        return export(bench, "pengganti").file.to_bytes()

    def test_a_person_of_straw_is_vouched_for_by_nobody(self, data: bytes) -> None:
        refused(Obstacle.RECEIVER, lambda: meet(rewritten(data, receivers=[new_id()])))

    def test_straw_among_those_who_wait_is_not_on_the_roster(
        self, bench: Bench, data: bytes
    ) -> None:
        """Only ``approve`` would put them there, after the eight words were compared aloud."""
        straw = PublicPart(
            new_id(), "jerami", "Contoh", "Jabatan", ("verifikator",), Person.generate().public
        )
        file = Export.from_bytes(data)
        edited = replace(file, waiting=(straw,), receivers=(straw.person_id,)).to_bytes()
        refused(Obstacle.RECEIVER, lambda: decide(bench, edited))
        assert meet(edited).parts()[straw.person_id].fingerprint == straw.fingerprint

    def test_straw_in_the_chain_breaks_it(self, data: bytes) -> None:
        file = Export.from_bytes(data)
        entry = content_of(file.entries[-1].body)
        straw = chain.key_record(Person.generate().public)
        entry["people"][-1]["recipient"] = straw.recipient
        entry["people"][-1]["verify_key"] = straw.verify_key
        forged = replace(file.entries[-1], body=canonical.encode(entry))
        with pytest.raises(RosterBroken):
            meet(replace(file, entries=(*file.entries[:-1], forged)).to_bytes())

    def test_another_chain_has_another_fingerprint(self, bench: Bench, data: bytes) -> None:
        """It verifies in itself, and is not what stands on the paper."""
        owner = Person.generate()
        people = [part.record(today(bench)) for part in meet(data).parts().values()]
        guardian = bench["inspektur"].person_id
        genesis = chain.make_genesis(
            bench.office.instance_id,
            today(bench),
            people,
            guardian=guardian,
            recovery=owner,
            reason="Palsu",
        )
        forged = replace(Export.from_bytes(data), entries=(genesis,), grants=())
        assert meet(forged.to_bytes()).fingerprint != bench.office.genesis

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("case", "f" * 32),
            ("compartment", "content"),
            ("compartment", "mailbox"),
            ("holder", "f" * 32),
            ("grant", "f" * 32),
            ("roster", 1),
            ("day", "2026-11-22"),
            ("granter", "f" * 32),
            ("granter", RECOVERY),
            ("inner", "AAAA"),
            ("signature", "AQ=="),
        ],
    )
    def test_a_grant_with_a_field_changed_is_not_genuine(
        self, data: bytes, field: str, value: object
    ) -> None:
        grant = content_of(data)["grants"][0]
        if grant[field] == value:
            value = 2
        edited = rewritten(data, grants=[{**grant, field: value}])
        refused(Obstacle.GRANT, lambda: meet(edited))

    def test_a_grant_listed_twice_is_refused(self, data: bytes) -> None:
        grant = content_of(data)["grants"][0]
        refused(Obstacle.GRANT, lambda: meet(rewritten(data, grants=[grant, grant])))

    def test_a_grant_forged_under_a_key_that_the_file_claims_does_not_open(
        self, bench: Bench, data: bytes
    ) -> None:
        """Whoever writes the file can sign as a reporter, but has no seed to put inside."""
        assert meet(data).export.receivers
        file = export(bench, everything=True).file
        sealed = next(one for one in file.grants if one.carried.row.compartment == "identity")
        row = sealed.carried.row
        liar = Actor(row.granter, Person.generate(), PersonKind.REPORTER)
        scope = grants.Scope(file.instance, row.case_id, row.roster_version, row.granted)
        wrong = grants.Holder(RECOVERY, Person.generate().public.recipient)
        forged, inner = grants.make(scope, row.compartment, bytes(32), wrong, liar)
        claimed = replace(
            sealed,
            carried=Carried(forged, inner),
            reporter_key=liar.person.public.verify_key,
        )
        edited = replace(file, grants=(claimed,)).to_bytes()
        assert len(meet(edited).export.grants) == 1, "it is signed by whom it names"
        made = new_shares()
        refused(Obstacle.GRANT, lambda: decide(bench, edited, replacement=made.person))

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("v", 2),
            ("format", "suaka-recovery-result"),
            ("entries", []),
            ("receivers", ["x"]),
            ("lost", [None]),
            ("waiting", [{}]),
            ("everything", 1),
            ("more", 1),
        ],
    )
    def test_another_form_is_no_export(self, data: bytes, field: str, value: object) -> None:
        with pytest.raises(UnreadableFile):
            meet(rewritten(data, **{field: value}))


class TestResultEdited:
    """An admin edits the file on its way back."""

    @pytest.fixture
    def data(self, bench: Bench) -> bytes:
        lose_handling(bench)
        return decide(bench, export(bench, "pengganti").file.to_bytes()).to_bytes()

    @pytest.mark.parametrize(
        ("field", "value", "obstacle"),
        [
            ("file", "f" * 32, Obstacle.SIGNATURE),
            ("instance", "f" * 32, Obstacle.OTHER_INSTANCE),
            ("day", "2026-11-22", Obstacle.SIGNATURE),
            ("day", "2027-01-01", Obstacle.DAY),
            ("roster", 1, Obstacle.OTHER_CHAIN),
            ("roster", 9, Obstacle.OTHER_CHAIN),
            ("head", "f" * 64, Obstacle.OTHER_CHAIN),
            ("replaced", True, Obstacle.MOVED_ON),
            ("grants", [], Obstacle.SIGNATURE),
            ("signature", "AQ==", Obstacle.SIGNATURE),
        ],
    )
    def test_a_field_changed_is_refused_and_nothing_is_stored(
        self, bench: Bench, data: bytes, field: str, value: object, obstacle: Obstacle
    ) -> None:
        before = state_of(bench)
        refused(obstacle, lambda: bring_in(bench, "pengganti", rewritten(data, **{field: value})))
        assert state_of(bench) == before

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("case", "f" * 32),
            ("compartment", "content"),
            ("holder", "f" * 32),
            ("grant", "f" * 32),
            ("roster", 1),
            ("day", "2026-11-22"),
            ("granter", "f" * 32),
            ("inner", "AAAA"),
            ("signature", "AQ=="),
        ],
    )
    def test_a_field_of_a_grant_changed_is_refused(
        self, bench: Bench, data: bytes, field: str, value: object
    ) -> None:
        before = state_of(bench)
        grant = content_of(data)["grants"][0]
        edited = rewritten(data, grants=[{**grant, field: value}])
        refused(Obstacle.SIGNATURE, lambda: bring_in(bench, "pengganti", edited))
        assert state_of(bench) == before

    def test_an_entry_put_into_it_is_refused(self, bench: Bench, data: bytes) -> None:
        with bench.office.read() as uow:
            last = roster.entries_of(uow)[-1]
        entry = {
            "entry": canonical.decode(last.body),
            "signer": last.signer,
            "signature": content_of(data)["signature"],
        }
        with pytest.raises(CaseworkError):
            bring_in(bench, "pengganti", rewritten(data, entry=entry))

    @pytest.mark.parametrize("field", ["v", "format", "signature", "grants", "more"])
    def test_another_form_is_no_result(self, bench: Bench, data: bytes, field: str) -> None:
        with pytest.raises(UnreadableFile):
            bring_in(bench, "pengganti", rewritten(data, **{field: None}))

    def test_signed_by_an_officer_it_is_worth_nothing(self, bench: Bench, data: bytes) -> None:
        """The Inspektur alone cannot do what the share holders do."""
        result = Result.from_bytes(data)
        signing = bench["inspektur"].person.signing
        forged = replace(
            result, signature=signing.sign(Purpose.RECOVERED, result.statement())
        ).to_bytes()
        refused(Obstacle.SIGNATURE, lambda: bring_in(bench, "inspektur", forged))

    def test_the_same_file_twice_is_refused(self, bench: Bench, data: bytes) -> None:
        bring_in(bench, "pengganti", data)
        before = state_of(bench)
        refused(Obstacle.IMPORTED, lambda: bring_in(bench, "pengganti", data))
        assert state_of(bench) == before

    def test_a_leaf_that_nobody_signed_does_not_pass_for_an_import(
        self, bench: Bench, data: bytes
    ) -> None:
        """An admin cannot keep keys from officers by a row that says it was done."""
        with bench.office.write() as uow:
            facts = {"file": hashlib.sha256(data).hexdigest()}
            draft = leaf.Draft(recovery_checks.IMPORTED, bench["inspektur"].person_id, facts=facts)
            leaf.append(uow, draft, Person.generate().signing)
        assert bring_in(bench, "pengganti", data).cases == 1

    def test_another_instances_file_is_refused(self, data: bytes, alone: Bench) -> None:
        file_report(alone)
        refused(Obstacle.OTHER_CHAIN, lambda: bring_in(alone, "serba", data))


class TestMeanwhile:
    """Time passes between export and import."""

    @pytest.fixture
    def filed(self, bench: Bench) -> Filed:
        return lose_handling(bench)

    def test_a_roster_that_moved_on_does_no_harm_to_grants_alone(
        self, bench: Bench, filed: Filed
    ) -> None:
        data = decide(bench, export(bench, "pengganti").file.to_bytes()).to_bytes()
        join(bench, {"operator2": ("operator",)})
        assert bring_in(bench, "pengganti", data).cases == 1
        assert "pengganti" in filed.holders()["handling"]

    def test_a_roster_that_moved_on_refuses_another_entry(self, bench: Bench, filed: Filed) -> None:
        assert filed.state() == "terkirim"
        data = decide(
            bench,
            export(bench, everything=True).file.to_bytes(),
            replacement=new_shares().person,
        ).to_bytes()
        join(bench, {"operator2": ("operator",)})
        refused(Obstacle.MOVED_ON, lambda: bring_in(bench, "inspektur", data))

    def test_a_receiver_who_left_meanwhile_receives_nothing(
        self, bench: Bench, filed: Filed
    ) -> None:
        data = decide(bench, export(bench, "pengganti").file.to_bytes()).to_bytes()
        leave(bench, "pengganti")
        before = state_of(bench)
        refused(Obstacle.RECEIVER, lambda: bring_in(bench, "inspektur", data))
        assert state_of(bench) == before
        assert "pengganti" not in filed.holders()["handling"]

    @pytest.mark.parametrize("name", ["operator", "verifikator"])
    def test_who_is_not_in_office_imports_nothing(
        self, bench: Bench, filed: Filed, name: str
    ) -> None:
        data = decide(bench, export(bench, "pengganti").file.to_bytes()).to_bytes()
        with pytest.raises(Denied):
            bring_in(bench, name, data)
        assert filed.leaves()[-1]["event"] == "accept"

    @pytest.mark.parametrize("name", ["admin", "pengawas"])
    def test_who_receives_no_cases_imports_nothing(
        self, bench: Bench, filed: Filed, name: str
    ) -> None:
        data = decide(bench, export(bench, "pengganti").file.to_bytes()).to_bytes()
        refused(Obstacle.IMPORTER, lambda: bring_in(bench, name, data))
        assert filed.leaves()[-1]["event"] == "accept"

    def test_what_somebody_came_to_hold_again_is_refused(self, bench: Bench, filed: Filed) -> None:
        """Two exports of the same loss: after the first import, the second gives nothing."""
        join(bench, {"kedua": ("verifikator",)})
        data = export(bench, "pengganti").file.to_bytes()
        other = decide(bench, export(bench, "kedua").file.to_bytes()).to_bytes()
        bring_in(bench, "pengganti", decide(bench, data).to_bytes())
        refused(Obstacle.STILL_HELD, lambda: bring_in(bench, "kedua", other))
        assert "kedua" not in filed.holders()["handling"]

    def test_a_newcomer_with_other_keys_than_enrolled_is_refused(self, alone: Bench) -> None:
        applicant = enrol.Applicant(
            "baru", "Contoh Baru", "Jabatan", ("operator",), passphrase_of("baru")
        )
        enrol.enrol(alone.office, applicant)
        file = export(alone).file
        straw = replace(file.waiting[0], keys=Person.generate().public)
        edited = replace(file, waiting=(straw,)).to_bytes()
        data = decide(alone, edited, approve=(straw.person_id,)).to_bytes()
        with pytest.raises(KeysDiffer):
            bring_in(alone, "inspektur", data)

    def test_no_recovery_undoes_a_conflict_of_interest(self, bench: Bench) -> None:
        """Who gave the keys of a case away for good is not exported for, and not imported for."""
        filed = lose_handling(bench)
        exported = export(bench, "pengganti").file.to_bytes()
        data = decide(bench, exported).to_bytes()
        actor = bench["pengganti"]
        with bench.office.write() as uow:
            facts = {"items": 0, "granted": [], "revoked": []}
            draft = leaf.Draft(custody.RECUSED, actor.person_id, filed.case_id, facts=facts)
            leaf.append(uow, draft, actor.person.signing)
        refused(Obstacle.MAY_NOT_HOLD, lambda: bring_in(bench, "inspektur", data))
        assert export(bench, "pengganti").unfit == 1
        join(bench, {"kedua": ("verifikator",)})
        both = export(bench, "pengganti", "kedua").file.to_bytes()
        done = bring_in(bench, "inspektur", decide(bench, both).to_bytes())
        assert done.cases == 1
        assert filed.holders()["handling"] & {"pengganti", "kedua"} == {"kedua"}


class TestResume:
    def test_an_import_that_stopped_goes_on_where_it_was(self, bench: Bench) -> None:
        first = file_report(bench).bring_to("terkirim")
        second = lose_handling(bench)
        data = decide(bench, export(bench, "pengganti").file.to_bytes()).to_bytes()
        dying = dying_when(bench, lambda: events_of(bench).count("recovered") == 1)
        with pytest.raises(KeyboardInterrupt):
            bring_in(dying, "pengganti", data)
        assert events_of(bench).count("recovered") == 1
        done = bring_in(bench, "inspektur", data)
        assert (done.cases, done.before) == (1, 1)
        for filed in (first, second):
            assert "pengganti" in filed.holders()["handling"]
        refused(Obstacle.IMPORTED, lambda: bring_in(bench, "inspektur", data))
        assert is_sound(bench)

    def test_a_case_damaged_meanwhile_leaves_the_import_open(self, bench: Bench) -> None:
        first = file_report(bench).bring_to("terkirim")
        second = lose_handling(bench)
        data = decide(bench, export(bench, "pengganti").file.to_bytes()).to_bytes()
        first.tamper("UPDATE \"case\" SET state = 'ditolak' WHERE id = :case")
        done = bring_in(bench, "pengganti", data)
        assert (done.cases, done.damaged) == (1, (first.receipt.ticket,))
        assert "pengganti" in second.holders()["handling"]
        first.tamper("UPDATE \"case\" SET state = 'terkirim' WHERE id = :case")
        done = bring_in(bench, "pengganti", data)
        assert (done.cases, done.before, done.damaged) == (1, 1, ())


def opens(bench: Bench, filed: Filed, mnemonics: tuple[str, ...], compartment: str) -> bool:
    """Whether two shares open recovery's grant of a compartment as the database has it."""
    person = shares.combine(mnemonics[:2])
    with bench.office.read() as uow:
        case = uow.session.get_one(Case, filed.case_id)
        keyring = Keyring(uow, case, nobody(), roster.load(uow))
        row = (
            uow.session.query(Grant)
            .filter_by(case_id=case.id, compartment=compartment, holder=RECOVERY)
            .one()
        )
        inner = grants.unwrap(row, keyring.shred_key())
        try:
            envelope.unseal(inner, person.identity, grants.header(bench.office.instance_id, row))
        except CryptoError:
            return False
    return True


class TestNewShares:
    def test_new_shares_open_and_old_ones_only_old_copies(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        """The documented limit is real: a copy made before opens with the old shares still."""
        filed = file_report(bench).bring_to("terkirim")
        backup = copy_of(bench, tmp_path / "backup")
        made = new_shares()
        data = decide(
            bench, export(bench, everything=True).file.to_bytes(), replacement=made.person
        ).to_bytes()
        done = bring_in(bench, "inspektur", data)
        assert (done.cases, done.replaced) == (1, True)
        for kind in ("content", "contact", "identity", "handling"):
            assert opens(bench, filed, made.mnemonics, kind)
            assert not opens(bench, filed, bench.mnemonics, kind)
            assert opens(backup, filed, bench.mnemonics, kind)
        later = file_report(bench)
        assert opens(bench, later, made.mnemonics, "content")
        assert not opens(bench, later, bench.mnemonics, "content")
        close(backup)

    def test_officers_and_reporter_go_on_as_before(self, bench: Bench) -> None:
        filed = file_report(bench).bring_to("terkirim")
        before = filed.holders()
        data = decide(
            bench, export(bench, everything=True).file.to_bytes(), replacement=new_shares().person
        ).to_bytes()
        bring_in(bench, "inspektur", data)
        assert filed.holders() == before
        filed.do("verifikator", "verify")
        assert filed.mailbox().recovered == ()
        assert filed.mailbox().resealed == (today(bench),)
        assert is_sound(bench)

    def test_old_shares_decide_nothing_any_more(self, bench: Bench) -> None:
        file_report(bench)
        made = new_shares()
        everything = export(bench, everything=True).file.to_bytes()
        bring_in(bench, "inspektur", decide(bench, everything, replacement=made.person).to_bytes())
        again = export(bench, everything=True).file.to_bytes()
        with pytest.raises(ForeignShare):
            decide(bench, again, replacement=new_shares().person)
        bench.mnemonics = made.mnemonics
        third = new_shares()
        done = bring_in(
            bench, "inspektur", decide(bench, again, replacement=third.person).to_bytes()
        )
        assert done.replaced

    def test_a_file_of_the_old_key_is_worth_nothing_under_the_new_one(self, bench: Bench) -> None:
        lose_handling(bench)
        old = decide(bench, export(bench, "pengganti").file.to_bytes()).to_bytes()
        everything = export(bench, everything=True).file.to_bytes()
        new = decide(bench, everything, replacement=new_shares().person).to_bytes()
        bring_in(bench, "inspektur", new)
        refused(Obstacle.MOVED_ON, lambda: bring_in(bench, "pengganti", old))

    def test_reports_that_came_in_since_stop_it_before_anything_is_stored(
        self, bench: Bench
    ) -> None:
        file_report(bench)
        everything = export(bench, everything=True).file.to_bytes()
        data = decide(bench, everything, replacement=new_shares().person).to_bytes()
        file_report(bench)
        file_report(bench)
        before = state_of(bench)
        assert refused(Obstacle.NEW_CASES, lambda: bring_in(bench, "inspektur", data)).detail == "2"
        assert state_of(bench) == before

    def test_a_compartment_made_since_stops_it_too(self, bench: Bench) -> None:
        filed = file_report(bench)
        everything = export(bench, everything=True).file.to_bytes()
        data = decide(bench, everything, replacement=new_shares().person).to_bytes()
        filed.bring_to("terkirim")
        assert refused(Obstacle.NEW_CASES, lambda: bring_in(bench, "inspektur", data)).detail == "1"

    def test_a_report_between_entry_and_end_does_not_stop_the_rest(self, bench: Bench) -> None:
        filed = file_report(bench)
        made = new_shares()
        everything = export(bench, everything=True).file.to_bytes()
        data = decide(bench, everything, replacement=made.person).to_bytes()

        entries = count(bench.office, "roster")
        dying = dying_when(bench, lambda: count(bench.office, "roster") > entries)
        with pytest.raises(KeyboardInterrupt):
            bring_in(dying, "inspektur", data)
        assert "recovered" not in events_of(bench)
        later = file_report(bench)
        done = bring_in(bench, "inspektur", data)
        assert (done.cases, done.before) == (1, 0)
        assert opens(bench, filed, made.mnemonics, "content")
        assert opens(bench, later, made.mnemonics, "content")


class TestRules:
    """A leaf of recovery counts only as the import writes it."""

    @pytest.fixture
    def filed(self, bench: Bench) -> Filed:
        return file_report(bench).bring_to("terkirim")

    def forge(self, filed: Filed, user: str, **facts: object) -> bool:
        """Append such a leaf, rightly signed; return whether it counts."""
        bench = filed.bench
        said = {"items": 0, "granted": [], "revoked": [], "file": "f" * 64, **facts}
        actor = bench[user]
        with bench.office.write() as uow:
            draft = leaf.Draft(custody.RECOVERED, actor.person_id, filed.case_id, facts=said)
            number = leaf.append(uow, draft, actor.person.signing)
        with bench.office.read() as uow:
            keyring = Keyring(
                uow, uow.session.get_one(Case, filed.case_id), nobody(), roster.load(uow)
            )
            return keyring.past().bodies[number] is not None

    def test_as_the_import_writes_it(self, filed: Filed) -> None:
        person = filed.bench["verifikator"].person_id
        assert self.forge(filed, "irban", granted=[f"handling:{person}"])

    def test_with_a_new_key_in_place_of_the_old(self, filed: Filed) -> None:
        name = f"content:{RECOVERY}"
        assert self.forge(filed, "irban", granted=[name], revoked=[name])

    @pytest.mark.parametrize("user", ["admin", "pengawas"])
    def test_not_by_somebody_who_receives_no_cases(self, filed: Filed, user: str) -> None:
        person = filed.bench["verifikator"].person_id
        assert not self.forge(filed, user, granted=[f"handling:{person}"])

    @pytest.mark.parametrize(
        "facts",
        [
            {"granted": []},
            {"granted": ["handling:P"], "file": ""},
            {"granted": ["handling:P"], "file": "f" * 63},
            {"granted": ["handling:P"], "items": 1},
            {"granted": ["handling:P"], "revoked": ["handling:P"]},
            {"granted": ["handling:P"], "revoked": [f"handling:{RECOVERY}"]},
            {"granted": [f"content:{RECOVERY}"]},
            {"granted": [f"mailbox:{RECOVERY}"], "revoked": [f"mailbox:{RECOVERY}"]},
            {"granted": ["identity:P"]},
            {"granted": ["investigation:P"]},
            {"granted": ["handling:P"], "to": "selesai"},
        ],
    )
    def test_not_otherwise(self, filed: Filed, facts: dict[str, Any]) -> None:
        person = filed.bench["verifikator"].person_id
        said = {
            name: [one.replace(":P", f":{person}") for one in value]
            if isinstance(value, list)
            else value
            for name, value in facts.items()
        }
        assert not self.forge(filed, "irban", **said)


def test_no_share_seed_or_mnemonic_is_in_a_file_a_repr_or_an_error(
    bench: Bench, tmp_path: Path
) -> None:
    lose_handling(bench)
    exported = export(bench, everything=True)
    made = new_shares()
    decision = Decision(today(bench), REASON, replacement=made.person)
    meeting = meet(exported.file.to_bytes())
    person = shares.combine(bench.mnemonics[:2])
    result = recovery.decide(meeting, decision, person)
    bring_in(bench, "inspektur", result.to_bytes())
    with pytest.raises(RecoveryRefused) as caught:
        bring_in(bench, "inspektur", result.to_bytes())
    shown = [repr(one) for one in (decision, meeting, person, made.person, exported, result)]
    shown += ["".join(traceback.format_exception(caught.value))]
    seeds = [one.seed for one in (person, made.person)]
    for one in shown:
        assert not any(seed.hex() in one or repr(seed)[2:-1] in one for seed in seeds)
        assert not any(m[:40] in one for m in (*bench.mnemonics, *made.mnemonics))
    (tmp_path / "export").write_bytes(exported.file.to_bytes())
    (tmp_path / "result").write_bytes(result.to_bytes())
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for seed in seeds:
                assert seed not in content
                assert seed.hex().encode() not in content
                assert base64.b64encode(seed)[:-2] not in content
            for mnemonic in (*bench.mnemonics, *made.mnemonics):
                assert mnemonic[:30].encode() not in content


def test_both_files_survive_the_journey(bench: Bench) -> None:
    lose_handling(bench)
    file = export(bench, "pengganti").file.to_bytes()
    assert Export.from_bytes(file).to_bytes() == file
    result = decide(bench, file).to_bytes()
    assert Result.from_bytes(result).to_bytes() == result
    for reader, data in ((Export, result), (Result, file)):
        with pytest.raises(UnreadableFile):
            reader.from_bytes(data)


def test_the_flaw_of_a_later_entry_is_named(bench: Bench) -> None:
    """A roster entry of the share holders obeys the rules of every entry."""
    lose_handling(bench)
    enrol.enrol(
        bench.office,
        enrol.Applicant("dua", "Contoh Dua", "Jabatan", ("operator",), passphrase_of("dua")),
    )
    file = export(bench).file
    part = replace(file.waiting[0], roles=("pengawas", "verifikator"))
    edited = replace(file, waiting=(part,)).to_bytes()
    with pytest.raises(RosterBroken) as caught:
        decide(bench, edited, approve=(part.person_id,))
    assert caught.value.flaw is Flaw.EXCLUDES
