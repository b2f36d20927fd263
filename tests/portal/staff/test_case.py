"""The case page: the story checked piece by piece, and only the acts that are open now."""

import re
from collections.abc import Iterable
from typing import Any

import pytest
from sqlalchemy import event

from casework.store.base import new_id
from tests.portal import visits
from tests.portal.sites import Site
from tests.portal.visits import NARRATIVE, Receipt, Visit

Reporter = tuple[Visit, Receipt]
REPORTED = "Kanari terlapor"


@pytest.fixture
def receipt(reporter: Reporter) -> Receipt:
    return reporter[1]


def bring(portal: Site, receipt: Receipt, *acts: tuple[str, str]) -> None:
    for who, what in acts:
        portal.act(who, receipt, what)


TO_INSPEKTUR = (
    ("operator", "accept"),
    ("verifikator", "verify"),
    ("irban", "analyse"),
    ("irban", "forward"),
)


def offered(visit: Visit, path: str) -> set[str]:
    """The acts for which the page has a form."""
    prefix = f"{path}/tindakan/"
    actions = (form.attributes.get("action", "") for form in visit.page.forms)
    return {action.removeprefix(prefix) for action in actions if action.startswith(prefix)}


def test_the_story_is_told_in_order_with_authors(portal: Site, receipt: Receipt) -> None:
    """Report, acts and messages as they came; officers by name and role, the reporter as such."""
    bring(portal, receipt, *TO_INSPEKTUR)
    text = portal.officer("inspektur").open(portal.path(receipt)).text
    heads = re.findall(r"<article>\n<h3>(.*?)</h3>", text, re.DOTALL)
    assert [head.strip() for head in heads] == [
        "Laporan",
        "Terima laporan",
        "Nyatakan diverifikasi",
        "Catat analisis",
        "Teruskan ke Inspektur",
    ]
    assert text.count("Tanda tangan cocok") == len(heads)
    assert "Contoh Irban · Inspektur Pembantu (Irban)" in text
    assert "<span>Pelapor</span>" in text
    assert "Dasar: Lampiran I.III Fitur 2" in text


def test_the_reporters_time_is_the_day_and_an_officers_is_exact(
    portal: Site, receipt: Receipt
) -> None:
    """No hour stands beside what a reporter wrote."""
    bring(portal, receipt, ("operator", "accept"))
    text = portal.officer("verifikator").open(portal.path(receipt)).text
    whens = re.findall(r"<span>(23\xa0November\xa02026.*?)</span>", text)
    assert whens == ["23\xa0November\xa02026", "23\xa0November\xa02026, 10.00"]


def test_each_act_quotes_its_article_and_its_target(portal: Site, receipt: Receipt) -> None:
    """Badung sets no dates for b-wise, so the page says "target internal"."""
    visit = portal.officer("operator").open(portal.path(receipt))
    profile = portal.bench.office.profile
    assert offered(visit, portal.path(receipt)) == {"accept", "reject"}
    for name in ("accept", "reject"):
        assert f"Dasar: {profile.transition(name).article}" in visit.text
    assert "Target internal: <span" in visit.text


@pytest.mark.parametrize(
    ("transition", "values", "fault"),
    [
        ("reject", {"reason": " "}, "reason"),
        ("accept", {"checklist": ["indikasi"]}, "checklist.pemerintah_daerah"),
        ("accept", {"checklist": []}, "checklist.indikasi"),
    ],
)
def test_an_incomplete_act_is_shown_again(
    portal: Site,
    receipt: Receipt,
    transition: str,
    values: dict[str, str | list[str]],
    fault: str,
) -> None:
    """422, the fault named and linked to its field, nothing done."""
    path = portal.path(receipt)
    visit = portal.officer("operator").open(path)
    before = portal.state()
    visit.send(f"{path}/tindakan/{transition}", values)
    assert visit.status == 422
    (target,) = re.findall(r'<li><a href="#([^"]+)">', visit.text)[:1]
    assert target.startswith(f"{transition}-{fault.partition('.')[0]}")
    assert f'id="{target}"' in visit.text
    assert portal.state() == before


def test_a_fault_keeps_what_was_typed(portal: Site, receipt: Receipt) -> None:
    """A date that is none costs neither number nor team."""
    bring(portal, receipt, *TO_INSPEKTUR)
    path, team = portal.path(receipt), portal.bench["tim"].person_id
    values = {
        "assignees": [team],
        "document_surat_tugas_number": "800/1/ST",
        "document_surat_tugas_date": "kemarin",
    }
    visit = visits.act(portal.officer("inspektur"), path, "assign_team", values)
    action = f"{path}/tindakan/assign_team"
    assert visit.status == 422
    assert visit.value(action, "document_surat_tugas_number") == "800/1/ST"
    assert visit.value(action, "document_surat_tugas_date") == "kemarin"
    assert visit.value(action, "assignees") == team


