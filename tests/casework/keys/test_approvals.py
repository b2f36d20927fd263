"""Who decides of people, what each decision does to the roster, and who cannot decide it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import text, update

from casework.errors import Conflict, Denied, InvalidInput, NotFound
from casework.keys import approvals, enrol, invitations, people, roster
from casework.keys.approvals import WordsDiffer
from casework.keys.enrol import Applicant
from casework.keys.invitations import Invitee
from casework.keys.parts import PublicPart
from casework.keys.roster import Roster
from casework.keys.sessions import Kind
from casework.keys.tables import Person as PersonRow
from casework.keys.vocabulary import Standing, TenureState
from crypto.persons import Person
from tests.casework.cases import count, join, together
from tests.casework.office import Bench, passphrase_of, sign_in

SK = "SK 800/1"


def newcomer(
    bench: Bench, username: str = "baru", *roles: str, replaces: str | None = None
) -> PublicPart:
    """Somebody who came by an invitation and waits."""
    invitee = Invitee(username, f"Contoh {username}", "Jabatan", roles or ("tim",), "", replaces)
    with bench.office.write() as uow:
        printed = invitations.invite(uow, bench["admin"], invitee)
    applicant = Applicant(
        username, invitee.name, invitee.position, invitee.roles, passphrase_of(username)
    )
    prepared = enrol.prepare(bench.office, applicant)
    with bench.office.write() as uow:
        return invitations.redeem(uow, printed.token, prepared, None)


def admit(
    bench: Bench, part: PublicPart, by: str = "inspektur", until: date | None = None
) -> Roster:
    with bench.office.write() as uow:
        replaces = approvals.replaced_by(uow, part.person_id)
        return approvals.admit(
            uow, bench[by], part.person_id, part.fingerprint, SK, until=until, replaces=replaces
        )


def loaded(bench: Bench) -> Roster:
    with bench.office.read() as uow:
        return roster.load(uow)


def today(bench: Bench) -> date:
    with bench.office.read() as uow:
        return uow.today()


def roles_of(bench: Bench, username: str) -> tuple[str, ...]:
    record = loaded(bench).person_on(bench[username].person_id, today(bench))
    return record.roles if record is not None else ()


def seen(bench: Bench, viewer: str, person_id: str) -> people.Detail:
    with bench.office.read() as uow:
        return people.detail(uow, bench[viewer], person_id)


def state(bench: Bench) -> tuple[int, int]:
    return count(bench.office, "roster"), count(bench.office, "leaf")


class TestAdmitting:
    def test_a_newcomer_is_on_the_roster_from_today(self, bench: Bench) -> None:
        part = newcomer(bench)
        before = state(bench)
        chain = admit(bench, part)
        assert state(bench) == (before[0] + 1, before[1] + 1)
        assert chain.may(part.person_id, "tim", today(bench))
        assert sign_in(bench.office, "baru").person_id == part.person_id

    def test_the_words_must_be_those_that_were_compared(self, bench: Bench) -> None:
        part = newcomer(bench)
        words = (*part.fingerprint[:-1], "lain")
        with bench.office.write() as uow, pytest.raises(WordsDiffer):
            approvals.admit(uow, bench["inspektur"], part.person_id, words, SK)

    def test_keys_swapped_between_enrolment_and_approval_are_noticed(self, bench: Bench) -> None:
        """The attack: an admin puts keys of his own into the row of somebody who waits."""
        part = newcomer(bench)
        other = Person.generate().public
        with bench.office.write() as uow:
            uow.session.execute(
                update(PersonRow)
                .where(PersonRow.id == part.person_id)
                .values(recipient=other.recipient, verify_key=other.verify_key)
            )
        assert seen(bench, "inspektur", part.person_id).words != part.fingerprint
        before = state(bench)
        with pytest.raises(WordsDiffer):
            admit(bench, part)
        assert state(bench) == before

    def test_roles_raised_after_printing_change_the_words_too(self, bench: Bench) -> None:
        part = newcomer(bench)
        with bench.office.write() as uow:
            uow.session.execute(
                text("UPDATE enrolment SET roles = 'inspektur' WHERE person = :person"),
                {"person": part.person_id},
            )
        shown = seen(bench, "inspektur", part.person_id)
        assert shown.line.roles == ("inspektur",)
        with pytest.raises(WordsDiffer):
            admit(bench, part)

    @pytest.mark.parametrize("who", ["admin", "operator", "irban", "pengawas"])
    def test_who_may_not_approve_the_role_is_refused(self, bench: Bench, who: str) -> None:
        part = newcomer(bench)
        before = state(bench)
        with pytest.raises(Denied):
            admit(bench, part, who)
        assert state(bench) == before
        assert seen(bench, who, part.person_id).acts == people.Acts()

    def test_two_approvals_at_once_are_one(self, bench: Bench) -> None:
        part = newcomer(bench)
        results = together(3, lambda _: admit(bench, part))
        assert sum(isinstance(one, Roster) for one in results) == 1
        assert sum(isinstance(one, Conflict) for one in results) == 2
        assert loaded(bench).version == 2

    def test_two_different_approvals_at_once_are_a_whole_chain(self, bench: Bench) -> None:
        parts = [newcomer(bench, f"baru{number}") for number in range(3)]
        results = together(3, lambda number: admit(bench, parts[number]))
        assert all(isinstance(one, Roster) for one in results)
        assert loaded(bench).version == 4

    def test_an_acting_officer_ends_by_itself(self, bench: Bench) -> None:
        part = newcomer(bench, "plh", "irban")
        last = today(bench) + timedelta(days=2)
        admit(bench, part, until=last)
        assert seen(bench, "inspektur", part.person_id).line.standing is Standing.ACTING
        bench.clock.advance(days=2)
        assert loaded(bench).may(part.person_id, "irban", today(bench))
        bench.clock.advance(days=1)
        assert loaded(bench).person_on(part.person_id, today(bench)) is None
        assert seen(bench, "inspektur", part.person_id).line.standing is Standing.ENDED

    @pytest.mark.parametrize("reason", ["", "  ", "dua\nbaris", "x" * 161])
    def test_it_takes_a_reason_of_one_line(self, bench: Bench, reason: str) -> None:
        part = newcomer(bench)
        with bench.office.write() as uow, pytest.raises(InvalidInput) as caught:
            approvals.admit(uow, bench["inspektur"], part.person_id, part.fingerprint, reason)
        assert caught.value.errors == {"reason": "reason_shape"}

    def test_a_last_day_in_the_past_is_refused(self, bench: Bench) -> None:
        part = newcomer(bench)
        with pytest.raises(InvalidInput) as caught:
            admit(bench, part, until=today(bench) - timedelta(days=1))
        assert caught.value.errors == {"until": "until_past"}

    def test_an_unknown_person_is_not_found(self, bench: Bench) -> None:
        with bench.office.write() as uow, pytest.raises(NotFound):
            approvals.admit(uow, bench["inspektur"], "f" * 32, (), SK)


class TestReplacing:
    def test_new_keys_come_and_old_ones_end_in_one_entry(self, bench: Bench) -> None:
        old = bench["irban"].person_id
        cookie = bench.office.sessions.open(Kind.STAFF, old, bytes(32), 1_000)
        part = newcomer(bench, "irban-2", "irban", replaces=old)
        shown = seen(bench, "inspektur", part.person_id)
        assert shown.replaces is not None
        assert shown.replaces.person_id == old
        chain = admit(bench, part)
        assert chain.version == 2
        assert chain.person(old).state is TenureState.LEFT
        assert [one.person_id for one in chain.active("irban", today(bench))] == [part.person_id]
        assert bench.office.sessions.resume(cookie, 1_001) is None

    def test_another_person_to_end_than_was_shown_is_refused(self, bench: Bench) -> None:
        """The attack: the invitation's row is edited after the approver has read the page."""
        part = newcomer(bench, "irban-2", "irban", replaces=bench["irban"].person_id)
        with bench.office.write() as uow, pytest.raises(Conflict):
            approvals.admit(uow, bench["inspektur"], part.person_id, part.fingerprint, SK)
        with bench.office.write() as uow, pytest.raises(Conflict):
            approvals.admit(
                uow, bench["inspektur"], part.person_id, part.fingerprint, SK,
                replaces=bench["tim"].person_id,
            )  # fmt: skip

    def test_nobody_replaces_an_approver_over_their_own_head(self, bench: Bench) -> None:
        part = newcomer(bench, "inspektur-2", "inspektur", replaces=bench["inspektur"].person_id)
        assert not seen(bench, "inspektur", part.person_id).acts.admit
        with pytest.raises(Denied):
            admit(bench, part)

    def test_who_waits_with_lost_keys_and_was_invited_anew_is_not_listed(
        self, bench: Bench
    ) -> None:
        lost = newcomer(bench, "satu")
        again = newcomer(bench, "satu-2", replaces=lost.person_id)
        with bench.office.read() as uow:
            listed = {one.person_id for one in people.overview(uow, bench["inspektur"])}
        assert again.person_id in listed
        assert lost.person_id not in listed
        assert not seen(bench, "inspektur", lost.person_id).acts.admit
        with pytest.raises(Conflict):
            admit(bench, lost)
        assert admit(bench, again).may(again.person_id, "tim", today(bench))


