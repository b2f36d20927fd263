"""Second factors for tests: give an officer one, and read the authenticator at any moment."""

from dataclasses import replace
from datetime import datetime

import pyotp

from casework.keys import factors
from tests.casework.office import Bench


def with_second_factor(bench: Bench) -> Bench:
    """The same office, where signing in asks for a code; do it before the portal is built."""
    bench.office = replace(bench.office, second_factor=True)
    return bench


def give_factor(bench: Bench, username: str) -> str:
    """Give an officer an authenticator; return its secret."""
    return give_factor_and_codes(bench, username).secret


def give_factor_and_codes(bench: Bench, username: str) -> factors.NewFactor:
    """Give an officer an authenticator and a sheet of recovery codes."""
    made = factors.new()
    with bench.office.write() as uow:
        factors.store(uow, bench[username], made, 0)
    return made


def code_at(secret: str, moment: datetime) -> str:
    """What an authenticator shows at a moment; the next one comes after 30 seconds."""
    return str(pyotp.TOTP(secret).at(moment))
