"""Officers change their passphrase by the page; leaders are given one and type it back."""

import re

import pytest

from tests.casework.office import passphrase_of
from tests.portal import visits
from tests.portal.sites import Site
from tests.portal.staff.conftest import Guarded
from tests.portal.visits import Visit

PATH = "/petugas/keamanan/frasa-sandi"
NEW = "lemari hujan kuda sepatu gerbang"


def fields(username: str, new: str = NEW) -> dict[str, str]:
    return {"old": passphrase_of(username), "passphrase": new, "again": new}


def signs_in(site: Site, username: str, passphrase: str) -> bool:
    return visits.enter_staff(site.visit(), username, passphrase).status == 303


def words_on(visit: Visit) -> str:
    return " ".join(re.findall(r"<li>([a-z]{4,8})</li>", visit.text))


def test_the_new_one_signs_in_and_the_old_one_does_not(portal: Site) -> None:
    """This session stays, others of the same officer end; the notice says so."""
    visit, elsewhere, colleague = (portal.officer(one) for one in ("operator", "operator", "tim"))
    visit.open(PATH).send(PATH, fields("operator"))
    assert visit.location == "/petugas/keamanan?berhasil=sandi"
    assert "Frasa sandi sudah diganti" in visit.follow().text
    assert elsewhere.open("/petugas").status == 303
    assert colleague.open("/petugas").status == 200
    assert signs_in(portal, "operator", NEW)
    assert not signs_in(portal, "operator", passphrase_of("operator"))


@pytest.mark.parametrize(
    ("changed", "at", "told"),
    [
        ({"old": "bukan itu"}, "old", "Frasa sandi lama ini tidak cocok."),
        ({"again": f"{NEW}x"}, "again", "belum sama"),
        ({"passphrase": "pendek", "again": "pendek"}, "passphrase", "15 sampai 256"),
        (
            {"passphrase": "Contoh Operator 1975!", "again": "Contoh Operator 1975!"},
            "passphrase",
            "terlalu mudah ditebak",
        ),
    ],
)
def test_what_is_wrong_is_marked_and_no_secret_comes_back(
    portal: Site, changed: dict[str, str], at: str, told: str
) -> None:
    visit = portal.officer("operator").open(PATH)
    typed = fields("operator") | changed
    visit.send(PATH, typed)
    assert visit.status == 422
    assert told in visit.text
    assert f'href="#{at}"' in visit.text
    assert not any(secret in visit.text for secret in typed.values())
    assert signs_in(portal, "operator", passphrase_of("operator"))


def test_a_form_of_another_session_changes_nothing(portal: Site) -> None:
    visit = portal.officer("operator").open(PATH)
    pairs = dict(visit.filled(PATH, fields("operator")))
    other = portal.officer("operator").open(PATH).value(PATH, "csrf")
    for token in ("", "x", other):
        assert visit.post(PATH, pairs | {"csrf": token}).status == 403
    assert signs_in(portal, "operator", passphrase_of("operator"))


def test_leaders_are_shown_seven_words_once_and_type_them_back(portal: Site) -> None:
    """After the one page that shows them, no page, address or hidden field does."""
    visit = portal.officer("inspektur").open(PATH)
    drawn = words_on(visit)
    assert len(drawn.split()) == 7
    visit.send(f"{PATH}/ketik")
    pages = [visit.text]
    assert visit.status == 200
    visit.send(PATH, {"old": passphrase_of("inspektur"), "passphrase": f"{drawn}x"})
    assert visit.status == 422
    pages.append(visit.text)
    visit.send(PATH, {"old": passphrase_of("inspektur"), "passphrase": drawn})
    assert visit.status == 303
    pages += [visit.location, visit.follow().text, visit.open(PATH).text]
    for word in drawn.split():
        assert not any(re.search(rf"<li>{word}</li>|\b{drawn}\b", page) for page in pages[:4])
    assert drawn not in "".join(pages)
    assert signs_in(portal, "inspektur", drawn)
    assert not signs_in(portal, "inspektur", passphrase_of("inspektur"))


def test_leaders_cannot_choose(portal: Site) -> None:
    """Neither in place of the drawn one, nor by leaving its attempt out, nor by making one up."""
    visit = portal.officer("inspektur").open(PATH).send(f"{PATH}/ketik")
    pairs = dict(visit.filled(PATH, {"old": passphrase_of("inspektur"), "passphrase": NEW}))
    assert visit.post(PATH, pairs).status == 422
    assert "Ini bukan frasa sandi yang ditampilkan" in visit.text
    without = {name: value for name, value in pairs.items() if name != "attempt"}
    assert visit.post(PATH, without | {"again": NEW}).status == 422
    for attempt in ("", "x", visit.open("/petugas").value("/petugas/keluar", "csrf")):
        assert visit.post(PATH, pairs | {"attempt": attempt}).status == 403
    assert signs_in(portal, "inspektur", passphrase_of("inspektur"))


def test_what_was_drawn_dies_with_its_session(portal: Site) -> None:
    """The words follow from the session: in another one the attempt is refused."""
    visit = portal.officer("inspektur").open(PATH)
    drawn, attempt = words_on(visit), visit.value(f"{PATH}/ketik", "attempt")
    other = portal.officer("inspektur").open(PATH)
    assert words_on(other) != drawn
    csrf = other.value(f"{PATH}/ketik", "csrf")
    assert other.post(f"{PATH}/ketik", {"csrf": csrf, "attempt": attempt}).status == 403


def test_each_page_draws_anew(portal: Site) -> None:
    visit = portal.officer("irban")
    assert len({words_on(visit.open(PATH)) for _ in range(5)}) == 5


def test_changing_asks_for_a_code(guarded: Guarded) -> None:
    """An open session and the old passphrase are not enough after five minutes."""
    visit = guarded.officer("operator")
    guarded.site.clock.advance(minutes=6)
    visit.open(PATH).send(PATH, fields("operator") | {"code": "x"})
    assert visit.status == 422
    wrong_old = {"old": "bukan itu", "code": guarded.next_code("operator")}
    visit.send(PATH, fields("operator") | wrong_old)
    assert visit.status == 422
    assert 'name="code"' not in visit.text, "it was right and need not be typed again"
    visit.send(PATH, fields("operator"))
    assert visit.status == 303
    entered = visits.enter_staff(
        guarded.site.visit(), "operator", NEW, guarded.next_code("operator")
    )
    assert entered.status == 303
