"""The browsers, the audit and the server process do what the end-to-end tests rely on."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser as PlaywrightBrowser

from tests.e2e import axe
from tests.e2e.browsers import Chromium, GraphicBrowser, GraphicOpener, Opener
from tests.e2e.plain import W3m
from tests.e2e.server import Server, ServerError, group_members

SAMPLE = (sys.executable, str(Path(__file__).with_name("sample_server.py")), "{port}")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("sample")
    server = Server(folder, folder / "log", SAMPLE)
    server.start()
    yield server.base
    server.kill()


def test_a_form_arrives_as_filled_in_every_browser(browser: Opener, sample: str) -> None:
    page = browser(sample)
    page.open("/")
    assert page.title() == "Contoh"
    assert "Formulir contoh" in page.text()

    page.fill("nama", "Bu 'Ayu' & \"Co\" é", form="#satu")
    page.fill("sandi", "rahasia")
    page.fill("uraian", "baris satu\nbaris dua")
    page.choose("waktu", "sedang")
    page.choose("jabatan", "kadis")
    page.choose("setuju", "ya")
    page.press("Kirim")

    assert page.title() == "Hasil"
    assert page.url() == f"{sample}/hasil"
    assert "uraian=baris satu" in page.text()
    assert "baris dua" in page.text()
    for pair in ("token=t&1", "sandi=rahasia", "waktu=sedang", "jabatan=kadis", "setuju=ya"):
        assert pair in page.text()
    assert "nama=Bu 'Ayu' & \"Co\" é" in page.text()
    assert "tombol=a" in page.text()
    assert "lain=" not in page.text()
    assert page.cookies() == [{"name": "sesi", "value": "abc"}]


def test_one_of_several_forms_can_be_named_in_every_browser(browser: Opener, sample: str) -> None:
    page = browser(sample)
    page.open("/")
    page.fill("nama", "kedua", form="#dua")
    page.press("Simpan", form="#dua")
    assert "nama=kedua" in page.text()
    assert "token" not in page.text()


def test_what_is_ambiguous_is_refused_in_every_browser(browser: Opener, sample: str) -> None:
    page = browser(sample)
    page.open("/")
    with pytest.raises(Exception, match=r"2 times|strict mode violation"):
        page.press("Simpan")


def test_links_are_followed_in_every_browser(browser: Opener, sample: str) -> None:
    page = browser(sample)
    page.open("/")
    page.follow("Lanjut")
    assert page.url() == f"{sample}/lanjut?a=1"


def test_a_new_visit_has_no_cookie_in_every_browser(browser: Opener, sample: str) -> None:
    page = browser(sample)
    page.open("/")
    assert page.cookies() == []


def test_scripts_run_only_where_asked_for(chromium: Callable[..., Chromium], sample: str) -> None:
    titles = []
    for javascript in (False, True):
        page = chromium(sample, javascript=javascript)
        page.open("/")
        titles.append(page.title())
    assert titles == ["Contoh", "Skrip jalan"]


def test_firefox_runs_no_script(firefox: Opener, sample: str) -> None:
    page = firefox(sample)
    page.open("/")
    assert page.title() == "Contoh"


def test_the_keyboard_walk_names_each_stop_in_order(
    chromium: Callable[..., Chromium], sample: str
) -> None:
    page = chromium(sample)
    page.open("/")
    assert page.tab_stops() == [
        "button[Kirim]",
        "input[nama]",
        "input[sandi]",
        "textarea[uraian]",
        "input[waktu]",
        "select[jabatan]",
        "input[setuju=ya]",
        "input[lain=ya]",
        "button[tombol]",
        "button[tombol]",
        "input[nama]",
        "button[Simpan]",
        "a[/lanjut?a=1]",
    ]


def test_screenshots_are_written(
    chromium: Callable[..., Chromium], firefox: GraphicOpener, sample: str, tmp_path: Path
) -> None:
    pages: dict[str, GraphicBrowser] = {"chromium": chromium(sample), "firefox": firefox(sample)}
    for name, page in pages.items():
        page.open("/")
        for width, dark in ((600, False), (1280, True)):
            target = tmp_path / f"{name}-{width}.png"
            page.screenshot(target, width=width, dark=dark)
            assert target.read_bytes().startswith(b"\x89PNG")


def test_w3m_fetches_and_renders_by_itself(w3m: Opener, sample: str) -> None:
    page = w3m(sample)
    assert isinstance(page, W3m)
    assert "Formulir contoh" in page.dump("/")


def test_axe_names_what_is_wrong_and_nothing_else(
    chromium_process: PlaywrightBrowser, sample: str
) -> None:
    assert axe.violations(chromium_process, f"{sample}/") == []
    found = axe.violations(chromium_process, f"{sample}/hasil")
    assert {violation.rule for violation in found} == {"color-contrast"}


def test_axe_audits_one_page_after_the_other_from_its_source(
    chromium_process: PlaywrightBrowser, sample: str
) -> None:
    """With the server's styles, by day and by night, and nothing left of the page before."""
    html = (
        '<!doctype html><html lang="id"><title>T</title>'
        '<link rel="stylesheet" href="/gaya.css"><main><h1>T</h1>{}</main></html>'
    )
    pale, night = '<p class="pucat">Teks</p>', '<p class="malam">Teks</p>'
    pages = ["", "<input>", pale, "<input>", night, ""]
    with axe.auditor(chromium_process, sample) as audited:
        found = [[one.rule for one in audited(html.format(page))] for page in pages]
    by_day_and_night = ["color-contrast"] * 2
    assert found == [[], ["label"], by_day_and_night, ["label"], ["color-contrast"], []]


def test_a_server_that_ends_early_is_reported_with_its_words(tmp_path: Path) -> None:
    server = Server(
        tmp_path, tmp_path / "log", [sys.executable, "-c", "raise SystemExit('tidak ada {folder}')"]
    )
    with pytest.raises(ServerError, match="tidak ada"):
        server.start()


def test_a_server_stops_and_takes_its_workers_along(tmp_path: Path) -> None:
    worker = "if os.fork() == 0: signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"
    code = f"import http.server, os, signal\n{worker}\nhttp.server.test(port={{port}})"
    server = Server(tmp_path, tmp_path / "log", [sys.executable, "-c", code])
    with server:
        group = server.pid
    assert group_members(group) == []
