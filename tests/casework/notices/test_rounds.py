"""Rounds at fixed hours: whoever has news gets one mail, whatever the news and however much."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from casework.handling import opening
from casework.notices import addresses, rounds
from casework.tick import tick
from tests.casework.cases import Filed, file_report, leave, reopened, together
from tests.casework.notices.server import Box, mail_server, post_to
from tests.casework.notices.test_post import bare
from tests.casework.office import Bench

MORNING = datetime.fromisoformat("2026-11-24T07:00+08:00")
"""A Tuesday, an hour before the first round, in the zone of the office."""


def address_of(user: str) -> str:
    return f"{user}@contoh.go.id"


@dataclass
class Mailing:
    """An office whose officers want to be told, a mail server, and the hand of the clock."""

    bench: Bench
    box: Box

    def at(self, clock: str, days: int = 0) -> None:
        hour, _, minute = clock.partition(".")
        day = MORNING + timedelta(days=days)
        self.bench.clock.now = day.replace(hour=int(hour), minute=int(minute))

    def tick(self) -> list[str]:
        """Tick once; who was told."""
        before = len(self.box.mails)
        tick(self.bench.office)
        return sorted(
            recipient.partition("@")[0]
            for recipients, _ in self.box.mails[before:]
            for recipient in recipients
        )

    def subscribe(self, *users: str) -> None:
        for user in users:
            with self.bench.office.write() as uow:
                addresses.change(uow, self.bench[user], address_of(user))

    def upto(self) -> dict[str, int]:
        names = {one.person_id: user for user, one in self.bench.officers.items()}
        with self.bench.office.read() as uow:
            query = "SELECT person, upto FROM notice_address"
            return {names[person]: upto for person, upto in uow.session.execute(text(query))}


@pytest.fixture
def mailing(bench: Bench) -> Iterator[Mailing]:
    bench.clock.now = MORNING
    with mail_server() as (box, port):
        bench.office = replace(bench.office, post=post_to(port))
        made = Mailing(bench, box)
        made.subscribe("operator", "inspektur", "verifikator", "pengawas", "admin")
        yield made


def test_who_has_something_new_is_told_once(mailing: Mailing) -> None:
    """Holders of the new case; not those who hold nothing, and nobody without an address."""
    file_report(mailing.bench)
    assert mailing.tick() == [], "before the hour"
    mailing.at("08.03")
    assert mailing.tick() == ["inspektur", "operator"]
    assert mailing.tick() == []
    mailing.at("13.00")
    assert mailing.tick() == [], "nothing is new"
    file_report(mailing.bench)
    mailing.at("13.10")
    assert mailing.tick() == [], "this hour is over, news or not"
    mailing.at("08.00", days=1)
    assert mailing.tick() == ["inspektur", "operator"]


def test_one_report_or_fifty_give_the_same_mail(mailing: Mailing) -> None:
    file_report(mailing.bench)
    mailing.at("08.00")
    mailing.tick()
    few = list(mailing.box.mails)
    for _ in range(50):
        file_report(mailing.bench, narrative="x")
    mailing.at("08.04", days=1)
    mailing.tick()
    many = mailing.box.mails[len(few) :]
    assert [to for to, _ in few] == [to for to, _ in many]
    assert {len(mail) for _, mail in few} == {len(mail) for _, mail in many}
    lines = [set(bare(mail).split(b"\r\n")) for _, mail in (few[0], many[0])]
    assert lines[0] ^ lines[1] == {
        b"Date: Tue, 24 Nov 2026 08:00:00 +0800",
        b"Date: Wed, 25 Nov 2026 08:00:00 +0800",
    }


def test_what_one_does_oneself_and_who_looks_is_no_news(mailing: Mailing) -> None:
    filed = file_report(mailing.bench)
    mailing.at("08.00")
    mailing.tick()
    with mailing.bench.office.write() as uow:
        opening.note(uow, mailing.bench["inspektur"], filed.case_id)
    mailing.at("13.00")
    assert mailing.tick() == []
    filed.say("operator", "Kami baca.")
    mailing.at("08.00", days=1)
    assert mailing.tick() == ["inspektur"], "the operator wrote it"
    filed.do("operator", "accept")
    mailing.at("13.00", days=1)
    assert mailing.tick() == ["inspektur", "verifikator"]


def test_of_a_case_that_an_officer_does_not_hold_comes_no_mail(mailing: Mailing) -> None:
    filed = file_report(mailing.bench)
    filed.tamper(
        'DELETE FROM "grant" WHERE case_id = :case AND holder = :holder',
        holder=mailing.bench["inspektur"].person_id,
    )
    mailing.at("08.00")
    assert mailing.tick() == ["operator"]


def test_who_is_not_in_office_is_not_told(mailing: Mailing) -> None:
    file_report(mailing.bench)
    leave(mailing.bench, "operator")
    mailing.at("08.00", days=1)
    assert mailing.tick() == ["inspektur"]


def test_no_round_on_a_day_off(mailing: Mailing) -> None:
    """Saturday and Sunday; what came in is told on Monday, once."""
    mailing.at("13.00", days=3)
    file_report(mailing.bench)
    mailing.bench.clock.advance(minutes=1)
    mailing.tick()
    file_report(mailing.bench)
    for days in (4, 5):
        mailing.at("08.00", days=days)
        assert mailing.tick() == []
    mailing.at("08.00", days=6)
    assert mailing.tick() == ["inspektur", "operator"]


def test_missed_hours_are_made_up_by_one_round(mailing: Mailing) -> None:
    """The server was down for days; yesterday's hours are not made up at all."""
    file_report(mailing.bench)
    mailing.at("13.30", days=2)
    assert mailing.tick() == ["inspektur", "operator"]
    assert mailing.tick() == []
    file_report(mailing.bench)
    mailing.at("07.59", days=3)
    assert mailing.tick() == []


