"""What a browser never sends, and what a hostile one does: a clear page, and nothing changed."""

import secrets

import pytest

from portal.web import csrf
from tests.casework.office import passphrase_of
from tests.portal import visits
from tests.portal.sites import Site
from tests.portal.visits import FORM_TYPE, Receipt, Visit

Reporter = tuple[Visit, Receipt]
OPEN_FORMS = (
    "/formulir/isi",
    "/formulir/kirim",
    "/formulir/cetak",
    "/formulir/simpan",
    "/masuk",
    "/petugas/masuk",
)
BODIES: dict[str, tuple[int, bytes]] = {
    "over-long": (413, b"narrative=" + b"a" * 800_000),
    "far too long": (413, b"narrative=" + b"a" * 3_000_000),
    "10,000 fields": (400, b"&".join(b"f%d=1" % number for number in range(10_000))),
    "10,000 times one field": (400, b"&".join([b"narrative=x"] * 10_000)),
    "not UTF-8": (400, b"narrative=%FF%FE"),
    "raw not UTF-8": (400, b"narrative=\xff\xfe"),
    "half a character": (400, b"narrative=%E2%82"),
    "surrogate": (400, b"narrative=%ED%A0%80"),
    "NUL": (400, b"narrative=a%00b"),
    "raw NUL": (400, b"narrative=a\x00b"),
    "NUL in a name": (400, b"narr%00ative=a"),
    "odd name": (400, b"__proto__[x]=a"),
    "marks out of order": (400, b"narrative=a" + "\u0315\u0300".encode() * 50_000),
    "marks that hide": (400, b"words=a" + "\u0f73".encode() * 50_000),
    "marks in any field": (400, b"x=a" + "\u0344".encode() * 31),
}
TYPES: dict[str, str] = {
    "missing": "",
    "JSON": "application/json",
    "text": "text/plain",
    "other charset": f"{FORM_TYPE}; charset=iso-8859-1",
    "two": f"{FORM_TYPE}, application/json",
    "multipart": "multipart/form-data; boundary=x",
    "multipart without boundary": "multipart/form-data",
}
FOREIGN = (
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": "http://portal.test"},
    {"origin": "http://jahat.test"},
    {"origin": "null"},
    {"origin": "http://portal.test.jahat.test"},
    {"origin": "http://portal.test:81"},
)


def assert_clear_refusal(visit: Visit, status: int) -> None:
    """A whole page in Indonesian that shows no trace and sets no cookie."""
    assert visit.status == status, visit.heading
    assert visit.heading
    assert "Traceback" not in visit.text
    assert "set-cookie" not in visit.answer.headers


@pytest.mark.parametrize("path", OPEN_FORMS)
@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_no_page_sends_is_refused(portal: Site, path: str, body: str) -> None:
    status, content = BODIES[body]
    before = portal.state()
    visit = portal.visit().post_raw(path, content)
    assert_clear_refusal(visit, status)
    assert portal.state() == before


@pytest.mark.parametrize("path", OPEN_FORMS)
@pytest.mark.parametrize("kind", TYPES)
def test_another_content_type_is_refused(portal: Site, path: str, kind: str) -> None:
    """Also multipart, of which not one byte is parsed or spooled."""
    part = b'--x\r\ncontent-disposition: form-data; name="narrative"\r\n\r\nteks\r\n--x--\r\n'
    before = portal.state()
    visit = portal.visit().post_raw(path, part, {"content-type": TYPES[kind]})
    assert_clear_refusal(visit, 415)
    assert portal.state() == before


@pytest.mark.parametrize("body", BODIES)
def test_the_same_bodies_within_a_session(portal: Site, reporter: Reporter, body: str) -> None:
    """Refused likewise, and the session goes on."""
    status, content = BODIES[body]
    visit, receipt = reporter
    officer, path = portal.officer("operator"), portal.path(receipt)
    assert officer.open(path).status == 200
    before = portal.state()
    assert_clear_refusal(visit.post_raw("/ruang/pesan", content), status)
    assert visit.open("/ruang").status == 200
    for action in ("pesan", "tindakan/accept"):
        assert_clear_refusal(officer.post_raw(f"{path}/{action}", content), status)
    assert officer.open(path).status == 200
    assert portal.state() == before


