"""One office is founded per run; each test gets the portal on its own copy of the files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.casework.office import Bench, make_office
from tests.portal.sites import Site, site_of
from tests.portal.visits import Receipt, Visit


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """An office after its ceremony, which no test writes to."""
    return make_office(tmp_path_factory.mktemp("founded") / "office")


@pytest.fixture
def portal(founded: Bench, tmp_path: Path) -> Iterator[Site]:
    """The portal of the test's own."""
    with site_of(founded, tmp_path / "office") as site:
        yield site


@pytest.fixture
def reporter(portal: Site) -> tuple[Visit, Receipt]:
    """Somebody who has just reported, in the mailbox, with the receipt."""
    return portal.reporter()
