"""One office is founded per run; each test works on its own copy of the files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.casework.cases import Filed, copy_of, file_report
from tests.casework.office import Bench, make_office


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """An office after its ceremony, which no test writes to."""
    return make_office(tmp_path_factory.mktemp("founded") / "office")


@pytest.fixture
def bench(founded: Bench, tmp_path: Path) -> Iterator[Bench]:
    """An office of the test's own."""
    own = copy_of(founded, tmp_path / "office")
    yield own
    close(own)


@pytest.fixture
def filed(bench: Bench) -> Filed:
    """A new report in that office."""
    return file_report(bench)


def close(bench: Bench) -> None:
    """Give back the files of an office."""
    bench.office.engine.dispose()
    bench.office.keystore.engine.dispose()