@pytest.mark.parametrize("path", ["/masuk", "/petugas/masuk"])
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_nobody_is_signed_in_from_another_site(
    portal: Site, reporter: Reporter, path: str, headers: dict[str, str]
) -> None:
    """Right name and secret in another site's form: refused, no session."""
    fields = {
        "/masuk": {"ticket": reporter[1].ticket, "words": reporter[1].key},
        "/petugas/masuk": {"handle": "operator", "passphrase": passphrase_of("operator")},
    }[path]
    assert_clear_refusal(portal.visit().post(path, fields, headers), 403)
    allowed = {"sec-fetch-site": "same-origin", "origin": "http://portal.test"}
    assert portal.visit().post(path, fields, allowed).status == 303


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_no_form_of_a_session_is_taken_from_another_site(
    portal: Site, reporter: Reporter, headers: dict[str, str]
) -> None:
    """Cookie and token may be right: what another site sends changes nothing."""
    visit, receipt = reporter
    officer, path = portal.officer("operator"), portal.path(receipt)
    mine = visit.open("/ruang").filled("/ruang/pesan", {"message": "Pesan"})
    theirs = officer.open(path).filled(f"{path}/tindakan/reject", {"reason": "Alasan"})
    report = visits.to_form(portal.visit()).filled("/formulir/kirim", {"narrative": "x"})
    before = portal.state()
    for sender, address, pairs in (
        (visit, "/ruang/pesan", mine),
        (visit, "/ruang/keluar", []),
        (visit, "/tutup", []),
        (officer, f"{path}/tindakan/reject", theirs),
        (officer, "/petugas/sesi/akhiri", theirs[:3]),
        (officer, "/petugas/keluar", []),
        (portal.visit(), "/formulir/kirim", report),
    ):
        assert_clear_refusal(sender.post(address, pairs, headers), 403)
    assert portal.state() == before
    assert visit.open("/ruang").status == 200
    assert officer.open("/petugas").status == 200


def test_a_token_of_another_session_is_refused(portal: Site, reporter: Reporter) -> None:
    """Replayed after a new sign-in, taken from a colleague, cut, empty or of another purpose."""
    path = portal.path(reporter[1])
    action = f"{path}/tindakan/reject"
    visit = portal.officer("operator")
    old = dict(visit.open(path).filled(action, {"reason": "Alasan"}))
    colleague = dict(portal.officer("inspektur").open("/petugas").filled("/petugas/keluar", {}))
    visits.enter_staff(visit, "operator")
    pairs = dict(visit.open(path).filled(action, {"reason": "Alasan"}))
    before = portal.state()
    other_purpose = csrf.issue(secrets.token_bytes(32), "sign-out")
    for token in (old["csrf"], colleague["csrf"], "", "x", pairs["csrf"][:-1], other_purpose):
        visit.post(action, {**pairs, "csrf": token, "keeper": ""})
        assert_clear_refusal(visit, 403)
        assert visit.heading == "Formulir ini sudah tidak berlaku"
    assert portal.state() == before
    assert visit.post(action, pairs).status == 303


@pytest.mark.parametrize("nonce", ["", "x", "A" * 32, "a" * 31, "a" * 33, "../" + "a" * 29])
def test_a_form_without_its_own_id_is_refused(portal: Site, reporter: Reporter, nonce: str) -> None:
    visit, receipt = reporter
    officer, path = portal.officer("operator"), portal.path(receipt)
    typed = dict(officer.open(path).filled(f"{path}/pesan", {"message": "Pesan"}))
    before = portal.state()
    pairs = dict(visit.open("/ruang").filled("/ruang/pesan", {"message": "Pesan"}))
    assert_clear_refusal(visit.post("/ruang/pesan", {**pairs, "nonce": nonce}), 400)
    assert_clear_refusal(officer.post(f"{path}/pesan", {**typed, "nonce": nonce}), 400)
    assert portal.state() == before


def test_a_tampered_cookie_opens_nothing(portal: Site, reporter: Reporter) -> None:
    """Every single character changed, the end cut, doubled, or sent twice."""
    cookie = reporter[0].client.cookies["ruang"]
    changed = [
        cookie[:place] + ("A" if letter != "A" else "B") + cookie[place + 1 :]
        for place, letter in enumerate(cookie)
    ]
    for value in (*changed, cookie[:-1], cookie * 2, cookie + "=", "", "x" * 100_000):
        visit = portal.visit()
        visit.last = visit.client.get("/ruang", headers={"cookie": f"ruang={value}"})
        assert (visit.status, visit.location) == (303, "/masuk")
    twice = portal.visit()
    twice.last = twice.client.get("/ruang", headers={"cookie": f"ruang={cookie}; ruang={cookie}"})
    assert (twice.status, twice.location) == (303, "/masuk")
    assert reporter[0].open("/ruang").status == 200


def test_a_form_sent_twice_at_once_by_two_people_is_two_things(portal: Site) -> None:
    """Tokens are the form's: two people who send the same words are two reports."""
    one, two = (visits.report(portal.visit(), {"narrative": "Sama"}) for _ in range(2))
    assert one.ticket != two.ticket
    assert portal.count() == 2


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_other_methods_are_refused(portal: Site, method: str) -> None:
    for path in ("/", "/formulir/kirim", "/ruang", "/petugas", "/petugas/masuk"):
        visit = portal.visit()
        visit.last = visit.client.request(method, path)
        assert_clear_refusal(visit, 405)
