"""Witnesses that are asked over a network: each by itself, whatever the others do or answer."""

from collections.abc import Iterator
from contextlib import ExitStack
from threading import Barrier

import pytest
from litestar.testing import TestClient

from casework.errors import Untrustworthy
from casework.log import asking, checkpoints, keys, padding
from casework.log.asking import Answer, Outcome
from casework.log.witnesses import Witness
from crypto.witness_request import MAX_SIZE, AddCheckpoint
from tests.casework.log.panel import (
    Panel,
    Reply,
    dead,
    honest,
    keeper_of,
    says,
    standing,
    stranger,
    witnessed_by,
)
from tests.casework.office import Bench
from witness import server
from witness.keeper import Keeper

HERE, THERE = "https://satu.example", "https://dua.example/saksi"
SIGNED, NOTHING, UNREACHABLE, STRANGE, UNKNOWN, FORKED = Outcome


@pytest.fixture
def panel() -> Panel:
    return Panel()


@pytest.fixture
def keeper(bench: Bench, panel: Panel) -> Keeper:
    """An honest witness at an address."""
    made = keeper_of(bench, "satu.example")
    panel.replies[HERE] = honest(made, bench)
    witnessed_by(bench, panel, Witness(made.key, HERE))
    return made


def publish(bench: Bench) -> None:
    with bench.office.write() as uow:
        assert checkpoints.publish_due(uow) is not None


def ask_all(bench: Bench) -> list[Outcome]:
    """What came of asking each witness, in their order."""
    found = asking.ask_all(bench.office)
    assert list(found) == [one.key.name for one in bench.office.witnesses if one.url][: len(found)]
    return list(found.values())


def roll_back(bench: Bench) -> None:
    """Forget what was published, as when an old copy is put back, and go on from there."""
    with bench.office.write() as uow:
        connection = uow.session.connection()
        for name in ("checkpoint", "padding"):
            connection.exec_driver_sql(f"DELETE FROM {name}")
        connection.exec_driver_sql(
            "DELETE FROM tree_node WHERE position >= (SELECT count(*) FROM leaf) >> level"
        )


def current(bench: Bench) -> list[bool]:
    return [one.current for one in standing(bench).witnesses]


def test_one_that_signed_is_not_asked_again_before_the_next_checkpoint(
    bench: Bench, panel: Panel, keeper: Keeper
) -> None:
    assert ask_all(bench) == [NOTHING]
    assert panel.asked == []
    for expected in ([0], [0, 256]):
        publish(bench)
        assert ask_all(bench) == [SIGNED]
        assert ask_all(bench) == [NOTHING]
        assert panel.olds() == expected
        assert current(bench) == [True]
        bench.clock.advance(hours=6)
    assert keeper.latest(panel.asked[0][1].signed.text.split("\n", 1)[0]) is not None


def test_without_addresses_or_a_way_nobody_is_asked(bench: Bench, panel: Panel) -> None:
    made = keeper_of(bench, "satu.example")
    publish(bench)
    assert asking.ask_all(witnessed_by(bench, panel, Witness(made.key))) == {}
    assert asking.ask_all(witnessed_by(bench, None, Witness(made.key, HERE))) == {}
    assert panel.asked == []


@pytest.mark.usefixtures("keeper")
def test_one_that_knows_more_than_we_do_says_where_to_begin(bench: Bench, panel: Panel) -> None:
    """Its answer was lost on the way; or it was asked by file in between."""
    publish(bench)
    reply = panel.replies[HERE]

    def lost(body: bytes) -> Answer:
        reply(body)
        return dead(body)

    panel.replies[HERE] = lost
    assert ask_all(bench) == [UNREACHABLE]
    panel.replies[HERE] = reply
    assert ask_all(bench) == [SIGNED]
    assert panel.olds() == [0, 0, 256]
    assert current(bench) == [True]


def raises(error: Exception) -> Reply:
    def reply(_body: bytes) -> Answer:
        raise error

    return reply


def at(moment: int) -> Reply:
    """Cosign with the key of the witness at ``HERE``, and a clock of its own."""
    return lambda body: Answer(
        200, HERES.sign(AddCheckpoint.from_bytes(body).signed.text, moment).to_line().encode()
    )


HERES = stranger("satu.example")


