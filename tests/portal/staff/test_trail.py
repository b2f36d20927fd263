"""The trail's page: for who audits, by person, ticket, kind and day; its addresses tell nothing."""

import re

import pytest

from casework.handling import opening
from tests.casework.cases import Filed, file_report
from tests.portal.sites import Site
from tests.portal.visits import Visit

TRAIL = "/petugas/jejak"
OTHERS = ("operator", "verifikator", "irban", "tim", "pengawas", "admin")


def told(visit: Visit) -> list[str]:
    """Actor and event of each row."""
    rows = re.findall(r"<tr role=\"row\">\n<td.*?</tr>", visit.text, re.DOTALL)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]
    return [
        " ".join(re.sub(r"<[^>]+>", "", cell).strip() for cell in row[1:3]).strip() for row in cells
    ]


@pytest.fixture
def filed(portal: Site) -> Filed:
    made = file_report(portal.bench)
    made.do("operator", "accept")
    made.say("reporter", "Kanari pesan")
    return made


def test_it_shows_who_did_what_and_no_contents(portal: Site, filed: Filed) -> None:
    visit = portal.officer("inspektur").open(TRAIL)
    assert visit.status == 200
    accept = filed.profile.transition("accept").label
    assert told(visit)[:3] == [
        "Pelapor Pesan",
        f"Contoh Operator {accept}",
        "Pelapor Laporan masuk",
    ]
    assert visit.text.count("Utuh</span>") == len(told(visit))
    assert "Kanari" not in visit.text
    assert filed.reporter.person_id not in visit.text
    assert f'href="/petugas/berkas/{filed.case_id}">{filed.receipt.ticket}<' in visit.text


@pytest.mark.parametrize("user", OTHERS)
def test_every_other_role_is_refused_and_learns_nothing(
    portal: Site, filed: Filed, user: str
) -> None:
    visit = portal.officer(user)
    fields = visit.open("/petugas").filled("/petugas/keluar", {})
    assert TRAIL not in visit.text
    for ticket in (filed.receipt.ticket, "WBS-00000000"):
        visit.post(TRAIL, [*fields, ("nomor", ticket)])
        assert (visit.status, visit.location) == (403, "")
        assert filed.receipt.ticket not in visit.text
    for query in ("", f"?berkas={filed.case_id}", "?peristiwa=accept"):
        assert visit.open(TRAIL + query).status == 403
        assert filed.receipt.ticket not in visit.text
        assert "Contoh Operator" not in visit.text.replace("<strong>Contoh Operator</strong>", "")


def test_a_ticket_is_posted_and_the_address_names_the_case_by_its_id(
    portal: Site, filed: Filed
) -> None:
    other = file_report(portal.bench)
    visit = portal.officer("inspektur").open(TRAIL)
    visit.send(TRAIL, {"nomor": filed.receipt.ticket.lower().replace("-", " ")})
    assert (visit.status, visit.location) == (303, f"{TRAIL}?berkas={filed.case_id}")
    visit.follow()
    assert len(told(visit)) == 3
    assert visit.value(TRAIL, "nomor") == filed.receipt.ticket
    assert other.receipt.ticket not in visit.text
    assert "Hapus saringan" in visit.text


def test_filters_together(portal: Site, filed: Filed) -> None:
    visit = portal.officer("inspektur").open(TRAIL)
    fields = {"orang": filed.bench["operator"].person_id, "dari": "2026-11-23"}
    visit.send(TRAIL, fields).follow()
    assert [one.partition(" ")[0] for one in told(visit)] == ["Contoh"]
    visit.send(TRAIL, {"peristiwa": "submit"}).follow()
    assert "Tidak ada catatan yang cocok" in visit.text, "the other filters stay"
    visit.open(f"{TRAIL}?sampai=2026-11-22")
    assert "Tidak ada catatan yang cocok" in visit.text