def test_a_clock_set_back_sends_nothing_twice(mailing: Mailing) -> None:
    file_report(mailing.bench)
    mailing.at("08.00", days=1)
    assert mailing.tick() == ["inspektur", "operator"]
    for clock, days in (("08.00", 1), ("09.00", 1), ("08.30", 0), ("08.00", 1)):
        mailing.at(clock, days=days)
        assert mailing.tick() == [], (clock, days)
    file_report(mailing.bench)
    mailing.at("12.59", days=1)
    assert mailing.tick() == [], "its hour was taken before the clock went back"


def test_several_processes_that_tick_at_once_send_one_round(mailing: Mailing) -> None:
    file_report(mailing.bench)
    mailing.at("08.00")
    offices = [reopened(mailing.bench.office, mailing.bench.folder) for _ in range(3)]
    sent = together(6, lambda n: rounds.send_due(offices[n % 3]))
    for office in offices:
        office.engine.dispose()
        office.keystore.engine.dispose()
        office.sessions.close()
    assert sorted(sent, key=str) == [0, 0, 0, 0, 0, 2]
    assert len(mailing.box.mails) == 2


def test_a_round_that_fails_is_tried_at_the_next_hour(
    mailing: Mailing, caplog: pytest.LogCaptureFixture
) -> None:
    """Not before; the tick goes on, and the log names nobody."""
    file_report(mailing.bench)
    before = mailing.upto()
    mailing.box.answer = "451 later"
    mailing.at("08.00")
    with caplog.at_level(logging.DEBUG):
        assert mailing.tick() == []
        mailing.box.answer = "250 OK"
        assert mailing.tick() == []
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("suaka")]
    assert lines == ["notice not sent: SMTPDataError, server's code: 451"]
    assert {user: mailing.upto()[user] for user in ("operator", "inspektur")} == {
        user: before[user] for user in ("operator", "inspektur")
    }
    mailing.at("13.00")
    assert mailing.tick() == ["inspektur", "operator"]


def test_whoever_was_not_reached_is_told_at_the_next_hour(mailing: Mailing) -> None:
    file_report(mailing.bench)
    mailing.box.refuse = "operator"
    mailing.at("08.00")
    assert mailing.tick() == ["inspektur"]
    mailing.box.refuse = ""
    mailing.at("13.00")
    assert mailing.tick() == ["operator"]


def test_news_during_a_round_is_told_by_the_next(mailing: Mailing) -> None:
    """What came between claim and delivery was not part of it."""
    file_report(mailing.bench)
    mailing.at("08.00")
    assert mailing.bench.office.post is not None
    with mailing.bench.office.write() as uow:
        found = rounds.claim(uow, mailing.bench.office.post)
    assert found is not None
    file_report(mailing.bench)
    with mailing.bench.office.write() as uow:
        rounds.told(uow, found, frozenset(person for person, _ in found.recipients))
    mailing.at("13.00")
    assert mailing.tick() == ["inspektur", "operator"]


def test_a_new_address_is_not_told_of_what_was_before(mailing: Mailing) -> None:
    file_report(mailing.bench)
    mailing.subscribe("irban")
    with mailing.bench.office.write() as uow:
        addresses.change(uow, mailing.bench["operator"], "baru@contoh.go.id")
    mailing.at("08.00")
    assert mailing.tick() == ["inspektur"]


def test_where_nothing_is_new_the_same_leaves_are_not_looked_at_again(mailing: Mailing) -> None:
    file_report(mailing.bench)
    mailing.at("08.00")
    mailing.tick()
    with mailing.bench.office.read() as uow:
        end = uow.session.scalar(text("SELECT max(position) + 1 FROM tree_node WHERE level = 0"))
    assert set(mailing.upto().values()) == {end}


def test_it_is_off_until_it_is_configured(bench: Bench) -> None:
    """No post, no round, no row; an address may be there."""
    assert bench.office.post is None
    with bench.office.write() as uow:
        addresses.change(uow, bench["operator"], address_of("operator"))
    file_report(bench)
    bench.clock.advance(days=1)
    assert tick(bench.office).notices == 0
    with bench.office.read() as uow:
        assert uow.session.scalar(text("SELECT count(*) FROM notice_run")) == 0


def test_an_address_that_somebody_wrote_into_the_database_is_not_used(filed: Filed) -> None:
    bench = filed.bench
    with bench.office.write() as uow:
        addresses.change(uow, bench["operator"], address_of("operator"))
    filed.say("reporter", "Ada kabar?")
    filed.tamper("UPDATE notice_address SET address = 'a@b.id' || char(13) || 'x'")
    bench.clock.now = MORNING.replace(hour=8)
    with bench.office.write() as uow:
        found = rounds.claim(uow, post_to(25))
    assert found is not None
    assert found.recipients == ()
