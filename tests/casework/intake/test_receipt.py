"""The receipt: shown until the words are confirmed or 30 minutes have passed."""

from dataclasses import replace

import pytest

from casework.errors import Expired, InvalidInput
from casework.intake import receipt, submit
from casework.intake.windows import ReceiptWindows
from casework.store.office import Office
from tests.casework.cases import Filed, file_report, report_of
from tests.casework.office import Bench

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


def test_the_file_of_windows_does_not_name_the_case(filed: Filed) -> None:
    """Beside an exact time stands nothing that also stands in the database."""
    submission = submit.submission_of(filed.token)
    for part in filed.bench.folder.glob("windows.db*"):
        assert submission not in part.read_bytes()
    assert filed.scalar('SELECT submission FROM "case" WHERE id = :case') == submission


def rebooted(filed: Filed) -> Office:
    """The office after its ephemeral files were lost."""
    windows = ReceiptWindows(filed.bench.folder / "after-the-reboot.db")
    return replace(filed.bench.office, windows=windows)


def test_a_reboot_does_not_keep_receipts_open_for_ever(filed: Filed) -> None:
    """Whoever finds the form later does not read the words from it."""
    office = rebooted(filed)
    filed.bench.clock.advance(days=1)
    with office.write() as uow:
        assert receipt.expire(uow) == 1
    with pytest.raises(Expired):
        submit.again(office, filed.token)


def test_a_receipt_of_today_outlives_a_reboot(filed: Filed) -> None:
    """A reporter whose connection died does not lose the receipt to our reboot."""
    office = rebooted(filed)
    with office.write() as uow:
        assert receipt.expire(uow) == 0
    assert submit.again(office, filed.token) == filed.receipt


def test_midnight_closes_no_receipt_before_it_was_shown(bench: Bench) -> None:
    """A report of the last second of a day has its window as well."""
    now = bench.clock.now.astimezone(bench.office.tz)
    bench.clock.advance(seconds=(24 - now.hour) * 3600 - now.minute * 60 - now.second - 1)
    filed = file_report(bench)
    office = rebooted(filed)
    bench.clock.advance(seconds=2)
    with office.read() as uow:
        assert uow.today() > filed.receipt.received
    with office.write() as uow:
        assert receipt.expire(uow) == 0
    assert submit.again(office, filed.token) == filed.receipt


def test_a_window_that_is_open_over_midnight_stays(bench: Bench) -> None:
    now = bench.clock.now.astimezone(bench.office.tz)
    bench.clock.advance(seconds=(24 - now.hour) * 3600 - now.minute * 60 - now.second - 1)
    file_report(bench)
    with bench.office.write() as uow:
        bench.clock.advance(minutes=20)
        assert receipt.expire(uow) == 0
        bench.clock.advance(minutes=11)
        assert receipt.expire(uow) == 1


def test_confirming_an_unknown_form_is_nothing(filed: Filed) -> None:
    with filed.bench.office.write() as uow:
        receipt.confirm(uow, b"z" * 32)


def test_the_first_date_is_a_target_here(filed: Filed) -> None:
    assert filed.receipt.first_reaction is not None
    assert not filed.receipt.legal
