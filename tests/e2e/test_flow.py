"""A report goes in, a result comes out: the whole way, in each browser, without scripts."""

from tests.e2e import walk
from tests.e2e.browsers import Opener
from tests.e2e.demo import Demo


def test_a_report_goes_in_and_a_result_comes_out(browser: Opener, demo: Demo) -> None:
    """The report travels from the form to the rating by pages, fields and buttons alone."""
    reporter = walk.whole(browser, demo.base, demo.officers)
    assert walk.RESULT in reporter.page.text()
    assert "Anda memberi nilai 4 dari 5" in reporter.page.text()