class TestSuspending:
    def test_it_is_immediate_ends_sessions_and_is_taken_back(self, bench: Bench) -> None:
        tim = bench["tim"].person_id
        cookie = bench.office.sessions.open(Kind.STAFF, tim, bytes(32), 1_000)
        with bench.office.write() as uow:
            approvals.suspend(uow, bench["inspektur"], tim, SK)
        assert roles_of(bench, "tim") == ()
        assert bench.office.sessions.resume(cookie, 1_001) is None
        assert seen(bench, "inspektur", tim).acts == people.Acts(resume=True, leave=True)
        with bench.office.write() as uow:
            approvals.resume(uow, bench["inspektur"], tim, SK)
        assert roles_of(bench, "tim") == ("tim",)

    def test_days_before_stay_as_they_were(self, bench: Bench) -> None:
        tim, first = bench["tim"].person_id, today(bench)
        bench.clock.advance(days=3)
        with bench.office.write() as uow:
            approvals.suspend(uow, bench["inspektur"], tim, SK)
        bench.clock.advance(days=3)
        with bench.office.write() as uow:
            approvals.resume(uow, bench["inspektur"], tim, SK)
        chain, days = loaded(bench), (first + timedelta(days=day) for day in range(7))
        served = [chain.person_on(tim, day) is not None for day in days]
        assert served == [True, True, True, False, False, False, True]

    def test_nobody_suspends_themselves(self, bench: Bench) -> None:
        own = bench["inspektur"].person_id
        with bench.office.write() as uow, pytest.raises(Denied):
            approvals.suspend(uow, bench["inspektur"], own, SK)
        assert not seen(bench, "inspektur", own).acts.suspend

    def test_what_is_not_so_cannot_be_undone(self, bench: Bench) -> None:
        tim, boss = bench["tim"].person_id, bench["inspektur"]
        with bench.office.write() as uow, pytest.raises(Conflict):
            approvals.resume(uow, boss, tim, SK)
        with bench.office.write() as uow:
            approvals.suspend(uow, boss, tim, SK)
        with bench.office.write() as uow, pytest.raises(Conflict):
            approvals.suspend(uow, boss, tim, SK)
        with bench.office.write() as uow, pytest.raises(Conflict):
            approvals.change(uow, boss, tim, ("irban",), SK)

    def test_who_was_changed_meanwhile_must_be_looked_at_again(self, bench: Bench) -> None:
        tim, boss = bench["tim"].person_id, bench["inspektur"]
        looked = seen(bench, "inspektur", tim).version
        with bench.office.write() as uow:
            approvals.change(uow, boss, tim, ("irban", "tim"), SK, seen=looked)
        with bench.office.write() as uow, pytest.raises(Conflict):
            approvals.suspend(uow, boss, tim, SK, seen=looked)
        with bench.office.write() as uow:
            approvals.suspend(uow, boss, bench["irban"].person_id, SK, seen=looked)

    def test_the_last_holder_of_a_role_is_named(self, bench: Bench) -> None:
        assert seen(bench, "inspektur", bench["operator"].person_id).alone == ("operator",)
        join(bench, {"operator2": ("operator",)})
        assert seen(bench, "inspektur", bench["operator"].person_id).alone == ()
        assert seen(bench, "inspektur", bench["pengawas"].person_id).alone == ()


