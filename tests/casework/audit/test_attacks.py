"""Whatever somebody does to the files of an instance, the audit names it, by the right word."""

import json
import secrets
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text, update

from casework.audit.findings import Kind, What
from casework.case.tables import Item, Part
from casework.keys import enrol
from casework.keys.tables import Person, RosterRow
from casework.log import checkpoints, erase, keys, tree
from casework.log import leaf as leaves
from casework.log.tables import CheckpointRow, Leaf, Padding
from casework.store.unit import UnitOfWork
from crypto import canonical
from crypto.checkpoint import Checkpoint
from crypto.note import Kind as KeyKind
from crypto.note import NoteSigner, SignedNote
from tests.casework.audit.instances import Everything, evidence, forget_case, write
from tests.casework.audit.test_written import MESSAGE
from tests.casework.cases import REPORTER, Filed, file_report, join, reopened
from tests.casework.log.trees import rebuild
from tests.casework.office import Bench, FakeClock


def outside(own: Everything, *names: str) -> list[object]:
    return [evidence(SignedNote.from_text(own.outside[name]), name) for name in names]


def found(own: Everything, *names: str) -> set[What]:
    return set(own.audit(*outside(own, *names)).numbers)  # type: ignore[arg-type]


def test_an_honest_instance_has_no_finding(own: Everything) -> None:
    """Files, messages, joining and leaving, recovery, erasing, new keys: nothing is wrong."""
    names = [name for name in own.outside if name != "receipt"]
    report = own.audit(*outside(own, *names), witnesses=(own.witness.key,))  # type: ignore[arg-type]
    assert report.findings == ()
    assert report.sound
    counts = report.counts
    assert counts.places == counts.leaves + counts.dummies
    assert min(counts.erased, counts.blobs, counts.deadlines, counts.grants, counts.items) > 0
    assert (counts.checkpoints, counts.keys, counts.outside) == (3, 3, len(names))
    assert report.vouched == {own.witness.key.name: 512}


def blob_of(own: Everything) -> Path:
    return min((own.bench.folder / "blobs").iterdir())


def test_a_changed_blob_is_named(own: Everything) -> None:
    path = blob_of(own)
    path.write_bytes(bytes(path.stat().st_size))
    assert found(own) == {What.BLOB_CHANGED}


def test_a_lost_blob_is_named_by_its_item(own: Everything) -> None:
    path = blob_of(own)
    path.unlink()
    (one,) = own.audit().findings
    assert one.what is What.BLOB_GONE
    assert path.name in one.name


def test_a_blob_without_a_row_is_a_notice(own: Everything) -> None:
    (own.bench.folder / "blobs" / ("f" * 32)).write_bytes(b"x")
    report = own.audit()
    assert [one.what for one in report.findings] == [What.BLOB_UNNAMED]
    assert report.sound


@pytest.mark.parametrize(
    ("swap", "what"),
    [("leaf", What.ITEM_MOVED), ("digest", What.ITEM_MOVED), ("sealed", What.TEXT_MOVED)],
)
def test_two_items_that_changed_places_are_reordered(
    own: Everything, swap: str, what: What
) -> None:
    with own.bench.office.write() as uow:
        first, second = uow.session.scalars(
            select(Item)
            .where(Item.case_id == own.closed.case_id, Item.kind == "message")
            .order_by(Item.leaf)
        )
        if swap == "sealed":
            one, two = (uow.session.get_one(Part, (item.id, 1)) for item in (first, second))
            one.sealed, two.sealed = two.sealed, one.sealed
        else:
            one_had, two_had = getattr(first, swap), getattr(second, swap)
            setattr(first, swap, two_had)
            setattr(second, swap, one_had)
    report = own.audit()
    assert report.numbers[what] == 2
    assert what.kind is Kind.REORDERED


def swap_leaves(own: Everything, number: int) -> None:
    write(
        own,
        f"UPDATE leaf SET number = -1 WHERE number = {number}",
        f"UPDATE leaf SET number = {number} WHERE number = {number + 1}",
        f"UPDATE leaf SET number = {number + 1} WHERE number = -1",
    )


def test_two_leaves_that_changed_places_are_reordered(own: Everything) -> None:
    """With the tree rebuilt, too: each names the one that it followed."""
    number = own.closed.scalar(f"SELECT {MESSAGE.replace(':closed', ':case')}")
    swap_leaves(own, number)
    assert own.audit().numbers[What.LEAF_MOVED] == 2
    with own.bench.office.write() as uow:
        rebuild(uow)
        resign(uow)
    assert {What.LINK_MOVED, What.LEAF_UNPROVEN} <= found(own)


