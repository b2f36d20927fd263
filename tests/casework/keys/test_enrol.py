"""Officers enrol, the ceremony names them, and nobody else can put a key on the roster."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import IntegrityError

from casework.errors import CaseworkError, Denied, InvalidInput
from casework.keys import accounts, ceremony, enrol, parts, roster
from casework.keys.ceremony import CeremonyRequest, CeremonyResult, Shares
from casework.keys.chain import StoredEntry, make_change
from casework.keys.enrol import Applicant, GenesisExists, KeysDiffer
from casework.keys.parts import PublicPart, PublicParts
from casework.keys.roster import RosterBroken
from casework.keys.tables import Enrolment, RosterRow, Wrap
from casework.keys.tables import Person as PersonRow
from casework.keys.vocabulary import Flaw, TenureState
from casework.log.tables import Leaf
from crypto import signatures
from crypto.persons import Person
from crypto.signatures import Purpose
from tests.casework.office import Bench, bare_office, make_office, passphrase_of

PASSPHRASE = "kalimat sandi yang panjang untuk percobaan"


def applicant(username: str, *roles: str) -> Applicant:
    return Applicant(username, f"Contoh {username}", "Jabatan", roles or (username,), PASSPHRASE)


@pytest.fixture
def bare(tmp_path: Path) -> Bench:
    return bare_office(tmp_path / "kantor")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return make_office(tmp_path / "kantor")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """An office that no test changes."""
    return make_office(tmp_path_factory.mktemp("kantor"))


def enrol_some(bench: Bench, *usernames: str) -> dict[str, PublicPart]:
    return {name: enrol.enrol(bench.office, applicant(name)) for name in usernames}


def ceremony_for(bench: Bench, guardian: str, parts_file: bytes | None = None) -> CeremonyResult:
    with bench.office.read() as uow:
        brought = PublicParts.from_bytes(parts_file or enrol.public_parts(uow))
        request = CeremonyRequest(brought, guardian, "Pembentukan")
        return ceremony.hold(request, Shares(), uow.today(), bench.office.profile)


def swap_keys(bench: Bench, person_id: str) -> Person:
    """What an admin with a database shell can do to an officer's row."""
    other = Person.generate()
    with bench.office.write() as uow:
        uow.session.execute(
            update(PersonRow)
            .where(PersonRow.id == person_id)
            .values(recipient=other.public.recipient, verify_key=other.public.verify_key)
        )
    return other