class TestChanging:
    def test_other_roles_hold_from_today(self, bench: Bench) -> None:
        tim = bench["tim"].person_id
        with bench.office.write() as uow:
            approvals.change(uow, bench["inspektur"], tim, ("verifikator",), SK)
        assert roles_of(bench, "tim") == ("verifikator",)

    def test_a_delegation_ends_by_itself_and_the_former_roles_come_back(self, bench: Bench) -> None:
        tim, last = bench["tim"].person_id, today(bench) + timedelta(days=6)
        with bench.office.write() as uow:
            approvals.change(uow, bench["inspektur"], tim, ("irban", "tim"), SK, until=last)
        assert seen(bench, "inspektur", tim).line.standing is Standing.ACTING
        assert roles_of(bench, "tim") == ("irban", "tim")
        bench.clock.advance(days=6)
        assert roles_of(bench, "tim") == ("irban", "tim")
        bench.clock.advance(days=1)
        assert roles_of(bench, "tim") == ("tim",)
        assert seen(bench, "inspektur", tim).line.standing is Standing.ACTIVE

    @pytest.mark.parametrize("days", [2, 10])
    def test_a_delegation_made_shorter_or_longer_leaves_no_gap(
        self, bench: Bench, days: int
    ) -> None:
        tim, first = bench["tim"].person_id, today(bench)
        for last in (6, days):
            with bench.office.write() as uow:
                approvals.change(
                    uow, bench["inspektur"], tim, ("irban", "tim"), SK,
                    until=first + timedelta(days=last),
                )  # fmt: skip
        bench.clock.advance(days=days)
        assert roles_of(bench, "tim") == ("irban", "tim")
        bench.clock.advance(days=1)
        assert roles_of(bench, "tim") == ("tim",)

    def test_a_delegation_may_become_lasting(self, bench: Bench) -> None:
        tim, first = bench["tim"].person_id, today(bench)
        for until in (first + timedelta(days=6), None):
            with bench.office.write() as uow:
                approvals.change(uow, bench["inspektur"], tim, ("irban",), SK, until=until)
        bench.clock.advance(days=100)
        assert roles_of(bench, "tim") == ("irban",)

    def test_suspension_of_an_acting_officer_covers_what_follows(self, bench: Bench) -> None:
        tim, boss, first = bench["tim"].person_id, bench["inspektur"], today(bench)
        with bench.office.write() as uow:
            approvals.change(uow, boss, tim, ("irban",), SK, until=first + timedelta(days=2))
        with bench.office.write() as uow:
            approvals.suspend(uow, boss, tim, SK)
        bench.clock.advance(days=3)
        assert roles_of(bench, "tim") == ()
        with bench.office.write() as uow:
            approvals.resume(uow, boss, tim, SK)
        assert roles_of(bench, "tim") == ("tim",)

    def test_a_period_that_ended_is_begun_again(self, bench: Bench) -> None:
        part = newcomer(bench, "plh", "irban")
        admit(bench, part, until=today(bench))
        bench.clock.advance(days=5)
        with bench.office.write() as uow:
            approvals.change(uow, bench["inspektur"], part.person_id, ("irban",), SK)
        assert loaded(bench).may(part.person_id, "irban", today(bench))

    def test_impossible_roles_are_refused(self, bench: Bench) -> None:
        with bench.office.write() as uow, pytest.raises(InvalidInput) as caught:
            approvals.change(uow, bench["inspektur"], bench["tim"].person_id, ("admin", "tim"), SK)
        assert caught.value.errors == {"roles": "roles_admin"}

    def test_who_left_does_not_come_back_by_it(self, bench: Bench) -> None:
        old = bench["irban"].person_id
        admit(bench, newcomer(bench, "irban-2", "irban", replaces=old))
        with bench.office.write() as uow, pytest.raises(Conflict):
            approvals.change(uow, bench["inspektur"], old, ("irban",), SK)
        with bench.office.write() as uow, pytest.raises(Conflict):
            approvals.resume(uow, bench["inspektur"], old, SK)


