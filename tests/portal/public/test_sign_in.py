"""Coming back with ticket and words: forgiving about typing, silent about what exists."""

import logging
import re
import secrets
from collections.abc import Callable
from typing import Any

import pytest

from crypto import kdf, words
from crypto import ticket as tickets
from crypto.persons import Person
from portal.settings import LimitSection
from tests.portal import visits
from tests.portal.sites import Site, served
from tests.portal.visits import Receipt, Visit

Reporter = tuple[Visit, Receipt]

SPELLINGS: list[tuple[str, Callable[[Receipt], tuple[str, str]]]] = [
    ("as shown", lambda r: (r.ticket, r.key)),
    ("capitals", lambda r: (r.ticket.lower(), r.key.upper())),
    ("four letters", lambda r: (r.ticket, " ".join(word[:4] for word in r.words))),
    ("lines and spaces", lambda r: (f"  {r.ticket} ", "\r\n".join(f" {w}  " for w in r.words))),
    ("numbered", lambda r: (r.ticket, "\n".join(f"{n}. {w}" for n, w in enumerate(r.words, 1)))),
    ("hyphens", lambda r: (r.ticket[:8] + "-" + r.ticket[8:], "-".join(r.words))),
    ("no prefix", lambda r: (r.ticket.removeprefix("WBS-"), r.key)),
]


@pytest.mark.parametrize("spelling", [s for _, s in SPELLINGS], ids=[n for n, _ in SPELLINGS])
def test_any_spelling_of_the_key_opens_the_mailbox(
    portal: Site, reporter: Reporter, spelling: Callable[[Receipt], tuple[str, str]]
) -> None:
    """Case, spaces, numbers, and anything after four letters do not matter."""
    ticket, key = spelling(reporter[1])
    visit = portal.visit().open("/masuk").send("/masuk", {"ticket": ticket, "words": key})
    assert (visit.status, visit.location) == (303, "/ruang")
    assert reporter[1].ticket in visit.follow().text


def test_an_unknown_word_is_pointed_at_by_its_place(portal: Site, reporter: Reporter) -> None:
    """The page names the places and never the words; the ticket stays, the words do not."""
    receipt = reporter[1]
    typed = [*receipt.words[:2], "qqqzzz", *receipt.words[3:7], "xyxyxy"]
    fields = {"ticket": receipt.ticket, "words": " ".join(typed)}
    visit = portal.visit().open("/masuk").send("/masuk", fields)
    assert visit.status == 422
    assert "Kata ke-3 dan ke-8 tidak ada dalam daftar kata" in visit.text
    assert visit.value("/masuk", "ticket") == receipt.ticket
    assert visit.value("/masuk", "words") == ""
    # A single word may stand in the page's own text; the words as typed may not.
    assert " ".join(typed[:2]) not in visit.text
    assert "qqqzzz" not in visit.text


@pytest.mark.parametrize("count", [0, 1, 7, 9])
def test_a_wrong_number_of_words_is_counted(portal: Site, reporter: Reporter, count: int) -> None:
    receipt = reporter[1]
    typed = " ".join((receipt.words * 2)[:count])
    fields = {"ticket": receipt.ticket, "words": typed}
    visit = portal.visit().open("/masuk").send("/masuk", fields)
    assert visit.status == 422
    assert f"Anda mengetik {count} kata" in visit.text


