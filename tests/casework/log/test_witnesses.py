"""What a witness is asked, which of its lines count, and who is current, behind or silent."""

from dataclasses import replace

import pytest

from casework.errors import NotFound
from casework.log import checkpoints, keys, padding, witnesses
from casework.log.witnesses import Witness
from crypto import checkpoint
from crypto.errors import LimitExceeded, Malformed, Tampered
from crypto.note import Kind, NoteSigner, SignedNote
from crypto.witness_request import MAX_SIZE, AddCheckpoint
from tests.casework.log.panel import keeper_of, standing, stranger, witnessed_by
from tests.casework.office import Bench
from witness.keeper import Keeper
from witness.refusals import NotSigned


def publish(bench: Bench) -> int:
    with bench.office.write() as uow:
        done = checkpoints.publish_due(uow)
    assert done is not None
    return done.tree.size


def ask(bench: Bench, one: Witness, old: int | None = None) -> AddCheckpoint | None:
    with bench.office.read() as uow:
        return witnesses.request(uow, one, old)


def accept(bench: Bench, answer: str | bytes) -> int:
    raw = answer if isinstance(answer, bytes) else answer.encode()
    with bench.office.write() as uow:
        return witnesses.accept(uow, raw)


def newest(bench: Bench) -> SignedNote:
    with bench.office.read() as uow:
        found = checkpoints.newest(uow)
    assert found is not None
    return found


def signed(bench: Bench, keeper: Keeper) -> str:
    """The line of a witness for the newest checkpoint; it must have agreed."""
    found = ask(bench, Witness(keeper.key))
    assert found is not None
    return keeper.add(found, int(bench.clock().timestamp()))


def test_a_witness_sees_the_log_grow_and_signs(bench: Bench) -> None:
    """A round by file: each request begins where the witness left off, as far as is known here."""
    keeper = keeper_of(bench, "saksi.example")
    one = Witness(keeper.key)
    witnessed_by(bench, None, one)
    with pytest.raises(NotFound):
        ask(bench, one)
    for size, old in ((256, 0), (512, 256)):
        assert publish(bench) == size
        found = ask(bench, one)
        assert found is not None
        assert found.old == old
        assert accept(bench, keeper.add(found, int(bench.clock().timestamp()))) == size
        assert ask(bench, one) is None
        (seen,) = standing(bench).witnesses
        assert (seen.size, seen.moment, seen.current) == (size, bench.clock(), True)
        bench.clock.advance(hours=6)


def test_a_witness_is_shown_the_logs_own_lines_alone(bench: Bench) -> None:
    """Who else has signed is nothing that it needs, and what they wrote none of our words."""
    first, second = (keeper_of(bench, name) for name in ("satu.example", "dua.example"))
    witnessed_by(bench, None, Witness(first.key), Witness(second.key))
    publish(bench)
    accept(bench, signed(bench, first))
    found = ask(bench, Witness(second.key))
    assert found is not None
    assert len(newest(bench).signatures) == 2
    assert len(found.signed.signatures) == 1


def test_after_a_rotation_it_is_asked_with_the_new_key_and_follows_the_hand_over(
    bench: Bench,
) -> None:
    keeper = keeper_of(bench, "saksi.example")
    witnessed_by(bench, None, Witness(keeper.key))
    publish(bench)
    accept(bench, signed(bench, keeper))
    with bench.office.write() as uow:
        keys.rotate(uow, bytes(range(5, 37)))
    bench.clock.advance(hours=6)
    publish(bench)
    with pytest.raises(NotSigned):
        signed(bench, keeper)
    with bench.office.read() as uow:
        keeper.follow(keys.handovers(uow)[-1])
    assert accept(bench, signed(bench, keeper)) == 512


def test_a_newer_line_takes_the_place_of_an_older_one(bench: Bench) -> None:
    keeper = keeper_of(bench, "saksi.example")
    witnessed_by(bench, None, Witness(keeper.key))
    publish(bench)
    accept(bench, signed(bench, keeper))
    for _ in range(3):
        bench.clock.advance(hours=1)
        again = ask(bench, Witness(keeper.key), old=256)
        assert again is not None
        accept(bench, keeper.add(again, int(bench.clock().timestamp())))
    assert len(newest(bench).signatures) == 2
    assert standing(bench).witnesses[0].moment == bench.clock()
    with bench.office.read() as uow:
        assert checkpoints.checked(uow, keys.load(uow)) is not None


