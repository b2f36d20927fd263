"""What reporters are promised about their browser: history, reload, print, no styles."""

import contextlib
from collections.abc import Callable

import pypdfium2 as pdfium
from playwright.sync_api import Error as PlaywrightError

from tests.e2e import walk
from tests.e2e.browsers import Chromium
from tests.e2e.demo import Demo

Open = Callable[..., Chromium]


def _reporter(page: Chromium) -> walk.Reporter:
    reporter = walk.Reporter(page)
    reporter.report()
    return reporter


def test_after_the_quick_exit_the_back_button_shows_nothing(chromium: Open, demo: Demo) -> None:
    """No page of the visit comes back from the browser's memory, and no cookie is left."""
    page = chromium(demo.base)
    reporter = _reporter(page)
    reporter.confirm()
    assert page.cookies() != []
    page.press("Keluar cepat")
    assert page.cookies() == []
    # One word alone may stand on any page: the list is of common words.
    words = [f"<li>{word}</li>" for word in reporter.words]
    secrets = [reporter.ticket, *words, "uang terima kasih"]
    for _ in range(4):
        # A page that came from a form is not even asked for again: the browser shows its own.
        with (
            page.page.expect_event("framenavigated"),
            contextlib.suppress(PlaywrightError),
        ):
            page.page.go_back(wait_until="load")
        page.page.wait_for_load_state("load")
        shown = page.html()
        assert [secret for secret in secrets if secret in shown] == []
        assert "Ruang pesan" not in page.title()


def test_a_reload_of_the_receipt_shows_the_same_receipt(chromium: Open, demo: Demo) -> None:
    """The browser sends the form once more; no second case is made."""
    page = chromium(demo.base)
    first = _reporter(page)
    page.page.reload()
    again = walk.Reporter(page)
    again.note_receipt()
    assert (again.ticket, again.words) == (first.ticket, first.words)


def test_the_same_form_in_two_tabs_is_one_report(chromium: Open, demo: Demo) -> None:
    """Back to the form and sent again: the same receipt, not a second report."""
    page = chromium(demo.base)
    reporter = walk.Reporter(page)
    reporter.begin()
    form = page.html()
    page.fill("narrative", walk.NARRATIVE)
    page.press("Kirim laporan")
    reporter.note_receipt()
    other = chromium(demo.base)
    other.show("/formulir/isi", form)
    other.fill("narrative", walk.NARRATIVE)
    other.press("Kirim laporan")
    again = walk.Reporter(other)
    again.note_receipt()
    assert (again.ticket, again.words) == (reporter.ticket, reporter.words)


def test_the_print_view_holds_ticket_and_words_and_nothing_of_the_report(
    chromium: Open, demo: Demo
) -> None:
    """What leaves the printer does not even say what it is for."""
    page = chromium(demo.base)
    reporter = _reporter(page)
    printed = page.press_for_tab("Buka lembar cetak (tab baru)")
    html = printed.html()
    for text in (walk.NARRATIVE[:40], *walk.ANSWERS.values()):
        assert text not in html
    printed.page.emulate_media(media="print")
    paper = printed.text()
    assert reporter.ticket in paper
    assert [word for word in reporter.words if word not in paper] == []
    said = paper.lower()
    for word in reporter.words:
        said = said.replace(word, "")  # a common word among them tells nothing
    for telling in ("lapor", "suaka", "inspektorat", "petugas", "keluar cepat"):
        assert telling not in said


def test_no_sheet_bears_the_address_that_it_was_printed_from(chromium: Open, demo: Demo) -> None:
    """Browsers print address and hour into the margins unless there is no margin."""
    page = chromium(demo.base)
    reporter = _reporter(page)
    sheets = [page.press_for_tab("Buka lembar cetak (tab baru)")]
    reporter.confirm()
    page.follow("Bukti bahwa Anda melapor")
    sheets.append(page.press_for_tab("Buka lembar cetak (tab baru)"))
    for sheet in sheets:
        with pdfium.PdfDocument(sheet.page.pdf(display_header_footer=True)) as printed:
            paper = "".join(one.get_textpage().get_text_range() for one in printed)
        assert reporter.ticket in paper
        assert demo.base.removeprefix("http://") not in paper
        assert "Lembar cetak" not in paper  # the title, beside the hour of printing


def test_the_form_works_without_any_style(chromium: Open, demo: Demo) -> None:
    """Where the stylesheet does not arrive, a report goes in all the same."""
    page = chromium(demo.base)
    page.page.route("**/*.css", lambda route: route.abort())
    reporter = _reporter(page)
    reporter.confirm()
    assert page.text().index("Langsung ke isi") < page.text().index("Ruang pesan")


def test_markup_in_a_report_is_shown_as_it_was_typed(chromium: Open, demo: Demo) -> None:
    """A reporter's text is text: no tag of it works on any page."""
    page = chromium(demo.base)
    reporter = _reporter(page)
    reporter.confirm()
    assert "<b>tidak</b> dicatat & dibagi" in page.text()
    assert page.page.locator("main b").count() == 0
