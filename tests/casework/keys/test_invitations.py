"""An invitation works once, for three days, here, for whom it was made; and it gives nothing."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text, update

from casework.errors import Conflict, Denied, InvalidInput, NotFound
from casework.keys import accounts, enrol, factors, invitations, roster
from casework.keys.enrol import Applicant, Prepared
from casework.keys.invitations import (
    LIFETIME_SECONDS,
    TOKEN_SIZE,
    InvitationRefused,
    Invitee,
    Printed,
)
from casework.keys.parts import PublicPart
from casework.keys.tables import FactorRow, Invitation
from casework.keys.vocabulary import InvitationState
from casework.log import leaf
from casework.log.tables import Leaf
from crypto import signatures
from crypto.labels import Label, Purpose, derive
from tests.canary import sweep
from tests.casework.cases import copy_of, count, together
from tests.casework.office import Bench, passphrase_of

INVITEE = Invitee("baru", "Contoh Baru", "Auditor", ("tim",), "Irban I")


def invite(bench: Bench, invitee: Invitee = INVITEE, admin: str = "admin") -> Printed:
    with bench.office.write() as uow:
        return invitations.invite(uow, bench[admin], invitee)


def prepared_for(bench: Bench, token: bytes) -> Prepared:
    with bench.office.read() as uow:
        found = invitations.find(uow, token)
    passphrase = passphrase_of(found.username)
    applicant = Applicant(found.username, found.name, found.position, found.roles, passphrase)
    return enrol.prepare(bench.office, applicant)


def redeem(bench: Bench, token: bytes) -> PublicPart:
    prepared = prepared_for(bench, token)
    with bench.office.write() as uow:
        return invitations.redeem(uow, token, prepared, None)


def refused(bench: Bench, token: bytes | None) -> None:
    with bench.office.read() as uow, pytest.raises(InvitationRefused):
        invitations.find(uow, token)


def last_leaf(bench: Bench) -> tuple[Leaf, dict[str, object]]:
    with bench.office.read() as uow:
        row = uow.session.get_one(Leaf, leaf.next_number(uow) - 1)
        uow.session.expunge(row)
    said = leaf.read(row)
    assert said is not None
    return row, said


class TestCode:
    @given(st.binary(min_size=TOKEN_SIZE, max_size=TOKEN_SIZE))
    def test_a_code_is_read_back_however_it_was_spaced(self, token: bytes) -> None:
        code = invitations.write(token)
        assert len(code.split("-")) == 8
        for typed in (code, code.lower(), code.replace("-", " "), f" {code.replace('-', '')}\n"):
            assert invitations.read(typed) == token

    def test_letters_that_look_like_digits_are_read_as_those(self) -> None:
        code = invitations.write(bytes(TOKEN_SIZE))
        assert code.startswith("0000-")
        assert invitations.read(code.replace("0", "O", 3)) == bytes(TOKEN_SIZE)

    @pytest.mark.parametrize(
        "typed", ["", "0000", "U" * 32, "0" * 33, "\u0660" * 32, "0" * 100_000]
    )
    def test_what_can_be_no_code_is_none(self, typed: str) -> None:
        assert invitations.read(typed) is None

    def test_a_token_has_at_least_128_bits_and_is_in_no_representation(self, bench: Bench) -> None:
        printed = invite(bench)
        assert len(printed.token) * 8 >= 128
        assert repr(printed.token) not in repr(printed)
        assert printed.code not in repr(printed)


class TestInviting:
    def test_the_code_is_stored_nowhere(self, bench: Bench) -> None:
        printed = invite(bench)
        with bench.office.read() as uow:
            row = uow.session.get_one(Invitation, printed.invitation_id)
            assert row.name_of_token == derive(Label.INVITATION, printed.token)
            assert (row.position, row.roles) == ("Auditor, Irban I", "tim")
        assert sweep([bench.folder], [printed.code, printed.code.replace("-", "")]) == []
        assert not any(
            printed.token in path.read_bytes() for path in bench.folder.rglob("*") if path.is_file()
        )

    def test_the_log_says_who_invited_and_for_which_roles(self, bench: Bench) -> None:
        printed = invite(bench)
        row, said = last_leaf(bench)
        assert (said["event"], said["actor"]) == ("invited", bench["admin"].person_id)
        assert (said["invitation"], said["roles"]) == (printed.invitation_id, ["tim"])
        assert "Contoh Baru" not in str(said)
        signatures.verify(
            bench["admin"].person.signing.verify_key,
            Purpose.LEAF,
            {"hash": row.hash.hex(), "number": row.number},
            row.signature or b"",
        )

    def test_whoever_has_the_machine_invites_as_the_system(self, bench: Bench) -> None:
        with bench.office.write() as uow:
            invitations.invite(uow, None, INVITEE)
        row, said = last_leaf(bench)
        assert (said["event"], said["actor"], row.signature) == ("invited", leaf.SYSTEM, None)

    @pytest.mark.parametrize("who", ["operator", "irban", "inspektur", "pengawas"])
    def test_nobody_else_invites_or_withdraws(self, bench: Bench, who: str) -> None:
        with pytest.raises(Denied):
            invite(bench, admin=who)
        printed = invite(bench)
        with bench.office.write() as uow, pytest.raises(Denied):
            invitations.withdraw(uow, bench[who], printed.invitation_id)

    def test_everything_wrong_is_said_at_once(self, bench: Bench) -> None:
        bad = Invitee("x!", " ", "", ("raja",), "Irban I", "f" * 32)
        with pytest.raises(InvalidInput) as caught:
            invite(bench, bad)
        assert set(caught.value.errors) == {"username", "name", "position", "roles", "replaces"}
        assert count(bench.office, "invitation") == 0

    @pytest.mark.parametrize(
        ("roles", "key"),
        [
            (("admin", "operator"), "roles_admin"),
            (("operator", "pengawas"), "roles_exclude"),
            (("penerima_alternatif", "irban"), "roles_exclude"),
            (("tim", "tim"), "roles_unknown"),
            ((), "roles_unknown"),
        ],
    )
    def test_roles_that_exclude_each_other_are_refused(
        self, bench: Bench, roles: tuple[str, ...], key: str
    ) -> None:
        with pytest.raises(InvalidInput) as caught:
            invite(bench, replace(INVITEE, roles=roles))
        assert caught.value.errors == {"roles": key}

    def test_position_and_unit_together_fit_one_line(self, bench: Bench) -> None:
        invite(bench, replace(INVITEE, position="p" * 79, unit="u" * 79))
        with pytest.raises(InvalidInput):
            invite(bench, replace(INVITEE, username="lain", position="p" * 80, unit="u" * 79))

    @pytest.mark.parametrize("username", ["operator", " OPERATOR "])
    def test_a_username_is_unique_for_ever(self, bench: Bench, username: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            invite(bench, replace(INVITEE, username=username))
        assert caught.value.errors == {"username": "username_taken"}

    def test_a_username_is_promised_once_at_a_time(self, bench: Bench) -> None:
        first = invite(bench)
        with pytest.raises(InvalidInput):
            invite(bench)
        with bench.office.write() as uow:
            invitations.withdraw(uow, bench["admin"], first.invitation_id)
        invite(bench)
        bench.clock.advance(seconds=LIFETIME_SECONDS)
        invite(bench)

    def test_a_free_username_is_proposed_after_the_former_one(self, bench: Bench) -> None:
        with bench.office.read() as uow:
            assert invitations.proposed_username(uow, "operator") == "operator-2"
        invite(bench, replace(INVITEE, username="operator-2"))
        with bench.office.read() as uow:
            assert invitations.proposed_username(uow, "operator") == "operator-3"
            assert invitations.proposed_username(uow, "operator-2") == "operator-3"


class TestUsing:
    def test_an_invitation_makes_keys_that_give_nothing_yet(self, bench: Bench) -> None:
        printed = invite(bench)
        part = redeem(bench, printed.token)
        assert (part.handle, part.name, part.position) == (
            "baru",
            "Contoh Baru",
            "Auditor, Irban I",
        )
        with bench.office.read() as uow:
            assert part.person_id not in roster.load(uow).people
            (listed,) = invitations.listing(uow)
        assert (listed.state, listed.person) == (InvitationState.USED, part.person_id)
        _, said = last_leaf(bench)
        assert (said["event"], said["person"]) == ("enrolled", part.person_id)
        assert said["invitation"] == printed.invitation_id

    def test_used_expired_withdrawn_forged_and_none_are_refused_alike(self, bench: Bench) -> None:
        used, withdrawn, old = (
            invite(bench, replace(INVITEE, username=name)) for name in ("satu", "dua", "tiga")
        )
        redeem(bench, used.token)
        with bench.office.write() as uow:
            invitations.withdraw(uow, bench["admin"], withdrawn.invitation_id)
        bench.clock.advance(seconds=LIFETIME_SECONDS - 1)
        with bench.office.read() as uow:
            assert invitations.find(uow, old.token).state is InvitationState.OPEN
        bench.clock.advance(seconds=1)
        forged = bytes([old.token[0] ^ 1]) + old.token[1:]
        for token in (used.token, withdrawn.token, old.token, forged, bytes(TOKEN_SIZE), None):
            refused(bench, token)

    def test_a_foreign_invitation_is_refused(self, bench: Bench, tmp_path: Path) -> None:
        other = copy_of(bench, tmp_path / "lain")
        refused(bench, invite(other).token)

    def test_the_same_code_is_used_once_however_many_try(self, bench: Bench) -> None:
        printed = invite(bench)
        people = [prepared_for(bench, printed.token) for _ in range(4)]

        def use(number: int) -> PublicPart:
            with bench.office.write() as uow:
                return invitations.redeem(uow, printed.token, people[number], None)

        results = together(4, use)
        assert sum(isinstance(one, PublicPart) for one in results) == 1
        assert sum(isinstance(one, InvitationRefused) for one in results) == 3
        assert count(bench.office, "enrolment") == 8

    def test_withdrawn_between_the_pages_it_is_refused_and_nothing_is_stored(
        self, bench: Bench
    ) -> None:
        printed = invite(bench)
        prepared = prepared_for(bench, printed.token)
        with bench.office.write() as uow:
            invitations.withdraw(uow, bench["admin"], printed.invitation_id)
        before = count(bench.office, "person")
        with bench.office.write() as uow, pytest.raises(InvitationRefused):
            invitations.redeem(uow, printed.token, prepared, None)
        assert count(bench.office, "person") == before

    def test_edited_between_the_pages_it_is_refused(self, bench: Bench) -> None:
        """What the officer read is what is stored, or nothing is."""
        printed = invite(bench)
        prepared = prepared_for(bench, printed.token)
        with bench.office.write() as uow:
            uow.session.execute(update(Invitation).values(roles="inspektur"))
        with bench.office.write() as uow, pytest.raises(InvitationRefused):
            invitations.redeem(uow, printed.token, prepared, None)

    def test_roles_raised_in_the_database_change_the_eight_words(self, bench: Bench) -> None:
        printed = invite(bench)
        part = redeem(bench, printed.token)
        with bench.office.write() as uow:
            uow.session.execute(
                text("UPDATE enrolment SET roles = 'inspektur' WHERE person = :person"),
                {"person": part.person_id},
            )
        with bench.office.read() as uow:
            assert enrol.enrolled_one(uow, part.person_id).fingerprint != part.fingerprint

    def test_a_username_taken_meanwhile_is_as_good_as_used(self, bench: Bench) -> None:
        printed = invite(bench)
        prepared = prepared_for(bench, printed.token)
        passphrase = passphrase_of("baru")
        enrol.enrol(bench.office, Applicant("baru", "Contoh", "Jabatan", ("tim",), passphrase))
        with bench.office.write() as uow, pytest.raises(InvitationRefused):
            invitations.redeem(uow, printed.token, prepared, None)

    def test_with_a_second_factor_nobody_enrols_without_one(self, bench: Bench) -> None:
        office = replace(bench.office, second_factor=True)
        printed = invite(bench)
        prepared = prepared_for(bench, printed.token)
        with office.write() as uow, pytest.raises(Denied):
            invitations.redeem(uow, printed.token, prepared, None)
        made = factors.new()
        with office.write() as uow:
            part = invitations.redeem(uow, printed.token, prepared, (made, 7))
        with office.read() as uow:
            assert uow.session.get_one(FactorRow, part.person_id).last_step == 7
            assert factors.codes_left(uow, prepared.actor) == factors.CODES

    def test_an_answer_that_was_lost_is_given_again_to_that_officer_alone(
        self, bench: Bench
    ) -> None:
        printed = invite(bench)
        part = redeem(bench, printed.token)
        right = accounts.officer_keys(bench.office, "baru", passphrase_of("baru"))
        wrong = accounts.officer_keys(bench.office, "baru", "frasa yang lain sama sekali")
        other = accounts.officer_keys(bench.office, "operator", passphrase_of("operator"))
        with bench.office.read() as uow:
            assert invitations.redeemed(uow, printed.token, right) == part
            for keys in (wrong, other):
                assert invitations.redeemed(uow, printed.token, keys) is None
            assert invitations.redeemed(uow, bytes(TOKEN_SIZE), right) is None


class TestWithdrawing:
    def test_it_leaves_a_signed_trace(self, bench: Bench) -> None:
        printed = invite(bench)
        with bench.office.write() as uow:
            invitations.withdraw(uow, bench["admin"], printed.invitation_id)
        row, said = last_leaf(bench)
        assert said["event"] == "invitation_withdrawn"
        assert said["invitation"] == printed.invitation_id
        assert row.signature is not None

    def test_used_or_withdrawn_it_stays_as_it_is(self, bench: Bench) -> None:
        used = invite(bench)
        redeem(bench, used.token)
        with bench.office.write() as uow, pytest.raises(Conflict):
            invitations.withdraw(uow, bench["admin"], used.invitation_id)
        other = invite(bench, replace(INVITEE, username="lain"))
        for expected in (None, Conflict):
            with bench.office.write() as uow:
                if expected is None:
                    invitations.withdraw(uow, None, other.invitation_id)
                else:
                    with pytest.raises(expected):
                        invitations.withdraw(uow, None, other.invitation_id)

    def test_an_unknown_one_is_not_found(self, bench: Bench) -> None:
        with bench.office.write() as uow, pytest.raises(NotFound):
            invitations.withdraw(uow, bench["admin"], "f" * 32)


def test_what_travels_between_pages_opens_with_token_and_pepper_alone(bench: Bench) -> None:
    token = bytes(range(TOKEN_SIZE))
    mine = invitations.carrier(bench.office, token).recipient.to_bytes()
    others = [
        invitations.carrier(bench.office, token[::-1]),
        invitations.carrier(replace(bench.office, pepper=bytes(32)), token),
    ]
    assert all(one.recipient.to_bytes() != mine for one in others)
    assert invitations.carrier(bench.office, token).recipient.to_bytes() == mine