@pytest.mark.parametrize(
    ("day", "status"),
    [
        ("0001-01-01", 422),
        ("9999-12-31", 422),
        ("2026-W48-1", 303),
        ("\uff12\uff10\uff12\uff16-11-23", 422),
    ],
)
def test_odd_dates_do_not_break_an_act(
    portal: Site, receipt: Receipt, day: str, status: int
) -> None:
    bring(portal, receipt, *TO_INSPEKTUR)
    values = {
        "assignees": [portal.bench["tim"].person_id],
        "document_surat_tugas_number": "1",
        "document_surat_tugas_date": day,
    }
    visit = visits.act(portal.officer("inspektur"), portal.path(receipt), "assign_team", values)
    assert visit.status == status


def test_the_same_press_twice_is_one_act(portal: Site, receipt: Receipt) -> None:
    """The second answer is a page that says that things have changed."""
    path = portal.path(receipt)
    visit = portal.officer("operator").open(path)
    pairs = visit.filled(f"{path}/tindakan/reject", {"reason": "Bukan kewenangan"})
    assert visit.post(f"{path}/tindakan/reject", pairs).status == 303
    before = portal.state()
    assert visit.post(f"{path}/tindakan/reject", pairs).status == 409
    assert visit.heading == "Keadaannya sudah berubah"
    assert portal.state() == before


def test_two_officers_cannot_act_on_the_same_picture(portal: Site, receipt: Receipt) -> None:
    """Whoever looked before the other acted must look again: 409, and one leaf only."""
    bring(portal, receipt, *TO_INSPEKTUR)
    path = portal.path(receipt)
    one, two = portal.officer("inspektur"), portal.officer("inspektur")
    stale = two.open(path).filled(f"{path}/tindakan/return", {"reason": "Kedua"})
    one.open(path).send(f"{path}/pesan", {"message": "Pesan di antaranya"})
    before = portal.state()
    assert two.post(f"{path}/tindakan/return", stale).status == 409
    assert portal.state() == before


@pytest.mark.parametrize("revision", ["", "-1", "1.0", "²", "1" * 40, "x"])
def test_a_revision_that_is_no_number_is_refused(
    portal: Site, receipt: Receipt, revision: str
) -> None:
    path = portal.path(receipt)
    visit = portal.officer("operator").open(path)
    pairs = dict(visit.filled(f"{path}/tindakan/reject", {"reason": "Alasan"}))
    before = portal.state()
    visit.post(f"{path}/tindakan/reject", {**pairs, "revision": revision})
    assert visit.status == 400
    assert portal.state() == before


def test_a_message_sent_twice_is_one(portal: Site, receipt: Receipt) -> None:
    path = portal.path(receipt)
    visit = portal.officer("operator").open(path)
    pairs = visit.filled(f"{path}/pesan", {"message": "Sekali"})
    for _ in range(2):
        assert visit.post(f"{path}/pesan", pairs).status == 303
    assert portal.scalar("SELECT count(*) FROM item WHERE kind = 'message'") == 1


def answers(
    visit: Visit, path: str, pairs: Iterable[tuple[str, str]]
) -> list[tuple[int, list[tuple[str, str]], str]]:
    found: list[tuple[int, list[tuple[str, str]], str]] = []
    for method in ("get", "tindakan/accept", "tindakan/tidak-ada", "pesan"):
        visit.open(path) if method == "get" else visit.post(f"{path}/{method}", list(pairs))
        headers = [(n, v) for n, v in visit.answer.headers.items() if n != "date"]
        found.append((visit.status, headers, visit.text))
    return found


def test_anothers_case_and_no_case_get_the_same_answer(portal: Site, receipt: Receipt) -> None:
    """Byte for byte, for reading, acting and writing: nothing tells that the case exists."""
    visit = portal.officer("irban")
    pairs = [*visit.open("/petugas").filled("/petugas/keluar", {}), ("revision", "1")]
    others = answers(visit, portal.path(receipt), pairs)
    nobodys = answers(visit, f"/petugas/berkas/{new_id()}", pairs)
    assert others == nobodys
    assert [status for status, *_ in others] == [404] * 4


@pytest.mark.parametrize("case", ["%00", "x" * 3000, "WBS-00000000", "%FF", "%2e%2e%2fx", "ß"])
@pytest.mark.usefixtures("receipt")
def test_odd_addresses_are_not_found(portal: Site, case: str) -> None:
    visit = portal.officer("operator").open(f"/petugas/berkas/{case}")
    assert visit.status == 404
    assert visit.heading == "Halaman tidak ditemukan"


