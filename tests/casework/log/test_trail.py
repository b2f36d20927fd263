"""The trail: every act that the viewer may know of, none other, and what was changed is marked."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from casework.errors import Denied, NotFound
from casework.handling import opening
from casework.keys.actor import Actor
from casework.law.vocabulary import Compartment as Kind
from casework.log import trail
from casework.log.rows import Row, Who
from casework.log.trail import Cursor, Filters
from casework.store.unit import UnitOfWork
from tests.casework.cases import Filed, file_report, leave
from tests.casework.office import ROLES, Bench

WITHHELD = 'DELETE FROM "grant" WHERE case_id = :case AND holder = :holder'


def page(bench: Bench, **wanted: object) -> trail.Page:
    with bench.office.read() as uow:
        return trail.read(uow, bench["inspektur"], Filters(**wanted))  # type: ignore[arg-type]


def rows(bench: Bench, **wanted: object) -> tuple[Row, ...]:
    return page(bench, **wanted).rows


def events(found: tuple[Row, ...]) -> list[str]:
    return [row.event for row in found]


def withhold(filed: Filed, user: str) -> None:
    """As if the case had never been granted to somebody."""
    filed.tamper(WITHHELD, holder=filed.bench[user].person_id)


def test_it_tells_who_did_what_the_newest_first(filed: Filed) -> None:
    filed.bring_to("diverifikasi")
    filed.say("inspektur", "Terima kasih.")
    found = rows(filed.bench)
    assert events(found)[:4] == ["message", "verify", "accept", "submit"]
    assert events(found)[-1] == "genesis"
    assert [row.number for row in found] == sorted((row.number for row in found), reverse=True)
    assert all(row.sound and not row.gap and not row.case_gone for row in found)
    verify, submit = found[1], found[3]
    assert (verify.name, verify.who, verify.day) == (
        "Contoh Verifikator", Who.OFFICER, date(2026, 11, 23),
    )  # fmt: skip
    assert verify.label == filed.profile.transition("verify").label
    assert (verify.case_id, verify.ticket) == (filed.case_id, filed.receipt.ticket)
    assert (submit.who, submit.name) == (Who.REPORTER, "")
    assert found[-1].who is Who.SYSTEM


def test_nothing_of_a_row_names_a_reporter_or_holds_contents(filed: Filed) -> None:
    """Not even the reporter's id: two reports of one person could be told by it."""
    filed.say("reporter", "Kanari pesan")
    shown = repr(page(filed.bench))
    assert filed.reporter.person_id not in shown
    assert "Kanari" not in shown
    assert rows(filed.bench, person=filed.reporter.person_id) == ()


@pytest.mark.parametrize("user", [role for role in ROLES if role != "inspektur"])
def test_only_who_audits_may_ask(bench: Bench, user: str) -> None:
    filed = file_report(bench)
    with bench.office.read() as uow, pytest.raises(Denied):
        trail.read(uow, bench[user], Filters())
    with bench.office.read() as uow, pytest.raises(Denied):
        trail.case_of(uow, bench[user], filed.receipt.ticket)


def test_neither_a_reporter_nor_who_left_may_ask(filed: Filed) -> None:
    with filed.bench.office.read() as uow, pytest.raises(Denied):
        trail.read(uow, filed.reporter, Filters())


def test_a_case_that_the_viewer_does_not_hold_leaves_no_row(bench: Bench) -> None:
    """Whatever is asked for: by case, ticket, person, event, day."""
    seen, secret = file_report(bench), file_report(bench)
    secret.do("operator", "accept")
    with bench.office.write() as uow:
        opening.note(uow, bench["verifikator"], secret.case_id)
    withhold(secret, "inspektur")
    asked: list[dict[str, object]] = [
        {},
        {"case_id": secret.case_id},
        {"person": bench["operator"].person_id},
        {"person": bench["verifikator"].person_id},
        {"event": "accept"},
        {"event": "submit"},
        {"since": date(2026, 11, 23), "until": date(2026, 11, 23)},
    ]
    for wanted in asked:
        found = rows(bench, **wanted)
        assert {row.case_id for row in found} <= {"", seen.case_id}, wanted
        assert secret.receipt.ticket not in repr(found)
    with bench.office.read() as uow:
        assert trail.case_of(uow, bench["inspektur"], seen.receipt.ticket) == seen.case_id
        assert trail.ticket_of(uow, bench["inspektur"], secret.case_id) == ""
        for ticket in (secret.receipt.ticket, "WBS-00000000", "x", ""):
            with pytest.raises(NotFound, match=r"^ticket$"):
                trail.case_of(uow, bench["inspektur"], ticket)