class TestEnrolment:
    def test_the_file_for_the_ceremony_holds_what_was_enrolled_and_nothing_secret(
        self, bare: Bench
    ) -> None:
        prepared = enrol.prepare(bare.office, applicant("operator"))
        with bare.office.write() as uow:
            part = enrol.store(uow, prepared)
            file = enrol.public_parts(uow)
        brought = PublicParts.from_bytes(file)
        assert brought.officers == (part,)
        assert brought.instance == bare.office.instance_id
        assert (brought.profile, brought.profile_version) == ("badung", bare.office.profile.version)
        assert brought.officers[0].fingerprint == part.fingerprint
        for secret in (prepared.actor.person.seed, prepared.keys.wrap_key, prepared.keys.locator):
            assert secret.hex().encode() not in file

    def test_no_secret_stands_in_a_representation(self, bare: Bench) -> None:
        asked = applicant("operator")
        prepared = enrol.prepare(bare.office, asked)
        shown = repr(asked) + repr(prepared) + repr(bare.office)
        for secret in (
            prepared.actor.person.seed,
            prepared.keys.wrap_key,
            prepared.keys.locator,
            bare.office.pepper,
        ):
            assert repr(secret)[2:-1] not in shown
            assert secret.hex() not in shown
        assert PASSPHRASE not in shown

    def test_everything_wrong_is_said_at_once(self, bare: Bench) -> None:
        with pytest.raises(InvalidInput) as caught:
            enrol.prepare(bare.office, Applicant("x!", " ", "a\nb", ("raja",), "pendek"))
        assert set(caught.value.errors) == {"username", "name", "position", "roles", "passphrase"}
        assert "pendek" not in str(caught.value)

    @pytest.mark.parametrize("roles", [(), ("irban", "irban"), ("admin", "operator")])
    def test_impossible_roles_are_refused(self, bare: Bench, roles: tuple[str, ...]) -> None:
        with pytest.raises(InvalidInput) as caught:
            enrol.prepare(bare.office, replace(applicant("operator"), roles=roles))
        assert set(caught.value.errors) == {"roles"}

    @pytest.mark.parametrize("length", [14, 257])
    def test_a_passphrase_too_short_or_too_long_is_refused(self, bare: Bench, length: int) -> None:
        with pytest.raises(InvalidInput) as caught:
            enrol.prepare(bare.office, replace(applicant("operator"), passphrase="a" * length))
        assert set(caught.value.errors) == {"passphrase"}

    def test_a_username_is_taken_in_any_spelling(self, bare: Bench) -> None:
        enrol_some(bare, "operator")
        with pytest.raises(InvalidInput) as caught:
            enrol.enrol(bare.office, replace(applicant("operator"), username=" OPERATOR "))
        assert dict(caught.value.errors) == {"username": "username_taken"}

    def test_before_the_genesis_the_log_stays_empty_and_afterwards_enrolment_is_a_leaf(
        self, bare: Bench
    ) -> None:
        part = enrol_some(bare, "inspektur")["inspektur"]
        with bare.office.read() as uow:
            assert uow.session.scalar(select(func.count()).select_from(Leaf)) == 0
        held = ceremony_for(bare, part.person_id)
        with bare.office.write() as uow:
            enrol.install_genesis(uow, held.genesis)
        later = enrol_some(bare, "operator")["operator"]
        with bare.office.read() as uow:
            body = uow.session.scalar(select(Leaf.body).where(Leaf.number == 1))
        assert body is not None
        assert json.loads(body)["event"] == "enrolled"
        assert json.loads(body)["person"] == later.person_id

    def test_who_is_only_enrolled_may_do_nothing(self, bench: Bench) -> None:
        part = enrol.enrol(bench.office, applicant("operator2", "operator"))
        with bench.office.read() as uow:
            keys = accounts.officer_keys(bench.office, "operator2", PASSPHRASE)
            actor = accounts.locate_and_unwrap(uow, keys)
            assert actor is not None
            chain = roster.load(uow)
            assert not chain.may(part.person_id, "operator", uow.today())
            with pytest.raises(Denied):
                accounts.vouched(chain, actor, uow.today())