def test_an_answer_by_file_fits_an_older_checkpoint_too(bench: Bench) -> None:
    keeper = keeper_of(bench, "saksi.example")
    witnessed_by(bench, None, Witness(keeper.key))
    publish(bench)
    line = signed(bench, keeper)
    bench.clock.advance(hours=6)
    publish(bench)
    assert accept(bench, line) == 256
    (seen,) = standing(bench).witnesses
    assert (seen.size, seen.current, seen.silent) == (256, False, False)


def test_lines_that_do_not_count_are_dropped_and_alone_refused(bench: Bench) -> None:
    keeper = keeper_of(bench, "saksi.example")
    witnessed_by(bench, None, Witness(keeper.key))
    publish(bench)
    line, text = signed(bench, keeper), newest(bench).text
    log = bench.office.log_key.first()
    foreign = stranger().sign(text, 1).to_line()
    in_its_name = NoteSigner("saksi.example", Kind.WITNESS, bytes(32)).sign(text, 1).to_line()
    other = text.replace("256", "255")
    for answer in (
        foreign,
        in_its_name,
        log.sign(text).to_line(),
        stranger("saksi.example").sign(text, 1).to_line(),
        line.replace("saksi.example", "saksi2.example"),
        line[:-6] + ("AAAA=\n" if not line.endswith("AAAA=\n") else "BBBB=\n"),
        keeper._signer.sign(other, 1).to_line(),
    ):
        with pytest.raises((Tampered, Malformed)):
            accept(bench, answer)
    assert len(newest(bench).signatures) == 1
    accept(bench, foreign + line + in_its_name)
    assert [one.name for one in newest(bench).signatures] == [log.key.name, "saksi.example"]


@pytest.mark.parametrize(
    "answer", [b"", b"\n", b"surat", b"surat\n", b"\xff\n", b"\xe2\x80\x94 a\n"]
)
def test_what_is_no_answer_is_refused(bench: Bench, answer: bytes) -> None:
    witnessed_by(bench, None, Witness(stranger().key))
    publish(bench)
    with pytest.raises(Malformed):
        accept(bench, answer)


def test_what_is_too_large_is_refused(bench: Bench) -> None:
    witnessed_by(bench, None, Witness(stranger().key))
    publish(bench)
    line = stranger("x.example").sign(newest(bench).text, 1).to_line()
    for answer in (line * 101, "x" * (MAX_SIZE + 1)):
        with pytest.raises(LimitExceeded):
            accept(bench, answer)


def test_a_witness_that_has_seen_more_than_there_is_cannot_be_asked(bench: Bench) -> None:
    """As after an old copy was put back: no proof leads from a larger tree to a smaller one."""
    publish(bench)
    with pytest.raises(Malformed):
        ask(bench, Witness(stranger().key), old=257)


def test_who_is_silent(bench: Bench) -> None:
    """Two days over the network, fourteen by file; and who never signed has not fallen silent."""
    asked, by_file, never = (keeper_of(bench, f"{name}.example") for name in ("a", "b", "c"))
    known = (
        Witness(asked.key, "https://a.example"),
        Witness(by_file.key),
        Witness(never.key),
    )
    witnessed_by(bench, None, *known)
    assert standing(bench).witnessed is False
    publish(bench)
    for keeper in (asked, by_file):
        accept(bench, signed(bench, keeper))

    def silent() -> list[str]:
        return [one.name for one in standing(bench).silent]

    found = standing(bench)
    assert (found.cosigned, found.witnessed, found.size) == (2, True, 256)
    assert silent() == []
    bench.clock.advance(days=2)
    assert silent() == []
    bench.clock.advance(seconds=1)
    assert silent() == ["a.example"]
    bench.clock.advance(days=12)
    assert silent() == ["a.example", "b.example"]
    assert [one.name for one in standing(bench).never] == ["c.example"]


DAY = 24 * 3600


