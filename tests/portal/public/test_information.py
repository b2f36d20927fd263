"""Pages that only tell, and the quick exit that stands on each of them."""

import re

import pytest

from tests.portal.sites import Site
from tests.portal.visits import Receipt, Visit

TELLING = ("/", "/penjelasan", "/persiapan", "/saluran", "/formulir", "/masuk")
CLEAR = '"cache", "cookies", "storage"'


@pytest.mark.parametrize("path", TELLING)
def test_the_quick_exit_stands_on_every_page(portal: Site, path: str) -> None:
    """One press, no session and no token needed."""
    visit = portal.visit().open(path)
    assert visit.status == 200
    visit.send("/tutup")
    assert (visit.status, visit.location) == (303, "/tutup")


def test_the_quick_exit_ends_the_session_on_the_server(
    portal: Site, reporter: tuple[Visit, Receipt]
) -> None:
    """Whoever copied the cookie before finds nothing behind it, and the browser must forget."""
    visit, receipt = reporter
    copied = visit.client.cookies["ruang"]
    visit.open("/ruang").send("/tutup")
    assert visit.answer.headers["clear-site-data"] == CLEAR
    assert "Max-Age=0" in visit.answer.headers["set-cookie"]
    assert "ruang" not in visit.client.cookies
    thief = portal.visit()
    thief.client.cookies.set("ruang", copied)
    assert thief.open("/ruang").location == "/masuk"
    left = visit.open("/tutup")
    assert left.answer.headers["clear-site-data"] == CLEAR
    shown = re.sub(r'<aside class="demo".*?</aside>', "", left.text, flags=re.DOTALL)
    for telling in (receipt.ticket, "lapor", "aduan", "Ruang pesan", "Inspektorat", "Suaka"):
        assert telling not in shown
    (link,) = [href for _, href in left.page.links if href.startswith("http")]
    assert link == portal.settings.web.away_url


def test_the_exit_without_a_session_is_the_same_page(portal: Site) -> None:
    """Also a stale or foreign cookie does not change where it leads."""
    visit = portal.visit()
    visit.client.cookies.set("ruang", "x" * 43)
    visit.post("/tutup")
    assert (visit.status, visit.location) == (303, "/tutup")
    assert visit.answer.headers["clear-site-data"] == CLEAR


def test_the_pages_name_stages_and_targets_of_the_profile(portal: Site) -> None:
    """What happens next is read from the regulation, "Laporan masuk" first."""
    text = portal.visit().open("/penjelasan").text
    labels = ["Laporan masuk", "Terkirim", "Diverifikasi", "Diteruskan", "Diselidiki", "Selesai"]
    places = [text.index(f"<strong>{label}</strong>") for label in labels]
    assert places == sorted(places)
    assert "target internal" in text.lower()


def test_nothing_is_said_about_addresses_unless_it_was_checked(portal: Site) -> None:
    """`no_addresses` is the operator's word; without it the page claims nothing."""
    assert not portal.settings.web.no_addresses
    assert "IP" not in portal.visit().open("/persiapan").text


@pytest.mark.parametrize("path", ["/", "/persiapan"])
def test_one_sentence_tells_about_the_history(portal: Site, path: str) -> None:
    """The address stays in the browser's history, and the page says how to delete it."""
    assert "riwayat peramban" in portal.visit().open(path).text
