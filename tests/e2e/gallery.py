"""Every page and state that a visitor can meet, collected on one walk through the office."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pysqlite3
from playwright.sync_api import Browser as PlaywrightBrowser

from tests.e2e import walk
from tests.e2e.browsers import Browser, Chromium
from tests.e2e.demo import Demo

NARROW = {"width": 320, "height": 256}
"""A desktop screen of 1280 × 1024 pixels at 400 % (WCAG 2.2 SC 1.4.10)."""
PHONE = {"width": 360, "height": 800}
DESK = {"width": 1280, "height": 900}
INVITED = {"username": "baru", "name": "Contoh Baru", "position": "Auditor Muda"}
PHRASE = "gunung biru menyanyi pelan bersama kereta"

_ID = re.compile(r"\b[0-9a-f]{32}\b")
_MOMENT = re.compile(r"\b\d{1,2}\s\w+\s\d{4}\s\d{2}\.\d{2}\b")
_SMALL_TARGETS = """() => [...document.querySelectorAll(
        'a[href], button, summary, select, textarea, input:not([type=hidden])')]
    .map(e => ['checkbox', 'radio'].includes(e.type) ? e.closest('label') : e)
    .filter(e => getComputedStyle(e).display !== 'inline' && e.checkVisibility())
    .filter(e => e.getBoundingClientRect().height < 43.9 || e.getBoundingClientRect().width < 43.9)
    .map(e => e.outerHTML.slice(0, 120))"""
_LONE_INLINE = """() => [...document.querySelectorAll('a[href]')]
    .filter(a => getComputedStyle(a).display === 'inline' && a.checkVisibility())
    .filter(a => a.parentElement.textContent.trim() === a.textContent.trim())
    .map(a => a.outerHTML.slice(0, 120))"""


@dataclass(frozen=True)
class Picture:
    """One page in one state, as a browser without scripts showed it."""

    name: str
    url: str
    title: str
    html: str = field(repr=False)
    cookies: list[dict[str, str]] = field(repr=False)
    stops: list[str]
    """What Tab visits, in order; long ids are written ``{id}``, moments ``{moment}``."""
    width: int
    """How wide the page is, in CSS pixels, on a screen of 320."""
    small: list[str]
    """Targets below 44 pixels on a phone, and links alone on a line that are no higher than it."""
    bar: float
    """Height of what stays on top of a screen that is 256 pixels high."""


class Gallery:
    """Takes a picture of each page that it is shown."""

    def __init__(self) -> None:
        self.pictures: dict[str, Picture] = {}
        self.requests: list[tuple[str, str]] = []
        """Base of the server that was visited, and each address that its pages asked for."""

    def take(self, name: str, browser: Browser) -> None:
        """Measure the page in its place; the state of the visit does not change."""
        if name in self.pictures:
            return
        assert isinstance(browser, Chromium)
        page = browser.page
        page.set_viewport_size({"width": NARROW["width"], "height": NARROW["height"]})
        width = page.evaluate("() => document.documentElement.scrollWidth")
        bar = page.evaluate(
            """() => {
                const bar = document.querySelector('.bar');
                return bar && getComputedStyle(bar).position === 'sticky'
                    ? bar.getBoundingClientRect().height : 0;
            }"""
        )
        page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
        small = page.evaluate(_SMALL_TARGETS) + page.evaluate(_LONE_INLINE)
        page.set_viewport_size({"width": DESK["width"], "height": DESK["height"]})
        stops = [_MOMENT.sub("{moment}", _ID.sub("{id}", one)) for one in browser.tab_stops()]
        self.pictures[name] = Picture(
            name,
            browser.url(),
            browser.title(),
            browser.html(),
            browser.cookies(),
            stops,
            width,
            small,
            bar,
        )

    @contextmanager
    def visitor(self, process: PlaywrightBrowser, base: str) -> Iterator[Callable[[str], Chromium]]:
        """Lend windows whose requests are remembered."""
        windows: list[Chromium] = []

        def opener(address: str) -> Chromium:
            windows.append(Chromium(process, address))
            return windows[-1]

        yield opener
        for window in windows:
            self.requests += [(base, address) for address in window.requests]
            window.close()


def usual(gallery: Gallery, process: PlaywrightBrowser, demo: Demo) -> walk.Reporter:
    """Walk the whole way, and look at what can go wrong on it without anybody's ill will."""
    with gallery.visitor(process, demo.base) as opener:
        reporter = walk.whole(opener, demo.base, demo.officers, gallery.take)
        _receipt_in_two_tabs(gallery, opener(demo.base))
        page = opener(demo.base)
        page.open("/masuk")
        page.fill("ticket", "WBS-00000000")
        page.fill("words", "zzzz satu")
        page.press("Masuk")
        gallery.take("sign-in-fault", page)
        page.fill("words", " ".join(reversed(reporter.words)))
        page.press("Masuk")
        gallery.take("sign-in-wrong", page)
        page.open("/petugas/masuk")
        page.fill("handle", "operator")
        page.fill("passphrase", "salah")
        page.press("Masuk")
        gallery.take("officer-sign-in-wrong", page)
        page.open("/tidak-ada")
        gallery.take("not-found", page)
        page.open("/petugas/berkas/tidak-ada")
        gallery.take("officer-sign-in-again", page)
        walk.Office(page, demo.officers, "", gallery.take).enter_only("tim")
        page.open("/petugas?status=ditolak")
        gallery.take("inbox-filtered", page)
        page.open("/petugas/berkas/tidak-ada")
        gallery.take("officer-not-found", page)
        return reporter


