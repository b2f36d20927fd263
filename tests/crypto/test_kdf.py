import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import LimitExceeded, Malformed
from crypto.kdf import PASSPHRASE, SECRET_KEY, Kdf, below_floor, stretch

CHEAP = Kdf(memory_kib=32, passes=1, lanes=1)
SALT = bytes(range(16))
COSTS = st.builds(
    lambda lanes, memory, passes: Kdf(memory_kib=8 * lanes + memory, passes=passes, lanes=lanes),
    st.integers(1, 16),
    st.integers(0, 200),
    st.integers(1, 16),
)


def test_the_reference_used_here_agrees_with_rfc_9106_section_5_3() -> None:
    reference = Argon2id(
        salt=b"\x02" * 16,
        length=32,
        iterations=3,
        lanes=4,
        memory_cost=32,
        ad=b"\x04" * 12,
        secret=b"\x03" * 8,
    )
    assert reference.derive(b"\x01" * 32).hex() == (
        "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    )


@given(st.binary(max_size=60), st.binary(min_size=16, max_size=40), COSTS)
@settings(max_examples=25, deadline=None)
def test_stretching_is_argon2id_with_the_given_cost(password: bytes, salt: bytes, kdf: Kdf) -> None:
    reference = Argon2id(
        salt=salt, length=32, iterations=kdf.passes, lanes=kdf.lanes, memory_cost=kdf.memory_kib
    )
    assert stretch(password, salt, kdf) == reference.derive(password)


@pytest.mark.parametrize("size", [0, 8, 15])
def test_a_short_salt_is_refused(size: int) -> None:
    with pytest.raises(Malformed, match=r"^kdf: salt too short$"):
        stretch(b"password", bytes(size), CHEAP)


def test_lack_of_memory_is_a_limit_and_no_foreign_exception() -> None:
    """In a process of its own, which is allowed less memory than the cost asks for."""
    program = """
import resource
from crypto.errors import LimitExceeded
from crypto.kdf import Kdf, stretch
resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20))
try:
    stretch(b"password", bytes(16), Kdf(1 << 20, 1, 1))
except LimitExceeded as failure:
    assert str(failure) == "kdf: not enough memory"
    assert failure.__suppress_context__
else:
    raise SystemExit("no failure")
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_two_parameter_sets_are_the_ones_of_the_design() -> None:
    assert Kdf(memory_kib=19 * 1024, passes=2, lanes=1) == SECRET_KEY
    assert Kdf(memory_kib=64 * 1024, passes=3, lanes=4) == PASSPHRASE
    assert SECRET_KEY.id == "argon2id:m=19456,t=2,p=1"
    assert PASSPHRASE.id == "argon2id:m=65536,t=3,p=4"


@given(COSTS)
def test_parsing_gives_back_what_id_wrote(kdf: Kdf) -> None:
    assert Kdf.parse(kdf.id) == kdf


@pytest.mark.parametrize(
    "text",
    [
        "",
        "argon2id",
        "argon2i:m=32,t=1,p=1",
        "argon2id:m=032,t=1,p=1",
        "argon2id:m=32,t=0,p=1",
        "argon2id:m=32,t=1,p=-1",
        "argon2id:m=32, t=1,p=1",
        "argon2id:m=32,t=1,p=1\n",
        "argon2id:m=32,t=1,p=1,x=1",
        "argon2id:t=1,m=32,p=1",
        "argon2id:m=\u0663\u0662,t=1,p=1",
        "argon2id:m=99999999999,t=1,p=1",
        "argon2id:m=32,t=99999999999,p=1",
        "argon2id:m=32,t=1,p=99999999999",
    ],
)
def test_no_other_spelling_is_accepted(text: str) -> None:
    with pytest.raises(Malformed, match=r"^kdf: unknown id$"):
        Kdf.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "argon2id:m=1048577,t=1,p=1",
        "argon2id:m=32,t=17,p=1",
        "argon2id:m=1024,t=1,p=17",
        "argon2id:m=9999999999,t=1,p=1",
        "argon2id:m=32,t=9999999999,p=1",
    ],
)
def test_a_planted_cost_cannot_take_the_server_down(text: str) -> None:
    with pytest.raises(LimitExceeded, match=r"^kdf: cost too high$"):
        Kdf.parse(text)


def test_the_limits_themselves_are_allowed() -> None:
    assert Kdf(memory_kib=1024 * 1024, passes=16, lanes=16).lanes == 16
    assert Kdf(memory_kib=8, passes=1, lanes=1).memory_kib == 8


@pytest.mark.parametrize(
    ("memory", "passes", "lanes"), [(7, 1, 1), (15, 1, 2), (8, 0, 1), (8, 1, 0)]
)
def test_costs_that_argon2_does_not_know_are_refused(memory: int, passes: int, lanes: int) -> None:
    with pytest.raises(Malformed, match=r"^kdf: cost below what Argon2id allows$"):
        Kdf(memory, passes, lanes)


def test_the_least_memory_grows_with_the_lanes() -> None:
    assert len(stretch(b"password", SALT, Kdf(memory_kib=16, passes=1, lanes=2))) == 32


@pytest.mark.parametrize(
    ("kdf", "below"),
    [
        (Kdf(1024, 2, 1), False),
        (Kdf(1023, 2, 1), True),
        (Kdf(1024, 1, 1), True),
        (Kdf(2048, 1, 1), True),
        (Kdf(1023, 9, 1), True),
        (Kdf(2048, 3, 1), False),
        (Kdf(1024, 2, 4), False),
    ],
)
def test_a_cost_below_the_floor_in_memory_or_passes_is_seen(kdf: Kdf, *, below: bool) -> None:
    assert below_floor(kdf, Kdf(1024, 2, 2)) is below


def test_a_cost_cannot_be_changed_once_checked() -> None:
    with pytest.raises(FrozenInstanceError):
        CHEAP.memory_kib = 1  # type: ignore[misc]