def resign(uow: UnitOfWork) -> None:
    """Sign every published checkpoint anew, of the tree as it is now."""
    signer = keys.signer(uow)
    for row in checkpoints.rows(uow):
        made = Checkpoint(signer.key.name, row.size, tree.root(uow.session, row.size))
        row.signed = made.sign([signer]).to_text()


def cover(uow: UnitOfWork, numbers: list[int]) -> None:
    """Put dummies in the places of leaves, and make tree and checkpoints fit."""
    for number in numbers:
        uow.session.execute(delete(Leaf).where(Leaf.number == number))
        uow.session.add(Padding(first=number, count=1, seed=secrets.token_bytes(32)))
    rebuild(uow)
    resign(uow)


def numbers_of(filed: Filed) -> list[int]:
    query = "SELECT number FROM leaf WHERE case_id = :case ORDER BY number"
    return [int(row[0]) for row in filed.rows(query)]


def test_a_case_removed_with_its_leaves_is_missing(own: Everything) -> None:
    numbers = numbers_of(own.running)
    forget_case(own.bench, own.running)
    write(own, "DELETE FROM leaf WHERE case_id = :running")
    report = own.audit()
    assert {one.leaf for one in report.of(Kind.MISSING)} >= set(numbers)


def test_a_case_removed_from_a_tree_that_was_rebuilt_breaks_links(own: Everything) -> None:
    """Every leaf that followed one of the case names a hash that is nowhere."""
    numbers = numbers_of(own.running)
    forget_case(own.bench, own.running)
    with own.bench.office.write() as uow:
        cover(uow, numbers)
    seen = {What.LINK_GONE, What.CHECKPOINT_GONE}
    assert found(own) == seen, "and dummies are there without a checkpoint"
    assert found(own, "first") == {*seen, What.OUTSIDE_DIFFERS}


def test_dummies_that_grow_over_a_case_break_the_link_after_them(own: Everything) -> None:
    """The case was the last of its period; its places go to the run that followed, seed and all."""
    filed = file_report(own.bench)
    own.publish()
    own.running.say(REPORTER, "Masih menunggu.")
    assert found(own) == set()
    numbers = numbers_of(filed)
    first, count = numbers[0], len(numbers)
    assert numbers == list(range(first, first + count))
    forget_case(own.bench, filed)
    write(
        own,
        f"DELETE FROM leaf WHERE number >= {first} AND number < {first + count}",
        f"UPDATE padding SET first = {first}, count = count + {count}"
        f" WHERE first = {first + count}",
    )
    with own.bench.office.write() as uow:
        rebuild(uow)
        resign(uow)
    assert found(own) == {What.LINK_GONE}


def test_the_newest_leaf_is_missed_by_those_alone_who_saw_it(own: Everything) -> None:
    """Nothing follows it yet: only a checkpoint that left the machine tells."""
    number = numbers_of(own.running)[-1]
    write(
        own,
        f"DELETE FROM part WHERE item_id IN (SELECT id FROM item WHERE leaf = {number})",
        f"DELETE FROM item WHERE leaf = {number}",
        f"DELETE FROM leaf WHERE number = {number}",
    )
    with own.bench.office.write() as uow:
        rebuild(uow)
        resign(uow)
    assert found(own) == set()
    assert found(own, "third") == set()
    assert found(own, "now") == {What.OUTSIDE_BEYOND}


def rewrite(own: Everything, number: int, **changes: object) -> None:
    """Change what a leaf says, with hash, columns, tree and checkpoints; the signature stays."""
    with own.bench.office.write() as uow:
        row = uow.session.get_one(Leaf, number)
        body = canonical.encode(json.loads(row.body or "") | changes)
        row.body, row.hash = body.decode(), leaves.leaf_hash(body)
        rebuild(uow)
        resign(uow)


def test_a_status_and_its_leaf_changed_together_are_found(own: Everything) -> None:
    """The signature is the officer's, and the next leaf names the hash of what was there."""
    query = "SELECT number FROM leaf WHERE case_id = :case AND event = 'accept'"
    rewrite(own, own.closed.scalar(query), to="ditolak")
    write(own, "UPDATE \"case\" SET state = 'ditolak' WHERE id = :closed")
    report = own.audit()
    assert {What.LEAF_UNPROVEN, What.LINK_GONE, What.CASE_CHANGED} <= set(report.numbers)
    assert report.cases == {own.closed.case_id}


