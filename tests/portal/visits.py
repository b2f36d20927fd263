"""Visits to the portal by plain form posts, in memory or over a real server."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Self
from urllib.parse import urlencode

import httpx

from casework.law.profile import Profile
from casework.law.schema import Transition
from casework.law.vocabulary import Need
from tests.casework.office import passphrase_of
from tests.e2e.forms import Form, ParsedPage

BASE = "http://portal.test"
FORM_TYPE = "application/x-www-form-urlencoded"
NARRATIVE = "Kanari narasi: barang kantor dibawa pulang setiap Jumat."

Values = Mapping[str, str | Iterable[str]]


@dataclass
class Receipt:
    """What a reporter writes down, and the token of the form that it came from."""

    token: str
    ticket: str
    words: list[str]

    @property
    def key(self) -> str:
        return " ".join(self.words)


@dataclass
class Visit:
    """One browser: its own cookies, no scripts, and no redirect followed unasked."""

    client: httpx.Client
    last: httpx.Response | None = field(default=None, repr=False)

    @property
    def answer(self) -> httpx.Response:
        assert self.last is not None, "no page is open"
        return self.last

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def text(self) -> str:
        return self.answer.text

    @property
    def location(self) -> str:
        return self.answer.headers.get("location", "")

    @property
    def page(self) -> ParsedPage:
        return ParsedPage.parse(self.text)

    @property
    def heading(self) -> str:
        found = re.findall(r"<h1[^>]*>(.*?)</h1>", self.text, re.DOTALL)
        assert len(found) == 1
        return unescape(re.sub(r"<[^>]+>", "", found[0])).strip()

    def open(self, path: str) -> Self:
        self.last = self.client.get(path)
        return self

    def follow(self) -> Self:
        assert self.status == 303, (self.status, self.heading)
        return self.open(self.location)

    def form(self, action: str) -> Form:
        """The only form of the page that is sent there."""
        found = [form for form in self.page.forms if form.attributes.get("action") == action]
        assert len(found) == 1, f"{len(found)} forms to {action} on this page"
        return found[0]

    def has_form(self, action: str) -> bool:
        return any(form.attributes.get("action") == action for form in self.page.forms)

    def filled(self, action: str, values: Values) -> list[tuple[str, str]]:
        """What a browser sends for a form after these values were typed into it."""
        form = self.form(action)
        names = {control.name for control in form.controls}
        assert set(values) <= names, f"no such fields: {set(values) - names}"
        pairs = [
            (control.name, control.value)
            for control in form.controls
            if control.name
            and control.value is not None
            and control.name not in values
            and control.kind != "submit"
        ]
        for name, value in values.items():
            pairs += [(name, one) for one in ([value] if isinstance(value, str) else value)]
        return pairs

    def send(self, action: str, values: Values | None = None) -> Self:
        """Fill the form that is sent there, and send it."""
        return self.post(action, self.filled(action, values or {}))

    def post(
        self,
        path: str,
        pairs: Iterable[tuple[str, str]] | Mapping[str, str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """Send any form to any address."""
        return self.post_raw(path, urlencode(dict_or_list(pairs)).encode(), headers)

    def post_raw(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Self:
        self.last = self.client.post(
            path, content=body, headers={"content-type": FORM_TYPE, **(headers or {})}
        )
        return self

    def value(self, action: str, name: str) -> str:
        """What stands in a field of a form on this page."""
        found = [one.value for one in self.form(action).controls if one.name == name]
        chosen = [value for value in found if value is not None]
        return chosen[0] if chosen else ""


def dict_or_list(
    pairs: Iterable[tuple[str, str]] | Mapping[str, str],
) -> list[tuple[str, str]]:
    return list(pairs.items()) if isinstance(pairs, Mapping) else list(pairs)


def receipt_on(visit: Visit) -> Receipt:
    """Read the receipt that the page shows."""
    ticket = re.search(r"WBS-[0-9A-Z]{8}", visit.text)
    assert ticket is not None, visit.heading
    words = re.findall(r"<li>([a-z]{4,8})</li>", visit.text)
    return Receipt(visit.value("/formulir/simpan", "token"), ticket[0], words)


def to_form(visit: Visit, position: str = "asn") -> Visit:
    """Walk to the empty form."""
    return visit.open("/formulir").send("/formulir/isi", {"position": position})


def report(visit: Visit, values: Values | None = None) -> Receipt:
    """Walk from the choice of a position to the receipt."""
    to_form(visit).send("/formulir/kirim", {"narrative": NARRATIVE, **(values or {})})
    assert visit.status == 200, (visit.status, visit.heading)
    return receipt_on(visit)


def asked(visit: Visit) -> list[int]:
    """Which two words the receipt asks for."""
    return [int(number) for number in re.findall(r"<label[^>]*>Kata ke-(\d)", visit.text)]


def keep(visit: Visit, receipt: Receipt) -> Visit:
    """Type the two words that the receipt asks for."""
    first, second = (receipt.words[number - 1] for number in asked(visit))
    return visit.send("/formulir/simpan", {"word_first": first, "word_second": second})


def enter(visit: Visit, receipt: Receipt) -> Visit:
    """Sign a reporter in by the page."""
    fields = {"ticket": receipt.ticket, "words": receipt.key}
    return visit.open("/masuk").send("/masuk", fields)


def enter_staff(
    visit: Visit, username: str, passphrase: str | None = None, code: str | None = None
) -> Visit:
    """Sign an officer in by the page; with a code where the page asks for one."""
    secret = passphrase if passphrase is not None else passphrase_of(username)
    fields = {"handle": username, "passphrase": secret}
    if code is not None:
        fields["code"] = code
    return visit.open("/petugas/masuk").send("/petugas/masuk", fields)


def case_path(visit: Visit, ticket: str) -> str:
    """Find a case in the officer's inbox by its ticket."""
    visit.open("/petugas")
    found = re.findall(rf'href="(/petugas/berkas/[0-9a-f]{{32}})">{ticket}<', visit.text)
    assert len(found) == 1, f"{len(found)} times in the inbox: {ticket}"
    return str(found[0])


def act(visit: Visit, path: str, transition: str, values: Values) -> Visit:
    """Open a case and take an act that the page offers."""
    return visit.open(path).send(f"{path}/tindakan/{transition}", values)


def fields_of(profile: Profile, rule: Transition, assignee: str) -> dict[str, str | list[str]]:
    """Everything that the form of an act asks for, invented."""
    known: dict[Need, dict[str, str | list[str]]] = {
        Need.REASON: {"reason": f"Alasan {rule.id}"},
        Need.NOTE: {"note": f"Catatan {rule.id}"},
        Need.MESSAGE: {"message": f"Pesan {rule.id}"},
        Need.MISSING_ITEMS: {"missing_items": f"Kurang satu {rule.id}\nKurang dua {rule.id}"},
        Need.OUTCOME: {"outcome": "terbukti"},
        Need.ASSIGNEES: {"assignees": [assignee]},
        Need.CATEGORY: {"category": "a"},
        Need.RATING: {},
    }
    given: dict[str, str | list[str]] = {}
    for need in rule.requires:
        given |= known[need]
    if rule.checklist is not None:
        given["checklist"] = [item.id for item in profile.checklist(rule.checklist).items]
    for kind in rule.documents:
        given[f"document_{kind}_number"] = "800/12/ST"
        given[f"document_{kind}_date"] = "2026-11-23"
    return given
