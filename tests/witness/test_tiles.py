"""Trees read from tiles: the right paths, each tile once, and no tile is trusted."""

from dataclasses import replace

import pytest

from crypto import merkle
from crypto.checkpoint import Checkpoint
from crypto.errors import Malformed
from crypto.note import Kind, NoteSigner
from tests.witness.logs import NOW, ORIGIN, Files, Log, conflicts
from witness import gathering, refusals, tiles
from witness.keeper import Keeper
from witness.record import Conflict

SIZES = (1, 2, 255, 256, 257, 511, 512, 513, 600)
LARGE = (65_535, 65_536, 65_537, 65_792, 66_000)


@pytest.fixture(scope="module")
def large() -> Log:
    return Log(66_000)


@pytest.mark.parametrize(
    ("level", "number", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 7, 112, "tile/0/007.p/112"),
        (1, 999, 256, "tile/1/999"),
        (1, 1000, 1, "tile/1/x001/000.p/1"),
        (0, 1_234_067, 256, "tile/0/x001/x234/067"),
        (63, 999_999, 256, "tile/63/x999/999"),
        (2, 1_000_000, 255, "tile/2/x001/x000/000.p/255"),
    ],
)
def test_paths(level: int, number: int, width: int, path: str) -> None:
    assert tiles.path_of(level, number, width) == path


@pytest.mark.parametrize("size", SIZES)
def test_every_root_and_proof_of_small_trees(log: Log, size: int) -> None:
    part = Log(size)
    files = Files(part.files())
    node_at = tiles.node_at(files, size)
    for old in sorted({1, 2, 3, 200, 255, 256, 257, 512, size - 1, size} & set(range(1, size + 1))):
        assert merkle.root(node_at, old) == log.root(old)
        proof = merkle.prove_consistency(node_at, old, size)
        merkle.check_consistency(old, size, proof, log.root(old), log.root(size))
    assert len(files.asked) == len(set(files.asked)), "a tile was fetched twice"


@pytest.mark.parametrize("size", LARGE)
def test_large_trees_take_few_tiles(large: Log, size: int) -> None:
    part = Log(size)
    for old in (1, 255, 65_280, 65_535):
        files = Files(part.files())
        node_at = tiles.node_at(files, size)
        assert merkle.root(node_at, size) == large.root(size)
        proof = merkle.prove_consistency(node_at, old, size)
        merkle.check_consistency(old, size, proof, large.root(old), large.root(size))
        assert len(files.asked) <= 5
        assert set(files.asked) <= set(files.files)


def test_a_partial_tile_that_was_dropped_is_read_from_the_full_one(log: Log) -> None:
    files = Files(log.files() | {"tile/1/000.p/1": log.hashes_of_tile(1, 0)[:32]})
    node_at = tiles.node_at(files, 300)
    assert merkle.root(node_at, 300) == log.root(300)
    assert files.asked[-2:] == ["tile/0/001.p/44", "tile/0/001"]


@pytest.mark.parametrize("change", ["missing", "short", "long", "empty", "odd"])
def test_a_tile_of_another_length_is_refused(log: Log, change: str) -> None:
    path = "tile/0/002.p/88"
    files = log.files()
    good = files.pop(path)
    changed = {"short": good[:-32], "long": good + bytes(32), "empty": b"", "odd": good[:-1]}
    if change in changed:
        files[path] = changed[change]
    with pytest.raises(refusals.TileUnfit):
        merkle.root(tiles.node_at(Files(files), 600), 600)


def test_there_is_nothing_beyond_the_tree(log: Log) -> None:
    node_at = tiles.node_at(Files(log.files()), 600)
    for level, index in ((0, 600), (0, 768), (3, 75), (8, 2), (16, 0)):
        with pytest.raises(refusals.TileUnfit):
            node_at(level, index)
    cut = tiles.node_at(Files(Log(601).files()), 601)
    with pytest.raises(refusals.TileUnfit):
        cut(3, 75)
    assert node_at(0, 599) == log.node_at(0, 599)
    assert node_at(3, 74) == log.node_at(3, 74)


