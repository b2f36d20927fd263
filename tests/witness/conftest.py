from pathlib import Path

import pytest

from tests.witness.logs import Log
from witness.keeper import Keeper


@pytest.fixture(scope="session")
def log() -> Log:
    return Log(600)


@pytest.fixture(scope="session")
def fork() -> Log:
    """The same log with another story from leaf 300 on, signed by the same key."""
    return Log(600, story=b"lain", since=300)


@pytest.fixture
def keeper(tmp_path: Path, log: Log) -> Keeper:
    made = Keeper.make(tmp_path / "witness", "saksi.example.go.id")
    made.trust(log.vkey)
    return made
