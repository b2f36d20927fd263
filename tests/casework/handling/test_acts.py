"""Acts happen by the profile or not at all, on the picture that the officer saw, once."""

from itertools import product

import pytest

from casework.errors import Conflict, Denied, InvalidTransition, NotFound
from casework.handling import acts
from casework.intake import mailbox
from casework.law import engine
from casework.law.engine import Facts, Situation
from casework.store.base import new_id
from tests.casework.cases import (
    REPORTER,
    STATES,
    Filed,
    count,
    file_report,
    full_facts,
    leave,
    together,
)
from tests.casework.office import ROLES, Bench

USERS = (*ROLES, REPORTER)


@pytest.mark.parametrize("state", STATES)
def test_only_the_profiles_transitions_can_happen(filed: Filed, state: str) -> None:
    """Every role x transition in every state: refused unless the engine offers it.

    Whoever has the case on the desk gets InvalidTransition; whoever has not learns nothing.
    """
    filed.bring_to(state)
    profile = filed.profile
    flags = filed.rows("SELECT flag FROM case_flag WHERE case_id = :case")
    now = Situation(flags=frozenset(row[0] for row in flags))
    on_desk = {user for users in filed.holders().values() for user in users}
    before = (filed.state(), filed.revision(), len(filed.leaves()), filed.holders())
    refused = 0
    for user, rule in product(USERS, profile.transitions):
        offered = {one.id for one in engine.allowed(profile, state, user, now)}
        if rule.id in offered and user in on_desk:
            assert rule.id in filed.offered(user)
            continue
        expected = InvalidTransition if user in on_desk else NotFound
        with pytest.raises(expected):
            filed.do(user, rule.id)
        refused += 1
    assert refused >= len(USERS) * len(profile.transitions) - 10
    assert (filed.state(), filed.revision(), len(filed.leaves()), filed.holders()) == before


def test_an_unknown_transition_is_refused(filed: Filed) -> None:
    office = filed.bench.office
    with office.write() as uow, pytest.raises(InvalidTransition):
        acts.perform(uow, filed.bench["operator"], filed.case_id, 1, "hapus", Facts())
    with office.write() as uow, pytest.raises(InvalidTransition):
        mailbox.act(uow, filed.reporter, "hapus", Facts(), new_id())


def test_the_situation_is_the_cases_own(filed: Filed) -> None:
    """A form cannot claim that flags are up or dates have passed."""
    filed.bring_to("diverifikasi")
    claimed = Facts(situation=Situation(flags=frozenset({"dianalisis"})))
    with pytest.raises(InvalidTransition):
        filed.do("irban", "forward", claimed)
    overdue = Facts(message="x", situation=Situation(lapsed=frozenset({"analysis"})))
    with pytest.raises(InvalidTransition):
        filed.do(REPORTER, "request_review_overdue", overdue)


def test_a_reporter_is_no_officer_and_an_officer_no_reporter(filed: Filed) -> None:
    office = filed.bench.office
    with office.write() as uow, pytest.raises(Denied):
        acts.perform(uow, filed.reporter, filed.case_id, 1, "accept", filed.facts("accept"))
    for user in filed.bench.officers.values():
        with office.write() as uow, pytest.raises(Denied):
            mailbox.act(uow, user, "rate", Facts(rating=5), new_id())
        with office.read() as uow, pytest.raises(Denied):
            mailbox.read(uow, user)


def test_who_left_office_is_refused_though_the_keys_still_fit(bench: Bench) -> None:
    filed = file_report(bench).bring_to("terkirim")
    leave(bench, "verifikator")
    with pytest.raises(Denied):
        filed.do("verifikator", "verify")
    with pytest.raises(Denied):
        filed.say("verifikator", "masih di sini")


def test_a_reporter_only_ever_reaches_their_own_case(bench: Bench) -> None:
    mine, other = file_report(bench, "cerita pertama saya"), file_report(bench, "cerita orang lain")
    mine.say(REPORTER, "pesan saya")
    assert "pesan saya" not in str([dict(piece.body) for piece in other.mailbox().pieces])
    assert mine.mailbox().ticket != other.mailbox().ticket


def test_a_stale_picture_is_a_conflict(filed: Filed) -> None:
    revision = filed.revision()
    filed.say(REPORTER, "tambahan penting")
    with filed.bench.office.write() as uow, pytest.raises(Conflict):
        acts.perform(
            uow, filed.bench["operator"], filed.case_id, revision, "reject", filed.facts("reject")
        )
    assert filed.state() == "submitted"


def test_two_officers_at_once_and_one_act(filed: Filed) -> None:
    """Accept and reject at the same moment: one happens, the other must look again."""
    bench, revision = filed.bench, filed.revision()

    def act(number: int) -> str:
        name = ("accept", "reject")[number % 2]
        rule = bench.office.profile.transition(name)
        facts = full_facts(bench, rule)
        with bench.office.write() as uow:
            acts.perform(uow, bench["operator"], filed.case_id, revision, name, facts)
        return name

    results = together(6, act)
    done = [one for one in results if isinstance(one, str)]
    assert len(done) == 1
    assert sum(isinstance(one, Conflict | NotFound) for one in results) == 5
    assert filed.state() == {"accept": "terkirim", "reject": "ditolak"}[done[0]]
    assert [leaf["event"] for leaf in filed.leaves()] == ["submit", done[0]]


def test_the_same_message_from_many_threads_is_one(filed: Filed) -> None:
    item_id = new_id()
    assert together(6, lambda _: filed.say(REPORTER, "sekali saja", item_id)) == [None] * 6
    assert [piece.kind for piece in filed.mailbox().pieces].count("message") == 1


def test_the_same_reporters_act_twice_counts_once(filed: Filed) -> None:
    filed.bring_to("selesai")
    item_id = new_id()
    for _ in range(2):
        with filed.bench.office.write() as uow:
            mailbox.act(uow, filed.reporter, "rate", Facts(rating=3), item_id)
    assert [leaf["event"] for leaf in filed.leaves()].count("rate") == 1


class Failure(Exception):
    """Something breaks after the act and before the commit."""


def _accept_and_fail(filed: Filed) -> None:
    facts = filed.facts("accept")
    with filed.bench.office.write() as uow:
        acts.perform(uow, filed.bench["operator"], filed.case_id, 1, "accept", facts)
        raise Failure


def test_an_act_that_fails_at_the_end_leaves_nothing(filed: Filed) -> None:
    """Any error inside the unit of work takes state, grants, items and leaf back together."""

    office, before = filed.bench.office, filed.holders()
    tables = ("leaf", "item", "part", "grant", "deadline", "case_flag", "compartment")
    counts = {table: count(office, table) for table in tables}
    with pytest.raises(Failure):
        _accept_and_fail(filed)
    assert {table: count(office, table) for table in tables} == counts
    assert (filed.state(), filed.holders()) == ("submitted", before)
    filed.do("operator", "accept")
    assert filed.file("verifikator").pieces