@pytest.mark.parametrize(
    ("reply", "came"),
    [
        (dead, UNREACHABLE),
        (says(301, b""), UNREACHABLE),
        (says(500, b"\x00"), UNREACHABLE),
        (says(503, b""), UNREACHABLE),
        (says(400, b"Bad Request\n"), UNKNOWN),
        (says(403, b"Forbidden\n"), UNKNOWN),
        (says(404, b""), UNKNOWN),
        (says(409, b"257\n"), FORKED),
        (says(409, b"0\n"), FORKED),
        (says(422, b"Unprocessable Entity\n"), FORKED),
        (says(409, b"Conflict\n"), STRANGE),
        (says(409, b"\xff"), STRANGE),
        (says(409, b"0255\n"), STRANGE),
        (says(409, b"9" * 400), STRANGE),
        (says(409, b"9" * 5000), STRANGE),
        (says(200, b""), STRANGE),
        (says(200, b"surat\n"), STRANGE),
        (says(200, b"x" * (MAX_SIZE + 1)), STRANGE),
        (says(200, "— satu.example AAAAAAAA\n".encode()), STRANGE),
        (says(200, stranger().sign("catatan/x\n1\nAAAA\n", 1).to_line().encode()), STRANGE),
        (at(0), STRANGE),
        (at(1_800_000_000_000), STRANGE),
        (at(2**63 - 1), STRANGE),
        (raises(UnicodeError("label too long")), STRANGE),
        (raises(OverflowError("kanari")), STRANGE),
    ],
)
def test_what_is_no_cosignature_leaves_everything_as_it_was_and_hinders_nobody(
    bench: Bench, panel: Panel, reply: Reply, came: Outcome
) -> None:
    """What came of it is told apart: an outage, a wrong setting, and the proof of another log."""
    other = keeper_of(bench, "dua.example")
    panel.replies = {HERE: reply, THERE: honest(other, bench)}
    witnessed_by(bench, panel, Witness(HERES.key, HERE), Witness(other.key, THERE))
    publish(bench)
    assert ask_all(bench) == [came, SIGNED]
    assert current(bench) == [False, True]
    assert sum(url == HERE for url, _ in panel.asked) <= 2
    with bench.office.read() as uow:
        note = checkpoints.newest(uow)
    assert note is not None
    assert len(note.signatures) == 2


@pytest.mark.usefixtures("keeper")
def test_a_witness_speaks_for_itself_alone(bench: Bench, panel: Panel) -> None:
    """What one sends in a stranger's name is dropped."""
    publish(bench)
    reply = panel.replies[HERE]

    def chatty(body: bytes) -> Answer:
        text = AddCheckpoint.from_bytes(body).signed.text
        return Answer(200, reply(body).body + stranger().sign(text, 1).to_line().encode())

    panel.replies[HERE] = chatty
    assert ask_all(bench) == [SIGNED]
    with bench.office.read() as uow:
        note = checkpoints.newest(uow)
    assert note is not None
    assert {one.name for one in note.signatures} == {
        keys.origin_of(bench.office.instance_id),
        "satu.example",
    }


def test_one_that_another_process_asked_meanwhile_has_not_signed_another_log(
    bench: Bench, panel: Panel
) -> None:
    """Server and timer tick at once: the other's request came between our two."""
    sizes = iter((b"0\n", b"256\n"))
    panel.replies[HERE] = lambda _: Answer(409, next(sizes))
    witnessed_by(bench, panel, Witness(HERES.key, HERE))
    publish(bench)
    assert ask_all(bench) == [NOTHING]


@pytest.mark.usefixtures("keeper")
def test_a_witness_does_not_sign_a_rewritten_log(bench: Bench) -> None:
    """An old copy was put back and went on otherwise: what it refuses is no outage."""
    publish(bench)
    assert ask_all(bench) == [SIGNED]
    roll_back(bench)
    bench.clock.advance(hours=6)
    publish(bench)
    assert ask_all(bench) == [FORKED]
    assert current(bench) == [False]