def test_holding_something_else_than_the_contents_is_not_enough(filed: Filed) -> None:
    filed.bring_to("ditolak")
    filed.tamper(
        f"{WITHHELD} AND compartment = :kind",
        holder=filed.bench["inspektur"].person_id,
        kind=Kind.CONTENT.value,
    )
    assert filed.holders()["handling"] >= {"inspektur"}
    assert not [row for row in rows(filed.bench) if row.case_id]


def test_filters_alone_and_together(bench: Bench) -> None:
    one, two = file_report(bench), file_report(bench)
    bench.clock.advance(days=1)
    one.do("operator", "accept")
    two.do("operator", "reject")
    operator = bench["operator"].person_id
    assert events(rows(bench, person=operator)) == ["reject", "accept"]
    assert events(rows(bench, case_id=one.case_id)) == ["accept", "submit"]
    assert [row.case_id for row in rows(bench, event="reject")] == [two.case_id]
    assert events(rows(bench, since=date(2026, 11, 24))) == ["reject", "accept"]
    assert "accept" not in events(rows(bench, until=date(2026, 11, 23)))
    assert events(rows(bench, person=operator, case_id=two.case_id)) == ["reject"]
    assert rows(bench, person=operator, event="submit") == ()
    assert set(events(rows(bench, person="system"))) == {"genesis"}
    assert rows(bench, person="f" * 32) == ()
    assert rows(bench, event="tidak_ada") == ()
    names = [name for _, name in page(bench).people]
    assert names == sorted(names)
    assert "Contoh Operator" in names


def test_it_is_paged_both_ways_and_every_leaf_shows_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where days and numbers do not rise together: a clock was set back."""
    monkeypatch.setattr(trail, "PAGE_SIZE", 4)
    bench.clock.advance(days=10)
    for step in (1, -3, 2, 5, -1):
        file_report(bench)
        bench.clock.advance(days=step)
    with bench.office.read() as uow:
        total = uow.session.scalar(text("SELECT count(*) FROM leaf"))
        pages = [trail.read(uow, bench["inspektur"], Filters())]
        while pages[-1].older is not None:
            pages.append(trail.read(uow, bench["inspektur"], Filters(), after=pages[-1].older))
        seen = [row.number for one in pages for row in one.rows]
        assert len(seen) == len(set(seen)) == total
        assert pages[0].newer is None
        back = [pages[-1]]
        while back[-1].newer is not None:
            back.append(trail.read(uow, bench["inspektur"], Filters(), before=back[-1].newer))
        assert [one.rows for one in reversed(back)][1:] == [one.rows for one in pages][1:]
        none = trail.read(uow, bench["inspektur"], Filters(), after=Cursor(date(2000, 1, 1), 0))
        assert none.rows == ()


ATTACKS = {
    "body": "UPDATE leaf SET body = replace(body, 'accept', 'reject') WHERE event = 'accept'",
    "body gone": "UPDATE leaf SET body = NULL WHERE event = 'accept'",
    "signature": "UPDATE leaf SET signature = randomblob(65) WHERE event = 'accept'",
    "no signature": "UPDATE leaf SET signature = NULL WHERE event = 'accept'",
    "event": "UPDATE leaf SET event = 'verify' WHERE event = 'accept'",
    "day": "UPDATE leaf SET day = '2026-11-22' WHERE event = 'accept'",
    "actor": "UPDATE leaf SET actor = :other WHERE event = 'accept'",
    "nobody": "UPDATE leaf SET actor = 'x' WHERE event = 'accept'",
    "system": "UPDATE leaf SET actor = 'system' WHERE event = 'accept'",
    "reporter": "UPDATE leaf SET actor = :reporter WHERE event = 'accept'",
    "no case": "UPDATE leaf SET case_id = NULL WHERE event = 'accept'",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_changed_leaf_is_shown_and_marked(filed: Filed, attack: str) -> None:
    """The row stays where it is, and the others stay sound."""
    filed.do("operator", "accept")
    (number,) = filed.rows("SELECT number FROM leaf WHERE event = 'accept'")[0]
    values = {
        "other": filed.bench["verifikator"].person_id,
        "reporter": filed.reporter.person_id,
    }
    statement = ATTACKS[attack]
    filed.tamper(
        statement, **{name: one for name, one in values.items() if f":{name}" in statement}
    )
    marked = {row.number: row.sound for row in rows(filed.bench)}
    assert marked.pop(number) is False
    assert all(marked.values())


def test_a_leaf_signed_by_somebody_else_is_marked(filed: Filed) -> None:
    """Another officer's rightly signed leaf under this name does not pass."""
    filed.do("operator", "accept")
    filed.do("verifikator", "verify")
    filed.tamper(
        "UPDATE leaf SET signature = (SELECT signature FROM leaf WHERE event = 'verify')"
        " WHERE event = 'accept'"
    )
    assert [row.event for row in rows(filed.bench) if not row.sound] == ["accept"]