class TestGenesis:
    def test_its_hash_is_the_first_leaf(self, bench: Bench) -> None:
        with bench.office.read() as uow:
            leaf = uow.session.get(Leaf, 0)
            assert leaf is not None
            assert leaf.body is not None
            content = json.loads(leaf.body)
        assert content["event"] == "genesis"
        assert content["objects"] == [bench.office.genesis]

    def test_a_second_one_is_refused(self, bench: Bench) -> None:
        with bench.office.read() as uow:
            guardian = roster.load(uow).guardian_id
        held = ceremony_for(bench, guardian)
        unpinned = replace(bench.office, genesis=None)
        for office in (bench.office, unpinned):
            with pytest.raises(GenesisExists), office.write() as uow:
                enrol.install_genesis(uow, held.genesis)

    def test_the_same_one_is_refused_too(self, bare: Bench) -> None:
        part = enrol_some(bare, "inspektur")["inspektur"]
        held = ceremony_for(bare, part.person_id)
        with bare.office.write() as uow:
            enrol.install_genesis(uow, held.genesis)
        with pytest.raises(GenesisExists), bare.office.write() as uow:
            enrol.install_genesis(uow, held.genesis)

    def test_it_cannot_be_replaced_by_emptying_the_table(self, bench: Bench) -> None:
        with bench.office.read() as uow:
            guardian = roster.load(uow).guardian_id
        held = ceremony_for(bench, guardian)
        with bench.office.write() as uow:
            uow.session.execute(delete(RosterRow))
        with pytest.raises(GenesisExists), bench.office.write() as uow:
            enrol.install_genesis(uow, held.genesis)

    def test_it_cannot_be_replaced_by_emptying_the_log(self, bench: Bench) -> None:
        with bench.office.read() as uow:
            guardian = roster.load(uow).guardian_id
        held = ceremony_for(bench, guardian)
        with bench.office.write() as uow:
            uow.session.execute(delete(Leaf))
        unpinned = replace(bench.office, genesis=None)
        with pytest.raises(GenesisExists), unpinned.write() as uow:
            enrol.install_genesis(uow, held.genesis)

    def test_another_than_the_pinned_one_is_refused(self, bare: Bench) -> None:
        part = enrol_some(bare, "inspektur")["inspektur"]
        printed, other = (ceremony_for(bare, part.person_id) for _ in range(2))
        pinned = replace(bare.office, genesis=printed.fingerprint)
        with pytest.raises(RosterBroken) as caught, pinned.write() as uow:
            enrol.install_genesis(uow, other.genesis)
        assert caught.value.flaw is Flaw.PINNED

    def test_keys_swapped_between_enrolment_and_ceremony_change_the_words(
        self, bare: Bench
    ) -> None:
        """The admin swaps before the file is written: only the officer's own words can tell."""
        part = enrol_some(bare, "inspektur")["inspektur"]
        swap_keys(bare, part.person_id)
        with bare.office.read() as uow:
            (brought,) = PublicParts.from_bytes(enrol.public_parts(uow)).officers
        assert brought.person_id == part.person_id
        assert brought.fingerprint != part.fingerprint

    def test_keys_swapped_between_ceremony_and_installation_are_refused(self, bare: Bench) -> None:
        part = enrol_some(bare, "inspektur")["inspektur"]
        held = ceremony_for(bare, part.person_id)
        swap_keys(bare, part.person_id)
        with pytest.raises(KeysDiffer) as caught, bare.office.write() as uow:
            enrol.install_genesis(uow, held.genesis)
        assert caught.value.person_id == part.person_id
        with bare.office.read() as uow:
            assert uow.session.scalar(select(func.count()).select_from(RosterRow)) == 0
            assert uow.session.scalar(select(func.count()).select_from(Leaf)) == 0

    def test_keys_swapped_on_the_way_to_the_ceremony_are_refused(self, bare: Bench) -> None:
        part = enrol_some(bare, "inspektur")["inspektur"]
        with bare.office.read() as uow:
            brought = PublicParts.from_bytes(enrol.public_parts(uow))
        swapped = replace(
            brought, officers=(replace(part, keys=Person.generate().public),)
        ).to_bytes()
        held = ceremony_for(bare, part.person_id, swapped)
        with pytest.raises(KeysDiffer), bare.office.write() as uow:
            enrol.install_genesis(uow, held.genesis)

    def test_an_officer_who_is_not_enrolled_here_is_refused(self, bare: Bench) -> None:
        part = enrol_some(bare, "inspektur")["inspektur"]
        stranger = replace(
            part, person_id="a" * 32, handle="penyusup", keys=Person.generate().public
        )
        with bare.office.read() as uow:
            brought = PublicParts.from_bytes(enrol.public_parts(uow))
        more = replace(brought, officers=(part, stranger)).to_bytes()
        held = ceremony_for(bare, part.person_id, more)
        with pytest.raises(KeysDiffer), bare.office.write() as uow:
            enrol.install_genesis(uow, held.genesis)

    def test_an_unpinned_office_grants_nothing(self, bench: Bench) -> None:
        unpinned = replace(bench.office, genesis=None)
        with unpinned.read() as uow, pytest.raises(RosterBroken) as caught:
            roster.load(uow)
        assert caught.value.flaw is Flaw.PINNED

    def test_a_row_with_a_key_that_is_none_is_named(self, bare: Bench) -> None:
        part = enrol_some(bare, "inspektur")["inspektur"]
        with bare.office.write() as uow:
            uow.session.execute(update(PersonRow).values(verify_key=bytes(32)))
        with pytest.raises(KeysDiffer) as caught, bare.office.read() as uow:
            enrol.public_parts(uow)
        assert caught.value.person_id == part.person_id


