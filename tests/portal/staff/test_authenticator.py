"""A new authenticator replaces the old one only when it has shown a code; secrets show once."""

import re
from html import unescape

import pytest

from portal.staff import qr
from tests.canary import sweep
from tests.casework.codes import code_at
from tests.portal.staff.conftest import Guarded
from tests.portal.staff.test_qr import drawn
from tests.portal.staff.test_sign_in import sign_in, wrong_code
from tests.portal.visits import Visit

PATH = "/petugas/keamanan/autentikator"
INSTALL = f"{PATH}/pasang"
CODES = "/petugas/keamanan/kode"


def secret_on(visit: Visit) -> str:
    """The secret as an officer types it from the page."""
    found = re.search(r"(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}", visit.text)
    assert found is not None
    return found[0].replace(" ", "")


def codes_on(visit: Visit) -> list[str]:
    return re.findall(r"<li>([2-9a-z]{4}-[2-9a-z]{4}-[2-9a-z]{4})</li>", visit.text)


def begun(guarded: Guarded, username: str = "operator") -> tuple[Visit, str]:
    """An officer who looks at the new secret, and the secret."""
    visit = guarded.officer(username).open(PATH).send(PATH)
    assert visit.status == 200
    return visit, secret_on(visit)


def shown(guarded: Guarded, secret: str) -> str:
    return code_at(secret, guarded.site.clock.now)


def test_the_drawing_is_what_the_text_says(guarded: Guarded) -> None:
    """A camera and a keyboard come to the same secret, with the officer's name on it."""
    visit, secret = begun(guarded)
    uri = f"otpauth://totp/Suaka%20Inspektorat%20Contoh:operator?secret={secret}"
    uri += "&issuer=Suaka%20Inspektorat%20Contoh"
    svg = re.search(r"<svg.*?</svg>", visit.text, re.DOTALL)
    assert svg is not None
    assert drawn(unescape(svg[0])) == drawn(qr.svg(uri))


def test_the_new_one_replaces_the_old_one_after_its_first_code(guarded: Guarded) -> None:
    """With ten new codes; the old authenticator and its codes open nothing."""
    visit, secret = begun(guarded)
    visit.send(INSTALL, {"new_code": shown(guarded, secret)})
    assert visit.status == 200
    codes = codes_on(visit)
    assert len(set(codes)) == 10
    guarded.site.clock.advance(seconds=30)
    for old in (guarded.code("operator"), guarded.made["operator"].codes[0]):
        assert sign_in(guarded, "operator", old).status == 422
    assert sign_in(guarded, "operator", shown(guarded, secret)).status == 303
    assert sign_in(guarded, "operator", codes[9]).status == 303


def test_until_then_the_old_one_is_in_force(guarded: Guarded) -> None:
    """Also after a wrong code, which does not show the secret again."""
    visit, secret = begun(guarded)
    for wrong in ("", "123", guarded.code("operator"), wrong_code(guarded, "operator")):
        visit.send(INSTALL, {"new_code": wrong})
        assert visit.status == 422
        assert 'href="#new_code"' in visit.text
        assert "<svg" not in visit.text
        assert secret not in visit.text.replace(" ", "")
    assert sign_in(guarded, "operator", guarded.next_code("operator")).status == 303
    visit.send(INSTALL, {"new_code": shown(guarded, secret)})
    assert visit.status == 200


def test_no_secret_is_shown_again_or_stored_before_it_is_in_force(guarded: Guarded) -> None:
    """Not in a URL, a later page or the sealed field, and nowhere on the disk."""
    visit, secret = begun(guarded)
    first = visit.text
    sealed = visit.value(INSTALL, "sealed")
    assert secret not in sealed
    assert first.replace(" ", "").count(secret) == 1
    assert sweep([guarded.site.bench.folder], [secret]) == []
    visit.send(INSTALL, {"new_code": shown(guarded, secret)})
    codes = codes_on(visit)
    pages = [visit.text.replace(" ", "")]
    later = (PATH, CODES, "/petugas/keamanan", "/petugas/sesi", "/petugas")
    pages += [visit.open(path).text for path in later]
    assert not any(secret in page for page in pages)
    assert not any(code in page for code in codes for page in pages[1:])
    assert sweep([guarded.site.bench.folder], [secret, *codes]) == []