def test_a_reporters_leaf_needs_the_keys_of_its_submission(filed: Filed) -> None:
    filed.tamper(
        "UPDATE person SET verify_key = randomblob(32) WHERE id = :reporter",
        reporter=filed.reporter.person_id,
    )
    assert [row.event for row in rows(filed.bench) if not row.sound] == ["submit"]


def wipe(filed: Filed, *statements: str) -> None:
    """Delete rows that others refer to, as whoever has the file can."""
    raw = filed.bench.office.engine.raw_connection()
    cursor = raw.cursor()
    cursor.execute("PRAGMA foreign_keys=OFF")
    for statement in statements:
        cursor.execute(statement)
    cursor.execute("PRAGMA foreign_keys=ON")
    raw.close()


def test_a_leaf_taken_out_leaves_a_gap(filed: Filed) -> None:
    filed.do("operator", "accept")
    file_report(filed.bench)
    wipe(filed, "DELETE FROM leaf WHERE event = 'accept'")
    found = rows(filed.bench)
    assert [row.event for row in found if row.gap] == ["submit"]
    assert found[0].gap


def test_leaves_of_a_case_that_was_removed_still_show(filed: Filed) -> None:
    tables = ("grant", "part", "item", "deadline", "desk_entry", "compartment", "case")
    wipe(filed, *(f'DELETE FROM "{table}"' for table in tables))
    first = rows(filed.bench)[0]
    assert (first.event, first.case_gone, first.ticket, first.who) == (
        "submit", True, "", Who.UNKNOWN,
    )  # fmt: skip
    assert not first.sound


def test_who_left_is_still_named(filed: Filed) -> None:
    filed.do("operator", "accept")
    leave(filed.bench, "operator")
    filed.bench.clock.advance(days=2)
    found = rows(filed.bench, person=filed.bench["operator"].person_id)
    assert [(row.event, row.name, row.sound) for row in found] == [
        ("accept", "Contoh Operator", True)
    ]


def plans(uow: UnitOfWork, actor: Actor, filters: Filters, cursor: Cursor | None) -> list[str]:
    """How the database finds a page."""
    query = trail._cut(
        trail._wanted(actor, filters, trail.may_audit(uow, actor)), cursor, backwards=False
    )
    compiled = query.compile(uow.session.get_bind(), compile_kwargs={"literal_binds": True})
    return [row[3] for row in uow.session.execute(text(f"EXPLAIN QUERY PLAN {compiled}"))]


@pytest.mark.parametrize("cursor", [None, Cursor(date(2026, 11, 23), 50)])
@pytest.mark.parametrize("wanted", ["", "person", "event", "both", "days", "case"])
def test_no_page_is_sorted_or_scanned_for(filed: Filed, wanted: str, cursor: Cursor | None) -> None:
    """Each way to ask is answered in order by one index; only a single case's leaves are sorted."""
    actor = filed.bench["inspektur"]
    day = date(2026, 11, 23)
    filters = {
        "": Filters(),
        "person": Filters(person=actor.person_id),
        "event": Filters(event="opened"),
        "both": Filters(person=actor.person_id, event="opened"),
        "days": Filters(since=day - timedelta(days=3), until=day),
        "case": Filters(case_id=filed.case_id),
    }[wanted]
    with filed.bench.office.read() as uow:
        steps = plans(uow, actor, filters, cursor)
    assert any("leaf USING" in step and "INDEX" in step for step in steps), steps
    assert [step for step in steps if "TEMP B-TREE" in step] == [] or wanted == "case", steps
