"""The profiles that the package ships."""

import pytest

from casework.law.catalogue import ProfileCatalogue
from casework.law.profile import Profile


@pytest.fixture(scope="session")
def catalogue() -> ProfileCatalogue:
    return ProfileCatalogue.from_package()


@pytest.fixture(scope="session")
def badung(catalogue: ProfileCatalogue) -> Profile:
    return catalogue.latest("badung")


@pytest.fixture(scope="session")
def gowa(catalogue: ProfileCatalogue) -> Profile:
    return catalogue.latest("gowa")


@pytest.fixture(scope="session", params=["badung", "gowa"])
def profile(request: pytest.FixtureRequest, catalogue: ProfileCatalogue) -> Profile:
    return catalogue.latest(request.param)
