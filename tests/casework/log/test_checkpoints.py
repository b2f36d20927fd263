"""Checkpoints appear by a fixed clock and grow by a fixed number, whatever happened meanwhile."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import delete, update

from casework.log import checkpoints, keys, leaf, padding, seen, tree
from casework.log.checkpoints import CheckpointDamaged, Published
from casework.log.clock import Clock
from casework.log.seen import Contradiction
from casework.log.tables import Leaf, Node
from casework.log.tree import TreeDamaged
from casework.store.unit import UnitOfWork
from casework.tick import tick
from crypto import canonical, checkpoint, merkle
from crypto.checkpoint import Checkpoint
from crypto.errors import CryptoError, Tampered
from crypto.note import Kind, NoteSigner
from tests.casework.cases import reopened, together
from tests.casework.log.trees import rebuild
from tests.casework.office import Bench


def publish(bench: Bench) -> Published | None:
    with bench.office.write() as uow:
        return checkpoints.publish_due(uow)


def act(bench: Bench, times: int = 1) -> None:
    """Append leaves; how they came there makes no difference to the clock."""
    with bench.office.write() as uow:
        if times:
            leaf.append(uow, leaf.Draft("percobaan", leaf.SYSTEM))
            padding.fill(uow, tree.size(uow.session) + times - 1)


def sizes(bench: Bench) -> list[int]:
    with bench.office.read() as uow:
        return [row.size for row in checkpoints.rows(uow)]


def test_one_a_period_that_grows_by_the_same_with_or_without_news(bench: Bench) -> None:
    for acts in (0, 3, 250):
        act(bench, acts)
        assert publish(bench) is not None
        assert publish(bench) is None
        bench.clock.advance(hours=5, minutes=59)
        act(bench)
        bench.clock.advance(minutes=1)
    assert sizes(bench) == [256, 512, 768]


def test_periods_begin_at_fixed_hours_not_at_the_last_tick(bench: Bench) -> None:
    """The bench starts at 02.00 UTC, in the period from 00.00."""
    assert publish(bench) is not None
    bench.clock.advance(hours=3, minutes=59)
    assert publish(bench) is None
    bench.clock.advance(minutes=1)
    assert publish(bench) is not None


def test_what_is_published_is_signed_and_of_the_stored_tree(bench: Bench) -> None:
    act(bench, 3)
    done = publish(bench)
    assert done is not None
    with bench.office.read() as uow:
        known = keys.load(uow)
        assert checkpoint.of(done.note, [known.in_force]) == done.tree
        assert checkpoints.checked(uow, known) == done.tree
        assert done.tree.root == tree.root(uow.session, 256)
        newest = checkpoints.newest(uow)
    assert newest == done.note


def test_a_later_one_only_adds_to_the_one_before(bench: Bench) -> None:
    first = publish(bench)
    bench.clock.advance(hours=6)
    act(bench, 9)
    second = publish(bench)
    assert first is not None
    assert second is not None
    with bench.office.read() as uow:
        proof = tree.prove_consistency(uow.session, first.tree.size, second.tree.size)
    merkle.check_consistency(
        first.tree.size, second.tree.size, proof, first.tree.root, second.tree.root
    )


def test_more_acts_than_a_period_hides_are_told(bench: Bench) -> None:
    assert publish(bench) is not None
    bench.clock.advance(hours=6)
    act(bench, 257)
    done = publish(bench)
    assert done is not None
    assert (done.tree.size, done.outgrown) == (768, True)
    assert checkpoints.outgrown(bench.office.checkpoints, sizes(bench)) == 1


def test_exactly_as_many_as_a_period_hides_are_hidden(bench: Bench) -> None:
    assert publish(bench) is not None
    bench.clock.advance(hours=6)
    act(bench, 256)
    done = publish(bench)
    assert done is not None
    assert (done.tree.size, done.outgrown) == (512, False)


def test_larger_steps_by_the_settings(bench: Bench) -> None:
    bench.office = replace(bench.office, checkpoints=Clock(hours=1, leaves=512))
    assert publish(bench) is not None
    act(bench, 300)
    bench.clock.advance(hours=1)
    done = publish(bench)
    assert done is not None
    assert not done.outgrown
    assert sizes(bench) == [512, 1024]


def test_missed_periods_are_not_made_up(bench: Bench) -> None:
    assert publish(bench) is not None
    bench.clock.advance(days=10)
    assert publish(bench) is not None
    assert sizes(bench) == [256, 512]


def test_a_clock_that_was_set_back_publishes_nothing(bench: Bench) -> None:
    assert publish(bench) is not None
    bench.clock.advance(days=-3)
    assert publish(bench) is None
    bench.clock.advance(days=3)
    assert publish(bench) is None
    bench.clock.advance(hours=6)
    assert publish(bench) is not None
    assert sizes(bench) == [256, 512]


def test_what_a_receipt_carries_is_signed_and_kept_nowhere(bench: Bench) -> None:
    act(bench, 2)
    with bench.office.read() as uow:
        note = checkpoints.sign_now(uow)
        found = checkpoint.of(note, keys.load(uow).all)
        assert found.size == tree.size(uow.session) == 3
        assert checkpoints.newest(uow) is None


def test_two_at_once_publish_one(bench: Bench) -> None:
    """The server's own tick and a timer's, each with its own connection."""
    offices = [bench.office, reopened(replace(bench.office), bench.folder)]
    for _ in range(2):
        done = together(2, lambda one: publish(replace(bench, office=offices[one])))
        assert sorted(isinstance(one, Published) for one in done) == [False, True]
        assert None in done
        bench.clock.advance(hours=6)
    assert sizes(bench) == [256, 512]


def test_a_forged_checkpoint_or_another_tree_is_noticed(bench: Bench) -> None:
    assert publish(bench) is not None
    with bench.office.read() as uow:
        known = keys.load(uow)
        assert checkpoints.checked(uow, known) is not None
    with bench.office.write() as uow:
        uow.session.execute(update(Node).where(Node.level == 8).values(hash=bytes(32)))
        with pytest.raises(CryptoError):
            checkpoints.checked(uow, known)
        uow.session.execute(delete(Node).where(Node.level == 8))
        with pytest.raises(TreeDamaged):
            checkpoints.checked(uow, known)
        uow.session.rollback()
    with bench.office.write() as uow:
        (stored,) = checkpoints.rows(uow)
        stored.signed = stored.signed.replace("\n256\n", "\n255\n")
    with bench.office.read() as uow, pytest.raises(CryptoError):
        checkpoints.checked(uow, known)

    with bench.office.write() as uow:
        (stored,) = checkpoints.rows(uow)
        stored.signed = stored.signed.replace("\n255\n", "\n256\n")
        checkpoints.checked(uow, known)
        stored.size = 255
        uow.session.flush()
        with pytest.raises(Tampered):
            checkpoints.checked(uow, known)


RETIRED, NEXT = b"\x21" * 32, b"\x22" * 32


def handed_over(bench: Bench) -> tuple[NoteSigner, int]:
    """Return a key whose secret was kept when it was replaced, and the size of its hand-over."""
    with bench.office.write() as uow:
        keys.rotate(uow, RETIRED)
    with bench.office.write() as uow:
        padding.fill(uow, 300)
    with bench.office.write() as uow:
        known = keys.rotate(uow, NEXT)
    return NoteSigner(known.in_force.name, Kind.LOG, RETIRED), 300


def sign_newest(uow: UnitOfWork, signer: NoteSigner, size: int) -> None:
    """Put another checkpoint in the place of the one published last."""
    row = checkpoints.rows(uow)[-1]
    made = Checkpoint(signer.key.name, size, tree.root(uow.session, size))
    row.size, row.signed = size, made.sign([signer]).to_text()
    uow.session.flush()


def test_a_retired_key_counts_for_no_tree_larger_than_that_of_its_hand_over(bench: Bench) -> None:
    retired, size = handed_over(bench)
    assert publish(bench) is not None
    with bench.office.read() as uow:
        known, before = keys.load(uow), seen.now(uow)
    for larger, told in ((0, None), (1, Contradiction.FORGED), (212, Contradiction.FORGED)):
        with bench.office.write() as uow:
            sign_newest(uow, retired, size + larger)
            assert seen.contradiction(uow, before) is told
            if told is None:
                assert checkpoints.checked(uow, known) is not None
            else:
                with pytest.raises(Tampered):
                    checkpoints.checked(uow, known)
            sign_newest(uow, NoteSigner(retired.key.name, Kind.LOG, NEXT), size + larger)
            assert seen.contradiction(uow, before) is None


def _other_beginning(uow: UnitOfWork) -> None:
    """Another first leaf, and the nodes built to fit, by somebody without the key."""
    row = uow.session.get_one(Leaf, 0)
    body = canonical.encode({**(leaf.read(row) or {}), "salt": "0" * 32})
    row.body, row.hash = body.decode(), leaf.leaf_hash(body)
    rebuild(uow)


def _retired_key(uow: UnitOfWork) -> None:
    signer = NoteSigner(keys.origin_of(uow.office.instance_id), Kind.LOG, RETIRED)
    sign_newest(uow, signer, 512)


@pytest.mark.parametrize("attack", [_other_beginning, _retired_key])
def test_no_key_signs_what_contradicts_the_last_checkpoint(
    bench: Bench, attack: Callable[[UnitOfWork], None]
) -> None:
    """Else the next tick would sign the forgery for whoever lacks the key; it is told instead."""
    handed_over(bench)
    assert publish(bench) is not None
    with bench.office.write() as uow:
        attack(uow)
        size = tree.size(uow.session)
    bench.clock.advance(hours=6)
    for _ in range(2):
        with pytest.raises(CheckpointDamaged):
            tick(bench.office)
    assert sizes(bench) == [512]
    with bench.office.read() as uow:
        assert tree.size(uow.session) == size


@pytest.mark.parametrize(("hours", "other"), [(6, 12), (12, 6), (1, 24), (24, 1), (6, 5)])
def test_another_step_of_the_clock_goes_on_where_the_last_one_was(
    bench: Bench, hours: int, other: int
) -> None:
    """An admin may change `log.hours`: the next checkpoint is never later than one step."""
    for step in (hours, other, hours):
        bench.office = replace(bench.office, checkpoints=Clock(hours=step))
        before = len(sizes(bench))
        for _ in range(step):
            bench.clock.advance(hours=1)
            publish(bench)
        assert len(sizes(bench)) - before in {1, 2}
