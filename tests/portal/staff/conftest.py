"""A portal whose officers have second factors, as in production."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from casework.keys.factors import NewFactor
from tests.casework.cases import copy_of
from tests.casework.codes import code_at, give_factor_and_codes, with_second_factor
from tests.casework.conftest import close
from tests.casework.office import Bench
from tests.portal.sites import Site, served
from tests.portal.visits import Visit

OFFICERS = ("operator", "irban", "inspektur", "tim")


@dataclass
class Guarded:
    """The portal, and the authenticators of its officers, by username."""

    site: Site
    made: dict[str, NewFactor] = field(default_factory=dict)

    def code(self, username: str) -> str:
        """What an officer's authenticator shows now."""
        return code_at(self.made[username].secret, self.site.clock.now)

    def next_code(self, username: str) -> str:
        """The next code that was not used yet."""
        self.site.clock.advance(seconds=30)
        return self.code(username)

    def officer(self, username: str) -> Visit:
        """A browser in which an officer has just signed in with a code."""
        return self.site.officer(username, self.next_code(username))


@pytest.fixture
def guarded(founded: Bench, tmp_path: Path) -> Iterator[Guarded]:
    """The portal of the test's own, where signing in asks for a code."""
    bench = with_second_factor(copy_of(founded, tmp_path / "guarded"))
    made = {username: give_factor_and_codes(bench, username) for username in OFFICERS}
    try:
        with served(bench) as site:
            yield Guarded(site, made)
    finally:
        close(bench)
        bench.office.sessions.close()
