"""The receipt: shown until the words are confirmed or 30 minutes have passed."""

import pytest

from casework.errors import Expired, InvalidInput
from casework.intake import receipt, submit
from tests.casework.cases import Filed, report_of

WORDS = ("bambu", "kapal", "sungai", "gunung", "pasir", "teluk", "hutan", "awan")


@pytest.mark.parametrize("typed", ["kapal", "KAPA", " kapal ", "kapa"])
def test_four_letters_in_any_case_are_the_word(typed: str) -> None:
    receipt.check_words(WORDS, {2: typed, 8: "awan"})


def test_each_wrong_word_is_pointed_at_by_its_place_only() -> None:
    with pytest.raises(InvalidInput) as refused:
        receipt.check_words(WORDS, {1: "kapal", 3: "sungai", 8: ""})
    assert dict(refused.value.errors) == {
        "word_1": "receipt.word_differs",
        "word_8": "receipt.word_differs",
    }
    assert "kapal" not in str(refused.value)
    assert "bambu" not in str(refused.value)


@pytest.mark.parametrize("typed", ["kap", "bkap", "k"])
def test_less_than_four_letters_are_not_the_word(typed: str) -> None:
    with pytest.raises(InvalidInput):
        receipt.check_words(WORDS, {2: typed})


def test_words_are_not_in_the_representation(filed: Filed) -> None:
    assert all(word not in repr(filed.receipt) for word in filed.receipt.words)


def test_after_confirming_the_form_is_spent(filed: Filed) -> None:
    office = filed.bench.office
    with office.write() as uow:
        receipt.confirm(uow, submit.submission_of(filed.token))
    with pytest.raises(Expired):
        submit.again(office, filed.token)
    with pytest.raises(Expired):
        submit.submit(office, filed.token, report_of(office))
    assert filed.mailbox().ticket == filed.receipt.ticket


def test_after_thirty_minutes_the_form_is_spent(filed: Filed) -> None:
    office = filed.bench.office
    filed.bench.clock.advance(minutes=30)
    assert submit.again(office, filed.token) == filed.receipt
    filed.bench.clock.advance(seconds=1)
    with pytest.raises(Expired):
        submit.again(office, filed.token)


def test_the_tick_closes_what_ran_out_for_good(filed: Filed) -> None:
    """Even a clock set back does not show the words again."""
    office = filed.bench.office
    with office.write() as uow:
        assert receipt.expire(uow) == 0
    filed.bench.clock.advance(minutes=31)
    with office.write() as uow:
        assert receipt.expire(uow) == 1
        assert receipt.expire(uow) == 0
    filed.bench.clock.advance(minutes=-31)
    with pytest.raises(Expired):
        submit.again(office, filed.token)


def test_confirming_an_unknown_form_is_nothing(filed: Filed) -> None:
    with filed.bench.office.write() as uow:
        receipt.confirm(uow, b"z" * 32)


def test_the_first_date_is_a_target_here(filed: Filed) -> None:
    assert filed.receipt.first_reaction is not None
    assert not filed.receipt.legal
