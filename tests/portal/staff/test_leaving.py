"""Leaving on the pages: who follows where, the code asked for again, the record to be printed."""

import re
from dataclasses import replace
from pathlib import Path

import pyotp
import pytest

from casework.keys import factors, roster
from casework.keys.sessions import Kind
from casework.keys.vocabulary import TenureState
from tests.casework.cases import copy_of, file_report, join, leave
from tests.casework.office import Bench
from tests.portal.sites import Site, served
from tests.portal.visits import Receipt, Visit

REASON = "SK 800/12/2026"
Reporter = tuple[Visit, Receipt]


def away(portal: Site, user: str) -> str:
    return f"/petugas/orang/{portal.bench[user].person_id}/keluar"


def record_of(portal: Site, user: str) -> str:
    return f"/petugas/orang/{portal.bench[user].person_id}/serah-terima"


def state_of(portal: Site, user: str) -> TenureState:
    with portal.bench.office.read() as uow:
        return roster.load(uow).person(portal.bench[user].person_id).state


def held(portal: Site, user: str) -> int:
    query = 'SELECT count(*) FROM "grant" WHERE holder = :h'
    return int(str(portal.scalar(query, h=portal.bench[user].person_id)))


@pytest.fixture
def two(portal: Site) -> Site:
    join(portal.bench, {"operator2": ("operator",), "irban2": ("irban",)})
    return portal


def test_an_approver_hands_over_and_prints_the_record(two: Site, reporter: Reporter) -> None:
    """One form: the successor, the reason; then the record, which can be opened again."""
    _, second = two.reporter()
    tickets = {reporter[1].ticket, second.ticket}
    leaver = two.officer("operator")
    path = away(two, "operator")
    visit = two.officer("inspektur").open(path)
    assert all(ticket in visit.text for ticket in tickets)
    assert "Contoh operator2" in visit.text
    follower = two.bench["operator2"].person_id
    visit.send(path, {"successor": follower, "reason": REASON})
    assert (visit.status, visit.location) == (303, record_of(two, "operator"))
    visit.follow()
    assert visit.heading == "Berita acara serah terima"
    for text in (*tickets, "Contoh Operator", "Contoh operator2", "Contoh Inspektur", REASON):
        assert text in visit.text
    assert "tetap wajib merahasiakan" in visit.text
    assert state_of(two, "operator") is TenureState.LEFT
    assert held(two, "operator") == 0
    assert leaver.open("/petugas").location == "/petugas/masuk"
    assert all(ticket in two.officer("operator2").open("/petugas").text for ticket in tickets)
    assert two.officer("inspektur").open(record_of(two, "operator")).text.count(REASON) == 1


def test_each_case_can_go_to_another(two: Site, reporter: Reporter) -> None:
    join(two.bench, {"operator3": ("operator",)})
    case_id = two.case_id(reporter[1].ticket)
    path = away(two, "operator")
    fields = {
        "successor": two.bench["operator2"].person_id,
        f"successor_{case_id}": two.bench["operator3"].person_id,
        "reason": REASON,
    }
    visit = two.officer("inspektur").open(path).send(path, fields).follow()
    assert "Contoh operator3" in visit.text
    assert "Contoh operator2" not in visit.text


def test_what_is_wrong_stands_at_its_field_and_nothing_was_done(
    two: Site, reporter: Reporter
) -> None:
    del reporter
    path = away(two, "operator")
    visit = two.officer("inspektur").open(path)
    before = two.state()
    visit.send(path, {"reason": REASON})
    assert visit.status == 422
    assert "Pilih penerus untuk berkas ini." in visit.text
    assert visit.value(path, "reason") == REASON
    visit.send(path, {"successor": two.bench["operator2"].person_id, "reason": " "})
    assert visit.status == 422
    assert "Alasan wajib diisi." in visit.text
    assert two.state() == before


@pytest.mark.parametrize(
    ("user", "words"),
    [("verifikator", "pemegang terakhir suatu peran"), ("inspektur", "penanggung jawab utama")],
)
def test_who_cannot_leave_yet_is_told_the_way_out(two: Site, user: str, words: str) -> None:
    join(two.bench, {"inspektur2": ("inspektur",)})
    visit = two.officer("inspektur2").open(away(two, user))
    assert visit.status == 200
    assert words in visit.text
    assert not visit.has_form(away(two, user))


def test_only_approvers_see_it(two: Site, reporter: Reporter) -> None:
    del reporter
    for user in ("irban", "verifikator", "pengawas", "admin", "tim"):
        visit = two.officer(user)
        for path in (away(two, "operator"), record_of(two, "operator")):
            assert visit.open(path).status == 403
            assert "WBS-" not in visit.text
    assert two.officer("inspektur").open(away(two, "inspektur")).status == 403
    assert two.officer("inspektur").open(f"/petugas/orang/{'e' * 32}/keluar").status == 404
    assert two.officer("inspektur").open("/petugas/orang/x/keluar").status == 404