OVERSEEN = {
    "people": "/petugas/orang",
    "trail": "/petugas/jejak",
    "numbers": "/petugas/angka",
    "notices": "/petugas/pemberitahuan",
    "passphrase": "/petugas/keamanan/frasa-sandi",
}


def people(gallery: Gallery, process: PlaywrightBrowser, demo: Demo) -> None:
    """Look after people: invite, enrol, decide, let go; and what overseers and monitors see."""
    with gallery.visitor(process, demo.base) as opener:
        admin = opener(demo.base)
        walk.Office(admin, demo.officers, "", gallery.take).enter_only("admin")
        admin.open("/petugas/orang/undangan")
        gallery.take("invite", admin)
        for name, value in INVITED.items():
            admin.fill(name, value)
        admin.choose("roles", "tim")
        admin.press("Buat undangan")
        gallery.take("invitation", admin)
        code = "".join(admin.page.locator(".invitation-code").inner_text().split())
        newcomer = opener(demo.base)
        newcomer.open("/petugas/undangan")
        gallery.take("enrol", newcomer)
        newcomer.fill("invitation", code)
        newcomer.press("Lanjut")
        newcomer.fill("passphrase", "pendek")
        newcomer.press("Buat kunci saya")
        gallery.take("enrol-fault", newcomer)
        newcomer.fill("passphrase", PHRASE)
        newcomer.fill("passphrase_again", PHRASE)
        newcomer.press("Buat kunci saya")
        gallery.take("enrol-done", newcomer)
        boss = opener(demo.base)
        walk.Office(boss, demo.officers, "", gallery.take).enter_only("inspektur")
        for name, path in OVERSEEN.items():
            boss.open(path)
            gallery.take(name, boss)
        boss.open("/petugas/orang")
        boss.follow(INVITED["name"])
        gallery.take("person-waiting", boss)
        boss.open("/petugas/orang")
        boss.follow("Contoh Verifikator")
        gallery.take("person", boss)
        boss.open(f"{urlsplit(boss.url()).path}/keluar")
        gallery.take("leaving", boss)


def _receipt_in_two_tabs(gallery: Gallery, browser: Chromium) -> None:
    """Open the print view beside the receipt, and reload it after the receipt was closed."""
    reporter = walk.Reporter(browser)
    reporter.report()
    printed = browser.press_for_tab("Buka lembar cetak (tab baru)")
    gallery.take("receipt-print", printed)
    reporter.confirm()
    printed.page.reload()
    gallery.take("spent", printed)


def troubled(gallery: Gallery, process: PlaywrightBrowser, demo: Demo) -> None:
    """Meet late cases, a full budget, and a database that somebody has changed.

    ``demo`` has a clock 60 days ahead and takes one report at a time.
    """
    ticket, words = next(iter(demo.reporters.items()))
    with gallery.visitor(process, demo.base) as opener:
        reporter = walk.Reporter(opener(demo.base))
        reporter.report()
        other = walk.Reporter(opener(demo.base))
        other.begin()
        other.page.fill("narrative", walk.NARRATIVE)
        other.page.press("Kirim laporan")
        gallery.take("form-budget", other.page)
        late = walk.Reporter(opener(demo.base), gallery.take, ticket, words.split())
        late.sign_in()
        gallery.take("mailbox-late", late.page)
        late.page.fill("review", "Tanggalnya sudah lewat.")
        late.page.press("Minta peninjauan")
        gallery.take("mailbox-review", late.page)
        office = walk.Office(opener(demo.base), demo.officers, ticket)
        office.enter("inspektur")
        gallery.take("case-late", office.page)
        office.page.open("/petugas")
        gallery.take("inbox-late", office.page)
        _change(
            demo,
            "UPDATE item SET signature = randomblob(65) WHERE kind = 'act' AND case_id ="
            ' (SELECT id FROM "case" WHERE ticket = ?)',
            ticket,
        )
        office.page.follow(ticket)
        gallery.take("case-unverifiable", office.page)
        late.page.open("/ruang")
        gallery.take("mailbox-unverifiable", late.page)
        _change(demo, "UPDATE log_key SET handover = 'x'")
        late.page.open("/ruang")
        gallery.take("mailbox-stopped", late.page)
        _change(demo, "UPDATE roster SET signature = randomblob(65)")
        office.page.open("/petugas")
        gallery.take("officer-untrustworthy", office.page)
        other.page.press("Kirim laporan")
        gallery.take("form-unreceived", other.page)
        other.page.open("/formulir")
        gallery.take("closed", other.page)


def _change(demo: Demo, statement: str, *values: str) -> None:
    """Change the database behind the server's back."""
    connection = pysqlite3.connect(demo.database)
    changed = connection.execute(statement, values).rowcount
    connection.commit()
    connection.close()
    assert changed > 0, "the attack changed nothing"
