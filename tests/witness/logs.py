"""A log in memory: it grows, signs checkpoints, proves, and lies when told to."""

from hashlib import sha256

from crypto import merkle
from crypto.checkpoint import Checkpoint
from crypto.note import Kind, NoteSigner, SignedNote
from crypto.witness_request import AddCheckpoint
from witness import tiles
from witness.keeper import Keeper
from witness.record import Conflict

ORIGIN = "log.example.go.id/suaka"
NOW = 1_800_000_000
WIDTH = 256


class Log:
    """A log of ``size`` leaves; another ``story`` gives other leaves from ``since`` on."""

    def __init__(
        self, size: int, origin: str = ORIGIN, story: bytes = b"", since: int = 0, seed: int = 1
    ) -> None:
        self.size = size
        self.signer = NoteSigner(origin, Kind.LOG, bytes([seed]) * 32)
        leaves = [sha256(b"%d" % n + (story if n >= since else b"")).digest() for n in range(size)]
        self.levels = [leaves]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            self.levels.append(
                [merkle.node_hash(below[n], below[n + 1]) for n in range(0, len(below) - 1, 2)]
            )

    @property
    def vkey(self) -> str:
        return self.signer.key.to_text()

    def node_at(self, level: int, index: int) -> bytes:
        return self.levels[level][index]

    def root(self, size: int) -> bytes:
        return merkle.root(self.node_at, size)

    def signed(self, size: int, *more: NoteSigner) -> SignedNote:
        origin = self.signer.key.name
        return Checkpoint(origin, size, self.root(size)).sign([self.signer, *more])

    def request(self, old: int, new: int) -> AddCheckpoint:
        proof = merkle.prove_consistency(self.node_at, old, new)
        return AddCheckpoint(old, tuple(proof), self.signed(new))

    def hashes_of_tile(self, level: int, number: int) -> bytes:
        """Written apart from `witness.tiles`: hashes at height 8 * level, 256 of them."""
        height = 8 * level
        row = self.levels[height] if height < len(self.levels) else []
        return b"".join(row[number * WIDTH : (number + 1) * WIDTH])

    def files(self) -> dict[str, bytes]:
        """Everything that it serves for its present size."""
        served = {"checkpoint": self.signed(self.size).to_text().encode()}
        for level in range(8):
            count = self.size >> (8 * level)
            for number in range((count + WIDTH - 1) // WIDTH):
                width = min(WIDTH, count - number * WIDTH)
                assert number < 1000, "three digits are enough here"
                partial = "" if width == WIDTH else f".p/{width}"
                path = f"tile/{level}/{number:03}{partial}"
                served[path] = self.hashes_of_tile(level, number)
        return served


class Files:
    """Serves files as HTTP would, and keeps what was asked for."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[str] = []

    def __call__(self, path: str) -> bytes:
        self.asked.append(path)
        if path not in self.files:
            raise tiles.TileMissing(path)
        return self.files[path]


def conflicts(keeper: Keeper, kind: Conflict | None = None) -> list[SignedNote]:
    paths = keeper.record(ORIGIN).conflicts(kind)
    return [SignedNote.from_text(path.read_text()) for path in paths]


def newest_size(keeper: Keeper) -> int:
    newest = keeper.latest(ORIGIN)
    return newest.checkpoint.size if newest else 0
