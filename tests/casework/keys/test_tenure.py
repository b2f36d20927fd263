"""What somebody was entitled to on a day stays so, whatever the roster says of them later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import msgspec
import pytest

from casework.keys import enrol, roster
from casework.keys.chain import PersonRecord, RosterBroken, StoredEntry
from casework.keys.parts import PublicPart
from casework.keys.roster import Roster
from casework.keys.vocabulary import Flaw, TenureState
from casework.law.profile import Profile
from tests.casework.cases import Filed, all_verified, join, leave
from tests.casework.keys.people import (
    DAY,
    INSTANCE,
    LATER,
    change,
    genesis,
    part,
    person_id,
    profile,
    with_fields,
)
from tests.casework.office import Bench

EVE = LATER - timedelta(days=1)


def verify(entries: list[StoredEntry]) -> Roster:
    return roster.verify(entries, INSTANCE, profile(), None)


def flaw(people: list[PersonRecord]) -> Flaw:
    entries = [genesis()]
    entries.append(change(entries, people))
    with pytest.raises(RosterBroken) as caught:
        verify(entries)
    return caught.value.flaw


def then(who: str, **fields: object) -> PersonRecord:
    """The record of the genesis, closed on the eve of the change, or changed further."""
    return with_fields(part(who).record(DAY, until=EVE), **fields)


REWRITTEN: dict[str, list[PersonRecord]] = {
    "forgotten": [part("operator").record(LATER)],
    "begun a day later": [part("operator").record(DAY + timedelta(days=1))],
    "begun earlier": [part("operator").record(date(2026, 1, 1))],
    "ended a day too early": [then("operator", until=EVE - timedelta(days=1))],
    "with a hole": [
        then("operator", until=EVE - timedelta(days=1)),
        part("operator").record(LATER),
    ],
    "left from the start": [with_fields(part("operator").record(DAY), state=TenureState.LEFT)],
    "in another role": [part("operator", "verifikator").record(DAY)],
    "under another name": [then("operator", name="Nama lain"), part("operator").record(LATER)],
    "in another position": [then("operator", position="Lain"), part("operator").record(LATER)],
    "newcomer, dated back": [part("baru", "operator").record(EVE)],
    "newcomer with a past": [part("baru", "operator").record(DAY, until=EVE)],
}

CONTINUED: dict[str, list[PersonRecord]] = {
    "the same": [part("operator").record(DAY)],
    "closed on the eve": [then("operator")],
    "closed today": [then("operator", until=LATER)],
    "closed later": [then("operator", until=date(2026, 12, 31))],
    "another role from today": [then("operator"), part("operator", "verifikator").record(LATER)],
    "left today": [
        then("operator"),
        with_fields(part("operator").record(LATER), state=TenureState.LEFT),
    ],
    "newcomer from today": [part("baru", "operator").record(LATER)],
}


@pytest.mark.parametrize("how", REWRITTEN)
def test_no_entry_changes_what_the_roster_said_of_days_before_it(how: str) -> None:
    """Rightly signed by the Inspektur, and still refused: what was granted then would fall."""
    assert flaw(REWRITTEN[how]) is Flaw.PAST


@pytest.mark.parametrize("how", CONTINUED)
def test_an_entry_changes_what_comes_from_its_day_on(how: str) -> None:
    entries = [genesis()]
    entries.append(change(entries, CONTINUED[how]))
    assert verify(entries).version == 2


def test_roles_of_a_day_are_all_that_were_held_at_some_hour_of_it() -> None:
    """Who is moved at noon acted rightly in the morning; a day later that is over."""
    entries = [genesis()]
    moved = [then("operator"), part("operator", "verifikator").record(LATER)]
    entries.append(change(entries, moved))
    chain, who = verify(entries), person_id("operator")
    assert chain.roles_on(who, EVE) == {"operator"}
    assert chain.roles_on(who, LATER) == {"operator", "verifikator"}
    assert chain.roles_on(who, LATER + timedelta(days=1)) == {"verifikator"}
    assert chain.roles_on(who, DAY - timedelta(days=1)) == frozenset()
    assert chain.roles_on("f" * 32, LATER) == frozenset()


def irban_approves_operators() -> Profile:
    """The profile of the tests, in which the irban may approve operators and nobody else."""
    roles = tuple(
        msgspec.structs.replace(role, approves=("operator",)) if role.id == "irban" else role
        for role in profile().roles
    )
    return msgspec.structs.replace(profile(), roles=roles)


def test_who_may_approve_a_role_may_name_somebody_who_once_held_a_higher_one() -> None:
    """What is over cannot be changed any more, and so needs nobody's authority."""
    entries = [genesis()]
    entries.append(change(entries, [then("verifikator")]))
    back = [then("verifikator"), part("verifikator", "operator").record(date(2026, 7, 1))]
    entries.append(change(entries, back, day=date(2026, 7, 1)))
    again = [*back[:1], part("verifikator", "operator").record(date(2026, 7, 1))]
    again[1] = with_fields(again[1], until=date(2026, 7, 31))
    entries.append(change(entries, again, signer="irban", day=date(2026, 7, 1)))
    chain = roster.verify(entries, INSTANCE, irban_approves_operators(), None)
    assert chain.roles_on(person_id("verifikator"), EVE) == {"verifikator"}
    assert chain.roles_on(person_id("verifikator"), date(2026, 7, 2)) == {"operator"}


