"""The inbox: what is due first comes first, page by page, filtered, and only one's own."""

import re

import pytest

from casework.keys import confirmations, restoration
from casework.log.leaf import Draft, append
from tests.casework.cases import file_report
from tests.portal.sites import Site
from tests.portal.visits import Visit

TICKET = re.compile(r'href="/petugas/berkas/[0-9a-f]{32}">(WBS-[0-9A-Z]{8})<')


def tickets(visit: Visit) -> list[str]:
    return TICKET.findall(visit.text)


@pytest.fixture
def ladder(portal: Site) -> list[str]:
    """Three reports of three days; the tickets in the order in which they were filed."""
    found = []
    for _ in range(3):
        found.append(file_report(portal.bench).receipt.ticket)
        portal.clock.advance(days=1)
    return found


def test_what_is_due_first_comes_first(portal: Site, ladder: list[str]) -> None:
    """Each with its day and what is left of it."""
    visit = portal.officer("operator").open("/petugas")
    assert tickets(visit) == ladder
    assert '26\xa0November\xa02026</span> <span class="whole">(hari ini)' in visit.text
    portal.clock.advance(days=1)
    assert "Lewat waktu" in portal.officer("operator").open("/petugas").text


def test_the_inbox_shows_only_what_the_officer_holds(portal: Site, ladder: list[str]) -> None:
    """No row, no count, no hint of what lies on other desks."""
    assert tickets(portal.officer("inspektur").open("/petugas")) == ladder
    for nobody in ("verifikator", "irban", "tim", "pengawas", "admin"):
        visit = portal.officer(nobody).open("/petugas")
        assert tickets(visit) == []
        assert "Tidak ada tugas untuk Anda saat ini" in visit.text


def test_it_is_paged_in_both_directions(portal: Site) -> None:
    """25 a page; forward and back show every case once, and addresses hold no ticket."""
    for _ in range(53):
        file_report(portal.bench, narrative="x")
    visit = portal.officer("operator").open("/petugas")
    pages = [tickets(visit)]
    while older := [href for label, href in visit.page.links if label == "Berikutnya"]:
        assert "WBS" not in older[0]
        pages.append(tickets(visit.open(older[0])))
    assert [len(page) for page in pages] == [25, 25, 3]
    assert len({ticket for page in pages for ticket in page}) == 53
    back = []
    while newer := [href for label, href in visit.page.links if label == "Sebelumnya"]:
        back.append(tickets(visit.open(newer[0])))
    assert back == [pages[1], pages[0]]


def test_filters_by_status_and_category(portal: Site) -> None:
    """Both, alone and together; an empty choice shows everything."""
    _, one = portal.reporter()
    _, two = portal.reporter()
    portal.act("operator", one, "reject")
    portal.act("operator", two, "accept")
    portal.act("verifikator", two, "verify")
    visit = portal.officer("inspektur")
    form = visit.open("/petugas").form("/petugas")
    assert form.attributes["method"] == "get"
    assert {control.name for control in form.controls if control.name} == {"status", "kategori"}
    expected = {
        "": {one.ticket, two.ticket},
        "?status=&kategori=": {one.ticket, two.ticket},
        "?status=ditolak": {one.ticket},
        "?status=diverifikasi": {two.ticket},
        "?kategori=a": {two.ticket},
        "?status=ditolak&kategori=a": set(),
        "?status=tidak-ada": set(),
    }
    for query, wanted in expected.items():
        assert set(tickets(visit.open(f"/petugas{query}"))) == wanted, query


def test_the_guardian_can_ask_for_what_needs_attention(portal: Site) -> None:
    """Rejected or overdue; nobody else has that choice."""
    _, rejected = portal.reporter()
    _, late = portal.reporter()
    portal.clock.advance(days=5)
    _, fresh = portal.reporter()
    portal.act("operator", rejected, "reject")
    visit = portal.officer("inspektur").open("/petugas")
    assert "Perlu perhatian" in visit.text
    found = set(tickets(visit.open("/petugas?status=perhatian")))
    assert found == {rejected.ticket, late.ticket}
    assert fresh.ticket not in visit.text
    assert "Perlu perhatian" not in portal.officer("operator").open("/petugas").text


@pytest.mark.parametrize(
    "query",
    [
        "?sesudah=kemarin_x",
        "?sesudah=2026-11-26",
        "?sesudah=9999-12-31_" + "z" * 5000,
        "?sesudah=2026-11-26_%00%FF",
        "?sebelum=-1_a&sesudah=2_b",
        "?status=%00&kategori=%FF",
        "?status=a&status=b",
        "?berhasil=<script>",
    ],
)
@pytest.mark.usefixtures("reporter")
def test_odd_addresses_show_a_page(portal: Site, query: str) -> None:
    """What a link of ours never says is no place or no filter, and never a failure."""
    visit = portal.officer("operator").open(f"/petugas{query}")
    assert visit.status == 200
    assert "<script>" not in visit.text


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE desk_entry SET state = 'zzz' WHERE case_id = :case",
        "UPDATE desk_entry SET category = 'zzz' WHERE case_id = :case",
        "UPDATE \"case\" SET profile = 'zzz' WHERE id = :case",
        'UPDATE "case" SET profile_version = 99 WHERE id = :case',
    ],
)
def test_one_damaged_row_does_not_hide_the_others(
    portal: Site, ladder: list[str], statement: str
) -> None:
    """It is shown with a question mark, and the inbox stays an inbox."""
    portal.tamper(statement, case=portal.case_id(ladder[1]))
    visit = portal.officer("operator").open("/petugas")
    assert visit.status == 200
    assert tickets(visit) == ladder
    assert ">?<" in visit.text


def test_a_far_due_day_does_not_hold_the_inbox_up(portal: Site, ladder: list[str]) -> None:
    """A day of the year 9999 on a desk is a row like any other, and the last one."""
    portal.tamper(
        "UPDATE desk_entry SET due = '9999-12-30' WHERE case_id = :case",
        case=portal.case_id(ladder[0]),
    )
    visit = portal.officer("operator").open("/petugas")
    assert tickets(visit) == [*ladder[1:], ladder[0]]
    assert "30\xa0Desember\xa09999" in visit.text


def test_a_confirmed_restore_is_told_to_everybody_for_thirty_days(portal: Site) -> None:
    """With its day, its reason and the versions of the roster; what nobody signed is not shown."""
    with portal.bench.office.write() as uow:
        append(uow, Draft(confirmations.EVENT, "system", facts={"reason": "palsu"}))
    told = "Sistem dipulihkan dari cadangan"
    assert told not in portal.officer("irban").open("/petugas").text
    with portal.bench.office.write() as uow:
        restoration.confirm(uow, portal.bench["inspektur"], "Cakram <rusak>")
    for username in ("irban", "operator", "inspektur"):
        page = portal.officer(username).open("/petugas").text
        assert told in page
        assert "Cakram &lt;rusak&gt;" in page
        assert "Contoh Inspektur" in page
        assert "tetap pada versi" in page
    portal.clock.advance(days=31)
    assert told not in portal.officer("irban").open("/petugas").text