def test_what_cannot_be_read_is_shown_again_with_its_fault(portal: Site) -> None:
    """An unknown ticket, and one of a case that is withheld, are refused in the same words."""
    secret = file_report(portal.bench)
    secret.tamper(
        'DELETE FROM "grant" WHERE case_id = :case AND holder = :holder',
        holder=portal.bench["inspektur"].person_id,
    )
    visit = portal.officer("inspektur")
    shown = set()
    for ticket in (secret.receipt.ticket, "WBS-00000000", "bukan tiket"):
        visit.open(TRAIL).send(TRAIL, {"nomor": ticket, "dari": "kemarin"})
        assert visit.status == 422
        assert visit.value(TRAIL, "nomor") == ticket
        assert visit.text.count("Tanggal ditulis seperti") == 2
        found = re.search(r"Perbaiki: (Tiket[^<]+)<", visit.text)
        assert found is not None
        shown.add(found[1])
    assert len(shown) == 1
    assert secret.receipt.ticket not in visit.open(TRAIL).text


def test_a_form_without_its_token_is_refused(portal: Site) -> None:
    visit = portal.officer("inspektur")
    assert visit.post(TRAIL, {"nomor": "x"}).status == 403


@pytest.mark.parametrize(
    "query",
    ["?orang=../x", "?berkas=%00", "?dari=x&sampai=2026-99-99", "?sesudah=2026-11-23_x",
     "?sesudah=x_1", "?sebelum=2026-11-23_999999999999999999999", "?peristiwa='--",
     "?orang=" + "a" * 500],
)  # fmt: skip
def test_an_address_of_somebody_elses_making_shows_the_page(portal: Site, query: str) -> None:
    assert portal.officer("inspektur").open(TRAIL + query).status == 200


def test_it_is_paged_in_both_directions(portal: Site) -> None:
    for _ in range(60):
        file_report(portal.bench, narrative="x")
    visit = portal.officer("inspektur").open(f"{TRAIL}?peristiwa=submit")
    assert len(told(visit)) == 50
    (older,) = (href for label, href in visit.page.links if label == "Lebih lama")
    assert len(told(visit.open(older))) == 10
    assert "Lebih lama" not in visit.text
    (newer,) = (href for label, href in visit.page.links if label == "Lebih baru")
    assert len(told(visit.open(newer))) == 50
    assert "Lebih baru" not in visit.text


def test_a_changed_leaf_is_marked_in_words(portal: Site, filed: Filed) -> None:
    filed.tamper("UPDATE leaf SET signature = randomblob(65) WHERE event = 'accept'")
    visit = portal.officer("inspektur").open(TRAIL)
    assert visit.text.count("Diubah atau tidak ditandatangani") == 1
    assert len(told(visit)) == visit.text.count("Utuh</span>") + 1


def test_an_event_without_words_shows_by_its_name(portal: Site, filed: Filed) -> None:
    filed.tamper("UPDATE leaf SET event = 'belum_dikenal' WHERE event = 'accept'")
    visit = portal.officer("inspektur").open(TRAIL)
    assert re.search(r"Peristiwa lain <span[^>]*>belum_dikenal<", visit.text)


def test_a_burst_is_told_on_inbox_and_trail_and_leads_there(portal: Site) -> None:
    """Default limit of 25: the guardian reads who, when and how many; nobody else does."""
    for _ in range(26):
        made = file_report(portal.bench, narrative="x")
        with portal.bench.office.write() as uow:
            opening.note(uow, portal.bench["operator"], made.case_id)
    visit = portal.officer("inspektur").open("/petugas")
    words = "Contoh Operator membuka 26 berkas berbeda pada 23\xa0November\xa02026"
    assert words in visit.text
    (path,) = (href for label, href in visit.page.links if label == "Lihat jejaknya")
    visit.open(path)
    assert words in visit.text
    assert told(visit) == ["Contoh Operator Membuka berkas"] * 26
    for user in OTHERS:
        assert "dalam satu hari" not in portal.officer(user).open("/petugas").text
    portal.clock.advance(days=14)
    assert "dalam satu hari" not in portal.officer("inspektur").open("/petugas").text