class TestCosigning:
    def test_from_the_first_checkpoint_on(self, keeper: Keeper, log: Log) -> None:
        for size in (100, 256, 600, 600):
            files = Files(Log(size).files())
            assert gathering.cosign(keeper, log.signed(size), files, NOW)
        assert keeper.history(ORIGIN) == [100, 256, 600]

    def test_nothing_is_fetched_for_a_checkpoint_that_nobody_signed(
        self, keeper: Keeper, log: Log
    ) -> None:
        keeper.add(log.request(0, 10), NOW)
        stranger = NoteSigner(ORIGIN, Kind.LOG, bytes([9]) * 32)
        signed = Checkpoint(ORIGIN, 600, log.root(600)).sign([stranger])
        files = Files(log.files())
        with pytest.raises(refusals.NotSigned):
            gathering.cosign(keeper, signed, files, NOW)
        with pytest.raises(refusals.UnknownLog):
            gathering.cosign(keeper, Log(9, origin="x").signed(9), files, NOW)
        with pytest.raises(Malformed):
            gathering.cosign(keeper, Checkpoint("x", 600, b"short").sign([stranger]), files, NOW)
        assert files.asked == []

    @pytest.mark.parametrize("path", ["tile/0/002.p/88", "tile/1/000.p/2", "tile/0/001"])
    def test_a_tile_that_lies_is_found_out(self, keeper: Keeper, log: Log, path: str) -> None:
        keeper.add(log.request(0, 300), NOW)
        files = log.files()
        files[path] = bytes([files[path][0] ^ 1]) + files[path][1:-1] + b"?"
        with pytest.raises(refusals.WitnessError):
            gathering.cosign(keeper, log.signed(600), Files(files), NOW)
        assert keeper.history(ORIGIN) == [300]

    def test_a_rewritten_log_that_serves_its_own_tiles(
        self, keeper: Keeper, log: Log, fork: Log
    ) -> None:
        keeper.add(log.request(0, 400), NOW)
        with pytest.raises(refusals.ProofWrong):
            gathering.cosign(keeper, fork.signed(600), Files(fork.files()), NOW)
        with pytest.raises(refusals.TileUnfit):
            gathering.cosign(keeper, fork.signed(600), Files(log.files()), NOW)
        assert keeper.history(ORIGIN) == [400]

    def test_an_older_checkpoint_is_not_growth(self, keeper: Keeper, log: Log, fork: Log) -> None:
        keeper.add(log.request(0, 400), NOW)
        keeper.add(log.request(400, 600), NOW)
        for shown in (log, fork):
            with pytest.raises(refusals.Shrunk):
                gathering.cosign(keeper, shown.signed(400), Files({}), NOW)
        assert len(keeper.record(ORIGIN).conflicts(Conflict.FORK)) == 1


class TestClearing:
    """A checkpoint that anybody sent with a wrong proof is explained by the tiles, or stays."""

    @pytest.fixture
    def marked(self, keeper: Keeper, log: Log, fork: Log) -> Keeper:
        keeper.add(log.request(0, 300), NOW)
        for one in (log.signed(257 + 44 + 9), fork.signed(400), log.signed(500)):
            with pytest.raises(refusals.ProofWrong):
                keeper.add(replace(log.request(300, 310), signed=one, proof=()), NOW)
        assert len(conflicts(keeper, Conflict.UNPROVEN)) == 3
        return keeper

    def test_what_the_newest_tree_grew_from_is_dropped_and_a_fork_never(
        self, marked: Keeper, log: Log, fork: Log
    ) -> None:
        files = Files(Log(450).files())
        gathering.cosign(marked, log.signed(450), files, NOW)
        assert len(conflicts(marked)) == 3, "no proof of them came with the growth"
        gathering.clear(marked, ORIGIN, files)
        assert conflicts(marked) == [fork.signed(400), log.signed(500)]
        gathering.cosign(marked, log.signed(600), Files(log.files()), NOW)
        gathering.clear(marked, ORIGIN, Files(log.files()))
        assert conflicts(marked) == [fork.signed(400)]

    def test_tiles_that_lie_drop_nothing(self, marked: Keeper, log: Log, fork: Log) -> None:
        gathering.cosign(marked, log.signed(600), Files(log.files()), NOW)
        gathering.clear(marked, ORIGIN, Files(fork.files()))
        assert fork.signed(400) in conflicts(marked)
        with pytest.raises(refusals.TileUnfit):
            gathering.clear(marked, ORIGIN, Files({}))
        assert fork.signed(400) in conflicts(marked)

    def test_where_nothing_is_marked_nothing_is_fetched(self, keeper: Keeper, log: Log) -> None:
        files = Files(log.files())
        gathering.clear(keeper, ORIGIN, files)
        keeper.add(log.request(0, 600), NOW)
        gathering.clear(keeper, ORIGIN, files)
        assert files.asked == []
