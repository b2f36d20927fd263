"""Whatever is written into the files, no row ends the audit, and none hides what another did."""

import json
from datetime import date

import pytest
from sqlalchemy import select, text, update

from casework.audit import leaves as looking
from casework.audit import places
from casework.audit.findings import Kind, What
from casework.audit.verify import verify
from casework.calendar import holidays
from casework.handling import opening, recount
from casework.keys import enrol, roster
from casework.law.vocabulary import DayKind
from casework.log import erase
from casework.log import leaf as leaves
from casework.log.tables import Leaf
from casework.store import schema
from crypto import canonical
from tests.casework.audit.instances import Everything, after, write
from tests.casework.audit.test_attacks import erase_as, found, numbers_of, resign
from tests.casework.audit.test_written import MESSAGE
from tests.casework.cases import REPORTER, join
from tests.casework.log.trees import rebuild

DEED = (
    "UPDATE leaf SET body = NULL WHERE number ="
    " (SELECT max(number) FROM leaf WHERE event = 'log_key_changed')"
)
"""Something else that was done, and must still be found."""

BAD = "CAST(x'ff' AS TEXT)"
"""A text that is no UTF-8."""

CASE = "WHERE id = :closed"

WRITTEN: dict[str, tuple[str, set[What]]] = {
    "a node at an immense position": (
        "INSERT INTO tree_node VALUES (0, 100000000000000, zeroblob(32))", {What.NODE_BEYOND}
    ),
    "a node far beyond": (
        "INSERT INTO tree_node VALUES (0, 3000000, zeroblob(32))", {What.NODE_BEYOND}
    ),
    "a node at a negative position": (
        "INSERT INTO tree_node VALUES (0, -1, zeroblob(32))", {What.NODE_BEYOND}
    ),
    "a node between two": (
        "INSERT INTO tree_node VALUES (0, 1.5, zeroblob(32))", {What.UNREADABLE}
    ),
    "a node on a level that no tree has": (
        "INSERT INTO tree_node VALUES (99, 0, zeroblob(32))", {What.NODE_BEYOND}
    ),
    "a node on a level below": (
        "INSERT INTO tree_node VALUES (-1, 0, zeroblob(32))", {What.NODE_BEYOND}
    ),
    "a run of no dummies": ("INSERT INTO padding VALUES (2, -1, zeroblob(32))",
        {What.PADDING_CHANGED}),
    "a run without end": (
        "INSERT INTO padding VALUES (2, 1000000000000000, zeroblob(32))",
        {What.PADDING_CHANGED, What.PADDING_BEYOND},
    ),
    "a body that is no UTF-8": (
        f"UPDATE leaf SET body = {BAD} WHERE number = {MESSAGE}", {What.BODY_CHANGED}
    ),
    "a ticket that is no UTF-8": (f'UPDATE "case" SET ticket = {BAD} {CASE}',
        {What.CASE_CHANGED}),
    "a checkpoint that is no UTF-8": (
        f"UPDATE checkpoint SET signed = {BAD} WHERE size = 512", {What.CHECKPOINT_FORGED}
    ),
    "a key of the log that is no UTF-8": (
        f"UPDATE log_key SET vkey = {BAD} WHERE number = 2", {What.LOG_KEYS_BROKEN}
    ),
    "a name that is no UTF-8": (
        f"UPDATE person SET username = {BAD} WHERE username = 'tim'", {What.UNREADABLE}
    ),
    "an hour that is text": (
        "UPDATE checkpoint SET hour = 'x' WHERE size = 512", {What.UNREADABLE}
    ),
    "a size below nothing": (
        "UPDATE checkpoint SET size = -1 WHERE size = 512", {What.CHECKPOINT_FORGED}
    ),
    "a ticket that is bytes": (f'UPDATE "case" SET ticket = zeroblob(3) {CASE}',
        {What.CASE_CHANGED, What.UNREADABLE}),
    "a leaf of a case that is bytes": (
        f"UPDATE leaf SET case_id = zeroblob(3) WHERE number = {MESSAGE}",
        {What.COLUMNS_CHANGED, What.CASE_GONE, What.UNREADABLE},
    ),
    "a day off that was taken out": (
        "DELETE FROM holiday WHERE calendar = 1 AND day = (SELECT min(day) FROM holiday)",
        {What.CALENDAR_CHANGED},
    ),
    "a day off more": (
        "INSERT INTO holiday VALUES (2, '2026-12-02', 'libur_nasional', 'x')",
        {What.CALENDAR_CHANGED},
    ),
    "a day off of another kind": (
        ("UPDATE holiday SET kind = 'hari_kerja_pengganti' WHERE calendar = 2"
        " AND day = '2026-12-01'"),
        {What.CALENDAR_CHANGED},
    ),
    "a day off that is bytes": (
        "UPDATE holiday SET name = zeroblob(3) WHERE calendar = 2 AND day = '2026-12-01'",
        {What.CALENDAR_CHANGED},
    ),
    "holidays that nobody entered": (
        "INSERT INTO calendar VALUES (3, '2026-11-24', 'SK')", {What.CALENDAR_ADDED}
    ),
    "days of no version": (
        "INSERT INTO holiday VALUES (9, '2026-12-02', 'libur_nasional', 'x')",
        {What.CALENDAR_ADDED},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_no_row_ends_or_hides_the_audit(shared: Everything, name: str) -> None:
    statement, expected = WRITTEN[name]
    numbers = after(shared, statement, DEED).numbers
    assert expected <= set(numbers), numbers
    assert numbers[What.BODY_GONE] == 1


def test_only_what_is_far_beyond_is_no_place_of_the_tree(own: Everything) -> None:
    """Much may be gone from a tree, and what is left of it is still looked at."""
    with own.bench.office.read() as uow:
        size = places.size_of(uow)
    write(own, f"DELETE FROM tree_node WHERE level = 0 AND position < {size - 1}")
    report = own.audit()
    assert report.counts.places == size
    assert report.numbers[What.NODE_GONE] == size - 1


def test_a_size_below_nothing_spoils_no_other_comparison(shared: Everything) -> None:
    report = after(shared, "UPDATE checkpoint SET size = -1 WHERE size = 512")
    assert set(report.numbers) == {
        What.CHECKPOINT_FORGED,
        What.CHECKPOINT_ORDER,
        What.CHECKPOINT_GONE,
    }


def test_a_clock_that_runs_counts_by_the_newest_holidays(own: Everything) -> None:
    """Also where an older version gives the same day: it will not, after the next one."""
    with own.bench.office.write() as uow:
        recount.change(uow, [(date(2040, 12, 3), DayKind.LIBUR_NASIONAL, "x")], [], "SK")
    assert found(own) == set()
    write(own, "UPDATE deadline SET calendar = 2 WHERE case_id = :running AND status = 'running'")
    assert found(own) == {What.DEADLINE_CHANGED}


def test_bytes_in_the_place_of_a_mark_are_another_text(own: Everything) -> None:
    """Whoever signs a replacement character does not sign bytes that are read as one."""
    with own.bench.office.write() as uow:
        actor = own.bench["inspektur"]
        facts = {"leaves": [0], "reason": "a\N{REPLACEMENT CHARACTER}b"}
        draft = leaves.Draft(erase.EVENT, actor.person_id, facts=facts)
        number = leaves.append(uow, draft, actor.person.signing)
    assert What.BODY_CHANGED not in found(own)
    write(own, f"UPDATE leaf SET body = replace(body, char(65533), {BAD}) WHERE number = {number}")
    assert What.BODY_CHANGED in found(own)


def test_hashes_that_are_all_the_same_are_not_all_kept(
    shared: Everything, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "MOST", 3)
    same = "(SELECT hash FROM tree_node WHERE level = 0 AND position = 1)"
    report = after(shared, f"UPDATE leaf SET hash = {same} WHERE number > 1")
    assert report.numbers[What.LEAF_MOVED] == 3
    assert report.numbers[What.LEAF_CHANGED] > 3


def leave_office(own: Everything) -> None:
    """Another officer's roles end with today."""
    join(own.bench, {"operator3": ("operator",)})
    own.bench.clock.advance(days=2)
    with own.bench.office.write() as uow:
        gone = [
            enrol.record_of(one, until=uow.today(), from_=uow.today())
            for one in roster.load(uow).people[own.bench["operator3"].person_id]
        ]
        enrol.approve(uow, own.bench["inspektur"], gone, "SK")


def note(own: Everything, username: str) -> None:
    with own.bench.office.write() as uow:
        opening.note(uow, own.bench[username], own.running.case_id)


def test_who_has_left_cannot_sign_for_an_earlier_day(own: Everything) -> None:
    """Somebody with a former officer's keys and the database writes what they could do then."""
    leave_office(own)
    own.bench.clock.advance(days=10)
    own.running.say(REPORTER, "Masih menunggu.")
    assert found(own) == set()
    own.bench.clock.advance(days=-11)
    gone = own.bench["operator3"]
    draft = leaves.Draft("opened", gone.person_id, own.running.case_id, facts={"items": 0})
    with own.bench.office.write() as uow:
        leaves.append(uow, draft, gone.person.signing)
    report = own.audit()
    assert What.CLOCK_BACK not in report.numbers
    assert report.numbers[What.LEAF_BACKDATED] == 1
    assert What.LEAF_BACKDATED.kind is Kind.FORGED


def test_acts_on_the_day_of_a_change_of_the_roster_are_fine(own: Everything) -> None:
    leave_office(own)
    note(own, "inspektur")
    assert found(own) == set()


def test_each_of_several_leaves_of_an_earlier_day_is_told(own: Everything) -> None:
    """The clock of a machine was ahead: reporters and the system alone are no alarm."""
    own.bench.clock.advance(days=10)
    own.running.say(REPORTER, "Masih menunggu.")
    own.bench.clock.advance(days=-9)
    for _ in range(3):
        own.running.say(REPORTER, "Masih menunggu.")
    report = own.audit()
    assert report.numbers == {What.CLOCK_BACK: 3}
    assert report.sound


@pytest.mark.parametrize("version", [1, "x", None])
def test_a_leaf_of_the_system_does_not_bring_a_guardian_back(
    own: Everything, version: object
) -> None:
    """It names the roster of before; anybody who writes the database can put it there."""
    old = own.bench["inspektur"]
    join(own.bench, {"inspektur2": ("inspektur",)})
    own.bench.clock.advance(days=1)
    with own.bench.office.write() as uow:
        enrol.approve(uow, old, [], "SK", guardian=own.bench["inspektur2"].person_id)
        facts = {"roster": version}
        leaves.append(uow, leaves.Draft("roster_changed", leaves.SYSTEM, facts=facts))
    erase_as(own, "inspektur", numbers_of(own.running))
    assert {What.ERASURE_WRONG, What.BODY_GONE} <= found(own)
    erase_as(own, "inspektur2", numbers_of(own.running))
    assert What.BODY_GONE not in found(own), "the guardian in office may"


def unlike(own: Everything, table: str) -> None:
    """Make a table anew, without any rule about its values."""
    with own.bench.office.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("PRAGMA legacy_alter_table=ON")
        for statement in (
            f'CREATE TABLE other AS SELECT * FROM "{table}"',
            f'DROP TABLE "{table}"',
            f'ALTER TABLE other RENAME TO "{table}"',
        ):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("BEGIN")
    own.bench.office.engine.dispose()


def test_an_id_that_is_null_does_not_hide_a_case_that_was_deleted(own: Everything) -> None:
    unlike(own, "case")
    with own.bench.office.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        for statement in (
            'INSERT INTO "case" SELECT * FROM "case" LIMIT 1',
            'UPDATE "case" SET id = NULL WHERE rowid = (SELECT max(rowid) FROM "case")',
            f"DELETE FROM \"case\" WHERE id = '{own.running.case_id}'",
        ):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("BEGIN")
    own.bench.office.engine.dispose()
    report = own.audit()
    assert {What.CASE_GONE, What.STRAY, What.SCHEMA_CHANGED} <= set(report.numbers)
    assert own.running.case_id in report.cases
    assert any("without an id" in one.name for one in report.of(Kind.CHANGED))


@pytest.mark.parametrize(
    ("statement", "what", "name"),
    [
        ("CREATE TABLE titipan (x)", What.SCHEMA_ADDED, "table titipan"),
        ('CREATE VIEW kasus AS SELECT * FROM "case"', What.SCHEMA_ADDED, "view kasus"),
        (
            "CREATE TRIGGER diam AFTER INSERT ON leaf BEGIN SELECT 1; END",
            What.SCHEMA_ADDED,
            "trigger diam",
        ),
        ("ALTER TABLE leaf ADD COLUMN x", What.SCHEMA_CHANGED, "table leaf"),
        ("DROP INDEX ix_leaf_day", What.SCHEMA_GONE, "index ix_leaf_day"),
        ("DROP TABLE checkpoint", What.SCHEMA_GONE, "table checkpoint"),
        ("DROP TABLE part", What.SCHEMA_GONE, "table part"),
    ],
)
def test_another_schema_is_named_and_the_rest_is_looked_at(
    own: Everything, statement: str, what: What, name: str
) -> None:
    with own.bench.office.engine.begin() as connection:
        connection.exec_driver_sql(statement)
        connection.exec_driver_sql(DEED)
    report = own.audit()
    assert name in {one.name for one in report.findings if one.what is what}
    assert report.numbers[What.BODY_GONE] == 1


def test_what_sqlite_makes_for_itself_is_no_damage(own: Everything) -> None:
    with own.bench.office.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    assert found(own) == set()
    with own.bench.office.engine.connect() as connection:
        assert schema.differences(connection) == ([], [], [])


def of_before(own: Everything, query: str, **changes: object) -> None:
    """Make a leaf say what it did when leaves named no holidays, and make the rest fit it."""
    with own.bench.office.write() as uow:
        row = uow.session.scalars(select(Leaf).where(text(query))).one()
        said = json.loads(row.body or "") | changes
        body = canonical.encode({key: value for key, value in said.items() if value is not None})
        uow.session.execute(
            update(Leaf)
            .where(Leaf.number == row.number)
            .values(body=body.decode(), hash=leaves.leaf_hash(body))
        )
        rebuild(uow)
        resign(uow)


def test_holidays_of_before_leaves_named_them_are_a_notice(own: Everything) -> None:
    """The seed is compared with what this program ships: a newer one knows of other days."""
    of_before(own, "event = 'genesis'", holidays=None)
    of_before(own, "event = 'holidays'", objects=[])
    report = own.audit()
    assert report.numbers[What.CALENDAR_UNTOLD] == 1
    assert What.CALENDAR_UNTOLD.kind is Kind.NOTICE
    write(own, "DELETE FROM holiday WHERE calendar = 1 AND day < '2026-02-01'")
    assert own.audit().numbers[What.CALENDAR_UNTOLD] == 2
    assert not {What.CALENDAR_ADDED, What.CALENDAR_CHANGED} & set(report.numbers)


def test_a_leaf_without_days_tells_of_nothing_once_leaves_name_them(own: Everything) -> None:
    with own.bench.office.write() as uow:
        version = holidays.edit(uow, [(date(2026, 12, 2), DayKind.LIBUR_NASIONAL, "x")], [], "SK")
        recount.recount(uow)
        leaves.append(uow, leaves.Draft("holidays", leaves.SYSTEM, facts={"calendar": version}))
    assert found(own) == {What.CALENDAR_ADDED}


def test_a_second_leaf_cannot_vouch_for_other_days(own: Everything) -> None:
    """The first one counts."""
    write(own, "DELETE FROM holiday WHERE calendar = 2 AND day = '2026-12-01'")
    with own.bench.office.write() as uow:
        objects = (holidays.digest_of(uow.session, 2),)
        facts = {"calendar": 2, "moved": 0}
        leaves.append(uow, leaves.Draft("holidays", leaves.SYSTEM, objects=objects, facts=facts))
    assert {What.CALENDAR_CHANGED, What.CALENDAR_GONE} <= found(own)


def test_holidays_that_are_gone_are_missing(shared: Everything) -> None:
    report = after(
        shared, "DELETE FROM holiday WHERE calendar = 2", "DELETE FROM calendar WHERE version = 2"
    )
    assert What.CALENDAR_GONE in report.numbers
    assert What.CALENDAR_CHANGED not in report.numbers


def test_an_audit_leaves_the_connection_as_it_was(shared: Everything) -> None:
    """What the office reads in the same transaction is still refused."""
    with shared.bench.office.read() as uow:
        verify(uow, sealed=False)
        assert uow.session.connection().connection.dbapi_connection.text_factory is str  # type: ignore[union-attr]
