"""Backups of an instance by the commands, and officers who work on it in between."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from casework.keys import accounts, memory
from casework.keys.actor import Actor
from casework.store.office import Office
from portal.cli.options import opened
from tests.portal.cli.conftest import PASSPHRASE, Run
from tests.portal.cli.terminal import SUAKA

ALONE = {"SUAKA_STAFF_SECOND_FACTOR": "false"}
"""The environment of an instance whose officers have no authenticator; a demo may."""

MIB = 1 << 20


@dataclass
class Vault:
    """An instance, two folders for its archives and the identity that opens them."""

    run: Run
    folder: Path
    base: Path
    recipient: str = ""
    passphrases: dict[str, str] = field(default_factory=dict)

    @property
    def to(self) -> Path:
        return self.base / "to"

    @property
    def keys_to(self) -> Path:
        return self.base / "keys-to"

    @property
    def identity(self) -> Path:
        return self.base / "identity"

    def make_key(self) -> None:
        for folder in (self.to, self.keys_to):
            folder.mkdir()
        answer = self.run("backup", "key", "--out", self.identity)
        assert answer.exit_code == 0, answer.output
        self.recipient = answer.stdout.strip()

    def arguments(self, *more: object) -> list[object]:
        return [
            *("backup", self.folder, "--to", self.to, "--keys-to", self.keys_to),
            *("--recipient", self.recipient, *more),
        ]

    def back_up(self, *more: object) -> tuple[Path, Path]:
        """Make a backup; return the two archives that it made."""
        before = {*self.to.iterdir(), *self.keys_to.iterdir()}
        answer = self.run(*self.arguments(*more))
        assert answer.exit_code == 0, answer.output
        (data,) = set(self.to.iterdir()) - before
        (keys,) = set(self.keys_to.iterdir()) - before
        return data, keys

    def restoring(self, pair: tuple[Path, Path], folder: Path, *more: object) -> list[object]:
        return [
            *("restore", pair[0], "--keys", pair[1], "--identity", self.identity),
            *("--to", folder, *more),
        ]

    def confirming(self, folder: Path, *more: object, by: str = "inspektur") -> list[object]:
        return [
            *("restore", "confirm", folder, "--by", by, "--reason", "Cakram rusak", "--yes"),
            *more,
        ]


def act_as(office: Office, username: str, passphrase: str | None = None) -> Actor:
    """An officer's keys, without a look at what the officer remembers."""
    keys = accounts.officer_keys(office, username, passphrase or PASSPHRASE.format(username))
    with office.read() as uow:
        actor = accounts.locate_and_unwrap(uow, keys)
    assert actor is not None
    return actor


def sign_in(folder: Path, username: str) -> memory.Checked:
    """Sign an officer in on an instance, as the page does."""
    with opened(folder, ready=True) as (office, _):
        actor = act_as(office, username)
        with office.read() as uow:
            return memory.check(uow, actor)


@contextmanager
def big_file(folder: Path, mib: int) -> Iterator[Path]:
    """A file among the data that takes a while to archive."""
    path = folder / "data/blobs/besar"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(mib * MIB)
    yield path
    path.unlink()


def kill_when(args: list[object], begun: Callable[[], bool]) -> None:
    """Start a command and kill it, as a power failure would, once it has begun something."""
    process = subprocess.Popen(
        [SUAKA, *(str(arg) for arg in args)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not begun():
        try:
            code = process.wait(0.005)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError(f"it ended with {code} before it was killed")
    process.kill()
    process.wait()
