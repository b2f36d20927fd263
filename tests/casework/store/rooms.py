"""An office whose files lie as in an instance, and backups of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from casework.store.backup.make import Made, Order, make
from casework.store.backup.manifest import DataManifest, KeysManifest
from casework.store.backup.unpack import unpack_data, unpack_keys
from casework.store.blobs import BlobFolder
from casework.store.office import Office
from crypto.age import HybridIdentity
from tests.casework.cases import copy_of, reopened
from tests.casework.conftest import close
from tests.casework.office import Bench

IDENTITY = HybridIdentity.generate()
TODAY = date(2026, 11, 23)


@dataclass
class Room:
    """An office whose files lie as in an instance, and two folders for archives."""

    bench: Bench
    folder: Path
    to: Path
    keys_to: Path

    @property
    def office(self) -> Office:
        return self.bench.office

    def order(self, **changes: Any) -> Order:
        whole = Order(self.folder, self.to, self.keys_to, [IDENTITY.recipient], "0.1.0")
        return replace(whole, **changes)

    def make(self, **changes: Any) -> Made:
        return make(self.office, self.order(**changes))

    def unpack(self, made: Made, into: Path) -> tuple[DataManifest, KeysManifest]:
        into.mkdir()
        data = unpack_data(made.data, [IDENTITY], into)
        return data, unpack_keys(made.keys, [IDENTITY], into, today=TODAY, expired=False)


@contextmanager
def room_of(founded: Bench, tmp_path: Path) -> Iterator[Room]:
    """A copy of an office, laid out as an instance below ``tmp_path``."""
    bench = copy_of(founded, tmp_path / "loose")
    close(bench)
    folder = tmp_path / "instance"
    for name, part in (("data", "suaka.db"), ("keys", "keystore.db")):
        (folder / name).mkdir(parents=True)
        (bench.folder / part).rename(folder / name / part)
    (folder / "keys" / "pepper").write_bytes(bytes(range(32)))
    (folder / "suaka.toml").write_text("# settings of a test\n")
    loose = tmp_path / "loose"
    (loose / "suaka.db").symlink_to(folder / "data" / "suaka.db")
    (loose / "keystore.db").symlink_to(folder / "keys" / "keystore.db")
    blobs = BlobFolder(folder / "data" / "blobs")
    bench.office = replace(reopened(bench.office, loose), blobs=blobs)
    for name in ("to", "keys-to"):
        (tmp_path / name).mkdir()
    yield Room(bench, folder, tmp_path / "to", tmp_path / "keys-to")
    close(bench)
