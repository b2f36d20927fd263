"""The way of a newcomer by plain form posts: invited, enrolled, approved."""

import re
from dataclasses import dataclass, field
from html import unescape

from tests.casework.codes import code_at
from tests.casework.office import passphrase_of
from tests.portal.sites import Site
from tests.portal.visits import Values, Visit

PEOPLE = "/petugas/orang"
INVITE = "/petugas/orang/undangan"
START = "/petugas/undangan"
FRASA = "/petugas/undangan/frasa"
FINISH = "/petugas/undangan/selesai"


@dataclass
class Newcomer:
    """What an officer has written down after enrolling."""

    username: str
    words: list[str]
    passphrase: str = field(repr=False)
    secret: str = field(default="", repr=False)
    codes: list[str] = field(default_factory=list, repr=False)


def invite(admin: Visit, username: str = "baru", role: str = "tim", **more: str) -> str:
    """Fill the admin's form; return the printed code."""
    fields: dict[str, str | list[str]] = {
        "username": username,
        "name": f"Contoh {username.title()}",
        "position": "Auditor",
        "unit": "Irban I",
        "roles": [role],
        **more,
    }
    admin.open(INVITE).send(INVITE, fields)
    assert admin.status == 200, (admin.status, admin.text)
    return code_on(admin)


def enter(site: Site, username: str, secret: str) -> Visit:
    """Sign an officer in, with a code of the authenticator where the page asks for one."""
    visit = site.visit().open("/petugas/masuk")
    fields = {"handle": username, "passphrase": passphrase_of(username)}
    if 'name="code"' in visit.text:
        fields["code"] = code_at(secret, site.clock.now)
    visit.send("/petugas/masuk", fields)
    assert visit.status == 303, (visit.status, visit.heading)
    return visit


def code_on(visit: Visit) -> str:
    found = re.search(r'<p class="invitation-code">(.*?)</p>', visit.text, re.DOTALL)
    assert found is not None, visit.heading
    return re.sub(r"<[^>]+>|\s", "", found[1])


def words_on(visit: Visit, count: int) -> list[str]:
    """The numbered words of a page, for instance a fingerprint."""
    lists = re.findall(r'<ol class="words">(.*?)</ol>', visit.text, re.DOTALL)
    assert len(lists) == 1, f"{len(lists)} lists of words"
    words = re.findall(r"<li>([a-z]+)</li>", lists[0])
    assert len(words) == count
    return [unescape(word) for word in words]


def sheet_on(visit: Visit) -> list[str]:
    return re.findall(r"<li>([a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4})</li>", visit.text)


def secret_on(visit: Visit) -> str:
    found = re.search(r'class="code key">([A-Z2-7 ]+)<', visit.text)
    assert found is not None, visit.heading
    return found[1].replace(" ", "")


def choose(visit: Visit, code: str, passphrase: str) -> Visit:
    """Type the code, then a passphrase of one's own."""
    visit.open(START).send(START, {"invitation": code})
    return visit.send(FRASA, {"passphrase": passphrase, "passphrase_again": passphrase})


def enrol(site: Site, code: str, username: str = "baru") -> Newcomer:
    """Enrol with a passphrase of one's own, and with an authenticator where one is asked for."""
    visit = site.visit()
    choose(visit, code, passphrase_of(username))
    assert visit.status == 200, (visit.status, visit.text)
    secret = ""
    if visit.has_form(FINISH):
        secret = secret_on(visit)
        visit.send(FINISH, {"new_code": code_at(secret, site.clock.now)})
    assert visit.heading == "Kunci Anda sudah dibuat", visit.text
    return Newcomer(username, words_on(visit, 8), passphrase_of(username), secret, sheet_on(visit))


def person_path(visit: Visit, name: str) -> str:
    """Find somebody in the list by name."""
    visit.open(PEOPLE)
    found = re.findall(rf'href="({PEOPLE}/[0-9a-f]{{32}})">{re.escape(name)}<', visit.text)
    assert len(found) == 1, f"{len(found)} times in the list: {name}"
    return str(found[0])


def decide(visit: Visit, path: str, act: str, values: Values | None = None) -> Visit:
    """Open a person's page and take an act that it offers."""
    fields = {"reason": "SK 800/1", **(values or {})}
    return visit.open(path).send(f"{path}/tindakan/{act}", fields)


def approve(visit: Visit, path: str, **more: str) -> Visit:
    return decide(visit, path, "setujui", {"agrees": "ya", **more})
