"""The security page leads to all that an officer looks after, and says how things stand."""

import pytest

from portal.staff import security
from tests.portal import visits
from tests.portal.sites import Site
from tests.portal.staff.conftest import Guarded


def test_it_leads_to_everything_of_ones_own(guarded: Guarded) -> None:
    visit = guarded.officer("operator").open("/petugas/keamanan")
    assert visit.status == 200
    for path in ("frasa-sandi", "autentikator", "kode"):
        assert f'href="/petugas/keamanan/{path}"' in visit.text
    assert 'href="/petugas/sesi"' in visit.text
    assert "Kode pemulihan yang belum dipakai: 10." in visit.text
    assert 'href="/petugas/keamanan" aria-current="page"' in visit.text


def test_the_last_codes_are_a_warning(guarded: Guarded) -> None:
    """In words, not by colour alone."""
    visit = guarded.site.visit()
    for code in guarded.made["operator"].codes[:8]:
        visit = visits.enter_staff(guarded.site.visit(), "operator", code=code)
        assert visit.status == 303
    assert "hampir habis: 2 tersisa" in visit.open("/petugas/keamanan").text


@pytest.mark.parametrize("path", ["autentikator", "kode"])
def test_a_demo_says_plainly_that_there_is_no_second_factor(portal: Site, path: str) -> None:
    """And its pages about factors lead back; nothing can be made there."""
    visit = portal.officer("operator").open("/petugas/keamanan")
    assert "tidak memakai kode autentikator" in visit.text
    assert "keamanan/autentikator" not in visit.text
    assert visit.open(f"/petugas/keamanan/{path}").location == "/petugas/keamanan"
    csrf = visit.open("/petugas/keamanan/frasa-sandi").value("/petugas/keluar", "csrf")
    visit.post(f"/petugas/keamanan/{path}", {"csrf": csrf})
    assert visit.location == "/petugas/keamanan"
    assert portal.count("factor") == 0


def test_an_unknown_notice_is_none(portal: Site) -> None:
    """What the address says is not shown unless it is one of ours."""
    visit = portal.officer("operator")
    plain = visit.open("/petugas/keamanan").text.count("notice")
    assert visit.open("/petugas/keamanan?berhasil=%3Cb%3E").text.count("notice") == plain
    assert visit.open(security.after(security.DONE_PASSPHRASE)).text.count("notice") > plain


def test_a_deleted_factor_stops_the_page(guarded: Guarded) -> None:
    visit = guarded.officer("operator")
    guarded.site.tamper("DELETE FROM factor")
    assert visit.open("/petugas/keamanan").status == 503
