"""Witnesses for tests: real keepers in memory's reach, behind addresses that may misbehave."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from casework.log import keys, witnesses
from casework.log.asking import Answer, Unreachable
from casework.log.witnesses import Standing, Witness
from casework.store.office import Office
from crypto.note import Kind, NoteSigner
from crypto.witness_request import AddCheckpoint
from tests.casework.office import Bench
from witness.keeper import Keeper
from witness.refusals import Forked, ProofWrong, SizeDiffers, WitnessError

Reply = Callable[[bytes], Answer]


@dataclass
class Panel:
    """Addresses that answer; ``asked`` are the requests, by address, in their order."""

    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[tuple[str, AddCheckpoint]] = field(default_factory=list)

    def __call__(self, url: str, body: bytes) -> Answer:
        self.asked.append((url, AddCheckpoint.from_bytes(body)))
        return self.replies[url](body)

    def olds(self) -> list[int]:
        """Where each request began."""
        return [one.old for _, one in self.asked]


def keeper_of(bench: Bench, name: str) -> Keeper:
    """A witness on the disk that trusts the key of this log which is in force."""
    keeper = Keeper.make(bench.folder / name, name)
    with bench.office.read() as uow:
        keeper.trust(keys.load(uow).in_force.to_text())
    return keeper


def honest(keeper: Keeper, bench: Bench) -> Reply:
    """Answer as :mod:`witness.server` does, by the clock of the office."""

    def reply(body: bytes) -> Answer:
        try:
            now = int(bench.clock().timestamp())
            return Answer(200, keeper.add(AddCheckpoint.from_bytes(body), now).encode())
        except SizeDiffers as refused:
            return Answer(409, f"{refused.newest}\n".encode())
        except Forked:
            return Answer(409, b"Conflict\n")
        except ProofWrong:
            return Answer(422, b"Unprocessable Entity\n")
        except WitnessError:
            return Answer(403, b"Forbidden\n")

    return reply


def dead(_body: bytes) -> Answer:
    raise Unreachable("ConnectError")


def says(status: int, body: bytes) -> Reply:
    return lambda _body: Answer(status, body)


def witnessed_by(bench: Bench, panel: Panel | None, *known: Witness) -> Office:
    """The office with these witnesses."""
    bench.office = replace(bench.office, witnesses=known, ask=panel)
    return bench.office


def stranger(name: str = "asing.example") -> NoteSigner:
    return NoteSigner(name, Kind.WITNESS, bytes(range(32)))


def standing(bench: Bench) -> Standing:
    with bench.office.read() as uow:
        return witnesses.standing(uow)
