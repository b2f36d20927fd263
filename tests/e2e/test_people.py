"""An officer comes: invitation, enrolment, approval, first case; without scripts."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pyotp
import pytest

from casework.keys import factors
from portal.wiring import utc_now
from tests.e2e.browsers import Browser, Chromium, Opener
from tests.e2e.server import Server
from tests.portal import instances
from tests.portal.instances import Instance

SHOTS = os.environ.get("TESTS_SHOTS")
"""A folder for pictures of every page on the way, for a person to look at."""

STAFF = (*instances.STAFF, "admin")
PASSPHRASE = "kelapa jembatan rantai pagi melompat sungai"
REASON = "SK 800/12/2026 (contoh)"


@dataclass
class Authenticator:
    """A telephone: gives each code once."""

    secret: str = field(repr=False)
    last: int = 0

    def code(self) -> str:
        here = int(utc_now().timestamp()) // factors.STEP_SECONDS
        self.last = max(here, self.last + 1)
        assert self.last <= here + factors.DRIFT_STEPS, "the next code is of a later moment"
        return str(pyotp.TOTP(self.secret).generate_otp(self.last))


@dataclass
class Office:
    """A served instance, with its officers' telephones."""

    base: str
    made: Instance
    phones: dict[str, Authenticator]

    def sign_in(self, page: Browser, username: str) -> None:
        sign_in(page, username, self.made.passphrases[username], self.phones[username])


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An instance that asks everybody for a second factor, served as in life."""
    made = instances.make(tmp_path / "office", second_factor=True, staff=STAFF)
    phones = {name: Authenticator(secret) for name, secret in made.secrets.items()}
    server = Server(made.folder, tmp_path / "log")
    with server:
        yield Office(server.base, made, phones)


def shoot(name: str, page: Browser) -> None:
    """Keep pictures of a page, if somebody wants to look at them."""
    if SHOTS and isinstance(page, Chromium):
        for width in (360, 1280):
            for dark in (False, True):
                look = "dark" if dark else "light"
                page.screenshot(Path(SHOTS) / f"{name}-{width}-{look}.png", width=width, dark=dark)


def sign_in(page: Browser, username: str, passphrase: str, phone: Authenticator) -> None:
    page.open("/petugas/masuk")
    page.fill("handle", username)
    page.fill("passphrase", passphrase)
    if 'name="code"' in page.html():
        page.fill("code", phone.code())
    page.press("Masuk")
    assert page.title() == "Daftar tugas", page.text()


def leave(page: Browser) -> None:
    page.press("Keluar", form='form[action="/petugas/keluar"]')


def words_on(page: Browser) -> list[str]:
    found = re.search(r'<ol class="words">(.*?)</ol>', page.html(), re.DOTALL)
    assert found is not None
    return re.findall(r"<li>([a-z]+)</li>", found[1])


def invite(page: Browser, username: str, name: str, role: str) -> str:
    """As the admin: fill the form, read the printed code."""
    page.open("/petugas/orang")
    page.follow("Undang petugas")
    page.fill("name", name)
    page.fill("position", "Pengelola pengaduan")
    page.fill("unit", "Irban V")
    page.fill("username", username)
    page.choose("roles", role)
    shoot("invite", page)
    page.press("Buat undangan")
    shoot("invitation", page)
    found = re.search(r'class="invitation-code">(.*?)</p>', page.html(), re.DOTALL)
    assert found is not None
    return re.sub(r"<[^>]+>|\s", "", found[1])


def confirm(page: Browser) -> tuple[Authenticator, list[str]]:
    """Set the authenticator up; return it with the eight words of the last page."""
    shoot("enrol-factor", page)
    shown = re.search(r'class="code key">([A-Z2-7 ]+)<', page.html())
    assert shown is not None
    phone = Authenticator(shown[1].replace(" ", ""))
    page.fill("new_code", phone.code())
    page.press("Buat kunci saya")
    assert "Kunci Anda sudah dibuat" in page.text()
    shoot("enrol-done", page)
    assert len(re.findall(r"<li>[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}</li>", page.html())) == 10
    return phone, words_on(page)


def report(page: Browser) -> str:
    """Report something, and return the ticket."""
    page.open("/formulir")
    page.choose("position", "asn")
    page.press("Lanjut")
    page.fill("narrative", "CONTOH (rekaan): meja kantor diduga dibawa pulang.")
    page.press("Kirim laporan")
    found = re.search(r"WBS-[0-9A-Z]{8}", page.text())
    assert found is not None
    return found[0]


def act_form(page: Browser, act: str) -> str:
    return f'form[action="{urlsplit(page.url()).path}/tindakan/{act}"]'


def approve(page: Browser, name: str, words: list[str], phone: Authenticator) -> None:
    """As the Inspektur: compare the words, sign."""
    page.open("/petugas/orang")
    shoot("people", page)
    page.follow(name)
    assert words_on(page) == words
    shoot("person-waiting", page)
    page.choose("agrees", "ya")
    form = act_form(page, "setujui")
    page.fill("reason", REASON, form=form)
    if re.search(r'id="setujui-code"', page.html()):
        page.fill("code", phone.code(), form=form)
    page.press("Setujui petugas", form=form)
    assert "mulai bertugas" in page.text()
    shoot("person-approved", page)


def test_from_invitation_to_the_first_case(browser: Opener, office: Office) -> None:
    """A new operator with a passphrase of their own opens a report that comes in afterwards."""
    name = "Contoh Operator Baru"
    page = browser(office.base)
    office.sign_in(page, "admin")
    code = invite(page, "baru", name, "operator")
    page.open("/petugas/orang")
    shoot("people-admin", page)
    leave(page)

    page.follow("Petugas baru? Mulai dengan kode undangan")
    shoot("enrol-code", page)
    page.fill("invitation", "0000-0000")
    page.press("Lanjut")
    assert "Undangan ini tidak berlaku." in page.text()
    shoot("enrol-refused", page)
    page.fill("invitation", code.lower().replace("-", " "))
    page.press("Lanjut")
    assert name in page.text()
    assert code not in page.url()
    page.fill("passphrase", "pendek")
    page.press("Lanjut")
    assert "Perbaiki:" in page.text()
    shoot("enrol-choose", page)
    page.fill("passphrase", PASSPHRASE)
    page.fill("passphrase_again", PASSPHRASE)
    page.press("Lanjut")
    phone, words = confirm(page)

    page.open("/petugas/masuk")
    page.fill("handle", "baru")
    page.fill("passphrase", PASSPHRASE)
    page.press("Masuk")
    assert page.title() == "Masuk", "works before anybody approved it"

    office.sign_in(page, "inspektur")
    approve(page, name, words, office.phones["inspektur"])
    leave(page)

    ticket = report(browser(office.base))
    sign_in(page, "baru", PASSPHRASE, phone)
    page.follow(ticket)
    assert page.title() == "Berkas"
    assert "meja kantor diduga dibawa pulang" in page.text()


def test_drawn_words_suspension_and_return(
    chromium: Callable[..., Chromium], office: Office
) -> None:
    """An Irban's passphrase is drawn; suspended, the open session ends at once; then it is back."""
    page, other = chromium(office.base), chromium(office.base)
    office.sign_in(page, "admin")
    code = invite(page, "irban.baru", "Contoh Irban Baru", "irban")
    leave(page)
    page.open("/petugas/undangan")
    page.fill("invitation", code)
    page.press("Lanjut")
    drawn = words_on(page)
    assert len(drawn) == 7
    shoot("enrol-drawn", page)
    page.press("Sudah saya tulis")
    page.fill("passphrase", "kata yang lain")
    page.press("Lanjut")
    assert "Ini bukan frasa sandi yang ditampilkan" in page.text()
    shoot("enrol-repeat", page)
    page.fill("passphrase", " ".join(drawn))
    page.press("Lanjut")
    mine, words = confirm(page)
    office.sign_in(page, "inspektur")
    approve(page, "Contoh Irban Baru", words, office.phones["inspektur"])
    sign_in(other, "irban.baru", " ".join(drawn), mine)
    person = page.url().split("?")[0]
    page.open(person)
    form = act_form(page, "bekukan")
    page.unfold("Bekukan sementara")
    page.fill("reason", REASON, form=form)
    page.press("Bekukan sementara", form=form)
    assert "Semua sesinya sudah diakhiri" in page.text()
    shoot("person-suspended", page)
    other.open("/petugas")
    assert other.title() == "Masuk"
    page.open(person)
    page.unfold("Cabut pembekuan")
    form = act_form(page, "pulihkan")
    page.fill("reason", REASON, form=form)
    page.press("Cabut pembekuan", form=form)
    assert "Bertugas" in page.text()
    page.unfold("Ubah peran atau masa tugas")
    shoot("person-acts", page)
