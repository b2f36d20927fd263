"""Shares on paper: any k of n give the key, and what is wrong with one is told by its place."""

from __future__ import annotations

import itertools
import traceback
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shamir_mnemonic.wordlist import WORDLIST

from casework.errors import InvalidInput
from casework.keys import shares
from casework.keys.misspelling import LENGTH
from casework.keys.shares import (
    ForeignShare,
    RepeatedShare,
    Shares,
    SharesWrong,
    TooFewShares,
    UnknownWords,
    WordMistyped,
    WrongLength,
)
from crypto.persons import Person
from crypto.wordlist import WORDS

OWNER = Person.from_seed(b"pemulihan".ljust(32, b"."))
MADE = shares.split(OWNER, Shares())


def changed(mnemonic: str, place: int, word: str) -> str:
    """The share with another word at a place counted from 1."""
    words = mnemonic.split()
    words[place - 1] = word
    return " ".join(words)


def other_word(mnemonic: str, place: int, step: int) -> str:
    index = WORDLIST.index(mnemonic.split()[place - 1])
    return WORDLIST[(index + step) % len(WORDLIST)]


def test_any_two_of_three_give_the_key_back() -> None:
    assert len(MADE) == 3
    for chosen in itertools.combinations(MADE, 2):
        assert shares.combine(chosen).public == OWNER.public


def test_one_alone_gives_nothing() -> None:
    for mnemonic in MADE:
        with pytest.raises(SharesWrong):
            shares.combine([mnemonic])
        with pytest.raises(TooFewShares) as caught:
            shares.check([mnemonic], OWNER.public)
        assert (caught.value.needed, caught.value.given) == (2, 1)


def test_every_splitting_makes_other_shares() -> None:
    assert not set(MADE) & set(shares.split(OWNER, Shares()))


def test_shares_are_accepted_in_any_case_spacing_and_order() -> None:
    shares.check(["  ".join(m.upper().split()) + "\n" for m in reversed(MADE)], OWNER.public)


def test_a_share_says_which_it_is_and_how_many_are_needed() -> None:
    found = [shares.read(mnemonic) for mnemonic in MADE]
    assert [one.number for one in found] == [1, 2, 3]
    assert {one.needed for one in found} == {2}
    assert not any(one.mnemonic[:30] in repr(one) for one in found)


def test_another_keys_shares_are_refused() -> None:
    foreign = shares.split(Person.generate(), Shares())
    with pytest.raises(ForeignShare):
        shares.check(foreign, OWNER.public)
    with pytest.raises(ForeignShare):
        shares.check([MADE[0], foreign[1]], OWNER.public)


def test_shares_of_two_splittings_of_one_key_do_not_mix() -> None:
    with pytest.raises(ForeignShare):
        shares.check([MADE[0], shares.split(OWNER, Shares())[1]], OWNER.public)


@pytest.mark.parametrize("typed", [[0, 0], [0, 1, 0], [0, 1, 1]])
def test_the_same_share_twice_is_not_two_shares(typed: list[int]) -> None:
    with pytest.raises(RepeatedShare):
        shares.check([MADE[number].upper() for number in typed], OWNER.public)


@settings(max_examples=60)
@given(number=st.integers(0, 2), place=st.integers(1, LENGTH), step=st.integers(1, 1023))
def test_one_word_mistyped_for_another_is_named_by_its_place(
    number: int, place: int, step: int
) -> None:
    typed = changed(MADE[number], place, other_word(MADE[number], place, step))
    with pytest.raises(WordMistyped) as caught:
        shares.read(typed)
    assert caught.value.place == place


@given(places=st.sets(st.integers(1, LENGTH), min_size=2, max_size=3))
@settings(max_examples=30)
def test_up_to_three_wrong_words_never_pass(places: set[int]) -> None:
    typed = MADE[0]
    for place in places:
        typed = changed(typed, place, other_word(typed, place, place))
    with pytest.raises(WordMistyped):
        shares.read(typed)