class TestApproval:
    def test_an_approver_puts_a_newcomer_on_the_roster(self, bench: Bench) -> None:
        part = enrol.enrol(bench.office, applicant("operator2", "operator"))
        with bench.office.write() as uow:
            chain = enrol.approve(
                uow, bench["inspektur"], [part.record(uow.today())], "Surat keputusan"
            )
        with bench.office.read() as uow:
            assert roster.load(uow) == chain
            assert chain.version == 2
            assert chain.may(part.person_id, "operator", uow.today())
            leaf = uow.session.get(Leaf, uow.session.scalar(select(func.max(Leaf.number))))
            assert leaf is not None
            assert leaf.body is not None
            assert leaf.signature is not None
            assert json.loads(leaf.body)["objects"] == [chain.head]
            signatures.verify(
                chain.verify_key_of(bench["inspektur"].person_id),
                Purpose.LEAF,
                {"hash": leaf.hash.hex(), "number": leaf.number},
                leaf.signature,
            )

    @pytest.mark.parametrize("signer", ["operator", "verifikator", "irban", "admin"])
    def test_who_may_not_approve_is_denied_and_nothing_is_stored(
        self, bench: Bench, signer: str
    ) -> None:
        part = enrol.enrol(bench.office, applicant("operator2", "operator"))
        with pytest.raises(Denied), bench.office.write() as uow:
            enrol.approve(uow, bench[signer], [part.record(uow.today())], "Surat keputusan")
        with bench.office.read() as uow:
            assert roster.load(uow).version == 1

    def test_an_approver_with_other_keys_than_the_rosters_is_refused(self, bench: Bench) -> None:
        part = enrol.enrol(bench.office, applicant("operator2", "operator"))
        stranger = replace(bench["inspektur"], person=Person.generate())
        with pytest.raises(accounts.KeysSwapped), bench.office.write() as uow:
            enrol.approve(uow, stranger, [part.record(uow.today())], "Surat keputusan")

    def test_nobody_approves_themselves(self, bench: Bench) -> None:
        with bench.office.read() as uow:
            own = next(one for one in enrol.enrolled(uow) if one.handle == "inspektur")
            record = replace(own, roles=("inspektur", "irban")).record(uow.today())
        with pytest.raises(Denied), bench.office.write() as uow:
            enrol.approve(uow, bench["inspektur"], [record], "Rangkap")

    def test_who_has_left_may_sign_in_no_more_but_what_they_signed_verifies(
        self, bench: Bench
    ) -> None:
        operator = bench["operator"]
        signature = operator.person.signing.sign(Purpose.ITEM, {"isi": "dulu"})
        with bench.office.write() as uow:
            own = next(one for one in enrol.enrolled(uow) if one.handle == "operator")
            record = own.record(uow.today(), state=TenureState.LEFT)
            chain = enrol.approve(uow, bench["inspektur"], [record], "Mutasi")
            with pytest.raises(Denied):
                accounts.vouched(chain, operator, uow.today())
        key = chain.verify_key_of(operator.person_id)
        signatures.verify(key, Purpose.ITEM, {"isi": "dulu"}, signature)

    def test_an_acting_officer_is_one_for_the_named_days(self, bench: Bench) -> None:
        part = enrol.enrol(bench.office, applicant("plh", "irban"))
        with bench.office.write() as uow:
            first, last = uow.today() + timedelta(days=1), uow.today() + timedelta(days=14)
            record = part.record(first, until=last)
            chain = enrol.approve(uow, bench["inspektur"], [record], "Surat perintah")
        days = [first - timedelta(days=1), first, last, last + timedelta(days=1)]
        assert [chain.may(part.person_id, "irban", day) for day in days] == [
            False,
            True,
            True,
            False,
        ]