def test_the_form_of_another_session_is_refused(two: Site, reporter: Reporter) -> None:
    del reporter
    path = away(two, "operator")
    stolen = two.officer("inspektur").open(path).filled(path, {"reason": REASON})
    before = two.state()
    assert two.officer("inspektur").post(path, stolen).status == 403
    assert two.state() == before


def test_the_last_share_needs_a_tick(portal: Site, reporter: Reporter) -> None:
    del reporter
    join(portal.bench, {"irban2": ("irban",)})
    path = away(portal, "irban")
    visit = portal.officer("inspektur").open(path)
    visit.send(path, {"reason": REASON})
    assert visit.status == 422
    assert "bagian kunci identitas yang terakhir" in visit.text
    visit.send(path, {"reason": REASON, "give_up_shares": "1"})
    assert visit.status == 303
    assert held(portal, "irban") == 0


def test_a_newcomers_keys_come_while_a_colleague_looks_at_the_list(
    portal: Site, reporter: Reporter
) -> None:
    ticket = reporter[1].ticket
    join(portal.bench, {"operator2": ("operator",)})
    newcomer = portal.officer("operator2")
    assert ticket not in newcomer.open("/petugas").text
    portal.officer("operator").open("/petugas")
    assert ticket in newcomer.open("/petugas").text
    path = portal.path(reporter[1])
    assert "Kunci berkas diteruskan" in newcomer.open(path).text
    assert re.search(r"Menerima kunci</dt><dd[^>]*>Contoh operator2<", newcomer.text)


def test_a_page_does_not_fail_for_what_cannot_be_passed_on(
    portal: Site, reporter: Reporter
) -> None:
    del reporter
    join(portal.bench, {"operator2": ("operator",)})
    portal.tamper('UPDATE "grant" SET sealed = zeroblob(64)')
    assert portal.officer("operator").open("/petugas").status == 200


def test_recusal_takes_the_case_off_the_desk(portal: Site) -> None:
    """By a form of the case page; the reason is read by colleagues, never by the reporter."""
    join(portal.bench, {"operator2": ("operator",)})
    box, receipt = portal.reporter()
    path = portal.path(receipt)
    visit = portal.officer("operator2").open(path)
    assert "Saya punya benturan kepentingan" in visit.text
    visit.send(f"{path}/lepas", {"reason": " "})
    assert visit.status == 422
    assert "Alasan wajib diisi." in visit.text
    visit.send(f"{path}/lepas", {"reason": "Terlapor ipar saya"})
    assert (visit.status, visit.location) == (303, "/petugas?berhasil=act")
    assert receipt.ticket not in visit.follow().text
    assert visit.open(path).status == 404
    told = portal.officer("operator").open(path).text
    assert "Melepaskan diri karena benturan kepentingan" in told
    assert "Terlapor ipar saya" in told
    assert "ipar" not in box.open("/ruang").text


def test_who_cannot_be_recused_reads_why(portal: Site, reporter: Reporter) -> None:
    path = portal.path(reporter[1])
    visit = portal.officer("inspektur").open(path)
    assert "Penanggung jawab utama tidak dapat melepaskan berkas" in visit.text
    assert not visit.has_form(f"{path}/lepas")


def test_a_record_without_a_departure_says_so(two: Site) -> None:
    visit = two.officer("inspektur").open(record_of(two, "operator"))
    assert "belum selesai" in visit.text
    leave(two.bench, "operator")
    assert "belum selesai" not in visit.open(record_of(two, "operator")).text


def test_the_second_factor_is_asked_for_again(founded: Bench, tmp_path: Path) -> None:
    """Without a fresh code nothing is handed over; with one it is."""
    bench = copy_of(founded, tmp_path / "office")
    join(bench, {"operator2": ("operator",)})
    file_report(bench)
    bench.office = replace(bench.office, second_factor=True)
    boss, made = bench["inspektur"], factors.new()
    with bench.office.write() as uow:
        factors.store(uow, boss, made, 0)
    now = int(bench.clock.now.timestamp())
    cookie = bench.office.sessions.open(Kind.STAFF, boss.person_id, boss.person.seed, now)
    with served(bench) as site:
        visit = site.visit()
        visit.client.cookies.set("petugas", cookie)
        path = away(site, "operator")
        fields = {"successor": bench["operator2"].person_id, "reason": REASON}
        before = site.state()
        visit.open(path).send(path, {**fields, "code": "000000"})
        assert visit.status == 422
        assert "Kode ini tidak cocok" in visit.text
        assert site.state() == before
        code = pyotp.TOTP(made.secret).at(now)
        visit.send(path, {**fields, "code": code})
        assert (visit.status, visit.location) == (303, record_of(site, "operator"))
    bench.office.engine.dispose()
    bench.office.keystore.engine.dispose()
    bench.office.sessions.close()