@pytest.mark.parametrize(
    "typed",
    [
        "qq " * 130,
        "qq " * 200_000,
        "\ufdfa" * 80_000,
        "\u0390" * 100_000,
        ("a" + "\u0301" * 30) * 3_000,
    ],
    ids=["130 words", "200,000 words", "ligatures", "Greek", "marks"],
)
def test_words_without_end_get_a_short_answer(
    portal: Site, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    """No key is stretched, and the page is no longer than for one wrong word."""
    usual = portal.visit().post("/masuk", {"ticket": "WBS-00000000", "words": "qqqzzz"})
    spy = Spy(kdf.stretch)
    monkeypatch.setattr(kdf, "stretch", spy)
    visit = portal.visit().post("/masuk", {"ticket": "WBS-00000000", "words": typed})
    assert visit.status == 422
    assert len(visit.text) < len(usual.text) + 500
    assert visit.text.count("ke-") <= 2 * 8
    assert spy.calls == []


class Spy:
    """Counts key stretching and lets it happen."""

    def __init__(self, real: Callable[..., bytes]) -> None:
        self._real = real
        self.calls: list[str] = []

    def __call__(self, password: bytes, salt: bytes, cost: Any) -> bytes:
        self.calls.append(f"{len(password)} {len(salt)} {cost.id}")
        return self._real(password, salt, cost)


def test_unknown_ticket_and_wrong_key_look_and_cost_the_same(
    portal: Site, reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte the same page but for the echoed ticket, after one stretching of equal cost.

    A ticket that cannot be one at all (a typing error) is treated like the others.
    """
    receipt = reporter[1]
    wrong_key = " ".join(words.encode(secrets.token_bytes(10)))
    unknown = tickets.make(secrets.token_bytes(tickets.ENTROPY_SIZE))
    spy = Spy(kdf.stretch)
    monkeypatch.setattr(kdf, "stretch", spy)
    answers = []
    for ticket, key in (
        (receipt.ticket, wrong_key),
        (unknown, receipt.key),
        (unknown, wrong_key),
        ("WBS-UUUUUUUU", receipt.key),
        ("bukan tiket", receipt.key),
    ):
        visit = visits.enter(portal.visit(), Receipt("", ticket, key.split()))
        headers = [(n, v) for n, v in visit.answer.headers.items() if n != "content-length"]
        answers.append((visit.status, headers, visit.text.replace(ticket, "TIKET")))
    assert len(spy.calls) == len(answers)
    assert len(set(spy.calls)) == 1
    assert answers == [answers[0]] * len(answers)
    assert "Nomor tiket atau kunci tidak cocok." in answers[0][2]
    assert "set-cookie" not in dict(answers[0][1])


def test_words_with_a_wrong_checksum_get_the_same_page(portal: Site, reporter: Reporter) -> None:
    """Two words exchanged: the page does not say that the ticket was right."""
    receipt = reporter[1]
    swapped = [receipt.words[1], receipt.words[0], *receipt.words[2:]]
    visit = visits.enter(portal.visit(), Receipt("", receipt.ticket, swapped))
    unknown = tickets.make(secrets.token_bytes(tickets.ENTROPY_SIZE))
    other = visits.enter(portal.visit(), Receipt("", unknown, receipt.words))
    assert visit.text.replace(receipt.ticket, "T") == other.text.replace(unknown, "T")


def test_the_key_of_one_report_does_not_open_another(portal: Site, reporter: Reporter) -> None:
    _, other = portal.reporter()
    visit = visits.enter(portal.visit(), Receipt("", reporter[1].ticket, other.words))
    assert visit.status == 422


def test_signing_in_replaces_the_session_that_was_there(portal: Site, reporter: Reporter) -> None:
    """The cookie is always a new one, and the old one opens nothing any more."""
    visit, receipt = reporter
    old = visit.client.cookies["ruang"]
    visits.enter(visit, receipt)
    assert visit.client.cookies["ruang"] != old
    thief = portal.visit()
    thief.client.cookies.set("ruang", old)
    assert thief.open("/ruang").location == "/masuk"


def test_a_planted_cookie_is_not_taken_over(portal: Site, reporter: Reporter) -> None:
    """A cookie that somebody put into the browser before never becomes a session."""
    visit = portal.visit()
    visit.client.cookies.set("ruang", "A" * 43)
    visits.enter(visit, reporter[1])
    fresh = re.match(r"ruang=([\w-]{43});", visit.answer.headers["set-cookie"])
    assert fresh is not None
    assert fresh[1] != "A" * 43


class Crowd:
    """While one key is being stretched, lets somebody else try to sign in."""

    def __init__(self, real: Callable[..., bytes], come: Callable[[], Visit]) -> None:
        self._real = real
        self._come = come
        self.turned_away: list[Visit] = []

    def __call__(self, password: bytes, salt: bytes, cost: Any) -> bytes:
        if not self.turned_away:
            self.turned_away.append(self._come())
        return self._real(password, salt, cost)


def test_when_the_lane_is_full_the_page_says_wait(
    portal: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with the ticket kept and the words gone; whoever was inside is let in all the same."""
    with served(portal.bench, LimitSection(kdf_at_once=1, kdf_waiting=0)) as narrow:
        receipt = visits.report(narrow.visit())
        crowd = Crowd(kdf.stretch, lambda: visits.enter(narrow.visit(), receipt))
        monkeypatch.setattr(kdf, "stretch", crowd)
        assert visits.enter(narrow.visit(), receipt).location == "/ruang"
    (busy,) = crowd.turned_away
    assert busy.status == 503
    assert "Terlalu banyak percobaan masuk" in busy.text
    assert busy.value("/masuk", "ticket") == receipt.ticket
    assert busy.value("/masuk", "words") == ""


class Meanwhile:
    """While the first key is being stretched, lets other things happen, which may stretch more."""

    def __init__(self, real: Callable[..., bytes], happen: Callable[[], None]) -> None:
        self._real = real
        self._happen = happen
        self.happened = False

    def __call__(self, password: bytes, salt: bytes, cost: Any) -> bytes:
        if not self.happened:
            self.happened = True
            self._happen()
        return self._real(password, salt, cost)


def test_signing_in_stands_in_nobody_elses_way(
    portal: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every place of the reporters' lane taken, reports come in and officers sign in."""
    with served(portal.bench, LimitSection(kdf_at_once=1, kdf_waiting=0)) as narrow:
        receipt = visits.report(narrow.visit())
        found: list[int] = []

        def others() -> None:
            found.append(visits.enter(narrow.visit(), receipt).status)
            visit = narrow.visit()
            found.append(visits.keep(visit, visits.report(visit)).status)
            found.append(visits.enter_staff(narrow.visit(), "operator").status)

        monkeypatch.setattr(kdf, "stretch", Meanwhile(kdf.stretch, others))
        visits.enter(narrow.visit(), receipt)
    assert found == [503, 303, 303]


def test_officers_stand_in_nobodys_way(portal: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessing at passphrases keeps no report and no reporter out."""
    with served(portal.bench, LimitSection(kdf_at_once=1, kdf_waiting=0)) as narrow:
        found: list[int] = []

        def others() -> None:
            found.append(visits.enter_staff(narrow.visit(), "operator").status)
            found.append(visits.enter(narrow.visit(), visits.report(narrow.visit())).status)

        monkeypatch.setattr(kdf, "stretch", Meanwhile(kdf.stretch, others))
        visits.enter_staff(narrow.visit(), "operator", "salah salah salah salah")
    assert found == [503, 303]


def test_exchanged_keys_are_refused_without_a_line_in_the_log(
    portal: Site, reporter: Reporter, caplog: pytest.LogCaptureFixture
) -> None:
    """An admin who exchanges a reporter's keys must not learn from the log when they come back."""
    portal.tamper(
        'UPDATE person SET verify_key = :key WHERE id = (SELECT reporter FROM "case" '
        "WHERE ticket = :ticket)",
        key=Person.generate().public.verify_key,
        ticket=reporter[1].ticket,
    )
    caplog.set_level(logging.DEBUG, logger="suaka")
    visit = visits.enter(portal.visit(), reporter[1])
    assert visit.status == 503
    assert "set-cookie" not in visit.answer.headers
    assert reporter[0].open("/ruang").status in {200, 503}
    assert [record for record in caplog.records if record.name.startswith("suaka")] == []
