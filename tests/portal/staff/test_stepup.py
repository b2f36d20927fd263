"""What weighs asks for a code again, five minutes after the last one, in the form itself."""

import pytest

from casework.keys.factors import FREE_MISSES
from portal.staff import stepup
from tests.portal.sites import Site
from tests.portal.staff.conftest import Guarded
from tests.portal.staff.test_sign_in import wrong_code
from tests.portal.visits import Visit

CODES = "/petugas/keamanan/kode"
SHEET = "Simpan kode pemulihan Anda"


def asked(visit: Visit) -> bool:
    return 'name="code"' in visit.open(CODES).text


def test_a_code_suffices_for_five_minutes(guarded: Guarded) -> None:
    """To the second: 4 minutes 59 do, 5 minutes do not."""
    visit = guarded.officer("operator")
    guarded.site.clock.advance(seconds=stepup.FRESH_SECONDS - 1)
    assert not asked(visit)
    guarded.site.clock.advance(seconds=1)
    assert asked(visit)
    visit.send(CODES, {"code": guarded.next_code("operator")})
    assert visit.heading == SHEET
    guarded.site.clock.advance(seconds=stepup.FRESH_SECONDS - 1)
    assert not asked(visit)


def test_reading_pages_does_not_prolong_it(guarded: Guarded) -> None:
    visit = guarded.officer("operator")
    for _ in range(5):
        guarded.site.clock.advance(minutes=1)
        visit.open("/petugas")
    assert asked(visit)


@pytest.mark.parametrize("typed", ["", "  ", "wrong", "another's", "used"])
def test_without_a_right_code_nothing_happens(guarded: Guarded, typed: str) -> None:
    """The form comes back with the field marked, and the code is not in it."""
    used = guarded.next_code("operator")
    visit = guarded.site.officer("operator", used)
    guarded.site.clock.advance(minutes=6)
    code = {
        "wrong": wrong_code(guarded, "operator"),
        "another's": guarded.code("tim"),
        "used": used,
    }.get(typed, typed)
    before = guarded.site.rows("SELECT sealed FROM factor ORDER BY person")
    visit.open(CODES).send(CODES, {"code": code})
    assert visit.status == 422
    assert not code.strip() or code not in visit.text
    assert 'href="#code"' in visit.text
    assert guarded.site.rows("SELECT sealed FROM factor ORDER BY person") == before


def test_leaving_the_field_out_is_no_way_around(guarded: Guarded) -> None:
    visit = guarded.officer("operator")
    pairs = visit.open(CODES).filled(CODES, {})
    guarded.site.clock.advance(minutes=6)
    assert visit.post(CODES, [pair for pair in pairs if pair[0] != "code"]).status == 422


def test_a_page_from_before_the_time_ran_out_asks_and_counts_no_miss(guarded: Guarded) -> None:
    """The officer was not asked: an empty field is no guess."""
    visit = guarded.officer("operator")
    visit.open(CODES)
    guarded.site.clock.advance(minutes=6)
    for _ in range(FREE_MISSES + 1):
        visit.send(CODES)
        assert visit.status == 422
    assert "Isi kode" in visit.text
    visit.send(CODES, {"code": guarded.next_code("operator")})
    assert visit.heading == SHEET


def test_a_recovery_code_is_a_code_here_as_well(guarded: Guarded) -> None:
    visit = guarded.officer("operator")
    guarded.site.clock.advance(minutes=6)
    visit.open(CODES).send(CODES, {"code": guarded.made["operator"].codes[0]})
    assert visit.heading == SHEET


def test_one_session_proves_nothing_for_another(guarded: Guarded) -> None:
    one, two = guarded.officer("operator"), guarded.officer("operator")
    guarded.site.clock.advance(minutes=6)
    one.open(CODES).send(CODES, {"code": guarded.next_code("operator")})
    assert one.heading == SHEET
    assert asked(two)


def test_guessing_in_an_open_session_is_slowed_down(guarded: Guarded) -> None:
    """An unattended browser is no place to try a million codes."""
    visit = guarded.officer("operator")
    guarded.site.clock.advance(minutes=6)
    for _ in range(FREE_MISSES):
        visit.open(CODES).send(CODES, {"code": wrong_code(guarded, "operator")})
        assert visit.status == 422
    visit.open(CODES).send(CODES, {"code": guarded.next_code("operator")})
    assert visit.status == 422
    assert "Terlalu banyak kode salah" in visit.text


def test_a_demo_without_factors_asks_for_nothing(portal: Site) -> None:
    session = portal.bench.office.sessions.resume(
        portal.officer("operator").client.cookies["petugas"], int(portal.clock.now.timestamp())
    )
    assert session is not None
    assert portal.bench.office.second_factor is False
    visit = portal.officer("operator").open("/petugas/keamanan/frasa-sandi")
    assert 'name="code"' not in visit.text
