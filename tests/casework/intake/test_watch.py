"""On every visit a reporter's mailbox compares the log with what they have seen of it before."""

import shutil
from collections.abc import Callable

import pytest
from sqlalchemy import delete, select, update

from casework.intake import mailbox
from casework.intake.watch import NotInLog, Watched
from casework.keys import confirmations, memory, restoration
from casework.keys.memory import Memory, Rollback, RolledBack
from casework.log import checkpoints, keys, leaf, tree
from casework.log.tables import CheckpointRow, Leaf, LogKeyRow, Node, Padding
from casework.store.engine import truncate_wal
from casework.store.unit import UnitOfWork
from crypto import canonical
from crypto.checkpoint import Checkpoint
from crypto.handover import Handover
from crypto.note import Kind, NoteSigner, SignedNote
from tests.casework.cases import Filed, file_report, reopened
from tests.casework.log.trees import rebuild
from tests.casework.office import Bench, sign_in

SEED = bytes(range(7, 39))


def publish(bench: Bench) -> int:
    """Let the fixed clock tick once; return the size that is published."""
    bench.clock.advance(hours=6)
    with bench.office.write() as uow:
        done = checkpoints.publish_due(uow)
    assert done is not None
    return done.tree.size


def keep_a_copy(bench: Bench) -> None:
    truncate_wal(bench.office.engine)
    shutil.copy(bench.folder / "suaka.db", bench.folder / "yesterday.db")


def put_back(bench: Bench) -> None:
    bench.office.engine.dispose()
    for name in ("suaka.db-wal", "suaka.db-shm"):
        (bench.folder / name).unlink(missing_ok=True)
    shutil.copy(bench.folder / "yesterday.db", bench.folder / "suaka.db")
    bench.office = reopened(bench.office, bench.folder)


def go_back(filed: Filed) -> None:
    """Put back a copy from before another report and a visit, which has seen more than it holds."""
    keep_a_copy(filed.bench)
    file_report(filed.bench)
    publish(filed.bench)
    filed.mailbox()
    put_back(filed.bench)


def confirm(bench: Bench) -> int:
    """Let the guardian say that a copy was put back; return the number of the leaf."""
    with bench.office.write() as uow:
        return restoration.confirm(uow, bench["inspektur"], "salinan semalam dipasang kembali")


def remembered(filed: Filed) -> Memory:
    with filed.bench.office.read() as uow:
        return memory.recall(uow, filed.reporter)


def test_a_report_leaves_its_reporter_with_all_that_was_there_before(filed: Filed) -> None:
    """The first visit is no leap of faith: what was seen is fixed in the moment of the report."""
    kept = remembered(filed)
    with filed.bench.office.read() as uow:
        assert kept.log_size == tree.size(uow.session) - 1
        assert kept.log_root == tree.root(uow.session, kept.log_size).hex()
        assert kept.log_key == keys.load(uow).in_force.to_text()
    assert filed.mailbox().watched == Watched(size=0, restored=None)


def test_what_is_remembered_moves_with_published_checkpoints_alone(filed: Filed) -> None:
    """So that it tells no visit more exactly than the public clock does."""
    before = remembered(filed)
    filed.do("operator", "accept")
    filed.mailbox()
    assert remembered(filed) == before
    size = publish(filed.bench)
    assert remembered(filed) == before
    assert filed.mailbox().watched.size == size
    kept = remembered(filed)
    assert kept.log_size == size
    filed.do("verifikator", "verify")
    filed.mailbox()
    assert remembered(filed) == kept


def test_a_look_within_an_act_remembers_nothing(filed: Filed) -> None:
    """What a transaction that may yet be undone has seen must not be remembered."""
    publish(filed.bench)
    before = remembered(filed)
    with filed.bench.office.write() as uow:
        assert mailbox.look(uow, filed.reporter).watched.size
    assert remembered(filed) == before


def test_a_log_that_goes_on_alarms_nobody(filed: Filed) -> None:
    for _ in range(3):
        publish(filed.bench)
        filed.mailbox()
        file_report(filed.bench)
        with filed.bench.office.write() as uow:
            keys.rotate(uow, bytes([len(keys.load(uow).all)]) * keys.SEED_SIZE)
        filed.mailbox()


