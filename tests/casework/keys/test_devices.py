"""casework.keys.devices: a browser is known for whom it earned that, and for nobody else."""

import re
from base64 import b64encode, urlsafe_b64encode

import pytest
from sqlalchemy import text

from casework.keys import devices
from casework.keys.devices import KNOWN_DAYS
from casework.tick import tick
from tests.casework.office import Bench

NOBODY = "0" * 64


def remember(bench: Bench, username: str, token: str = "") -> str:
    with bench.office.write() as uow:
        return devices.remember(uow, bench[username].person_id, token)


def is_known(bench: Bench, token: str, username: str) -> bool:
    with bench.office.read() as uow:
        found = devices.known(uow, token, username)
    assert found in {None, bench[username].person_id if username in bench.officers else None}
    return found is not None


def rows(bench: Bench) -> int:
    with bench.office.engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM device")) or 0)


def test_a_device_is_known_for_its_officer_and_for_nobody_else(bench: Bench) -> None:
    """The name is compared as at sign-in; one that does not exist is like any other."""
    token = remember(bench, "operator")
    assert re.fullmatch(r"[0-9a-f]{64}", token)
    assert is_known(bench, token, "operator")
    with bench.office.read() as uow:
        assert devices.known(uow, token, " OPERATOR ") == bench["operator"].person_id
    for other in ("irban", "inspektur", "tidak-ada", "", "operator%", "\x00"):
        assert not is_known(bench, token, other)


@pytest.mark.parametrize(
    "spoil",
    [
        str.upper,
        lambda token: token + "0",
        lambda token: token[:-1],
        lambda token: token + "\n",
        lambda token: " " + token[1:],
        lambda token: token[:-1] + "٣",
        lambda token: ("1" if token[0] == "0" else "0") + token[1:],
        lambda _: "",
        lambda _: NOBODY,
    ],
)
def test_a_token_has_one_spelling(bench: Bench, spoil: object) -> None:
    """Whatever differs from it is a stranger's, and is not taken over at a good sign-in."""
    token = remember(bench, "operator")
    assert callable(spoil)
    spoiled = spoil(token)
    assert spoiled != token
    assert not is_known(bench, spoiled, "operator")
    assert remember(bench, "operator", spoiled) not in {token, spoiled}


def test_each_new_device_gets_a_token_of_its_own(bench: Bench) -> None:
    tokens = {remember(bench, "operator") for _ in range(20)}
    assert len(tokens) == rows(bench) == 20
    assert all(is_known(bench, token, "operator") for token in tokens)


def test_a_known_device_keeps_its_token(bench: Bench) -> None:
    token = remember(bench, "operator")
    assert remember(bench, "operator", token) == token
    assert rows(bench) == 1


def test_two_officers_may_share_a_computer(bench: Bench) -> None:
    """Each is known there once they have signed in; being let go concerns one of them only."""
    token = remember(bench, "operator")
    assert not is_known(bench, token, "irban")
    assert remember(bench, "irban", token) == token
    assert is_known(bench, token, "irban")
    assert is_known(bench, token, "operator")
    with bench.office.write() as uow:
        assert devices.forget_all(uow, bench["operator"].person_id) == 1
    assert not is_known(bench, token, "operator")
    assert is_known(bench, token, "irban")


def test_after_forgetting_a_stolen_token_never_comes_back(bench: Bench) -> None:
    """The owner's next sign-in with the old cookie makes a new token: the thief's copy is dead."""
    stolen, other = remember(bench, "operator"), remember(bench, "operator")
    remember(bench, "irban")
    with bench.office.write() as uow:
        assert devices.forget_all(uow, bench["operator"].person_id) == 2
        assert devices.forget_all(uow, bench["operator"].person_id) == 0
    fresh = remember(bench, "operator", stolen)
    assert fresh != stolen
    assert is_known(bench, fresh, "operator")
    for gone in (stolen, other):
        assert not is_known(bench, gone, "operator")
    assert rows(bench) == 2


def test_a_device_that_nobody_uses_is_forgotten(bench: Bench) -> None:
    """After 180 days, at once where it is asked for and by the tick where it is stored."""
    unused, used = remember(bench, "operator"), remember(bench, "operator")
    bench.clock.advance(days=KNOWN_DAYS)
    assert is_known(bench, unused, "operator")
    assert tick(bench.office).devices == 0
    remember(bench, "operator", used)
    bench.clock.advance(days=1)
    assert not is_known(bench, unused, "operator")
    assert rows(bench) == 2
    assert tick(bench.office).devices == 1
    assert rows(bench) == 1
    assert is_known(bench, used, "operator")


def test_a_device_goes_with_its_person(bench: Bench) -> None:
    """The database itself sees to it."""
    remember(bench, "tim")
    with bench.office.engine.begin() as connection:
        connection.execute(
            text("DELETE FROM person WHERE id = :id"), {"id": bench["tim"].person_id}
        )
    assert rows(bench) == 0


def test_the_token_lies_nowhere(bench: Bench) -> None:
    """Neither in the database nor beside it, in no spelling; and only the day of the sign-in."""
    token = remember(bench, "operator")
    raw = bytes.fromhex(token)
    kept = b"".join(path.read_bytes() for path in sorted(bench.folder.iterdir()))
    for hidden in (raw, token.encode(), b64encode(raw)[:40], urlsafe_b64encode(raw)[:40]):
        assert hidden not in kept
    with bench.office.engine.connect() as connection:
        (row,) = connection.execute(text("SELECT * FROM device")).all()
    assert row.name_of_token in kept
    assert tuple(row)[1:] == (bench["operator"].person_id, "2026-11-23")


def test_a_devices_budget_has_a_name_that_leads_to_nobody(bench: Bench) -> None:
    """What lies in the runtime directory cannot be matched with the rows of the database."""
    token = remember(bench, "operator")
    name = devices.tries_of(token)
    assert re.fullmatch(r"[0-9a-f]{64}", name)
    assert name != devices.tries_of(remember(bench, "operator"))
    with bench.office.engine.connect() as connection:
        stored = connection.scalars(text("SELECT name_of_token FROM device")).all()
    assert bytes.fromhex(name) not in {bytes(one) for one in stored}
    assert name != token
