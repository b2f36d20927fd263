"""Files from real browsers: without scripts by the plain form, with scripts over a bad line."""

import re
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from casework.evidence.limits import PART
from tests.e2e.browsers import Browser, Chromium, GraphicOpener
from tests.e2e.demo import Demo

ROOM = "/ruang/berkas"
SENT = "Berkas Anda sudah diterima dan disegel."


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "foto dari ponsel.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0" + secrets.token_bytes(300_000))
    return path


def arrive(page: Browser, demo: Demo) -> None:
    """Sign in as the reporter of one of the demo's own reports, and go to the files."""
    ticket, words = next(iter(demo.reporters.items()))
    page.open("/masuk")
    page.fill("ticket", ticket)
    page.fill("words", words)
    page.press("Masuk")
    page.follow("Kirim berkas" if "Kirim berkas" in page.text() else "Lihat atau kirim berkas")


@pytest.fixture(params=["chromium", "firefox"])
def graphic(request: pytest.FixtureRequest) -> GraphicOpener:
    """Each graphic browser in turn, without scripts."""
    opener: GraphicOpener = request.getfixturevalue(request.param)
    return opener


def test_a_file_goes_in_by_the_plain_form(graphic: GraphicOpener, demo: Demo, photo: Path) -> None:
    """And whoever is to read it finds it, with the name that its sender gave it."""
    page = graphic(demo.base)
    arrive(page, demo)
    choose(page, photo)
    page.press("Kirim berkas")
    assert "foto dari ponsel.jpg" in page.text()
    assert page.url().endswith("?berhasil=berkas") or "tidak disimpan dua kali" in page.text()


def test_an_empty_form_says_what_to_do(graphic: GraphicOpener, demo: Demo) -> None:
    page = graphic(demo.base)
    arrive(page, demo)
    page.press("Kirim berkas")
    assert "Belum ada berkas yang dipilih" in page.text()


def choose(page: Browser, path: Path) -> None:
    """Choose a file, as a person does in the browser's own window."""
    if isinstance(page, Chromium):
        page.page.set_input_files("#files", str(path))
    else:
        page.fill("files", str(path))


def sent_parts(window: Page) -> list[int]:
    """Collect the numbers of the parts that a page sends from now on."""
    sent: list[int] = []

    def note(url: str) -> None:
        if found := re.search(r"/bagian/(\d+)$", url):
            sent.append(int(found[1]))

    window.on("request", lambda request: note(request.url))
    return sent


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "rekaman.mp4"
    path.write_bytes(secrets.token_bytes(3 * PART + 1000))
    return path


def test_a_dropped_connection_costs_one_part(
    chromium: Callable[..., Chromium], demo: Demo, video: Path
) -> None:
    """The script sends that part again, by itself, and nothing twice that had arrived."""
    page = chromium(demo.base, javascript=True)
    arrive(page, demo)
    sent = sent_parts(page.page)
    dropped: list[str] = []

    def line(route: Route) -> None:
        if route.request.url.endswith("/bagian/2") and not dropped:
            dropped.append(route.request.url)
            route.abort("connectionreset")
        else:
            route.continue_()

    page.page.route("**/bagian/*", line)
    choose(page, video)
    page.page.get_by_role("button", name="Kirim berkas").click()
    page.page.wait_for_url("**?berhasil=berkas")
    assert SENT in page.text()
    assert "rekaman.mp4" in page.text()
    assert sent == [1, 2, 2, 3, 4]


def test_after_a_reload_the_same_file_goes_on_where_it_was(
    chromium: Callable[..., Chromium], demo: Demo, video: Path
) -> None:
    page = chromium(demo.base, javascript=True)
    arrive(page, demo)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.page.route("**/bagian/3", hold)
    choose(page, video)
    with page.page.expect_request("**/bagian/3"):
        page.page.get_by_role("button", name="Kirim berkas").click()
    page.open(ROOM)
    page.page.unroute("**/bagian/3")
    assert "2 dari 4 bagian sudah sampai" in page.text()
    sent = sent_parts(page.page)
    choose(page, video)
    page.page.get_by_role("button", name="Kirim berkas").click()
    page.page.wait_for_url("**?berhasil=berkas")
    assert sent == [3, 4]
    assert "bagian sudah sampai" not in page.text()


def test_what_the_office_refuses_is_told_by_the_script_too(
    chromium: Callable[..., Chromium], demo: Demo, tmp_path: Path
) -> None:
    """A file over the limit is refused before a byte of it is sent."""
    huge = tmp_path / "sangat besar.bin"
    with huge.open("wb") as file:
        file.truncate(513 * 1024 * 1024)
    page = chromium(demo.base, javascript=True)
    arrive(page, demo)
    sent = sent_parts(page.page)
    choose(page, huge)
    page.page.get_by_role("button", name="Kirim berkas").click()
    page.page.get_by_text("Satu berkas paling besar 512 MB.").wait_for()
    assert sent == []
