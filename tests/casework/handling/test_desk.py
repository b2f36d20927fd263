"""The desk is what the grants say, in the order of what is due first, page by page."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from casework.errors import NotFound
from casework.handling import desk
from casework.handling.astray import astray, mend
from casework.handling.desk import Cursor, Filters, Row
from casework.store.office import Office
from tests.casework.cases import (
    NARRATIVE,
    Filed,
    copy_of,
    file_report,
    inbox,
    some_hex,
    texts,
    way,
)
from tests.casework.office import Bench

FIRST = date(2026, 11, 20)
STATES = ("submitted", "terkirim", "ditolak")
CATEGORIES = (None, "a", "b")


def derived(filed: Filed) -> set[tuple[str, str, str, str | None]]:
    """Who should have the case on the desk, from grants, case and clocks alone."""
    due = filed.scalar(
        "SELECT min(due) FROM deadline WHERE case_id = :case AND status = 'running'"
        " AND rule <> 'completion'"
    )
    return {
        (row.holder, due or desk.NEVER.isoformat(), row.state, row.category)
        for row in filed.rows(
            'SELECT DISTINCT g.holder, c.state, c.category FROM "grant" g'
            ' JOIN "case" c ON c.id = g.case_id JOIN person p ON p.id = g.holder'
            " WHERE c.id = :case AND g.share = 'whole' AND p.kind = 'officer'"
            " AND g.compartment IN ('content', 'handling', 'investigation', 'aph')"
        )
    }


def stored(filed: Filed) -> set[tuple[str, str, str, str | None]]:
    rows = filed.rows("SELECT person, due, state, category FROM desk_entry WHERE case_id = :case")
    return {tuple(row) for row in rows}


@pytest.mark.parametrize(
    "steps",
    [
        way("selesai"),
        (*way("ditolak"), ("reporter", "request_review"), ("inspektur", "reopen")),
        (*way("ditolak_berkas_tidak_lengkap"), ("reporter", "complete")),
        (*way("diteruskan"), ("inspektur", "return")),
    ],
)
def test_the_desk_is_derived_after_every_act(
    filed: Filed, steps: tuple[tuple[str, str], ...]
) -> None:
    """Law: after each act, the stored desk is what grants, case and clocks say."""
    assert stored(filed) == derived(filed)
    for user, transition in steps:
        filed.do(user, transition)
        assert stored(filed) == derived(filed)
        filed.say("reporter", "pesan")
        assert stored(filed) == derived(filed)


def test_what_waits_for_the_reporter_alone_is_not_due_for_officers(filed: Filed) -> None:
    filed.bring_to("ditolak_berkas_tidak_lengkap")
    with filed.bench.office.read() as uow:
        row = desk.page(uow, filed.bench["inspektur"].person_id, Filters()).rows[0]
    running = dict(
        filed.rows("SELECT rule, due FROM deadline WHERE case_id = :case AND status = 'running'")
    )
    assert running["completion"] < running["feedback"]
    assert row.due == date.fromisoformat(running["feedback"])


def test_a_closed_case_comes_last_and_has_no_date(bench: Bench) -> None:
    closed, fresh = file_report(bench).bring_to("ditolak"), file_report(bench)
    assert inbox(bench, "inspektur") == [fresh.case_id, closed.case_id]
    with bench.office.read() as uow:
        rows = desk.page(uow, bench["inspektur"].person_id, Filters()).rows
    assert [row.due is None for row in rows] == [False, True]


def test_a_new_message_is_marked_until_an_officer_answers_or_acts(filed: Filed) -> None:
    def flags() -> frozenset[str]:
        with filed.bench.office.read() as uow:
            return desk.page(uow, filed.bench["inspektur"].person_id, Filters()).rows[0].flags

    assert flags() == frozenset()
    filed.say("reporter", "satu")
    assert flags() == {desk.NEW_MESSAGE}
    filed.do("operator", "accept")
    assert flags() == frozenset()
    filed.say("reporter", "dua")
    filed.say("verifikator", "baik")
    assert flags() == frozenset()


def test_the_list_decrypts_nothing(filed: Filed) -> None:
    """A page is read without any key: it works though the keystore is empty."""
    filed.bench.office.keystore.shred(filed.case_id)
    assert inbox(filed.bench, "operator") == [filed.case_id]


@pytest.fixture(scope="module")
def crowded(founded: Bench, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return copy_of(founded, tmp_path_factory.mktemp("crowded") / "office")


ENTRIES = st.lists(
    st.tuples(
        st.integers(0, 4), st.sampled_from(STATES), st.sampled_from(CATEGORIES), st.booleans()
    ),
    max_size=30,
)
FILTERS = st.just(Filters()) | st.builds(
    Filters,
    state=st.sampled_from((None, *STATES)),
    category=st.sampled_from(CATEGORIES),
    attention=st.sampled_from((None, (), ("terkirim",), ("submitted", "ditolak"))),
)


def _fill(
    office: Office, person: str, entries: list[tuple[int, str, str | None, bool]]
) -> list[Row]:
    """Put rows on a desk, some with no date; return them as the desk should show them."""
    rows = []
    with office.engine.begin() as connection:
        connection.execute(text("PRAGMA defer_foreign_keys=ON"))
        for table in ("desk_entry", "case"):
            connection.execute(text(f'DELETE FROM "{table}"'))
        for number, (offset, state, category, never) in enumerate(entries):
            due = desk.NEVER if never else FIRST + timedelta(days=offset)
            row = Row(some_hex(), f"WBS-{number:08d}", state, category, due, frozenset())
            rows.append(row)
            connection.execute(
                text(
                    'INSERT INTO "case" (id, ticket, submission, receipt_open, profile,'
                    " profile_version, state, category, received, reporter, shred_version,"
                    " revision) VALUES (:id, :ticket, randomblob(32), 0, 'badung', 1, :state,"
                    " :category, '2026-11-20', :reporter, 1, 1)"
                ),
                {
                    "id": row.case_id,
                    "ticket": row.ticket,
                    "state": state,
                    "category": category,
                    "reporter": some_hex(),
                },
            )
            connection.execute(
                text("INSERT INTO desk_entry VALUES (:person, :id, :due, :state, :category)"),
                {
                    "person": person,
                    "id": row.case_id,
                    "due": due.isoformat(),
                    "state": state,
                    "category": category,
                },
            )
        connection.execute(text("PRAGMA foreign_keys=OFF"))
        connection.execute(
            text(
                "INSERT INTO person SELECT reporter, 'reporter', NULL, zeroblob(1216),"
                " randomblob(32), '2026-11-20' FROM \"case\""
            )
        )
    return rows


def _naive(rows: list[Row], filters: Filters, today: date) -> list[tuple[str, date | None]]:
    """What the pages should show, by a plain sort."""
    kept = [
        row
        for row in rows
        if row.due is not None
        and (filters.state is None or row.state == filters.state)
        and (filters.category is None or row.category == filters.category)
        and (filters.attention is None or row.state in filters.attention or row.due < today)
    ]
    ordered = sorted(kept, key=lambda row: (row.due, row.case_id))
    return [(row.case_id, None if row.due == desk.NEVER else row.due) for row in ordered]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(entries=ENTRIES, filters=FILTERS)
def test_pages_forwards_and_backwards_are_a_plain_sort(
    crowded: Bench, entries: list[tuple[int, str, str | None, bool]], filters: Filters
) -> None:
    """Nothing twice, nothing left out, equal dates in a stable order, both ways."""
    person = crowded["operator"].person_id
    rows = _fill(crowded.office, person, entries)
    with pytest.MonkeyPatch.context() as patch, crowded.office.read() as uow:
        patch.setattr(desk, "PAGE_SIZE", 4)  # many pages of few rows
        expected = _naive(rows, filters, uow.today())
        seen: list[tuple[str, date | None]] = []
        pages = []
        after: Cursor | None = None
        while True:
            page = desk.page(uow, person, filters, after=after)
            seen += [(row.case_id, row.due) for row in page.rows]
            pages.append(page)
            if page.older is None:
                break
            after = page.older
        assert seen == expected
        assert pages[0].newer is None
        assert all(len(page.rows) == desk.PAGE_SIZE for page in pages[:-1])
        back = pages[-1]
        for page in reversed(pages[:-1]):
            assert back.newer is not None
            back = desk.page(uow, person, filters, before=back.newer)
            assert back.rows == page.rows
        assert back.newer is None


def test_a_case_taken_off_every_desk_still_opens_for_whoever_holds_it(filed: Filed) -> None:
    """What opens a case is a grant; the desk is only its list."""
    filed.tamper("DELETE FROM desk_entry WHERE case_id = :case")
    for user in ("operator", "inspektur"):
        assert NARRATIVE in texts(filed.file(user).pieces)
    filed.do("operator", "accept")
    assert stored(filed) == derived(filed)


def test_a_case_put_on_a_desk_opens_nothing_there(filed: Filed) -> None:
    """A row more in a list makes nobody a holder, nor does a share of an identity."""
    stranger = filed.bench["verifikator"].person_id
    filed.tamper(
        "INSERT INTO desk_entry SELECT :person, case_id, due, state, category FROM desk_entry"
        " WHERE case_id = :case LIMIT 1",
        person=stranger,
    )
    with pytest.raises(NotFound):
        filed.file("verifikator")
    sharers = {
        row.holder
        for row in filed.rows(
            "SELECT holder FROM \"grant\" WHERE case_id = :case AND share <> 'whole'"
        )
    }
    filed.tamper("DELETE FROM \"grant\" WHERE case_id = :case AND share = 'whole'")
    assert sharers
    with filed.bench.office.read() as uow:
        assert not any(desk.may_see(uow, person, filed.case_id) for person in sharers)


@pytest.mark.parametrize("user", ["reporter", "operator"])
def test_a_message_puts_the_case_back_on_its_desks(filed: Filed, user: str) -> None:
    filed.tamper("DELETE FROM desk_entry WHERE case_id = :case")
    filed.say(user, "Masih ada di sana?")
    assert stored(filed) == derived(filed)


def test_whether_a_case_opens_is_one_query_by_an_index(filed: Filed) -> None:
    """It is asked at every page of a case, beside 100,000 others."""
    asked: list[str] = []
    engine = filed.bench.office.engine

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    person = filed.bench["operator"].person_id
    event.listen(engine, "before_cursor_execute", note)
    try:
        with filed.bench.office.read() as uow:
            assert desk.may_see(uow, person, filed.case_id)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    (query,) = [one for one in asked if not one.startswith("BEGIN")]
    with engine.connect() as connection:
        count = query.count("?")
        plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + query, ("x",) * count).all()
    steps = [row[3] for row in plan]
    assert any("SEARCH" in step and "INDEX" in step for step in steps)
    assert not any(step.startswith("SCAN") and "CONSTANT" not in step for step in steps)


ATTACKS = {
    "hidden": "DELETE FROM desk_entry WHERE case_id = :case",
    "hidden from one": "DELETE FROM desk_entry WHERE case_id = :case AND person = :operator",
    "listed to a stranger": "INSERT INTO desk_entry SELECT :stranger, case_id, due, state,"
    " category FROM desk_entry WHERE case_id = :case AND person = :operator",
    "put off": "UPDATE desk_entry SET due = '9999-12-31' WHERE case_id = :case",
    "called closed": "UPDATE desk_entry SET state = 'selesai' WHERE case_id = :case",
    "classified": "UPDATE desk_entry SET category = 'a' WHERE case_id = :case",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_desk_that_differs_is_found_and_written_anew(filed: Filed, attack: str) -> None:
    """Whatever is done to the list, the next tick undoes; the other cases are left alone."""
    bench = filed.bench
    other = file_report(bench)
    other.bring_to("ditolak_berkas_tidak_lengkap")
    assert mend(bench.office) == 0
    people = {"operator": bench["operator"], "stranger": bench["verifikator"]}
    values = {name: one.person_id for name, one in people.items() if f":{name}" in ATTACKS[attack]}
    filed.tamper(ATTACKS[attack], **values)
    assert stored(filed) != derived(filed)
    with bench.office.read() as uow:
        assert astray(uow) == [filed.case_id]
    assert mend(bench.office) == 1
    assert stored(filed) == derived(filed)
    assert mend(bench.office) == 0


def test_a_case_of_an_unknown_profile_does_not_keep_others_off_their_desks(bench: Bench) -> None:
    """One spoilt row must not stop the mending of the rest."""
    spoilt, honest = file_report(bench), file_report(bench)
    spoilt.tamper("UPDATE \"case\" SET profile = 'atlantis' WHERE id = :case")
    spoilt.tamper("DELETE FROM desk_entry")
    assert mend(bench.office) == 1
    assert stored(honest) == derived(honest)
    with bench.office.read() as uow:
        assert astray(uow) == [spoilt.case_id]


def test_another_officers_desk_is_not_shown(bench: Bench) -> None:
    file_report(bench)
    assert inbox(bench, "verifikator") == []
    assert len(inbox(bench, "operator")) == 1


@pytest.mark.parametrize("state", ["submitted", "terkirim"])
def test_filters_by_state_follow_the_case(filed: Filed, state: str) -> None:
    filed.bring_to(state)
    for asked in ("submitted", "terkirim"):
        shown = inbox(filed.bench, "inspektur", Filters(state=asked))
        assert bool(shown) == (asked == state)


def test_overdue_cases_need_attention_in_any_state(filed: Filed) -> None:
    assert inbox(filed.bench, "inspektur", Filters(attention=())) == []
    filed.bench.clock.advance(days=30)
    assert inbox(filed.bench, "inspektur", Filters(attention=())) == [filed.case_id]