def test_all_are_asked_at_once(bench: Bench, panel: Panel) -> None:
    """One that takes its time keeps no other waiting: here each waits until all were asked."""
    made = [keeper_of(bench, f"{number}.example") for number in range(4)]
    gate = Barrier(len(made), timeout=30)

    def waiting(reply: Reply) -> Reply:
        def wait(body: bytes) -> Answer:
            gate.wait()
            return reply(body)

        return wait

    known = [Witness(one.key, f"https://{one.key.name}") for one in made]
    panel.replies = {
        one.url: waiting(honest(keeper, bench)) for one, keeper in zip(known, made, strict=True)
    }
    witnessed_by(bench, panel, *known)
    publish(bench)
    assert ask_all(bench) == [SIGNED] * 4
    assert current(bench) == [True] * 4


@pytest.mark.usefixtures("keeper")
def test_a_damaged_tree_is_told(bench: Bench) -> None:
    publish(bench)
    ask_all(bench)
    bench.clock.advance(hours=6)
    publish(bench)
    with bench.office.write() as uow:
        uow.session.connection().exec_driver_sql("DELETE FROM tree_node WHERE level = 8")
    with pytest.raises(Untrustworthy):
        asking.ask_all(bench.office)


class TestServed:
    """Two witnesses as :mod:`witness.server` serves them."""

    @pytest.fixture
    def served(self, bench: Bench, panel: Panel) -> Iterator[list[Keeper]]:
        made = [keeper_of(bench, name) for name in ("satu.example", "dua.example")]
        with ExitStack() as stack:
            for url, keeper in zip((HERE, THERE), made, strict=True):
                app = server.build(keeper, lambda: int(bench.clock().timestamp()))
                client = stack.enter_context(TestClient(app))

                def post(body: bytes, client: TestClient = client) -> Answer:
                    answer = client.post(server.PATH, content=body)
                    return Answer(answer.status_code, answer.content)

                panel.replies[url] = post
            known = (Witness(made[0].key, HERE), Witness(made[1].key, THERE))
            witnessed_by(bench, panel, *known)
            yield made

    def test_both_follow_the_log(self, bench: Bench, served: list[Keeper]) -> None:
        origin = keys.origin_of(bench.office.instance_id)
        for _ in range(2):
            publish(bench)
            assert ask_all(bench) == [SIGNED] * 2
            bench.clock.advance(hours=6)
        assert [keeper.history(origin) for keeper in served] == [[256, 512]] * 2
        found = standing(bench)
        assert (found.cosigned, found.silent) == (2, ())

    def test_one_that_was_away_catches_up(
        self, bench: Bench, panel: Panel, served: list[Keeper]
    ) -> None:
        reply = panel.replies[THERE]
        panel.replies[THERE] = dead
        for _ in range(2):
            publish(bench)
            assert ask_all(bench) == [SIGNED, UNREACHABLE]
            bench.clock.advance(hours=6)
        panel.replies[THERE] = reply
        assert ask_all(bench) == [NOTHING, SIGNED]
        assert served[1].history(keys.origin_of(bench.office.instance_id)) == [512]

    def test_a_fork_is_not_cosigned_and_kept_as_evidence(
        self, bench: Bench, served: list[Keeper]
    ) -> None:
        publish(bench)
        ask_all(bench)
        roll_back(bench)
        with bench.office.write() as uow:
            padding.fill(uow, 200)
        publish(bench)
        assert ask_all(bench) == [FORKED] * 2
        origin = keys.origin_of(bench.office.instance_id)
        assert [len(one.record(origin).conflicts()) for one in served] == [1, 1]

    @pytest.mark.parametrize("signed", [1, 2], ids=["behind its size", "beyond its size"])
    @pytest.mark.usefixtures("served")
    def test_an_old_copy_that_goes_on_is_refused_at_every_size(
        self, bench: Bench, signed: int
    ) -> None:
        """Smaller than what they have signed, as large, and larger: never an outage."""
        for _ in range(signed):
            publish(bench)
            assert ask_all(bench) == [SIGNED] * 2
            bench.clock.advance(hours=6)
        roll_back(bench)
        for _ in range(signed + 1):
            publish(bench)
            for _ in range(2):
                assert ask_all(bench) == [FORKED] * 2
            bench.clock.advance(hours=6)

    @pytest.mark.usefixtures("served")
    def test_a_key_that_they_were_not_told_of_is_told_apart(self, bench: Bench) -> None:
        with bench.office.write() as uow:
            keys.rotate(uow, bytes(range(5, 37)))
        publish(bench)
        assert ask_all(bench) == [UNKNOWN] * 2
