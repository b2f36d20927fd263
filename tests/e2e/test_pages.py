"""What holds on every page and in every state: read by axe, reached by Tab, fit for any screen."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser as PlaywrightBrowser

from tests.e2e import axe, demo, gallery, gallery_files, guarded, test_periksa, walk
from tests.e2e.browsers import Chromium
from tests.e2e.gallery import NARROW, Gallery, Picture

KEYBOARD = Path(__file__).parents[2] / "docs" / "keyboard.md"
ONE_REPORT = {"SUAKA_LIMITS_REPORT_BURST": "1", "SUAKA_LIMITS_REPORTS_PER_MINUTE": "1"}
TITLES = {
    *(
        "Beranda",
        "Berkas",
        "Bukti",
        "Lembar bukti",
        "Daftar tugas",
        "Catatan",
        "Formulir",
        "Lembar cetak",
        "Masuk",
        "Penjelasan",
    ),
    *("Persiapan", "Ruang pesan", "Saluran lain", "Selesai", "Sesi", "Tanda terima"),
    *("Halaman tidak ditemukan", "Pekerjaan dihentikan demi keamanan"),
    "Halaman ini tidak dibuka demi keamanan",
    *("Angka", "Ganti frasa sandi", "Jejak", "Keamanan", "Orang", "Pemberitahuan"),
    *("Pendaftaran petugas", "Serah terima", "Undangan"),
    *("Autentikator baru", "Kode pemulihan baru"),
}
SIGNED_IN = {"mailbox", "inbox-operator"}

_DOCUMENTED = re.compile(r"^### .*\(`([a-z_-]+)`\)$", re.MULTILINE)
_STOP = re.compile(r"^\d+\. .*`([^`]+)`$", re.MULTILINE)


@pytest.fixture(scope="module")
def shown(
    chromium_process: PlaywrightBrowser, made_demo: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Gallery, walk.Reporter, str]]:
    """All pages, the reporter of the usual walk, and a server that still has their styles."""
    folder = tmp_path_factory.mktemp("gallery")
    collected = Gallery()
    late = demo.copy(made_demo, folder / "late", days_ahead=60, settings=ONE_REPORT)
    with late.server:
        gallery.troubled(collected, chromium_process, late)
    with guarded.serving(folder / "guarded") as office:
        guarded.visit(collected, chromium_process, office)
    plain = demo.copy(made_demo, folder / "plain")
    with plain.server:
        reporter = gallery.usual(collected, chromium_process, plain)
        gallery.people(collected, chromium_process, plain)
        gallery_files.files(collected, chromium_process, plain)
        yield collected, reporter, plain.base


def test_axe_finds_nothing_on_any_page(
    chromium_process: PlaywrightBrowser, shown: tuple[Gallery, walk.Reporter, str]
) -> None:
    """WCAG 2.2 AA as far as a program can tell, by day on a desk and by night on a phone."""
    collected, _, base = shown
    assert len(collected.pictures) > 50
    with axe.auditor(chromium_process, base) as audited:
        found = {one.name: audited(one.html) for one in collected.pictures.values()}
    assert {name: violations for name, violations in found.items() if violations} == {}


def test_no_page_scrolls_sideways_at_400_percent(
    shown: tuple[Gallery, walk.Reporter, str],
) -> None:
    """At 320 pixels everything is there without scrolling in two directions (SC 1.4.10)."""
    wide = {one.name: one.width for one in _all(shown) if one.width > NARROW["width"]}
    assert wide == {}


def test_the_bar_leaves_room_to_read_at_400_percent(
    shown: tuple[Gallery, walk.Reporter, str],
) -> None:
    """What stays on top takes less than a quarter of the screen."""
    high = {one.name: one.bar for one in _all(shown) if one.bar > NARROW["height"] / 4}
    assert high == {}
    assert any(one.bar for one in _all(shown)), "the quick exit stays on top"


def test_every_target_can_be_hit_with_a_thumb(shown: tuple[Gallery, walk.Reporter, str]) -> None:
    """Controls, and links that stand alone, are at least 44 by 44 pixels on a phone."""
    small = {one.name: one.small for one in _all(shown) if one.small}
    assert small == {}


def test_titles_and_addresses_tell_nothing(shown: tuple[Gallery, walk.Reporter, str]) -> None:
    """A browser's history shows neither a ticket nor what a page is about."""
    _, reporter, _ = shown
    for picture in _all(shown):
        assert picture.title in TITLES, picture.name
        assert reporter.ticket not in picture.url, picture.name


