"""Passphrases that a stolen database does not give away, and those that nobody chooses."""

from __future__ import annotations

import time

import pytest

from casework.keys import passphrases
from casework.law.catalogue import ProfileCatalogue
from crypto.wordlist import WORDS
from tests.casework.office import passphrase_of

CONTEXT = ("irban", "Budi Rekaan", "Inspektur Pembantu V", "Inspektorat Contoh")
SOUND = "lemari hujan kuda sepatu gerbang"


@pytest.mark.parametrize(
    "text",
    [SOUND, "Gerbang7 kuda-hujan lemari sepatu!", "x9#Kq2!vT7pLm4z", passphrase_of("irban")],
)
def test_a_sound_one_passes(text: str) -> None:
    assert passphrases.problem(text, CONTEXT) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x9#Kq2!vT7pLm4", "passphrase_length"),
        ("a b " * 65, "passphrase_length"),
        ("", "passphrase_length"),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", "passphrase_weak"),
        ("passwordpassword1", "passphrase_weak"),
        ("qwertyuiopasdfghjkl", "passphrase_weak"),
        ("budi rekaan inspektur pembantu", "passphrase_weak"),
        ("Inspektorat Contoh 2026", "passphrase_weak"),
        ("irban irban irban irban irban", "passphrase_weak"),
        ("rahasia laporan wbs suaka", "passphrase_weak"),
        ("12345678901234567890", "passphrase_weak"),
        ("kuda kuda kuda kuda kuda kuda", "passphrase_weak"),
        ("lemari hujan kuda sepatu", "passphrase_weak"),
        ("Budi Rekaan Inspektur Pembantu 1!", "passphrase_weak"),
        ("budi.rekaan-inspektorat_contoh#1975", "passphrase_weak"),
        ("lemari hujan kuda 1", "passphrase_weak"),
    ],
)
def test_a_weak_one_is_refused_by_its_reason(text: str, problem: str) -> None:
    assert passphrases.problem(text, CONTEXT) == problem


def test_words_of_the_person_do_not_count() -> None:
    """The same words are enough for a stranger, and not for whom they are about."""
    assert passphrases.problem(SOUND, ("irban",)) is None
    assert passphrases.problem(SOUND, ("Lemari Hujan",)) == "passphrase_weak"


def test_what_one_officer_is_called_is_not_held_against_the_next() -> None:
    """The estimator keeps its dictionaries for the whole process."""
    assert passphrases.problem(SOUND, ("Lemari Hujan",)) == "passphrase_weak"
    assert passphrases.problem(SOUND, CONTEXT) is None


def test_a_hostile_text_is_estimated_in_no_time() -> None:
    """The longest one that is looked at costs well under a second of a worker."""
    before = time.perf_counter()
    passphrases.problem("aA1!" * 64, CONTEXT)
    assert time.perf_counter() - before < 2


@pytest.mark.parametrize("profile_id", ProfileCatalogue.from_package().ids())
def test_leaders_do_not_choose(profile_id: str) -> None:
    """Irban, whoever leads, the alternative recipient; one such role among others is enough."""
    profile = ProfileCatalogue.from_package().latest(profile_id)
    known = {role.id for role in profile.roles}
    drawn = {role for role in known if passphrases.is_drawn(profile, (role,))}
    assert drawn == known & {"inspektur", "pimpinan_apip", "irban", "penerima_alternatif"}
    assert passphrases.is_drawn(profile, ("operator", "irban"))
    assert not passphrases.is_drawn(profile, ())


def test_a_drawn_one_is_seven_words_and_follows_from_all_three() -> None:
    """The same again for the same attempt, another for anything that differs."""
    one = passphrases.draw(b"s" * 32, b"p" * 32, b"1")
    assert one == passphrases.draw(b"s" * 32, b"p" * 32, b"1")
    assert len(one.split(" ")) == 7
    assert set(one.split(" ")) <= set(WORDS)
    others = {
        passphrases.draw(b"t" * 32, b"p" * 32, b"1"),
        passphrases.draw(b"s" * 32, b"q" * 32, b"1"),
        passphrases.draw(b"s" * 32, b"p" * 32, b"2"),
    }
    assert len(others | {one}) == 4


def test_drawn_ones_pass_and_use_the_whole_list() -> None:
    """77 bits: every place takes any word, so a thousand draws meet most of the list."""
    drawn = [passphrases.draw(b"s" * 32, b"p" * 32, str(n).encode()) for n in range(1000)]
    assert len(set(drawn)) == 1000
    assert len({word for text in drawn for word in text.split()}) > 1900
    assert len({text.split()[0] for text in drawn}) > 700
    assert len({text.split()[6] for text in drawn}) > 700
    assert all(passphrases.problem(text, CONTEXT) is None for text in drawn[:5])
