import unicodedata
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import Malformed
from crypto.labels import Label, derive
from crypto.wordlist import WORDS
from crypto.words import (
    COUNT,
    LONGEST,
    BadChecksum,
    TooLong,
    UnknownWords,
    WrongCount,
    decode,
    encode,
    generate,
)

ENTROPY = st.binary(min_size=10, max_size=10)
SECRET = bytes(range(10))
NO_WORD = "xqzk"


@given(ENTROPY)
def test_words_carry_the_entropy_and_eight_bits_of_checksum(entropy: bytes) -> None:
    words = encode(entropy)
    bits = "".join(f"{WORDS.index(word):011b}" for word in words)
    checksum = derive(Label.WORDS_CHECKSUM, entropy)[0]
    assert len(words) == COUNT == 8
    assert bits == f"{int.from_bytes(entropy, 'big'):080b}{checksum:08b}"


@given(ENTROPY)
def test_what_was_encoded_comes_back(entropy: bytes) -> None:
    assert decode(" ".join(encode(entropy))) == entropy


STYLES: list[Callable[[str], str]] = [
    str,
    str.upper,
    str.title,
    lambda word: word[:4],
    lambda word: word[:4].upper(),
    lambda word: "".join(chr(ord(letter) + 0xFEE0) for letter in word),
]
GAPS = st.sampled_from(
    [" ", "  ", "\n", "\r\n", "\t", "-", " - ", "\u2013", ", ", "_", "\u00a0", "/"]
)


@given(ENTROPY, st.data())
def test_the_ways_in_which_people_type_are_forgiven(entropy: bytes, data: st.DataObject) -> None:
    text = data.draw(GAPS)
    for place, word in enumerate(encode(entropy), start=1):
        number = data.draw(
            st.sampled_from(["", f"{place}. ", f"{place})", f"({place}) ", f"{place}"])
        )
        text += number + data.draw(st.sampled_from(STYLES))(word) + data.draw(GAPS)
    assert decode(text) == entropy


def test_letters_after_the_fourth_do_not_matter() -> None:
    assert (
        decode(" ".join(word[:4].ljust(4) + "zz" * (len(word) >= 4) for word in encode(SECRET)))
        == SECRET
    )


@given(ENTROPY, st.sets(st.integers(1, 8), min_size=1))
def test_places_of_unknown_words_are_named_and_nothing_else(
    entropy: bytes, places: set[int]
) -> None:
    words = [
        NO_WORD if place in places else word for place, word in enumerate(encode(entropy), start=1)
    ]
    with pytest.raises(UnknownWords) as caught:
        decode(" ".join(words))
    assert caught.value.positions == tuple(sorted(places))
    assert caught.value.count == 8
    assert str(caught.value) == f"words: {len(places)} of 8 unknown"
    assert vars(caught.value) == {"positions": tuple(sorted(places)), "count": 8}


def test_unknown_words_are_named_even_if_the_count_is_wrong_too() -> None:
    with pytest.raises(UnknownWords) as caught:
        decode(f"{WORDS[0]} {NO_WORD} {WORDS[1]}")
    assert (caught.value.positions, caught.value.count) == ((2,), 3)


@pytest.mark.parametrize(
    "text", ["kata " * 76_000, "\ufdfa" * 250_000, "a" + "\u0315\u0300" * 50_000, "z" * 401]
)
def test_what_no_secret_key_can_be_is_refused_unread(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long text is neither normalised, which may cost its square, nor taken apart."""
    handed: list[int] = []

    def spy(_form: str, given: str) -> str:
        handed.append(len(given))
        return given

    monkeypatch.setattr(unicodedata, "normalize", spy)
    with pytest.raises(TooLong, match=r"^words: longer than any secret key$"):
        decode(text)
    assert handed == []


def test_the_longest_way_to_type_a_key_is_far_below_the_bound() -> None:
    """Eight words of eight letters, numbered, in lines of their own, twice over."""
    assert 2 * COUNT * len("8. aaaaaaaa\r\n") < LONGEST


def test_no_more_places_are_named_than_a_key_has() -> None:
    """The answer to a hundred unknown words is as short as that to eight."""
    with pytest.raises(UnknownWords) as caught:
        decode(f"{NO_WORD[:2]} " * 100)
    assert caught.value.positions == tuple(range(1, COUNT + 1))
    assert caught.value.count == 100


@pytest.mark.parametrize("count", [0, 1, 7, 9, 20])
def test_another_count_is_named(count: int) -> None:
    with pytest.raises(WrongCount) as caught:
        decode(" ".join((encode(SECRET) * 3)[:count]))
    assert caught.value.count == count
    assert str(caught.value) == f"words: {count} instead of 8"


def test_the_first_three_letters_are_not_enough() -> None:
    words = list(encode(SECRET))
    place = next(place for place, word in enumerate(words) if word[:3] not in WORDS)
    words[place] = words[place][:3]
    with pytest.raises(UnknownWords) as caught:
        decode(" ".join(words))
    assert caught.value.positions == (place + 1,)


def fits(words: Sequence[str]) -> bool:
    try:
        decode(" ".join(words))
    except BadChecksum:
        return False
    return True


def test_a_wrong_word_is_noticed_255_times_of_256() -> None:
    words = encode(SECRET)
    accepted = [word for word in WORDS if fits([*words[:3], word, *words[4:]])]
    assert words[3] in accepted
    assert len(accepted) < 30


def test_a_bad_checksum_says_no_more_than_that() -> None:
    words = list(encode(SECRET))
    words[-1] = WORDS[WORDS.index(words[-1]) ^ 1]
    with pytest.raises(BadChecksum, match=r"^words: checksum does not fit$") as caught:
        decode(" ".join(words))
    assert caught.value.__context__ is None


def test_every_wrong_checksum_is_noticed() -> None:
    """The last word holds the checksum whole, so that exactly one of 256 fits."""
    *words, last = encode(SECRET)
    index = WORDS.index(last)
    for checksum in set(range(256)) - {index % 256}:
        with pytest.raises(BadChecksum):
            decode(" ".join((*words, WORDS[index // 256 * 256 + checksum])))


@pytest.mark.parametrize("size", [0, 9, 11])
def test_entropy_has_10_bytes(size: int) -> None:
    with pytest.raises(Malformed, match=r"^words: wrong amount of entropy$"):
        encode(bytes(size))


def test_all_refusals_are_one_kind_for_callers_that_do_not_care() -> None:
    for kind in (TooLong, UnknownWords, WrongCount, BadChecksum):
        assert issubclass(kind, Malformed)


@pytest.mark.parametrize("count", [1, 6, 12])
def test_a_passphrase_has_as_many_words_of_the_list_as_asked(count: int) -> None:
    words = generate(count).split(" ")
    assert len(words) == count
    assert set(words) <= set(WORDS)


def test_passphrases_are_random() -> None:
    assert len({generate(6) for _ in range(20)}) == 20


@pytest.mark.parametrize("count", [0, -1])
def test_a_passphrase_without_words_is_refused(count: int) -> None:
    with pytest.raises(Malformed, match=r"^words: a passphrase needs a word$"):
        generate(count)


def test_the_longest_text_is_still_read() -> None:
    """Exactly as many characters as allowed are a key like any other."""
    entropy = bytes(10)
    assert decode(" ".join(encode(entropy)).ljust(LONGEST)) == entropy