@pytest.mark.parametrize("places", [(1,), (33,), (4, 17), tuple(range(1, 12))])
def test_words_of_no_list_are_named_by_their_places(places: tuple[int, ...]) -> None:
    typed = MADE[1]
    for place in places:
        typed = changed(typed, place, "pisang")
    with pytest.raises(UnknownWords) as caught:
        shares.read(typed)
    assert caught.value.places == places[: shares.NAMED]


@pytest.mark.parametrize("count", [0, 1, 20, 32, 34])
def test_another_number_of_words_is_named(count: int) -> None:
    with pytest.raises(WrongLength) as caught:
        shares.read(" ".join((MADE[0].split() * 2)[:count]))
    assert caught.value.count == count


@pytest.mark.parametrize("typed", [[], [""], ["halo"], ["", ""], ["satu dua", "tiga empat"]])
def test_nonsense_is_refused_without_being_repeated(typed: list[str]) -> None:
    with pytest.raises(SharesWrong) as caught:
        shares.check(typed, OWNER.public)
    assert caught.value.__context__ is None
    assert not any(word in str(caught.value) for one in typed for word in one.split())


@pytest.mark.parametrize(
    "typed",
    [
        [changed(MADE[0], 7, "pisang"), MADE[1]],
        [changed(MADE[0], 7, other_word(MADE[0], 7, 3)), MADE[1]],
        [MADE[0], MADE[0]],
        [MADE[0]],
        [MADE[0], shares.split(Person.generate(), Shares())[1]],
    ],
)
def test_no_refusal_holds_words(typed: Sequence[str]) -> None:
    """What is printed of an error, causes included, has no two words of a share in a row."""
    with pytest.raises(SharesWrong) as caught:
        shares.check(typed, OWNER.public)
    told = "".join(traceback.format_exception_only(caught.value))
    assert caught.value.__context__ is None
    for mnemonic in typed:
        # One word alone may be a word of the sentence: these shares are drawn anew in each run.
        assert not any(" ".join(two) in told for two in itertools.pairwise(mnemonic.split()))


@pytest.mark.parametrize(("needed", "made"), [(2, 2), (3, 5), (4, 7)])
def test_other_numbers_of_shares_work_too(needed: int, made: int) -> None:
    mnemonics = shares.split(OWNER, Shares(needed, made))
    assert len(mnemonics) == made
    shares.check(mnemonics[-needed:], OWNER.public)
    with pytest.raises(TooFewShares):
        shares.check(mnemonics[: needed - 1], OWNER.public)


@pytest.mark.parametrize(("needed", "made"), [(1, 1), (1, 3), (3, 2), (2, 17), (0, 0)])
def test_nobody_can_hold_the_whole_key(needed: int, made: int) -> None:
    with pytest.raises(InvalidInput):
        Shares(needed, made)


def test_what_was_typed_is_compared_with_what_was_shown_by_places_alone() -> None:
    shown = MADE[2]
    assert shares.differing(f"  {shown.upper()} ", shown) == ()
    assert shares.differing(changed(changed(shown, 9, "pisang"), 3, "x"), shown) == (3, 9)
    assert shares.differing(" ".join(shown.split()[:31]), shown) == (32, 33)
    assert shares.differing(f"{shown} lagi", shown) == (34,)
    assert shares.differing("", shown) == tuple(range(1, shares.NAMED + 1))


def test_a_copy_is_checked_by_two_words_of_its_own() -> None:
    found = [shares.check_words(mnemonic) for mnemonic in MADE]
    assert len(set(found)) == 3
    assert all(word in WORDS for pair in found for word in pair)
    assert shares.check_words(f" {MADE[0].upper()}\n") == found[0]
    for place in range(1, LENGTH + 1):
        wrong = changed(MADE[0], place, other_word(MADE[0], place, 1))
        assert shares.check_words(wrong) != found[0]
