"""The numbers' page: sums for who monitors or audits, and nothing for anybody else."""

import pytest

from tests.casework.cases import file_report
from tests.portal.sites import Site

PATH = "/petugas/angka"


@pytest.mark.parametrize("user", ["operator", "verifikator", "irban", "tim", "admin"])
def test_every_other_role_is_refused(portal: Site, user: str) -> None:
    file_report(portal.bench)
    visit = portal.officer(user)
    assert PATH not in visit.open("/petugas").text
    assert visit.open(PATH).status == 403
    assert "kurang dari" not in visit.text


def test_few_reports_show_no_number(portal: Site) -> None:
    filed = [file_report(portal.bench) for _ in range(3)]
    visit = portal.officer("pengawas").open(PATH)
    assert visit.status == 200
    assert (
        visit.text.count("kurang dari 5</span>") == 12 + len(portal.bench.office.profile.states) + 2
    )
    assert "Belum cukup laporan" in visit.text
    for one in filed:
        assert one.receipt.ticket not in visit.text
        assert one.case_id not in visit.text


def test_who_monitors_reads_sums_and_what_they_cover(portal: Site) -> None:
    filed = [file_report(portal.bench, narrative="x") for _ in range(14)]
    for one in filed[:6]:
        one.do("operator", "accept")
    visit = portal.officer("pengawas").open("/petugas")
    assert PATH in visit.text
    visit.open(PATH)
    assert "juga yang tidak dapat dilihat oleh pimpinan" in visit.text
    assert "<td>14</td>" in visit.text
    assert "<strong>0 hari kerja</strong>" in visit.text
    visit = portal.officer("inspektur").open(PATH)
    assert "hanya mencakup laporan yang isinya Anda pegang" in visit.text
    assert "<td>14</td>" in visit.text
