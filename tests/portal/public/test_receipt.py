"""The receipt: the same form shows it again, until it is kept or half an hour has passed."""

import re
from itertools import pairwise

import pytest

from tests.portal import visits
from tests.portal.sites import Site
from tests.portal.visits import NARRATIVE, Receipt, Visit

SEND, KEEP, PRINT = "/formulir/kirim", "/formulir/simpan", "/formulir/cetak"


@pytest.fixture
def sent(portal: Site) -> tuple[Visit, list[tuple[str, str]], Receipt]:
    """A report that was just sent: the browser, the form as sent, the receipt."""
    visit = visits.to_form(portal.visit())
    pairs = visit.filled(SEND, {"narrative": NARRATIVE})
    return visit.post(SEND, pairs), pairs, visits.receipt_on(visit)


Sent = tuple[Visit, list[tuple[str, str]], Receipt]


def test_it_shows_ticket_eight_words_and_the_day(sent: Sent) -> None:
    """Everything that a reporter must write down, and when to come back, but not the report."""
    visit, _, receipt = sent
    assert re.fullmatch(r"WBS-[0-9A-HJKMNP-TV-Z]{8}", receipt.ticket)
    assert len(receipt.words) == 8
    assert "23\xa0November\xa02026" in visit.text
    assert "26\xa0November\xa02026" in visit.text
    assert "Target tanggapan pertama" in visit.text
    assert NARRATIVE not in visit.text


def test_the_same_form_shows_the_same_receipt(portal: Site, sent: Sent) -> None:
    """Sent twice, from another browser, or with another text: one case, one receipt."""
    _, pairs, receipt = sent
    for again in (pairs, [*pairs[:2], ("narrative", "Lain sekali")], pairs[:1]):
        visit = portal.visit().post(SEND, again)
        assert visit.status == 200
        assert visits.receipt_on(visit) == receipt
    assert portal.count() == 1
    assert portal.count("item") == 4


def test_two_forms_are_two_cases(portal: Site) -> None:
    """What differs is the form, not the browser or the text."""
    visit = portal.visit()
    first, second = visits.report(visit), visits.report(visit)
    assert first.ticket != second.ticket
    assert first.words != second.words
    assert portal.count() == 2


def test_wrong_words_are_pointed_at_and_the_receipt_stays(portal: Site, sent: Sent) -> None:
    """The wrong one is marked, the right one is not; ticket and words are shown again."""
    visit, _, receipt = sent
    first, _ = visits.asked(visit)
    right = receipt.words[first - 1]
    visit.send(KEEP, {"word_first": right, "word_second": "salah"})
    assert visit.status == 422
    assert visits.receipt_on(visit) == receipt
    assert 'href="#word_second"' in visit.text
    assert 'href="#word_first"' not in visit.text
    assert portal.scalar('SELECT receipt_open FROM "case"') == 1


def test_the_words_asked_for_are_fixed_and_one_of_each_half(portal: Site) -> None:
    """Whoever errs is asked for the same two, so that guessing page by page is no way round."""
    seen = set()
    for _ in range(6):
        visit = portal.visit()
        visits.report(visit)
        first, second = visits.asked(visit)
        assert first in range(1, 5)
        assert second in range(5, 9)
        visit.send(KEEP, {"word_first": "x", "word_second": "y"})
        assert visits.asked(visit) == [first, second]
        seen.add((first, second))
    assert len(seen) > 1


def test_words_are_taken_in_any_case_and_by_four_letters(sent: Sent) -> None:
    """A tired hand may write capitals, spaces, or the beginning only."""
    visit, _, receipt = sent
    first, second = (receipt.words[number - 1] for number in visits.asked(visit))
    visit.send(KEEP, {"word_first": f"  {first.upper()} ", "word_second": second[:4]})
    assert (visit.status, visit.location) == (303, "/ruang")


def test_a_confirmed_receipt_is_never_shown_again(portal: Site, sent: Sent) -> None:
    """409 with neither ticket nor words, for the form, the print view and the confirmation."""
    visit, pairs, receipt = sent
    visits.keep(visit, receipt)
    for path in (SEND, PRINT, KEEP):
        again = portal.visit().post(path, pairs)
        assert again.status == 409, path
        assert again.heading == "Formulir ini sudah terkirim"
        assert receipt.ticket not in again.text
        # One word alone may stand on any page: the list is of common words.
        assert not any(f"<li>{word}</li>" in again.text for word in receipt.words)
        assert not any(" ".join(two) in again.text for two in pairwise(receipt.words))
        assert "set-cookie" not in again.answer.headers
    assert portal.count() == 1


def test_after_half_an_hour_the_receipt_is_gone(portal: Site, sent: Sent) -> None:
    """Until 30 minutes it is shown, one second later it is not."""
    _, pairs, receipt = sent
    portal.clock.advance(minutes=30)
    assert visits.receipt_on(portal.visit().post(SEND, pairs)) == receipt
    portal.clock.advance(seconds=1)
    for path in (SEND, PRINT, KEEP):
        late = portal.visit().post(path, pairs)
        assert late.status == 409, path
        assert receipt.ticket not in late.text
    assert visits.enter(portal.visit(), receipt).location == "/ruang"


def test_showing_it_again_does_not_lengthen_the_window(portal: Site, sent: Sent) -> None:
    """Half an hour counts from the first showing."""
    _, pairs, _ = sent
    for _ in range(3):
        portal.clock.advance(minutes=10)
        assert portal.visit().post(SEND, pairs).status == 200
    portal.clock.advance(minutes=1)
    assert portal.visit().post(SEND, pairs).status == 409


def test_the_print_view_says_nothing_of_the_report(sent: Sent) -> None:
    """Ticket, words and a date: not the story, and not the word for what it is."""
    visit, _, receipt = sent
    visit.send(PRINT)
    assert visit.status == 200
    printed = visit.text[visit.text.index('class="strip"') :]
    assert receipt.ticket in printed
    assert all(f"<li>{word}</li>" in printed for word in receipt.words)
    assert NARRATIVE not in visit.text
    for telling in ("lapor", "aduan", "pelapor", "tiket", "rahasia", "inspektorat"):
        assert telling not in printed.lower()


@pytest.mark.parametrize("path", [PRINT, KEEP])
def test_a_token_without_a_report_has_no_receipt(portal: Site, path: str) -> None:
    """A form that was never sent is not answered with ticket and words."""
    visit = visits.to_form(portal.visit())
    visit.post(path, {"token": visit.value(SEND, "token"), "word_first": "", "word_second": ""})
    assert visit.status == 400
    assert "WBS-" not in visit.text


def test_confirming_opens_one_session_by_a_fresh_cookie(sent: Sent) -> None:
    """The cookie is strict, hidden from scripts, and not the form's token."""
    visit, _, receipt = sent
    visits.keep(visit, receipt)
    cookie = visit.answer.headers["set-cookie"]
    assert re.fullmatch(r"ruang=[\w-]{43}; HttpOnly; Path=/; SameSite=strict", cookie)
    assert receipt.token not in cookie
    assert visit.text == ""