def yesterday(own: Everything, folder: Path) -> Bench:
    """The backup of yesterday, put back; its clock is right."""
    shutil.copytree(own.yesterday, folder)
    clock = FakeClock(own.bench.clock.now)
    office = reopened(replace(own.bench.office, clock=clock), folder)
    return Bench(office, clock, folder, dict(own.bench.officers), own.bench.mnemonics)


def test_a_backup_put_back_and_used_contradicts_todays_checkpoint(
    own: Everything, tmp_path: Path
) -> None:
    old = Everything(
        yesterday(own, tmp_path / "old"), own.closed, own.running, "", own.yesterday, own.outside
    )
    file_report(old.bench)
    old.publish()
    assert found(old) == set()
    assert found(old, "first") == set()
    assert found(old, "first", "second") == {What.OUTSIDE_DIFFERS}


def test_two_readers_of_a_fork_convict_the_log_together(own: Everything, tmp_path: Path) -> None:
    """Two trees of one size, both signed: with either instance, the other's reader is told."""
    other = own.copy(tmp_path / "other")
    told = []
    for one in (own, other):
        file_report(one.bench)
        told.append(one.sign_now())
    assert [set(own.audit(evidence(note)).numbers) for note in told] == [
        set(),
        {What.OUTSIDE_DIFFERS},
    ]
    third = own.copy(tmp_path / "third")
    assert set(third.audit(*map(evidence, told)).numbers) == {What.OUTSIDE_DIFFERS}


def test_a_checkpoint_of_another_key_is_forged(own: Everything) -> None:
    with own.bench.office.write() as uow:
        stranger = NoteSigner(keys.origin_of(uow.office.instance_id), KeyKind.LOG, bytes(32))
        row = uow.session.scalars(select(CheckpointRow).order_by(CheckpointRow.size)).first()
        assert row is not None
        made = Checkpoint(stranger.key.name, row.size, tree.root(uow.session, row.size))
        row.signed = made.sign([stranger]).to_text()
    assert found(own) == {What.CHECKPOINT_FORGED}


def test_a_checkpoint_of_a_key_that_was_retired_before_is_forged(own: Everything) -> None:
    """Whoever kept the secret signs the very tree that is here, and whoever reads it outside."""
    with own.bench.office.write() as uow:
        keys.rotate(uow, bytes(32))
    with own.bench.office.write() as uow:
        known = keys.rotate(uow, bytes(range(32)))
    size, note = known.handovers[-1].size, own.publish()
    retired = NoteSigner(known.in_force.name, KeyKind.LOG, bytes(32))
    with own.bench.office.write() as uow:
        outside = [
            Checkpoint(retired.key.name, one, tree.root(uow.session, one)).sign([retired])
            for one in (size, size + 1)
        ]
        row = checkpoints.rows(uow)[-1]
        row.signed = SignedNote(note.text, (retired.sign(note.text),)).to_text()
    assert found(own) == {What.CHECKPOINT_FORGED}
    given = [evidence(one, str(at)) for at, one in enumerate(outside)]
    told = [one.name for one in own.audit(*given).findings if one.what is What.OUTSIDE_KEY]
    assert told == ["1"], "a tree of the size of the hand-over may be signed by either"


def test_a_checkpoint_of_another_tree_differs(own: Everything) -> None:
    with own.bench.office.write() as uow:
        signer = keys.signer(uow)
        row = uow.session.scalars(select(CheckpointRow).order_by(CheckpointRow.size)).first()
        assert row is not None
        row.signed = Checkpoint(signer.key.name, row.size, bytes(32)).sign([signer]).to_text()
    assert found(own) == {What.CHECKPOINT_DIFFERS}


def test_a_checkpoint_of_a_larger_tree_is_missed(own: Everything) -> None:
    with own.bench.office.write() as uow:
        signer = keys.signer(uow)
        signed = Checkpoint(signer.key.name, 9999, bytes(32)).sign([signer]).to_text()
        uow.session.add(CheckpointRow(hour=9_999_999, size=9999, signed=signed))
    assert found(own) == {What.CHECKPOINT_BEYOND}