def _rewrite(uow: UnitOfWork) -> None:
    """Another leaf in the place of one that was seen, and the tree built to fit."""
    body = leaf.read(uow.session.get_one(Leaf, 0)) or {}
    changed = canonical.encode({**body, "salt": "0" * 32})
    first = uow.session.get_one(Leaf, 0)
    first.body, first.hash = changed.decode(), leaf.leaf_hash(changed)
    rebuild(uow)


def _cut(uow: UnitOfWork) -> None:
    """The last day is gone, and with it the end of the tree."""
    size = tree.size(uow.session)
    uow.session.execute(delete(CheckpointRow))
    uow.session.execute(delete(Padding))
    uow.session.execute(delete(Leaf).where(Leaf.number == size - 1))
    last = select(Leaf.number).order_by(Leaf.number.desc()).limit(1).scalar_subquery()
    uow.session.execute(delete(Node).where(Node.position > last))
    rebuild(uow)


def _other_key(uow: UnitOfWork) -> None:
    """A key that the log's own key never handed over to."""
    signer = NoteSigner(keys.origin_of(uow.office.instance_id), Kind.LOG, SEED)
    uow.session.execute(
        update(LogKeyRow).values(
            vkey=signer.key.to_text(),
            handover=Handover(None, signer.key, 0).sign([signer]).to_text(),
        )
    )


def _forged(uow: UnitOfWork) -> None:
    """A published checkpoint of another tree, under the true key."""
    row = uow.session.scalars(select(CheckpointRow)).one()
    signing = keys.signer(uow)
    made = Checkpoint(signing.key.name, row.size, bytes(32))
    row.signed = made.sign([signing]).to_text()


def _unsigned(uow: UnitOfWork) -> None:
    """A published checkpoint of the true tree, under a stranger's key of the same name."""
    row = uow.session.scalars(select(CheckpointRow)).one()
    found = Checkpoint.from_text(SignedNote.from_text(row.signed).text)
    row.signed = found.sign([NoteSigner(found.origin, Kind.LOG, SEED)]).to_text()


def _node_gone(uow: UnitOfWork) -> None:
    uow.session.execute(delete(Node).where(Node.level == 8, Node.position == 0))


def _memory_gone(uow: UnitOfWork) -> None:
    with uow.keystore.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM keyring_memory")


ATTACKS: dict[Callable[[UnitOfWork], None], Rollback] = {
    _rewrite: Rollback.LOG_DIFFERS,
    _cut: Rollback.LOG_SHORTER,
    _other_key: Rollback.LOG_KEY_DIFFERS,
    _forged: Rollback.CHECKPOINT_FORGED,
    _unsigned: Rollback.CHECKPOINT_FORGED,
    _node_gone: Rollback.LOG_DIFFERS,
    _memory_gone: Rollback.MEMORY_MISSING,
}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__.strip("_"))
def test_every_contradiction_stops_the_mailbox_by_name(
    filed: Filed, attack: Callable[[UnitOfWork], None]
) -> None:
    file_report(filed.bench)
    publish(filed.bench)
    filed.mailbox()
    kept = remembered(filed)
    with filed.bench.office.write() as uow:
        attack(uow)
    for visit in (filed.mailbox, lambda: filed.say("reporter", "halo")):
        with pytest.raises(RolledBack) as stopped:
            visit()
        assert stopped.value.reason is ATTACKS[attack]
    if attack is not _memory_gone:
        assert remembered(filed) == kept, "a stop must not be forgotten"


def test_a_submission_that_the_tree_does_not_hold_stops_the_mailbox(filed: Filed) -> None:
    """Also for who remembers nothing of the time since: the tree was exchanged with the rows."""
    number = filed.scalar("SELECT min(number) FROM leaf WHERE case_id = :case")
    filed.tamper("UPDATE leaf SET hash = zeroblob(32) WHERE number = :n", n=number)
    with pytest.raises((NotInLog, RolledBack)):
        filed.mailbox()


def test_yesterdays_database_put_back_and_gone_on_from_is_noticed(filed: Filed) -> None:
    bench = filed.bench
    keep_a_copy(bench)
    file_report(bench)
    publish(bench)
    filed.mailbox()
    put_back(bench)
    with pytest.raises(RolledBack) as stopped:
        filed.mailbox()
    assert stopped.value.reason is Rollback.LOG_SHORTER
    for _ in range(3):
        file_report(bench)
        publish(bench)
    with pytest.raises(RolledBack) as stopped:
        filed.mailbox()
    assert stopped.value.reason is Rollback.LOG_DIFFERS


