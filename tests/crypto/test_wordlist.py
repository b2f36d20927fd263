"""The word list keeps the promises on which typing a secret key back in depends."""

import re
from collections.abc import Callable
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from crypto import wordlist
from crypto.wordlist import PREFIXES, WORDS

FILE = Path(wordlist.__file__).with_name("id.txt")
DIGEST = "2d973fd5c5b6048d6934c7902338a9dc047b154216be8f17953ba7c157213e50"

UNWELCOME = (
    "adili ancam anjing babi bacok bangkai bangsat begal bencana bodoh bohong borgol buaya bui "
    "bukti bunuh bupati cacat cekal celaka copet culik curi curiga dakwa darah derita dosa duka "
    "fitnah gagal gantung gelap gila gratifikasi gugat hakim hantu hilang hukum intai intel jaksa "
    "jatuh jebak jerat jeruji kafir kapak kejam kejar kelamin korban korupsi koruptor kubur lapor "
    "luka makam maling mampus mati mayat miskin musuh nisan pecat pelapor penjara perang perkosa "
    "pidana pistol polisi pukul pungli racun rahasia rampok rusak sadap sakit saksi sandera santet "
    "senjata serang setan siksa sipir sita suap takut tangkap telanjang tembak teror tersangka "
    "tewas tikam tikus tinja tuduh tusuk ular usir vonis"
)


def test_file_is_one_plain_word_per_line_and_is_what_the_loader_gives() -> None:
    """No byte-order mark, carriage return, blank line or missing last line end slips in."""
    assert FILE.read_bytes() == "".join(f"{word}\n" for word in WORDS).encode("ascii")


def test_list_never_changes() -> None:
    """A word's position is its value: one moved word would lock out reporters for good."""
    assert sha256(FILE.read_bytes()).hexdigest() == DIGEST


def test_there_are_2048_words() -> None:
    """11 bits each: eight words carry exactly 88."""
    assert len(WORDS) == 2048


def test_words_are_sorted_without_repetition() -> None:
    assert all(one < next_one for one, next_one in pairwise(WORDS))


def test_every_word_has_four_to_eight_lower_case_letters() -> None:
    """Any keyboard types them, and each has four letters to be known by."""
    assert [word for word in WORDS if not re.fullmatch("[a-z]{4,8}", word)] == []


def test_four_letters_tell_every_word_apart() -> None:
    """Reporters may type only the first four letters; the index leads back to the word."""
    assert len(PREFIXES) == 2048
    assert [WORDS[index][:4] for index in PREFIXES.values()] == list(PREFIXES)
    assert [PREFIXES[word[:4]] for word in WORDS] == list(range(2048))


def test_one_wrong_letter_never_makes_another_word() -> None:
    """Words that differ in one place share a pattern with a gap in it."""
    seen: dict[str, str] = {}
    clashes = []
    for word in WORDS:
        for place in range(len(word)):
            other = seen.setdefault(f"{word[:place]}_{word[place + 1 :]}", word)
            if other != word:
                clashes.append((other, word))
    assert clashes == []


def test_two_swapped_neighbours_never_make_another_word() -> None:
    known = set(WORDS)
    clashes = []
    for word in WORDS:
        for place in range(len(word) - 1):
            swapped = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
            if swapped != word and swapped in known:
                clashes.append((word, swapped))
    assert clashes == []


def test_nothing_on_the_list_frightens_or_insults() -> None:
    """Neither the words themselves nor what Indonesian suffixes make of them."""
    endings = ("", "an", "i", "kan", "nya")
    unwelcome = {stem + ending for stem in UNWELCOME.split() for ending in endings}
    assert unwelcome.isdisjoint(WORDS)


def test_prefixes_cannot_be_changed_by_a_caller() -> None:
    with pytest.raises(TypeError):
        PREFIXES["abad"] = 1  # type: ignore[index]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda lines: lines[:-1], id="a word is missing"),
        pytest.param(lambda lines: [*lines[:-1], lines[0]], id="a word is there twice"),
    ],
)
def test_a_damaged_list_is_refused(
    damage: Callable[[list[str]], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The portal would rather not start than issue keys that cannot be typed back in."""
    (tmp_path / "id.txt").write_text("\n".join(damage(list(WORDS))) + "\n", encoding="ascii")
    monkeypatch.setattr(wordlist, "files", lambda _package: tmp_path)
    with pytest.raises(RuntimeError, match="damaged"):
        wordlist._load()
