"""Whose keys a case had before open nothing unseen, and a case that nobody can open is damaged."""

import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.orm import make_transient

from casework.audit.findings import Report, What
from casework.audit.verify import verify
from casework.case import grants
from casework.case.tables import Case, Grant
from casework.keys.vocabulary import RECOVERY
from casework.store.keystore import SHRED_KEYS
from tests.casework.audit.instances import Everything, write
from tests.casework.cases import Filed, file_report
from tests.casework.keys.recoveries import bring_in, decide, export, new_shares
from tests.casework.office import Bench

Kept = list[tuple[Grant, bytes]]


def audit(bench: Bench) -> Report:
    with bench.office.read() as uow:
        return verify(uow)


def kept(filed: Filed, holder: str) -> Kept:
    """The grants of a holder as they are now, without their outer layer."""
    with filed.bench.office.read() as uow:
        case = uow.session.get_one(Case, filed.case_id)
        key = uow.keystore.shred_key(case.id, case.shred_version)
        assert key is not None
        rows = uow.session.scalars(
            select(Grant).where(Grant.case_id == case.id, Grant.holder == holder)
        ).all()
        found = [(row, grants.unwrap(row, key)) for row in rows]
        for row in rows:
            make_transient(row)
    assert found
    return found


def put_back(filed: Filed, old: Kept) -> None:
    """Put old grants in the places of those that the holder has now, under the present key."""
    with filed.bench.office.write() as uow:
        case = uow.session.get_one(Case, filed.case_id)
        key = uow.keystore.shred_key(case.id, case.shred_version)
        assert key is not None
        for row, inner in old:
            uow.session.execute(
                delete(Grant).where(
                    Grant.case_id == case.id,
                    Grant.compartment == row.compartment,
                    Grant.holder == row.holder,
                    Grant.share == row.share,
                )
            )
            grants.wrap(row, inner, key)
            uow.session.add(row)


def resealed(bench: Bench) -> None:
    """Let the share holders put another recovery key in the place of theirs."""
    everything = export(bench, everything=True).file.to_bytes()
    decided = decide(bench, everything, replacement=new_shares().person)
    bring_in(bench, "inspektur", decided.to_bytes())


@pytest.fixture
def changed(bench: Bench) -> tuple[Filed, Kept]:
    """A case whose recovery key was changed, and the grants to the old one."""
    filed = file_report(bench).bring_to("terkirim")
    old = kept(filed, RECOVERY)
    resealed(bench)
    return filed, old


def test_a_changed_recovery_key_is_no_damage(changed: tuple[Filed, Kept]) -> None:
    """Nor is what is done under it, or a second change."""
    filed, _ = changed
    filed.do("verifikator", "verify")
    filed.do("irban", "analyse")
    file_report(filed.bench)
    assert audit(filed.bench).findings == ()


def test_grants_to_the_old_recovery_key_are_added(changed: tuple[Filed, Kept]) -> None:
    """They are of the same compartments and holder as those that should be there."""
    filed, old = changed
    put_back(filed, old)
    report = audit(filed.bench)
    assert dict(report.numbers) == {What.GRANT_ADDED: len(old)}
    assert {one.name for one in report.findings} == {
        f"{row.compartment}:{RECOVERY}:whole" for row, _ in old
    }


def test_the_next_act_does_not_wash_them_clean(changed: tuple[Filed, Kept]) -> None:
    """It removes them and names them as taken, but nothing can be taken from the recovery key."""
    filed, old = changed
    put_back(filed, old)
    filed.do("verifikator", "verify")
    assert dict(audit(filed.bench).numbers) == {What.GRANT_GONE: len(old)}


def test_a_grant_that_was_taken_is_told_of_once(bench: Bench) -> None:
    filed = file_report(bench)
    old = [one for one in kept(filed, bench["operator"].person_id) if one[0].share == "whole"]
    filed.bring_to("diteruskan")
    with bench.office.read() as uow:
        held = uow.session.scalars(
            select(Grant.compartment).where(
                Grant.case_id == filed.case_id, Grant.holder == bench["operator"].person_id
            )
        ).all()
    gone = [one for one in old if one[0].compartment not in held]
    assert gone
    put_back(filed, gone)
    assert dict(audit(bench).numbers) == {What.GRANT_ADDED: len(gone)}


def test_a_case_without_its_shred_key_is_damaged(own: Everything) -> None:
    with own.bench.office.keystore.engine.begin() as connection:
        connection.execute(delete(SHRED_KEYS).where(SHRED_KEYS.c.case_id == own.running.case_id))
    report = own.audit()
    assert [(one.what, one.case) for one in report.findings] == [
        (What.SHRED_KEY_GONE, own.running.case_id)
    ]
    assert not report.sound


def test_a_keystore_that_was_emptied_is_damage_of_every_case(own: Everything) -> None:
    with own.bench.office.keystore.engine.begin() as connection:
        connection.execute(text("DELETE FROM shred_key"))
    report = own.audit()
    assert dict(report.numbers) == {What.SHRED_KEY_GONE: report.counts.cases}


def test_a_case_that_names_another_shred_key_is_damaged(own: Everything) -> None:
    write(own, 'UPDATE "case" SET shred_version = 99 WHERE id = :closed')
    (one,) = own.audit().findings
    assert (one.what, one.case, one.name) == (What.SHRED_KEY_GONE, own.closed.case_id, "99")


def test_an_act_while_the_audit_runs_is_no_damage(own: Everything) -> None:
    """It replaces the key that the audit's snapshot names; the grants are not judged this time."""
    filed = file_report(own.bench)
    with own.bench.office.read() as uow:
        before = uow.session.scalar(select(Case.shred_version).where(Case.id == filed.case_id))
        filed.do("operator2", "accept")
        report = verify(uow)
    assert before is not None
    assert own.bench.office.keystore.shred_key(filed.case_id, before) is None
    assert report.sound
    assert {What.GRANTS_UNREAD} <= set(report.numbers)
    assert own.audit().findings == ()


def test_what_is_left_of_an_erased_case_in_the_keystore_is_told(own: Everything) -> None:
    own.bench.office.keystore.new_shred_key(own.erased, 3)
    (one,) = own.audit().findings
    assert (one.what, one.case) == (What.ERASED_LEFT, own.erased)