class TestAdminWhoWrites:
    """An admin with a shell on the database, and without anybody's passphrase."""

    def test_a_key_swapped_in_a_persons_row_receives_nothing(self, bench: Bench) -> None:
        operator = bench["operator"]
        other = swap_keys(bench, operator.person_id)
        with bench.office.read() as uow:
            (holder,) = roster.load(uow).active("operator", uow.today())
        assert holder.recipient == operator.person.public.recipient
        assert holder.recipient != other.public.recipient

    def test_a_key_swapped_in_a_persons_row_is_noticed_when_the_officer_signs_in(
        self, bench: Bench
    ) -> None:
        swap_keys(bench, bench["operator"].person_id)
        keys = accounts.officer_keys(bench.office, "operator", passphrase_of("operator"))
        with bench.office.read() as uow, pytest.raises(accounts.KeysSwapped):
            accounts.locate_and_unwrap(uow, keys)

    def test_a_key_swapped_in_the_roster_row_stops_everything(self, bench: Bench) -> None:
        """Also when the admin computes the row's hash anew."""
        old = bench["operator"].person.public.to_json()["recipient"]
        new = Person.generate().public.to_json()["recipient"]
        with bench.office.write() as uow:
            (entry,) = roster.entries_of(uow)
            body = entry.body.decode().replace(str(old), str(new))
            assert body != entry.body.decode()
            uow.session.execute(update(RosterRow).values(body=body))
        with bench.office.read() as uow, pytest.raises(RosterBroken) as caught:
            roster.load(uow)
        assert caught.value.flaw is Flaw.HASH
        with bench.office.write() as uow:
            changed = replace(entry, body=body.encode())
            uow.session.execute(update(RosterRow).values(hash=changed.hash))
        with bench.office.read() as uow, pytest.raises(RosterBroken) as caught:
            roster.load(uow)
        assert caught.value.flaw is Flaw.PINNED

    def test_a_whole_new_chain_under_the_admins_own_recovery_key_is_refused(
        self, bench: Bench
    ) -> None:
        with bench.office.read() as uow:
            guardian = roster.load(uow).guardian_id
        held = ceremony_for(bench, guardian)
        with bench.office.write() as uow:
            uow.session.execute(delete(RosterRow))
            roster.store(uow, 1, parts.genesis_from_bytes(held.genesis))
        with bench.office.read() as uow, pytest.raises(RosterBroken) as caught:
            roster.load(uow)
        assert caught.value.flaw is Flaw.PINNED

    def test_an_entry_that_the_newcomer_signed_is_refused(self, bench: Bench) -> None:
        prepared = enrol.prepare(bench.office, applicant("penyusup", "inspektur"))
        with bench.office.write() as uow:
            part = enrol.store(uow, prepared)
            chain = roster.load(uow)
            entry = roster_change(chain, part, prepared.actor.person, part.person_id, bench)
            roster.store(uow, 2, entry)
        with bench.office.read() as uow, pytest.raises(RosterBroken) as caught:
            roster.load(uow)
        assert (caught.value.version, caught.value.flaw) == (2, Flaw.SIGNER)

    def test_an_entry_under_the_inspekturs_name_is_refused(self, bench: Bench) -> None:
        prepared = enrol.prepare(bench.office, applicant("penyusup", "inspektur"))
        with bench.office.write() as uow:
            part = enrol.store(uow, prepared)
            chain = roster.load(uow)
            signer = bench["inspektur"].person_id
            roster.store(uow, 2, roster_change(chain, part, prepared.actor.person, signer, bench))
        with bench.office.read() as uow, pytest.raises(RosterBroken) as caught:
            roster.load(uow)
        assert (caught.value.version, caught.value.flaw) == (2, Flaw.SIGNATURE)

    def test_a_renumbered_row_is_refused(self, bench: Bench) -> None:
        with bench.office.write() as uow:
            uow.session.execute(update(RosterRow).values(version=2))
        with bench.office.read() as uow, pytest.raises(RosterBroken) as caught:
            roster.load(uow)
        assert caught.value.flaw is Flaw.VERSION

    def test_a_changed_statement_of_roles_gives_no_role(self, bench: Bench) -> None:
        with bench.office.write() as uow:
            uow.session.execute(update(Enrolment).values(roles="inspektur"))
        with bench.office.read() as uow:
            chain = roster.load(uow)
            assert not chain.may(bench["admin"].person_id, "inspektur", uow.today())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE person SET recipient = x'00'",
        "UPDATE person SET verify_key = x'00'",
        "UPDATE person SET kind = 'raja'",
        "UPDATE person SET username = NULL",
        "UPDATE person SET kind = 'reporter'",
        "UPDATE wrap SET kind = 'pin'",
        "UPDATE wrap SET kdf_id = ''",
        "UPDATE wrap SET sealed = x'00'",
        "UPDATE wrap SET person = 'x'",
        "UPDATE enrolment SET name = ''",
        "UPDATE roster SET version = 0",
        "UPDATE roster SET hash = 'x'",
        "UPDATE roster SET signature = x'00'",
        "UPDATE roster SET body = ''",
    ],
)
def test_the_database_itself_refuses_rows_that_make_no_sense(shared: Bench, statement: str) -> None:
    with pytest.raises(IntegrityError), shared.office.write() as uow:
        uow.session.execute(text(statement))


def test_enrolment_that_fails_leaves_no_half_officer(bare: Bench) -> None:
    prepared = enrol.prepare(bare.office, applicant("operator"))

    def interrupted() -> None:
        with bare.office.write() as uow:
            enrol.store(uow, prepared)
            raise CaseworkError

    with pytest.raises(CaseworkError):
        interrupted()
    with bare.office.read() as uow:
        for table in (PersonRow, Wrap, Enrolment):
            assert uow.session.scalar(select(func.count()).select_from(table)) == 0


def roster_change(
    chain: roster.Roster, part: PublicPart, signer: Person, signer_id: str, bench: Bench
) -> StoredEntry:
    day = bench.clock.now.date()
    head = (chain.instance, chain.version, chain.head)
    return make_change(head, day, [part.record(day)], "Palsu", (signer_id, signer.signing))