def test_a_clock_set_back_is_told_and_is_no_damage(own: Everything) -> None:
    own.bench.clock.now -= timedelta(days=1)
    file_report(own.bench)
    report = own.audit()
    assert [one.what for one in report.findings] == [What.CLOCK_BACK]
    assert report.sound


def test_an_officer_added_and_removed_again_leaves_a_trace(own: Everything) -> None:
    """Somebody with an approver's key lets an accomplice in for an hour."""
    join(own.bench, {"susupan": ("operator",)})
    with own.bench.office.write() as uow:
        last = uow.session.scalar(select(RosterRow.version).order_by(RosterRow.version.desc()))
        uow.session.execute(delete(RosterRow).where(RosterRow.version == last))
        uow.session.execute(
            text(
                "DELETE FROM wrap WHERE person IN"
                " (SELECT id FROM person WHERE username = 'susupan')"
            )
        )
        uow.session.execute(
            text(
                "DELETE FROM enrolment WHERE person IN"
                " (SELECT id FROM person WHERE username = 'susupan')"
            )
        )
        uow.session.execute(delete(Person).where(Person.username == "susupan"))
    assert found(own) == {What.ROSTER_GONE, What.OFFICER_GONE}


def test_an_entry_of_the_roster_without_its_leaf_is_added(own: Everything) -> None:
    with own.bench.office.write() as uow:
        number = leaves.next_number(uow)
        part = next(one for one in enrol.enrolled(uow) if one.handle == "tim")
        enrol.approve(uow, own.bench["inspektur"], [part.record(uow.today())], "tanpa catatan")
        uow.session.execute(delete(Leaf).where(Leaf.number == number))
        rebuild(uow)
    assert found(own) == {What.ROSTER_ADDED}


def test_a_key_of_the_log_without_its_leaf_is_added(own: Everything) -> None:
    with own.bench.office.write() as uow:
        number = leaves.next_number(uow)
        keys.rotate(uow, bytes(32))
        uow.session.execute(delete(Leaf).where(Leaf.number == number))
        rebuild(uow)
    assert found(own) == {What.LOG_KEY_ADDED}


def erase_as(own: Everything, username: str, numbers: list[int]) -> None:
    with own.bench.office.write() as uow:
        actor = own.bench[username]
        facts = {"leaves": numbers, "reason": "hapus"}
        draft = leaves.Draft(erase.EVENT, actor.person_id, facts=facts)
        leaves.append(uow, draft, actor.person.signing)
        uow.session.execute(update(Leaf).where(Leaf.number.in_(numbers)).values(body=None))


def test_only_the_guardian_erases(own: Everything) -> None:
    erase_as(own, "irban", numbers_of(own.running))
    assert {What.ERASURE_WRONG, What.BODY_GONE} <= found(own)


def test_a_former_guardian_cannot_date_an_erasure_back(own: Everything) -> None:
    """The place in the log decides, with the clock set back to the days of their term."""
    old = own.bench["inspektur"]
    join(own.bench, {"inspektur2": ("inspektur",)})
    own.bench.clock.advance(days=1)
    with own.bench.office.write() as uow:
        enrol.approve(uow, old, [], "SK", guardian=own.bench["inspektur2"].person_id)
    assert found(own) == set()
    own.bench.clock.advance(days=-1)
    erase_as(own, "inspektur", numbers_of(own.running))
    own.bench.clock.advance(days=1)
    assert {What.ERASURE_WRONG, What.BODY_GONE} <= found(own)


@pytest.mark.parametrize("order", [[2, 1], [1, 1], [9999], []])
def test_an_erasure_names_earlier_leaves_in_order(own: Everything, order: list[int]) -> None:
    erase_as(own, "inspektur", order)
    assert What.ERASURE_WRONG in found(own)


def test_the_leaves_of_no_case_are_never_erased(own: Everything) -> None:
    erase_as(own, "inspektur", [0])
    assert What.BODY_GONE in found(own)


def test_rows_of_an_erased_case_are_added(own: Everything) -> None:
    erase_as(own, "inspektur", numbers_of(own.running))
    assert found(own) == {What.ERASED_LEFT}


def test_a_message_said_after_all_this_is_fine(own: Everything) -> None:
    """What the audit finds is the attack, not that life goes on."""
    own.running.say(REPORTER, "Masih menunggu.")
    own.publish()
    assert found(own, "first", "second", "third", "now") == set()