def length_kept(filed: Filed) -> int:
    kept = filed.bench.office.keystore.memory(filed.reporter.person_id)
    assert kept is not None
    return sum(map(len, kept))


def test_the_length_of_what_is_kept_does_not_tell_who_came_back(filed: Filed) -> None:
    """A keystore names people in the clear: one copy of it must not tell their visits."""
    bench, first, length = filed.bench, remembered(filed), length_kept(filed)
    publish(bench)
    filed.mailbox()
    assert len(str(remembered(filed).log_size)) > len(str(first.log_size))
    assert length_kept(filed) == length
    go_back(filed)
    confirm(bench)
    assert filed.mailbox().watched.restored is not None
    assert len(remembered(filed).confirmed) > len(first.confirmed)
    assert length_kept(filed) == length


def test_nobody_but_the_guardian_makes_it_longer(filed: Filed) -> None:
    """Whoever writes the database could else mark, by invented words, who comes back after."""
    length = length_kept(filed)
    for _ in range(20):
        with filed.bench.office.write() as uow:
            leaf.append(uow, leaf.Draft(confirmations.EVENT, leaf.SYSTEM))
    publish(filed.bench)
    filed.mailbox()
    assert length_kept(filed) == length


def test_two_visits_at_once_are_no_contradiction(filed: Filed) -> None:
    """One opens its view of the log before a checkpoint is published, the other after."""
    with filed.bench.office.read() as early:
        tree.size(early.session)
        publish(filed.bench)
        filed.mailbox()
        assert mailbox.read(early, filed.reporter).watched.restored is None


@pytest.mark.parametrize("days", [0, 3])
def test_a_restore_that_the_guardian_confirmed_is_told_once(filed: Filed, days: int) -> None:
    """On the day on which the reporter was there last, or later."""
    bench = filed.bench
    go_back(filed)
    bench.clock.advance(days=days)
    with bench.office.read() as uow:
        day = uow.today()
    confirm(bench)
    sign_in(bench.office, "inspektur")
    assert filed.mailbox().watched.restored == day
    assert filed.mailbox().watched.restored is None


def use_a_word(bench: Bench, age: int, *, hidden: bool = True) -> Filed:
    """Hide a word of the guardian's while somebody reports and visits; then put a copy back."""
    number = confirm(bench)
    bench.clock.advance(days=age)
    event = update(Leaf).where(Leaf.number == number)
    with bench.office.write() as uow:
        uow.session.execute(event.values(event="x" if hidden else confirmations.EVENT))
    filed = file_report(bench)
    go_back(filed)
    with bench.office.write() as uow:
        uow.session.execute(event.values(event=confirmations.EVENT))
    return filed


@pytest.mark.parametrize("age", [1, 31])
def test_an_old_word_that_was_hidden_for_a_while_explains_nothing(bench: Bench, age: int) -> None:
    """Its signed day is before the one on which the memory was written."""
    filed = use_a_word(bench, age)
    with pytest.raises(RolledBack) as stopped:
        filed.mailbox()
    assert stopped.value.reason is Rollback.LOG_SHORTER


def test_one_of_the_same_day_that_was_seen_explains_nothing(bench: Bench) -> None:
    filed = use_a_word(bench, age=0, hidden=False)
    with pytest.raises(RolledBack) as stopped:
        filed.mailbox()
    assert stopped.value.reason is Rollback.LOG_SHORTER


def test_one_of_the_same_day_that_was_hidden_still_does(bench: Bench) -> None:
    """The stated limit, kept as a test so that the documents stay honest about it."""
    assert use_a_word(bench, age=0).mailbox().watched.restored is not None


def test_no_memory_is_anybody_elses(filed: Filed) -> None:
    """A memory in the place of another reporter's is a forgery."""
    other = file_report(filed.bench)
    with filed.bench.office.read() as uow:
        kept = uow.keystore.memory(other.reporter.person_id)
        assert kept is not None
        uow.keystore.remember(filed.reporter.person_id, *kept)
    with pytest.raises(RolledBack) as stopped:
        filed.mailbox()
    assert stopped.value.reason is Rollback.MEMORY_FORGED
