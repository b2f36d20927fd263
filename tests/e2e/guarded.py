"""The pages that an officer with a second factor meets, collected for the laws of all pages."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pyotp
import pysqlite3
from playwright.sync_api import Browser as PlaywrightBrowser

from casework.keys import factors
from portal.cli import factors as terminal
from portal.cli.options import opened
from portal.wiring import utc_now
from tests.e2e.browsers import Browser, Chromium
from tests.e2e.gallery import Gallery
from tests.e2e.server import Server
from tests.portal import instances
from tests.portal.instances import Instance

STAFF = (*instances.STAFF, "admin")
INVITED = "Contoh Irban Baru"
WRONG = "000000"


@dataclass
class Guarded:
    """A served instance that asks every officer for a code; the operator has two recovery codes."""

    made: Instance
    base: str
    codes: tuple[str, ...]

    def enter(self, page: Browser, username: str, code: str = "") -> None:
        """Fill the sign-in form, and send it."""
        page.open("/petugas/masuk")
        page.fill("handle", username)
        page.fill("passphrase", self.made.passphrases[username])
        page.fill("code", code or self.made.code(username))
        page.press("Masuk")

    def forget_codes(self) -> None:
        """Let every session be one in which a code was shown long ago."""
        _write(self.made.folder / "run" / "sessions.db", "UPDATE session SET proved = 0")


@contextmanager
def serving(folder: Path) -> Iterator[Guarded]:
    """Make and serve an instance; the Irban's passphrase was used with many wrong codes."""
    made = instances.make(folder, second_factor=True, staff=STAFF)
    codes = factors.new_codes()[:2]
    with opened(folder) as (office, _):
        actor = terminal.signed_in(office, "operator", made.passphrases["operator"])
        with office.write() as uow:
            factors.store(uow, actor, factors.NewFactor(made.secrets["operator"], codes), 0)
    _write(
        made.database,
        f"UPDATE factor SET missed = {factors.FREE_MISSES}"
        " WHERE person = (SELECT id FROM person WHERE username = 'irban')",
    )
    server = Server(folder, folder.with_suffix(".log"))
    with server:
        yield Guarded(made, server.base, codes)


def visit(gallery: Gallery, process: PlaywrightBrowser, office: Guarded) -> None:
    """Sign in, look after one's own security, enrol and decide, with codes and without."""
    with gallery.visitor(process, office.base) as opener:
        own = opener(office.base)
        _sign_in(gallery, own, office)
        _new_authenticator(gallery, own, office)
        _asked_again(gallery, own, office)
        words = _enrol(gallery, opener(office.base), opener(office.base), office)
        _decide(gallery, opener(office.base), office, words)
        warned = opener(office.base)
        office.enter(warned, "irban")
        gallery.take("security-guessed", warned)


def _sign_in(gallery: Gallery, page: Chromium, office: Guarded) -> None:
    """With a wrong code, with one of another hour, and with the last recovery code but one."""
    page.open("/petugas/masuk")
    gallery.take("officer-sign-in-code", page)
    office.enter(page, "operator", WRONG)
    gallery.take("officer-sign-in-code-wrong", page)
    early = pyotp.TOTP(office.made.secrets["operator"]).at(utc_now() + timedelta(hours=7))
    office.enter(page, "operator", str(early))
    assert "7 jam" in page.text()
    gallery.take("officer-sign-in-clock", page)
    office.enter(page, "operator", office.codes[0])
    assert "tersisa 1 kode" in page.text()
    gallery.take("security-codes", page)


def _new_authenticator(gallery: Gallery, page: Chromium, office: Guarded) -> None:
    office.forget_codes()
    page.open("/petugas/keamanan/autentikator")
    gallery.take("authenticator", page)
    page.fill("code", office.made.code("operator"))
    page.press("Tampilkan kunci baru")
    gallery.take("authenticator-new", page)
    secret = _secret_on(page)
    office.forget_codes()
    page.fill("new_code", WRONG)
    page.press("Pakai autentikator ini")
    gallery.take("authenticator-new-fault", page)
    page.fill("new_code", str(pyotp.TOTP(secret).at(utc_now())))
    page.fill("code", office.made.code("operator"))
    page.press("Pakai autentikator ini")
    gallery.take("codes-new", page)


