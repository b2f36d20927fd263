"""The shred key: replaced with every change of grants; without it no grant opens."""

from pathlib import Path

import pytest
from pysqlite3 import dbapi2
from sqlalchemy import select

from casework.case import grants
from casework.case.keyring import CaseDamaged, Keyring
from casework.case.tables import Case, Grant
from casework.errors import Denied
from casework.keys import roster
from crypto.errors import CryptoError, Tampered
from tests.casework.cases import Filed, all_verified, file_report, way
from tests.casework.office import Bench


def version(filed: Filed) -> int:
    return int(filed.scalar('SELECT shred_version FROM "case" WHERE id = :case'))


def stored_keys(filed: Filed) -> dict[int, bytes]:
    with dbapi2.connect(str(filed.bench.folder / "keystore.db")) as raw:
        rows = raw.execute(
            "SELECT version, key FROM shred_key WHERE case_id = ?", (filed.case_id,)
        ).fetchall()
    return {row[0]: bytes(row[1]) for row in rows}


def rows_of(filed: Filed) -> list[Grant]:
    with filed.bench.office.read() as uow:
        rows = grants.rows_of(uow.session, filed.case_id)
        for row in rows:
            uow.session.expunge(row)
    return rows


def test_the_shred_key_changes_exactly_with_the_grants(filed: Filed) -> None:
    """After each act: one key in the keystore, a new one if and only if the set changed."""
    for user, transition in [*way("selesai"), ("reporter", "rate")]:
        before = ({row.id for row in rows_of(filed)}, stored_keys(filed))
        filed.do(user, transition)
        after = ({row.id for row in rows_of(filed)}, stored_keys(filed))
        assert set(after[1]) == {version(filed)}
        assert (before[0] == after[0]) == (before[1] == after[1])
        filed.say("reporter", "pesan")
        assert stored_keys(filed) == after[1]


def test_taking_keys_alone_changes_the_shred_key_too(filed: Filed) -> None:
    """A second rejection gives nothing to anybody new, and still locks the verifikator out."""
    filed.bring_to("ditolak")
    filed.do("reporter", "request_review")
    filed.do("inspektur", "reopen")
    before = stored_keys(filed)
    filed.do("verifikator", "reject_verified")
    assert filed.leaves()[-1]["granted"] == []
    assert "verifikator" not in filed.holders()["content"]
    assert set(stored_keys(filed).values()).isdisjoint(before.values())


def test_an_old_copy_of_a_grant_opens_nothing_under_the_new_key(filed: Filed) -> None:
    """The operator's grant, kept in an old backup, is worthless once the case has moved on."""
    bench = filed.bench
    operator = bench["operator"]
    old = next(
        row
        for row in rows_of(filed)
        if (row.holder, row.compartment) == (operator.person_id, "content")
    )
    old_key = stored_keys(filed)[1]
    with bench.office.read() as uow:
        case = uow.session.get(Case, filed.case_id)
        assert case is not None
        verify = Keyring(uow, case, operator, roster.load(uow)).judge().granter_key(old)
        instance = bench.office.instance_id
        assert grants.open_grant(instance, old, old_key, operator, verify)
        filed.do("operator", "accept")
        new_key = stored_keys(filed)[2]
        with pytest.raises(Tampered):
            grants.open_grant(instance, old, new_key, operator, verify)
    raw = (bench.folder / "keystore.db").read_bytes()
    assert old_key not in raw.replace(new_key, b"")


def test_shredding_makes_every_grant_unreadable(bench: Bench) -> None:
    """For everyone, the reporter and recovery included; other cases are untouched."""
    filed, other = file_report(bench).bring_to("terkirim"), file_report(bench)
    key = stored_keys(filed)[version(filed)]
    bench.office.keystore.shred(filed.case_id)
    assert stored_keys(filed) == {}
    assert key not in (bench.folder / "keystore.db").read_bytes()
    assert key not in wal(bench.folder / "keystore.db-wal")
    for user in ("verifikator", "inspektur"):
        assert not any(piece.body for piece in filed.file(user).pieces)
        with pytest.raises(CaseDamaged):
            filed.say(user, "masih bisa?")
    assert not any(piece.body for piece in filed.mailbox().pieces)
    assert all_verified(other.mailbox().pieces)
    with pytest.raises(CaseDamaged):
        filed.do("verifikator", "verify")
    assert filed.state() == "terkirim"


def wal(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def test_a_grant_is_nobody_elses(filed: Filed) -> None:
    bench = filed.bench
    row = next(row for row in rows_of(filed) if row.holder == bench["operator"].person_id)
    key = stored_keys(filed)[1]
    with pytest.raises(Denied):
        grants.open_grant(bench.office.instance_id, row, key, bench["admin"], b"")


@pytest.mark.parametrize(
    "change",
    [
        {"compartment": "identity"},
        {"share": "a"},
        {"roster_version": 2},
        {"case_id": "f" * 32},
        {"id": "f" * 32},
        {"granter": "f" * 32},
        {"signature": bytes(65)},
        {"sealed": bytes(99)},
        {"sealed": b""},
    ],
)
def test_every_column_of_a_grant_is_bound(filed: Filed, change: dict[str, object]) -> None:
    """No column can be exchanged for another value."""
    bench = filed.bench
    operator = bench["operator"]
    key = stored_keys(filed)[1]
    with bench.office.read() as uow:
        case = uow.session.get(Case, filed.case_id)
        assert case is not None
        keyring = Keyring(uow, case, operator, roster.load(uow))
        row = uow.session.scalar(
            select(Grant).where(Grant.case_id == filed.case_id, Grant.holder == operator.person_id)
        )
        assert row is not None
        uow.session.expunge(row)
        for name, value in change.items():
            setattr(row, name, value)
        with pytest.raises(CryptoError):
            grants.open_grant(
                bench.office.instance_id, row, key, operator, keyring.judge().granter_key(row)
            )


def test_recovery_is_in_every_set_but_the_mailbox(filed: Filed) -> None:
    filed.bring_to("selesai")
    for compartment, holders in filed.holders().items():
        assert ("recovery" in holders) == (compartment != "mailbox")


def test_a_damaged_grant_stops_a_rotation_before_it_starts(filed: Filed) -> None:
    """Nothing is lost by it: the act is refused, and state and key stay."""
    filed.tamper(
        'UPDATE "grant" SET sealed = zeroblob(99) WHERE case_id = :case AND holder = :recovery',
        recovery="0" * 32,
    )
    with pytest.raises(CaseDamaged):
        filed.do("operator", "accept")
    assert (filed.state(), version(filed)) == ("submitted", 1)
    assert all_verified(filed.file("operator").pieces)
