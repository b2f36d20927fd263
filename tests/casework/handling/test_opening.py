"""An officer who opens a case leaves one leaf a day, and changes nothing else."""

import pytest
from sqlalchemy import text

from casework.audit.verify import verify
from casework.case import custody, past
from casework.case.tables import Case
from casework.errors import Denied, NotFound
from casework.handling import opening
from casework.handling.astray import astray
from casework.keys import roster
from casework.log import leaf
from casework.store.engine import Unavailable
from crypto import canonical
from tests.casework.cases import Filed, all_verified, file_report, leave, together


def note(filed: Filed, user: str) -> bool:
    with filed.bench.office.write() as uow:
        return opening.note(uow, filed.bench[user], filed.case_id)


def noted(filed: Filed, user: str) -> bool:
    with filed.bench.office.read() as uow:
        return opening.is_noted(uow, filed.bench[user], filed.case_id)


def openings(filed: Filed) -> list[tuple[str, str]]:
    names = {one.person_id: user for user, one in filed.bench.officers.items()}
    return [
        (names[one["actor"]], one["day"])
        for one in filed.leaves()
        if one["event"] == custody.OPENED
    ]


def test_one_leaf_for_each_officer_case_and_day(filed: Filed) -> None:
    other = file_report(filed.bench)
    assert [note(filed, "operator") for _ in range(3)] == [True, False, False]
    assert note(filed, "inspektur")
    assert note(other, "operator")
    filed.bench.clock.advance(days=1)
    assert not noted(filed, "operator")
    assert note(filed, "operator")
    assert openings(filed) == [
        ("operator", "2026-11-23"),
        ("inspektur", "2026-11-23"),
        ("operator", "2026-11-24"),
    ]
    assert openings(other) == [("operator", "2026-11-23")]


def test_it_says_that_nothing_was_written_or_moved_and_counts(filed: Filed) -> None:
    """The leaf is signed, in the chain of its case, and proven by the rules of custody."""
    note(filed, "operator")
    said = filed.leaves()[-1]
    assert (said["event"], said["items"], said["granted"], said["revoked"], said["objects"]) == (
        custody.OPENED, 0, [], [], [],
    )  # fmt: skip
    assert said["seq"] == 1
    with filed.bench.office.read() as uow:
        chain = roster.load(uow)
        case = uow.session.get_one(Case, filed.case_id)
        found = past.of(uow, case, chain)
        assert found.whole
        assert found.entries[-1].event == custody.OPENED
        assert found.doubts(case) == ()
        assert verify(uow).sound
        assert astray(uow) == []


def test_no_form_of_a_colleague_is_refused_because_of_it(filed: Filed) -> None:
    """The revision stays: what the operator looked at is still what is acted on."""
    revision = filed.revision()
    note(filed, "inspektur")
    assert filed.revision() == revision
    filed.do("operator", "accept")
    assert filed.state() == "terkirim"


def test_it_is_no_act_and_tells_the_reporter_nothing(filed: Filed) -> None:
    """Pieces, offers, flags and the reporter's page are as before."""
    filed.say("reporter", "Ada kabar?")
    before, box = filed.file("operator"), filed.mailbox()
    note(filed, "operator")
    note(filed, "inspektur")
    after = filed.file("operator")
    assert (after.pieces, after.flags, after.actions) == (
        before.pieces, before.flags, before.actions,
    )  # fmt: skip
    assert filed.mailbox().pieces == box.pieces
    assert filed.mailbox().actions == box.actions
    filed.bring_to("selesai")
    assert all_verified(filed.mailbox().pieces)
    assert all_verified(filed.file("inspektur").pieces)


def test_who_may_not_open_the_case_leaves_no_leaf(filed: Filed) -> None:
    before = len(filed.leaves())
    for user in ("verifikator", "irban", "tim", "pengawas", "admin"):
        with pytest.raises(NotFound):
            note(filed, user)
    leave(filed.bench, "operator")
    filed.bench.clock.advance(days=1)
    with pytest.raises(Denied):
        note(filed, "operator")
    with pytest.raises(Denied), filed.bench.office.write() as uow:
        opening.note(uow, filed.reporter, filed.case_id)
    assert len(filed.leaves()) == before


def test_a_row_that_somebody_planted_saves_nobody_from_leaving_a_leaf(filed: Filed) -> None:
    """An admin cannot make an officer's visit unseen by writing its leaf beforehand."""
    filed.tamper(
        "INSERT INTO leaf (number, hash, body, case_id, actor, event, day)"
        " SELECT max(number) + 1, zeroblob(32), '{}', :case, :actor, 'opened', '2026-11-23'"
        " FROM leaf",
        actor=filed.bench["operator"].person_id,
    )
    assert not noted(filed, "operator")
    copied = dict(filed.leaves()[0], event="opened", actor=filed.bench["operator"].person_id)
    body = canonical.encode(copied)
    filed.tamper(
        "UPDATE leaf SET body = :body, hash = :hash WHERE number = (SELECT max(number) FROM leaf)",
        body=body.decode(),
        hash=leaf.leaf_hash(body),
    )
    assert not noted(filed, "operator")


def test_looking_at_a_damaged_case_does_not_make_the_damage_last(filed: Filed) -> None:
    """While another submission stood there, somebody looked; put right, the case goes on."""
    filed.do("operator", "accept")
    query = "SELECT hash, body FROM leaf WHERE case_id = :case ORDER BY number LIMIT 1"
    true = filed.rows(query)[0]
    first = "number = (SELECT min(number) FROM leaf WHERE case_id = :case)"
    filed.tamper(f"UPDATE leaf SET hash = zeroblob(32) WHERE {first}")
    assert note(filed, "inspektur")
    assert not filed.offered("inspektur")
    filed.tamper(
        f"UPDATE leaf SET hash = :hash, body = :body WHERE {first}", hash=true[0], body=true[1]
    )
    assert filed.offered("verifikator")
    filed.do("verifikator", "verify")


def test_many_at_once_leave_one_leaf_each(filed: Filed) -> None:
    results = together(6, lambda n: note(filed, ("operator", "inspektur")[n % 2]))
    assert (results.count(True), results.count(False)) == (2, 4)
    assert sorted(user for user, _ in openings(filed)) == ["inspektur", "operator"]
    with filed.bench.office.read() as uow:
        assert verify(uow).sound


def test_where_nothing_can_be_written_it_is_unavailable(filed: Filed) -> None:
    """A database that is read-only (or full) means: no leaf."""
    with filed.bench.office.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")
    with pytest.raises(Unavailable):
        note(filed, "operator")
    with filed.bench.office.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=OFF")
    assert note(filed, "operator")


def test_todays_leaf_is_found_by_an_index(filed: Filed) -> None:
    with filed.bench.office.read() as uow:
        plan = uow.session.execute(
            text(
                "EXPLAIN QUERY PLAN SELECT * FROM leaf WHERE actor = 'a' AND event = 'opened'"
                " AND day = '2026-11-23' AND case_id = 'c'"
            )
        ).all()
    assert [row for row in plan if "SCAN" in row[3]] == []