class TestGuardian:
    def test_the_guardian_names_the_next_one(self, bench: Bench) -> None:
        part = newcomer(bench, "plt", "inspektur")
        admit(bench, part)
        assert seen(bench, "inspektur", part.person_id).acts.guard
        with bench.office.write() as uow:
            approvals.appoint_guardian(uow, bench["inspektur"], part.person_id, SK)
        assert loaded(bench).guardian_id == part.person_id
        shown = seen(bench, "inspektur", part.person_id)
        assert shown.line.guardian
        assert shown.history[0].guardian
        assert not shown.acts.guard

    def test_nobody_else_does(self, bench: Bench) -> None:
        part = newcomer(bench, "plt", "inspektur")
        admit(bench, part)
        bench.officers["plt"] = sign_in(bench.office, "plt")
        before = state(bench)
        for who, whom in (("plt", part.person_id), ("admin", part.person_id)):
            with bench.office.write() as uow, pytest.raises(Denied):
                approvals.appoint_guardian(uow, bench[who], whom, SK)
        assert state(bench) == before
        assert not seen(bench, "plt", bench["inspektur"].person_id).acts.guard

    def test_only_who_may_guard_is_named(self, bench: Bench) -> None:
        with bench.office.write() as uow, pytest.raises(Denied):
            approvals.appoint_guardian(uow, bench["inspektur"], bench["irban"].person_id, SK)
        with bench.office.write() as uow, pytest.raises(Conflict):
            approvals.appoint_guardian(uow, bench["inspektur"], bench["inspektur"].person_id, SK)