def test_an_unverifiable_piece_is_shown_as_such(portal: Site, reporter: Reporter) -> None:
    """A message under a broken signature: its place is shown, its words are not."""
    visit, receipt = reporter
    visit.open("/ruang").send("/ruang/pesan", {"message": "Kata yang diubah orang"})
    portal.tamper("UPDATE item SET signature = zeroblob(65) WHERE kind = 'message'")
    for reader, path in ((portal.officer("operator"), portal.path(receipt)), (visit, "/ruang")):
        reader.open(path)
        assert reader.status == 200
        assert "Tidak dapat dipastikan asalnya" in reader.text
        assert "Kata yang diubah orang" not in reader.text
        assert NARRATIVE in reader.text


def test_a_piece_that_was_taken_away_leaves_a_gap(portal: Site, reporter: Reporter) -> None:
    """The log says that something stood there."""
    visit, receipt = reporter
    visit.open("/ruang").send("/ruang/pesan", {"message": "Kata yang dihapus orang"})
    portal.tamper(
        "DELETE FROM part WHERE item_id IN (SELECT id FROM item WHERE kind = 'message')",
        "DELETE FROM item WHERE kind = 'message'",
    )
    text = portal.officer("operator").open(portal.path(receipt)).text
    assert "Bagian yang hilang" in text


def test_what_a_reporter_typed_is_never_markup(portal: Site) -> None:
    """Neither on the officers' pages nor on the reporter's own."""
    evil = '<script>alert(1)</script>"><img src=x onerror=y>{{ 7*7 }}{% raw %}'
    visit, receipt = portal.reporter({"narrative": evil, "reported_person": REPORTED + evil})
    visit.open("/ruang").send("/ruang/pesan", {"message": evil})
    for reader, path in ((portal.officer("operator"), portal.path(receipt)), (visit, "/ruang")):
        text = reader.open(path).text
        assert "<script" not in text
        assert "<img" not in text
        assert "{{ 7*7 }}" in text


def test_no_ticket_stands_in_title_or_address(portal: Site, receipt: Receipt) -> None:
    """What a colleague's glance or a browser history picks up says nothing."""
    visit = portal.officer("operator").open(portal.path(receipt))
    assert visit.page.title == "Berkas"
    assert receipt.ticket not in str(visit.answer.url)
    visit.send(f"{portal.path(receipt)}/tindakan/reject", {"reason": "Alasan"})
    assert receipt.ticket not in visit.location


def test_opening_a_case_is_noted_before_it_is_shown(portal: Site, receipt: Receipt) -> None:
    """One leaf for each officer and day, also when the page comes after a fault."""
    path = portal.path(receipt)
    query = "SELECT count(*) FROM leaf WHERE event = 'opened'"
    operator = portal.officer("operator").open(path)
    assert (operator.status, portal.scalar(query)) == (200, 1)
    operator.send(f"{path}/tindakan/reject", {"reason": ""})
    assert (operator.status, portal.scalar(query)) == (422, 1)
    portal.officer("inspektur").open(path)
    assert portal.scalar(query) == 2
    assert portal.officer("verifikator").open(path).status == 404
    portal.clock.advance(days=1)
    assert portal.scalar(query) == 2
    fresh = portal.officer("operator").open("/petugas")
    pairs = fresh.filled("/petugas/keluar", {})
    fresh.post(f"{path}/tindakan/reject", [*pairs, ("revision", "1"), ("reason", "")])
    assert (fresh.status, portal.scalar(query)) == (422, 3)


def test_a_colleagues_visit_refuses_no_form(portal: Site, receipt: Receipt) -> None:
    """The operator's page was open before the Inspektur looked: the act goes through."""
    path = portal.path(receipt)
    operator = portal.officer("operator").open(path)
    portal.officer("inspektur").open(path)
    operator.send(f"{path}/pesan", {"message": "Pesan"})
    assert operator.status == 303


def test_where_no_leaf_can_be_written_no_page_is_shown(portal: Site, receipt: Receipt) -> None:
    """The database refuses to be written to: 503, and nothing of the case."""
    path = portal.path(receipt)
    officer = portal.officer("operator")
    engine = portal.bench.office.engine
    engine.dispose()

    def read_only(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA query_only=ON")

    event.listen(engine, "connect", read_only)
    try:
        officer.open(path)
        assert officer.status == 503
        assert visits.NARRATIVE not in officer.text
        assert receipt.ticket not in officer.text
    finally:
        event.remove(engine, "connect", read_only)
        engine.dispose()
    assert visits.NARRATIVE in officer.open(path).text