def test_a_sealed_secret_serves_its_officer_and_session_alone(guarded: Guarded) -> None:
    """A colleague's, one from another session, an altered or an empty field start over."""
    mine, secret = begun(guarded)
    sealed = mine.value(INSTALL, "sealed")
    same, _ = begun(guarded)
    colleague, _ = begun(guarded, "tim")
    for visit, field in (
        (same, sealed),
        (colleague, sealed),
        (mine, colleague.value(INSTALL, "sealed")),
        (mine, sealed[:-8] + "AAAAAAA="),
        (mine, ""),
        (mine, "x" * 300_000),
    ):
        before = guarded.site.rows("SELECT sealed FROM factor ORDER BY person")
        visit.open(PATH).send(PATH)
        visit.send(INSTALL, {"new_code": shown(guarded, secret), "sealed": field})
        assert (visit.status, visit.location) == (303, PATH)
        assert guarded.site.rows("SELECT sealed FROM factor ORDER BY person") == before


def test_a_clock_that_is_off_is_noticed_before_it_locks_out(guarded: Guarded) -> None:
    visit, secret = begun(guarded)
    guarded.site.clock.advance(hours=-7)
    ahead = shown(guarded, secret)
    guarded.site.clock.advance(hours=7)
    visit.send(INSTALL, {"new_code": ahead})
    assert visit.status == 422
    assert "zona waktu" in visit.text


@pytest.mark.parametrize("path", [PATH, CODES])
def test_each_asks_for_a_code_of_the_old_one_first(guarded: Guarded, path: str) -> None:
    visit = guarded.officer("operator")
    guarded.site.clock.advance(minutes=6)
    visit.open(path).send(path, {"code": wrong_code(guarded, "operator")})
    assert visit.status == 422
    assert "<svg" not in visit.text
    assert codes_on(visit) == []
    visit.send(path, {"code": guarded.next_code("operator")})
    assert visit.status == 200


def test_a_page_that_waited_too_long_asks_for_the_old_one_again(guarded: Guarded) -> None:
    """The secret alone, seen over a shoulder and sent later, replaces nothing."""
    visit, secret = begun(guarded)
    guarded.site.clock.advance(minutes=6)
    visit.send(INSTALL, {"new_code": shown(guarded, secret)})
    assert visit.status == 422
    assert 'href="#code"' in visit.text
    code = guarded.next_code("operator")
    visit.send(INSTALL, {"new_code": shown(guarded, secret), "code": code})
    assert visit.status == 200


def test_new_recovery_codes_end_the_old_ones_alone(guarded: Guarded) -> None:
    """The authenticator stays; the sheet stands outside of any form, so that it is printed."""
    visit = guarded.officer("operator").open(CODES).send(CODES)
    codes = codes_on(visit)
    assert len(set(codes)) == 10
    sheet = visit.text.index('<ol class="words sheet">')
    assert visit.text.rfind("<form", 0, sheet) < visit.text.rfind("</form>", 0, sheet)
    assert sign_in(guarded, "operator", guarded.made["operator"].codes[0]).status == 422
    assert sign_in(guarded, "operator", codes[0]).status == 303
    assert sign_in(guarded, "operator", guarded.next_code("operator")).status == 303


@pytest.mark.parametrize("path", [PATH, INSTALL, CODES])
def test_a_form_of_another_session_changes_nothing(guarded: Guarded, path: str) -> None:
    visit = guarded.officer("operator")
    other = guarded.officer("operator").open(CODES).value(CODES, "csrf")
    before = guarded.site.rows("SELECT sealed FROM factor ORDER BY person")
    for token in ("", "x", other):
        assert visit.post(path, {"csrf": token}).status == 403
    assert guarded.site.rows("SELECT sealed FROM factor ORDER BY person") == before


def test_each_change_leaves_one_leaf(guarded: Guarded) -> None:
    visit, secret = begun(guarded)
    visit.send(INSTALL, {"new_code": shown(guarded, secret)})
    visit.open(CODES).send(CODES)
    events = [row[0] for row in guarded.site.rows("SELECT event FROM leaf ORDER BY number")]
    assert events[-2:] == ["factor_changed", "codes_changed"]