def test_every_page_has_one_heading_and_speaks_indonesian(
    shown: tuple[Gallery, walk.Reporter, str],
) -> None:
    for picture in _all(shown):
        assert len(re.findall(r"<h1[ >]", picture.html)) == 1, picture.name
        assert '<html lang="id">' in picture.html, picture.name


def test_no_page_asks_anything_of_another_server(
    shown: tuple[Gallery, walk.Reporter, str],
) -> None:
    """Every request of the whole walk went to the portal itself."""
    requests = shown[0].requests
    assert len(requests) > 200
    assert [address for base, address in requests if not address.startswith(f"{base}/")] == []


def test_no_cookie_is_set_before_somebody_signs_in(
    shown: tuple[Gallery, walk.Reporter, str],
) -> None:
    """Reading, choosing, writing and the receipt leave no cookie behind."""
    pictures = shown[0].pictures
    anonymous = [
        *(
            "landing",
            "explain",
            "prepare",
            "channels",
            "log",
            "sign-in",
            "position",
            "position-fault",
        ),
        *("position-stopped", "form", "form-fault", "receipt", "receipt-fault", "receipt-print"),
        *("left", "sign-in-fault", "not-found", "officer-sign-in", "officer-sign-in-wrong"),
        *("officer-sign-in-code", "officer-sign-in-code-wrong", "officer-sign-in-clock"),
        *("enrol", "enrol-drawn", "enrol-repeat", "enrol-factor", "enrol-done-codes"),
    ]
    assert [name for name in anonymous if pictures[name].cookies] == []
    assert [name for name in SIGNED_IN if not pictures[name].cookies] == []


def test_the_written_keyboard_walk_is_true(shown: tuple[Gallery, walk.Reporter, str]) -> None:
    """docs/keyboard.md names what Tab visits on each page, in order."""
    written = _walks()
    pictures = shown[0].pictures
    for name, stops in written.items():
        ticket = shown[1].ticket
        real = [stop.replace(ticket, "{ticket}") for stop in pictures[name].stops]
        assert stops == real, name


def test_every_page_has_a_written_keyboard_walk(
    shown: tuple[Gallery, walk.Reporter, str],
) -> None:
    """No path of the portal is left out of docs/keyboard.md."""
    pictures = shown[0].pictures
    written = {_path(pictures[name]) for name in _walks()}
    unwritten = {one.name for one in pictures.values() if _path(one) not in written}
    assert unwritten == set()


def test_skip_link_and_quick_exit_come_first(shown: tuple[Gallery, walk.Reporter, str]) -> None:
    """On every page of a reporter the second stop of Tab is the way out."""
    for picture in _all(shown):
        assert picture.stops[0] == "a[#isi]", picture.name
        path = urlsplit(picture.url).path
        if not path.startswith("/petugas") and path != "/tutup":
            assert picture.stops[1] == "button[Keluar cepat]", picture.name


def test_the_check_page_works_where_the_portal_serves_it(
    chromium_process: PlaywrightBrowser, shown: tuple[Gallery, walk.Reporter, str]
) -> None:
    """The headers of every page let its own script run, and its own style apply."""
    window = Chromium(chromium_process, shown[2], javascript=True)
    window.open("/catatan/periksa")
    assert test_periksa.check(window.page, test_periksa.GOOD) == "good"
    assert window.page.locator("main").evaluate("e => getComputedStyle(e).maxWidth") != "none"
    window.close()


def _all(shown: tuple[Gallery, walk.Reporter, str]) -> list[Picture]:
    return list(shown[0].pictures.values())


def _path(picture: Picture) -> str:
    return re.sub(r"[0-9a-f]{32}", "{id}", urlsplit(picture.url).path)


def _walks() -> dict[str, list[str]]:
    """Return the stops of each page as docs/keyboard.md writes them."""
    text = KEYBOARD.read_text("utf-8")
    heads = list(_DOCUMENTED.finditer(text))
    ends = [*(head.start() for head in heads[1:]), len(text)]
    return {
        head[1]: _STOP.findall(text, head.end(), end) for head, end in zip(heads, ends, strict=True)
    }