def test_the_history_says_who_signed_when_and_why(bench: Bench) -> None:
    part = newcomer(bench)
    admit(bench, part)
    bench.clock.advance(days=1)
    with bench.office.write() as uow:
        approvals.suspend(uow, bench["inspektur"], part.person_id, "Pemeriksaan etik")
    newest, first = seen(bench, "admin", part.person_id).history
    assert (newest.signer, newest.reason) == ("Contoh Inspektur", "Pemeriksaan etik")
    assert newest.day == first.day + timedelta(days=1)
    assert newest.records[-1].state is TenureState.SUSPENDED
    assert first.records[0].roles == ("tim",)
    (genesis,) = seen(bench, "admin", bench["tim"].person_id).history
    assert (genesis.signer, genesis.version) == ("", 1)


def test_a_person_is_found_by_username(bench: Bench) -> None:
    with bench.office.read() as uow:
        assert people.find(uow, "tim") == bench["tim"].person_id
        with pytest.raises(NotFound):
            people.find(uow, "siapa")


def test_an_admin_sees_everybody_and_decides_nothing(bench: Bench) -> None:
    newcomer(bench)
    with bench.office.read() as uow:
        lines = people.overview(uow, bench["admin"])
    assert len(lines) == 8
    assert not any(line.actionable for line in lines)
