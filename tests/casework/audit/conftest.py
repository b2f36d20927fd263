"""One instance with everything in it is made per run; each attack has its own copy."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.casework.audit.instances import Everything, everything
from tests.casework.conftest import close
from tests.casework.office import Bench


@pytest.fixture(scope="session")
def honest(founded: Bench, tmp_path_factory: pytest.TempPathFactory) -> Everything:
    """The instance as it is, which no test writes to."""
    return everything(founded, tmp_path_factory.mktemp("audited") / "office")


@pytest.fixture
def own(honest: Everything, tmp_path: Path) -> Iterator[Everything]:
    """A copy of the test's own."""
    made = honest.copy(tmp_path / "office")
    yield made
    close(made.bench)


@pytest.fixture(scope="session")
def shared(honest: Everything, tmp_path_factory: pytest.TempPathFactory) -> Everything:
    """A copy for attacks that are rolled back."""
    return honest.copy(tmp_path_factory.mktemp("shared") / "office")
