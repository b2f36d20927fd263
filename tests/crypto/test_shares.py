import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import Malformed
from crypto.shares import combine, split

SECRETS = st.binary(min_size=32, max_size=32)


@given(SECRETS)
def test_two_shares_give_the_secret_in_either_order(secret: bytes) -> None:
    first, second = split(secret)
    assert combine(first, second) == combine(second, first) == secret


@given(SECRETS)
def test_no_share_is_the_secret_and_no_split_repeats(secret: bytes) -> None:
    first, second = split(secret)
    assert secret not in {first, second}
    assert split(secret)[0] != first


def test_one_share_fits_every_secret() -> None:
    """So that whoever holds it alone has learnt nothing, whatever their means."""
    share = split(bytes(32))[0]
    for secret in (bytes(32), b"\xff" * 32, bytes(range(32))):
        assert combine(share, combine(share, secret)) == secret


@given(SECRETS, st.integers(0, 255))
def test_a_change_of_any_bit_gives_another_secret(secret: bytes, bit: int) -> None:
    first, second = split(secret)
    changed = (int.from_bytes(first, "big") ^ 1 << bit).to_bytes(32, "big")
    assert combine(changed, second) != secret


@pytest.mark.parametrize("size", [0, 31, 33])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(Malformed, match=r"^shares: wrong size$"):
        split(bytes(size))
    with pytest.raises(Malformed, match=r"^shares: wrong size$"):
        combine(bytes(size), bytes(32))
    with pytest.raises(Malformed, match=r"^shares: wrong size$"):
        combine(bytes(32), bytes(size))
    with pytest.raises(Malformed, match=r"^shares: wrong size$"):
        combine(bytes(size), bytes(size))