@pytest.mark.parametrize(
    "ahead", [None, DAY + 1, 1_800_000_000_000, 2**63 - 1], ids=["0", "day", "milliseconds", "max"]
)
def test_a_time_that_cannot_be_is_no_signature(bench: Bench, ahead: int | None) -> None:
    """Neither in an answer, nor where a row holds one already, and it hides no good one."""
    keeper = keeper_of(bench, "saksi.example")
    one = Witness(keeper.key, "https://saksi.example")
    witnessed_by(bench, None, one)
    publish(bench)
    accept(bench, signed(bench, keeper))
    bench.clock.advance(hours=6)
    publish(bench)
    now = int(bench.clock().timestamp())
    moment = 0 if ahead is None else min(now + ahead, 2**63 - 1)
    line = keeper._signer.sign(newest(bench).text, moment).to_line()
    with pytest.raises(Tampered):
        accept(bench, line)
    assert len(newest(bench).signatures) == 1
    with bench.office.write() as uow:
        checkpoints.rows(uow)[-1].signed += line
    (seen,) = standing(bench).witnesses
    assert (seen.size, seen.current) == (256, False)
    with bench.office.read() as uow:
        assert witnesses.names(uow, newest(bench)) == ()
    found = ask(bench, one)
    assert found is not None
    assert found.old == 256
    bench.clock.advance(days=3)
    (seen,) = standing(bench).witnesses
    # By now a day ahead is two days ago: it counts, as one that was signed then.
    assert seen.silent == (ahead != DAY + 1)
    accept(bench, keeper.add(found, int(bench.clock().timestamp())))
    (seen,) = standing(bench).witnesses
    assert (seen.size, seen.moment, seen.silent) == (512, bench.clock(), False)


def test_a_clock_that_is_a_day_ahead_still_counts_and_falls_silent(bench: Bench) -> None:
    keeper = keeper_of(bench, "saksi.example")
    witnessed_by(bench, None, Witness(keeper.key, "https://saksi.example"))
    publish(bench)
    moment = int(bench.clock().timestamp()) + DAY
    accept(bench, keeper._signer.sign(newest(bench).text, moment).to_line())
    bench.clock.advance(days=3)
    assert not standing(bench).silent
    bench.clock.advance(seconds=1)
    assert [one.name for one in standing(bench).silent] == ["saksi.example"]


def test_one_bad_time_drops_that_line_alone(bench: Bench) -> None:
    good, bad = (keeper_of(bench, name) for name in ("satu.example", "dua.example"))
    witnessed_by(bench, None, Witness(good.key), Witness(bad.key))
    publish(bench)
    text, now = newest(bench).text, int(bench.clock().timestamp())
    early = bad._signer.sign(text, now * 1000).to_line()
    accept(bench, early + good._signer.sign(text, now).to_line())
    assert [one.current for one in standing(bench).witnesses] == [True, False]
    assert len(newest(bench).signatures) == 2


def test_a_line_that_the_database_claims_is_verified(bench: Bench) -> None:
    """Whoever writes the database can make no witness appear to have signed."""
    keeper = keeper_of(bench, "saksi.example")
    witnessed_by(bench, None, Witness(keeper.key))
    publish(bench)
    line = signed(bench, keeper)
    with bench.office.write() as uow:
        (row,) = checkpoints.rows(uow)
        row.signed += line
    assert standing(bench).witnessed
    with bench.office.write() as uow:
        (row,) = checkpoints.rows(uow)
        row.signed = row.signed.replace("\n256\n", "\n512\n")
        padding.fill(uow, 512)
    assert not standing(bench).witnessed


def test_only_configured_witnesses_stand_there(bench: Bench) -> None:
    keeper = keeper_of(bench, "saksi.example")
    witnessed_by(bench, None, Witness(keeper.key))
    publish(bench)
    accept(bench, signed(bench, keeper))
    bench.office = replace(bench.office, witnesses=())
    assert standing(bench).witnesses == ()
    assert not standing(bench).witnessed
    with pytest.raises(Tampered):
        accept(bench, keeper._signer.sign(newest(bench).text, 1).to_line())
    assert checkpoint.Checkpoint.from_text(newest(bench).text).size == 256