def test_a_role_that_ends_today_is_still_one_that_somebody_would_lose() -> None:
    """The irban of that profile may not take the verifikator's last day."""
    entries = [genesis()]
    entries.append(change(entries, [then("verifikator", until=LATER)]))
    today = [then("verifikator"), part("verifikator", "operator").record(LATER)]
    entries.append(change(entries, today, signer="irban"))
    with pytest.raises(RosterBroken) as caught:
        roster.verify(entries, INSTANCE, irban_approves_operators(), None)
    assert caught.value.flaw is Flaw.SIGNER


def part_of(bench: Bench, username: str) -> PublicPart:
    with bench.office.read() as uow:
        return next(one for one in enrol.enrolled(uow) if one.handle == username)


def approve_again(bench: Bench, username: str) -> None:
    """What ``suaka approve`` does with somebody who is on the roster already."""
    part = part_of(bench, username)
    with bench.office.write() as uow:
        enrol.approve(uow, bench["inspektur"], [part.record(uow.today())], "SK baru")


@pytest.mark.parametrize("move", [approve_again, leave])
@pytest.mark.parametrize("days", [0, 1, 40])
def test_what_an_officer_granted_stays_readable_after_the_roster_changed(
    filed: Filed, move: Callable[[Bench, str], None], days: int
) -> None:
    """The verifikator holds the case from the operator, who is approved anew or leaves."""
    bench = filed.bench
    join(bench, {"operator2": ("operator",)})
    filed.do("operator", "accept")
    bench.clock.advance(days=days)
    move(bench, "operator")
    assert all_verified(filed.file("verifikator").pieces)
    filed.do("verifikator", "verify")
    assert all_verified(filed.file("irban").pieces)
    assert all_verified(filed.mailbox().pieces)


def test_approval_keeps_the_days_before_it(bench: Bench) -> None:
    operator = part_of(bench, "operator")
    with bench.office.read() as uow:
        first = uow.today()
    bench.clock.advance(days=10)
    approve_again(bench, "operator")
    bench.clock.advance(days=10)
    leave(bench, "operator")
    with bench.office.read() as uow:
        chain = roster.load(uow)
    periods = [(one.since, one.until, one.state) for one in chain.people[operator.person_id]]
    tenth, twentieth, day = (
        first + timedelta(days=10),
        first + timedelta(days=20),
        timedelta(days=1),
    )
    assert periods == [
        (first, tenth - day, TenureState.ACTIVE),
        (tenth, twentieth - day, TenureState.ACTIVE),
        (twentieth, None, TenureState.LEFT),
    ]


def test_approval_twice_on_one_day_replaces_the_first(bench: Bench) -> None:
    bench.clock.advance(days=3)
    approve_again(bench, "operator")
    approve_again(bench, "operator")
    with bench.office.read() as uow:
        chain = roster.load(uow)
        assert len(chain.people[part_of(bench, "operator").person_id]) == 2
        assert chain.version == 3


def test_approval_for_next_week_leaves_this_week_as_it_is(bench: Bench) -> None:
    """The old record runs on until the day before the new one begins."""
    operator = part_of(bench, "operator")
    with bench.office.write() as uow:
        start = uow.today() + timedelta(days=7)
        enrol.approve(uow, bench["inspektur"], [operator.record(start)], "Mulai pekan depan")
    with bench.office.read() as uow:
        chain = roster.load(uow)
    week = [start + timedelta(days=n) for n in range(-7, 2)]
    assert all(chain.may(operator.person_id, "operator", day) for day in week)
    assert len(chain.people[operator.person_id]) == 2


def test_approval_dated_back_is_refused_and_stores_nothing(bench: Bench) -> None:
    operator = part_of(bench, "operator")
    bench.clock.advance(days=5)
    with bench.office.read() as uow:
        record = operator.record(uow.today() - timedelta(days=3), state=TenureState.LEFT)
    with pytest.raises(RosterBroken) as caught, bench.office.write() as uow:
        enrol.approve(uow, bench["inspektur"], [record], "Surut")
    assert caught.value.flaw is Flaw.PAST
    with bench.office.read() as uow:
        assert roster.load(uow).version == 1
