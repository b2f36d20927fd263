"""A portal whose log has one witness, and what that witness reads of it over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from casework.log import checkpoints, witnesses
from casework.log.witnesses import Witness
from crypto.note import SignedNote
from tests.casework.cases import copy_of
from tests.casework.conftest import close
from tests.casework.office import Bench
from tests.portal.sites import Site, served
from witness import gathering, tiles
from witness.keeper import Keeper

LOG = "/catatan"
NAME = "saksi.example.go.id"


@dataclass
class Watched:
    """A site, the witness of its log, and every path that the witness has asked for."""

    site: Site
    keeper: Keeper
    asked: list[str]

    def get(self, path: str, method: str = "GET") -> httpx.Response:
        """Ask for a part of the log as a program does: no cookie, no redirect followed."""
        client = httpx.Client(transport=self.site.visit().client._transport)
        return client.request(method, f"http://portal.test{LOG}/{path}")

    def fetch(self, path: str) -> bytes:
        """What the witness gets. Raises: TileMissing."""
        self.asked.append(path)
        answer = self.get(path)
        if answer.status_code == 404:
            raise tiles.TileMissing(path)
        assert answer.status_code == 200, (path, answer.status_code)
        assert "content-encoding" not in answer.headers
        return answer.content

    def publish(self) -> int:
        """Publish the next checkpoint, as a tick does; return its size."""
        self.site.clock.advance(hours=self.site.bench.office.checkpoints.hours)
        with self.site.bench.office.write() as uow:
            made = checkpoints.publish_due(uow)
        assert made is not None
        return made.tree.size

    def cosign(self) -> int:
        """Let the witness fetch and cosign, and bring its answer; return the size it signed."""
        signed = SignedNote.from_bytes(self.fetch("checkpoint"))
        now = int(self.site.clock.now.timestamp())
        lines = gathering.cosign(self.keeper, signed, self.fetch, now)
        with self.site.bench.office.write() as uow:
            return witnesses.accept(uow, lines.encode())

    @property
    def vkeys(self) -> str:
        return self.fetch("kunci").decode()


@contextmanager
def watched(founded: Bench, folder: Path, url: str = "https://saksi.example") -> Iterator[Watched]:
    """A portal on a copy of an office, with a witness that trusts the key it publishes."""
    bench = copy_of(founded, folder / "office")
    keeper = Keeper.make(folder / "witness", NAME)
    bench.office = replace(bench.office, witnesses=(Witness(keeper.key, url),))
    with served(bench) as site:
        made = Watched(site, keeper, [])
        keeper.trust(made.vkeys.strip())
        yield made
    close(bench)
