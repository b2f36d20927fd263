"""portal.web.kept: a text typed too late comes back to the same person, and to nobody else."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.age import HybridIdentity
from portal.web.csrf import issue
from portal.web.kept import KEPT_LIMIT, Keeper, open_fields, seal_fields
from portal.web.refusals import KeptTooLong
from tests.portal.web.conftest import PERSON, SECRET

MINE = HybridIdentity.from_seed(b"m" * 32)
THEIRS = HybridIdentity.from_seed(b"t" * 32)
FIELDS = {"catatan": f"{SECRET} é\n", "kosong": ""}


def test_the_same_person_gets_everything_back() -> None:
    """After signing in again, the fields are as they were typed."""
    assert open_fields(seal_fields(FIELDS, MINE.recipient), MINE) == FIELDS


def test_another_person_gets_nothing() -> None:
    """Whoever signs in next at that browser learns nothing, and there is no error to study."""
    assert open_fields(seal_fields(FIELDS, MINE.recipient), THEIRS) == {}


def test_what_lies_in_the_page_is_sealed_and_padded() -> None:
    """The page holds no word, and short texts look alike in length."""
    kept = seal_fields(FIELDS, MINE.recipient)
    assert SECRET.encode() not in base64.b64decode(kept)
    assert len(kept) == len(seal_fields({"a": "b"}, MINE.recipient))


@pytest.mark.parametrize("at", [0, 40, -1])
def test_an_altered_text_is_dropped(at: int) -> None:
    """Any changed byte makes the whole worthless."""
    sealed = bytearray(base64.b64decode(seal_fields(FIELDS, MINE.recipient)))
    sealed[at] ^= 1
    assert open_fields(base64.b64encode(sealed).decode(), MINE) == {}


@pytest.mark.parametrize("kept", ["", "x", "!!!!", "QUJD", "é", "A" * (KEPT_LIMIT * 4)])
def test_what_was_never_sealed_is_dropped(kept: str) -> None:
    """A hidden field may hold anything; the answer is an empty form."""
    assert open_fields(kept, MINE) == {}


def test_the_longest_text_that_is_kept_comes_back() -> None:
    """The limit on opening lies above the limit on sealing."""
    fields = {"a": "x" * (KEPT_LIMIT - 9)}
    assert open_fields(seal_fields(fields, MINE.recipient), MINE) == fields


def test_a_text_too_long_to_carry_is_refused() -> None:
    """The bound counts bytes, not characters."""
    with pytest.raises(KeptTooLong):
        seal_fields({"a": "é" * (KEPT_LIMIT // 2)}, MINE.recipient)


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(st.text(max_size=20), st.text(max_size=200), max_size=5))
def test_any_fields_come_back(fields: dict[str, str]) -> None:
    """Sealing and opening are inverse."""
    encodable = {
        name.encode("utf-8", "replace").decode(): value.encode("utf-8", "replace").decode()
        for name, value in fields.items()
    }
    assert open_fields(seal_fields(encodable, MINE.recipient), MINE) == encodable


def test_a_marker_names_its_person() -> None:
    """An expired form says to whom it belongs."""
    keeper = Keeper(b"k" * 32)
    assert keeper.read(keeper.mark(PERSON)) == PERSON


def test_a_forged_marker_names_nobody() -> None:
    """Nobody can have another person's text sealed to themselves."""
    keeper = Keeper(b"k" * 32)
    marker = keeper.mark(PERSON)
    assert keeper.read(Keeper(b"x" * 32).mark(PERSON)) is None
    assert keeper.read(marker.replace(marker[5], "A" if marker[5] != "A" else "B", 1)) is None
    for other in ("", "x", "é", "a.b.c", "A" * 10_000):
        assert keeper.read(other) is None


def test_a_csrf_token_is_no_marker() -> None:
    """Even under the same secret, one kind of token never passes for another."""
    assert Keeper(b"k" * 32).read(issue(b"k" * 32, "suaka/v1/keeper")) is None