def _asked_again(gallery: Gallery, page: Chromium, office: Guarded) -> None:
    """What asks for a code again within its form, because the last one was long ago."""
    page.open("/petugas/pemberitahuan")
    page.fill("address", "petugas@example.go.id")
    page.press("Simpan alamat")
    office.forget_codes()
    page.open("/petugas/pemberitahuan")
    form = 'form[action="/petugas/pemberitahuan/hapus"]'
    page.fill("code", WRONG, form=form)
    page.press("Hapus alamat", form=form)
    gallery.take("notices-code-fault", page)
    page.open("/petugas/keamanan/frasa-sandi")
    page.fill("code", WRONG)
    page.press("Ganti frasa sandi")
    gallery.take("passphrase-code-fault", page)
    page.open("/petugas/keamanan/kode")
    gallery.take("codes", page)


def _enrol(gallery: Gallery, admin: Chromium, page: Chromium, office: Guarded) -> str:
    """Invite an Irban, whose passphrase is drawn; return the eight words."""
    office.enter(admin, "admin")
    admin.open("/petugas/orang/undangan")
    for name, value in {"name": INVITED, "position": "Irban", "username": "irban.baru"}.items():
        admin.fill(name, value)
    admin.choose("roles", "irban")
    admin.press("Buat undangan")
    code = "".join(admin.page.locator(".invitation-code").inner_text().split())
    page.open("/petugas/undangan")
    page.fill("invitation", code)
    page.press("Lanjut")
    gallery.take("enrol-drawn", page)
    drawn = page.page.locator("ol.words li").all_inner_texts()
    page.press("Sudah saya tulis")
    gallery.take("enrol-repeat", page)
    page.fill("passphrase", " ".join(drawn))
    page.press("Lanjut")
    gallery.take("enrol-factor", page)
    secret = _secret_on(page)
    page.fill("new_code", WRONG)
    page.press("Buat kunci saya")
    gallery.take("enrol-factor-fault", page)
    page.fill("new_code", str(pyotp.TOTP(secret).at(utc_now())))
    page.press("Buat kunci saya")
    gallery.take("enrol-done-codes", page)
    return " ".join(page.page.locator("ol.words").first.locator("li").all_inner_texts())


def _decide(gallery: Gallery, page: Chromium, office: Guarded, words: str) -> None:
    """As the Inspektur: what is decided of people asks for a code in each form."""
    office.enter(page, "inspektur")
    office.forget_codes()
    page.open("/petugas/orang")
    page.follow(INVITED)
    assert " ".join(page.page.locator("ol.words li").all_inner_texts()) == words
    gallery.take("person-waiting-code", page)
    page.open("/petugas/orang")
    page.follow("Contoh Tim")
    path = urlsplit(page.url()).path
    page.unfold("Bekukan sementara")
    form = f'form[action="{path}/tindakan/bekukan"]'
    page.fill("reason", "SK 2", form=form)
    page.fill("code", WRONG, form=form)
    page.press("Bekukan sementara", form=form)
    gallery.take("person-code-fault", page)
    page.open(f"{path}/keluar")
    gallery.take("leaving-code", page)
    page.open("/petugas/keamanan/frasa-sandi")
    page.press("Sudah saya tulis")
    gallery.take("passphrase-drawn-code", page)


def _secret_on(page: Chromium) -> str:
    found = re.search(r'class="code key">([A-Z2-7 ]+)<', page.html())
    assert found is not None
    return found[1].replace(" ", "")


def _write(database: Path, statement: str) -> None:
    """Write to a file of the server behind its back."""
    with closing(pysqlite3.connect(database)) as connection, connection:
        assert connection.execute(statement).rowcount > 0
