"""Every route declares itself public or needs a session; every page keeps the laws of pages."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from litestar.handlers import HTTPRouteHandler

from casework.keys import invitations
from portal.web.settings import Surface
from tests.casework.cases import copy_of, join
from tests.casework.codes import code_at, give_factor_and_codes, with_second_factor
from tests.casework.conftest import close
from tests.casework.office import Bench, make_office, passphrase_of
from tests.laws.pages import assert_lawful
from tests.portal import visits
from tests.portal.sites import Site, served, site_of
from tests.portal.staff import walks
from tests.portal.visits import Receipt, Visit

UNTYPED = {"hidden", "file"}
"""Fields that nobody types into, so that no browser could remember it."""

SIGN_IN = {"/ruang": "/masuk", "/petugas": "/petugas/masuk"}


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return make_office(tmp_path_factory.mktemp("founded") / "office")


@pytest.fixture(scope="module")
def site(founded: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_of(founded, tmp_path_factory.mktemp("routes") / "office") as opened:
        yield opened


def routes(site: Site) -> list[tuple[str, str, HTTPRouteHandler]]:
    """Method, path and handler of every route; HEAD is GET without a body."""
    found = []
    for route in site.app.routes:
        for handler in getattr(route, "route_handlers", ()):
            for method in handler.http_methods:
                if method not in {"OPTIONS", "HEAD"}:
                    path = re.sub(r"\{\w+:int\}", "1", handler_path(handler))
                    path = re.sub(r"\{[^}]*\}", "a" * 32, path)
                    found.append((method, path, handler))
    return found


def handler_path(handler: HTTPRouteHandler) -> str:
    (path,) = handler.paths
    return path


def test_the_walk_sees_every_page(site: Site) -> None:
    """The list is the one of the specification: a new route must be added to these laws' eyes."""
    assert sorted((method, handler_path(handler)) for method, _, handler in routes(site)) == [
        ("GET", "/"),
        ("GET", "/catatan"),
        ("GET", "/catatan/checkpoint"),
        ("GET", "/catatan/kunci"),
        ("GET", "/catatan/kunci/serah-terima"),
        ("GET", "/catatan/periksa"),
        ("GET", "/catatan/tile/{place:path}"),
        ("GET", "/formulir"),
        ("GET", "/masuk"),
        ("GET", "/penjelasan"),
        ("GET", "/persiapan"),
        ("GET", "/petugas"),
        ("GET", "/petugas/angka"),
        ("GET", "/petugas/berkas/{case_id:str}"),
        ("GET", "/petugas/berkas/{case_id:str}/bukti"),
        ("GET", "/petugas/berkas/{case_id:str}/bukti/lembar"),
        ("GET", "/petugas/berkas/{case_id:str}/bukti/{file_id:str}"),
        ("GET", "/petugas/berkas/{case_id:str}/bukti/{file_id:str}/asli"),
        ("GET", "/petugas/berkas/{case_id:str}/bukti/{file_id:str}/gambar/{page:int}"),
        ("GET", "/petugas/berkas/{case_id:str}/bukti/{file_id:str}/lihat"),
        ("GET", "/petugas/berkas/{case_id:str}/bukti/{file_id:str}/putar"),
        ("GET", "/petugas/berkas/{case_id:str}/bukti/{file_id:str}/salinan"),
        ("GET", "/petugas/jejak"),
        ("GET", "/petugas/keamanan"),
        ("GET", "/petugas/keamanan/autentikator"),
        ("GET", "/petugas/keamanan/frasa-sandi"),
        ("GET", "/petugas/keamanan/kode"),
        ("GET", "/petugas/masuk"),
        ("GET", "/petugas/orang"),
        ("GET", "/petugas/orang/undangan"),
        ("GET", "/petugas/orang/{person_id:str}"),
        ("GET", "/petugas/orang/{person_id:str}/keluar"),
        ("GET", "/petugas/orang/{person_id:str}/serah-terima"),
        ("GET", "/petugas/pemberitahuan"),
        ("GET", "/petugas/sesi"),
        ("GET", "/petugas/undangan"),
        ("GET", "/ruang"),
        ("GET", "/ruang/berkas"),
        ("GET", "/ruang/berkas/{file_id:str}"),
        ("GET", "/ruang/bukti"),
        ("GET", "/saluran"),
        ("GET", "/static/{name:path}"),
        ("GET", "/tutup"),
        ("POST", "/formulir/cetak"),
        ("POST", "/formulir/isi"),
        ("POST", "/formulir/kirim"),
        ("POST", "/formulir/simpan"),
        ("POST", "/masuk"),
        ("POST", "/petugas/berkas/{case_id:str}/bukti"),
        ("POST", "/petugas/berkas/{case_id:str}/bukti/lembar"),
        ("POST", "/petugas/berkas/{case_id:str}/bukti/mulai"),
        (
            "POST",
            "/petugas/berkas/{case_id:str}/bukti/unggahan/{upload_id:str}/bagian/{number:int}",
        ),
        ("POST", "/petugas/berkas/{case_id:str}/bukti/unggahan/{upload_id:str}/batal"),
        ("POST", "/petugas/berkas/{case_id:str}/bukti/unggahan/{upload_id:str}/selesai"),
        ("POST", "/petugas/berkas/{case_id:str}/bukti/{file_id:str}/asli"),
        ("POST", "/petugas/berkas/{case_id:str}/bukti/{file_id:str}/periksa"),
        ("POST", "/petugas/berkas/{case_id:str}/lepas"),
        ("POST", "/petugas/berkas/{case_id:str}/pesan"),
        ("POST", "/petugas/berkas/{case_id:str}/tindakan/{transition:str}"),
        ("POST", "/petugas/jejak"),
        ("POST", "/petugas/keamanan/autentikator"),
        ("POST", "/petugas/keamanan/autentikator/pasang"),
        ("POST", "/petugas/keamanan/frasa-sandi"),
        ("POST", "/petugas/keamanan/frasa-sandi/ketik"),
        ("POST", "/petugas/keamanan/kode"),
        ("POST", "/petugas/keluar"),
        ("POST", "/petugas/masuk"),
        ("POST", "/petugas/orang/undangan"),
        ("POST", "/petugas/orang/undangan/{invitation_id:str}/cabut"),
        ("POST", "/petugas/orang/{person_id:str}/keluar"),
        ("POST", "/petugas/orang/{person_id:str}/tindakan/{act:str}"),
        ("POST", "/petugas/pemberitahuan"),
        ("POST", "/petugas/pemberitahuan/hapus"),
        ("POST", "/petugas/sesi/akhiri"),
        ("POST", "/petugas/sesi/akhiri-lain"),
        ("POST", "/petugas/sesi/akhiri-satu"),
        ("POST", "/petugas/undangan"),
        ("POST", "/petugas/undangan/frasa"),
        ("POST", "/petugas/undangan/selesai"),
        ("POST", "/ruang/berkas"),
        ("POST", "/ruang/berkas/mulai"),
        ("POST", "/ruang/berkas/unggahan/{upload_id:str}/bagian/{number:int}"),
        ("POST", "/ruang/berkas/unggahan/{upload_id:str}/batal"),
        ("POST", "/ruang/berkas/unggahan/{upload_id:str}/selesai"),
        ("POST", "/ruang/bukti/berkas"),
        ("POST", "/ruang/bukti/cetak"),
        ("POST", "/ruang/bukti/isi"),
        ("POST", "/ruang/bukti/kunci"),
        ("POST", "/ruang/bukti/teks"),
        ("POST", "/ruang/keluar"),
        ("POST", "/ruang/lengkapi"),
        ("POST", "/ruang/nilai"),
        ("POST", "/ruang/pesan"),
        ("POST", "/ruang/tinjau"),
        ("POST", "/tutup"),
    ]


def sent(site: Site, method: str, path: str, visit: Visit | None = None) -> Visit:
    found = visit or site.visit()
    return found.open(path) if method == "GET" else found.post(path)


def test_every_route_is_public_or_leads_to_its_sign_in(site: Site) -> None:
    """Without a session: a public route answers without a cookie, any other sends to sign in."""
    for method, path, handler in routes(site):
        visit = sent(site, method, path)
        assert "set-cookie" not in visit.answer.headers, (method, path)
        if handler.opt.get("public"):
            assert visit.status < 500, (method, path)
            assert visit.location in {"", "/tutup"}, (method, path)
        else:
            kind = "/" + path.split("/")[1]
            assert (visit.status, visit.location) == (303, SIGN_IN[kind]), (method, path)


def test_the_other_kind_of_session_is_no_session(site: Site) -> None:
    """An officer at the mailbox and a reporter at the desk are strangers like any other."""
    box, _ = site.reporter()
    desk = site.officer("operator")
    for method, path, handler in routes(site):
        if handler.opt.get("public") or path in {"/ruang/keluar", "/petugas/keluar"}:
            continue
        stranger = desk if path.startswith("/ruang") else box
        visit = sent(site, method, path, stranger)
        assert (visit.status, visit.location) == (303, SIGN_IN["/" + path.split("/")[1]]), path


def test_each_surface_has_only_its_own_routes(founded: Bench, tmp_path: Path) -> None:
    """Where reporters come in, the officers' pages do not exist, and the other way round."""
    del tmp_path
    for surface, here, absent in (
        (Surface.PUBLIC, "/formulir", "/petugas/masuk"),
        (Surface.STAFF, "/petugas/masuk", "/formulir"),
    ):
        with served(founded, surface=surface) as site:
            assert site.visit().open(here).status == 200
            assert site.visit().open(absent).status == 404
            assert site.visit().post(absent).status == 404
            staff = {handler_path(h).startswith("/petugas") for _, _, h in routes(site)}
            assert staff - {False} == ({True} if surface is Surface.STAFF else set())


def reporter_pages(site: Site) -> Iterator[Visit]:
    """Every page that a reporter can see, each status and state of it."""
    visit = site.visit()
    for path in ("/", "/penjelasan", "/persiapan", "/saluran", "/formulir", "/masuk", "/tutup",
                 "/catatan"):  # fmt: skip
        yield visit.open(path)
    yield visit.post("/formulir/isi", {"position": "sekda"})
    yield visit.post("/formulir/isi", {"position": ""})
    yield visits.to_form(visit)
    yield visit.send("/formulir/kirim", {"narrative": ""})
    receipt = visits.report(visit)
    yield visit
    shown = visit.answer
    yield visit.send("/formulir/cetak")
    visit.last = shown
    yield visit.send("/formulir/simpan", {"word_first": "x", "word_second": "y"})
    yield visits.keep(visit, receipt)
    yield visit.follow()
    yield visit.send("/ruang/pesan", {"message": ""})
    yield visit.open("/ruang").send("/ruang/pesan", {"message": "Pesan"})
    yield visit.follow()
    yield visit.post("/formulir/kirim", {"token": receipt.token})
    yield from _mailbox_stages(site, visit, receipt)
    yield visit.post("/masuk", {"ticket": receipt.ticket, "words": "satu"})
    yield visit.post("/masuk", {"ticket": receipt.ticket, "words": "qqqq " * 8})
    yield visits.enter(visit, Receipt("", "WBS-00000000", receipt.words))
    yield visit.post("/formulir/kirim", {"token": "x"})
    yield visit.post("/tutup")
    yield visit.open("/ruang")
    yield visit.open("/tidak-ada")
    yield visit.open("/formulir/kirim")


def _mailbox_stages(site: Site, visit: Visit, receipt: Receipt) -> Iterator[Visit]:
    site.act("operator", receipt, "accept")
    site.act("verifikator", receipt, "reject_incomplete")
    yield visit.open("/ruang")
    yield visit.open("/ruang/bukti")
    yield visit.send("/ruang/bukti/cetak")
    yield visit.open("/ruang/bukti").send("/ruang/bukti/isi")
    visit.open("/ruang")
    late = visit.filled("/ruang/pesan", {"message": "Terlambat"})
    yield visit.send("/ruang/lengkapi", {"completion": ""})
    yield visit.open("/ruang").send("/ruang/lengkapi", {"completion": "Tambahan"})
    for who, what in (
        ("verifikator", "verify"),
        ("irban", "analyse"),
        ("irban", "forward"),
        ("inspektur", "order_examination"),
        ("inspektur", "send_result"),
    ):
        site.act(who, receipt, what)
    yield visit.open("/ruang")
    yield visit.send("/ruang/nilai", {"rating": ""})
    yield visit.open("/ruang").send("/ruang/nilai", {"rating": "5"})
    yield visit.open("/ruang")
    stranger = site.visit()
    yield stranger.post("/ruang/pesan", late)


def test_every_reporters_page_keeps_the_laws(site: Site) -> None:
    """Also: nothing typed is remembered by the browser, and the quick exit is always there."""
    seen = set()
    for visit in reporter_pages(site):
        page = assert_lawful(visit.answer, site.settings.web.away_url)
        seen.add(visit.status)
        if visit.status == 303:
            continue
        for tag, attributes in page.tags:
            if tag in {"input", "textarea", "select"} and attributes.get("type") not in UNTYPED:
                assert attributes.get("autocomplete") == "off", attributes
                if tag == "textarea" or attributes.get("type") == "text":
                    assert attributes.get("spellcheck") == "false", attributes
        exits = [a for tag, a in page.tags if tag == "form" and a.get("action") == "/tutup"]
        assert len(exits) == 1 or str(visit.answer.url).endswith("/tutup")
    assert seen == {200, 303, 400, 404, 405, 409, 422}


def officer_pages(site: Site) -> Iterator[Visit]:
    """Every page that officers can see, in every state of a case, for each who may see it."""
    visit = site.visit()
    yield visit.open("/petugas/masuk")
    yield visits.enter_staff(visit, "operator", "salah")
    _, receipt = site.reporter()
    path = site.path(receipt)
    for who, what in (
        ("operator", "accept"),
        ("verifikator", "verify"),
        ("irban", "analyse"),
        ("irban", "forward"),
        ("inspektur", "assign_team"),
        ("inspektur", "order_examination"),
        ("inspektur", "send_result"),
    ):
        for reader in ("operator", "verifikator", "irban", "inspektur", "tim"):
            yield site.officer(reader).open(path)
        if what != "forward":  # the one act that asks for nothing
            yield site.officer(who).open(path).send(f"{path}/tindakan/{what}", {})
        yield site.act(who, receipt, what).follow()
    visit = site.officer("inspektur")
    for address in ("/petugas", "/petugas?status=perhatian", "/petugas?status=x", "/petugas/sesi"):
        yield visit.open(address)
    yield from _own_pages(site)
    yield from _overseers_pages(visit, receipt)
    yield site.officer("pengawas").open("/petugas/angka")
    yield visit.open(path).send(f"{path}/pesan", {"message": ""})
    late = visit.open(path).filled(f"{path}/pesan", {"message": "Terlambat"})
    yield visit.post(f"{path}/tindakan/accept", [*late, ("revision", "1")])
    yield visit.post(f"{path}/pesan", {"csrf": "x"})
    yield visit.open(f"/petugas/berkas/{'a' * 32}")
    yield site.visit().post(f"{path}/pesan", late)
    yield from people_pages(site)
    yield from _leaving_pages(site, site.officer("inspektur"))


def people_pages(site: Site) -> Iterator[Visit]:
    """Inviting, enrolling, and every kind of decision about a person."""
    admin, boss = site.officer("admin"), site.officer("inspektur")
    yield admin.open("/petugas/orang/undangan").send("/petugas/orang/undangan", {"name": ""})
    for username, role in (("baru", "verifikator"), ("baru-2", "irban"), ("baru-3", "tim")):
        code = walks.invite(admin, username, role)
        yield admin
        yield admin.open("/petugas/orang")
        visit = site.visit()
        yield visit.open(walks.START)
        yield visit.send(walks.START, {"invitation": "x"})
        yield visit.send(walks.START, {"invitation": code})
        if role == "irban":
            yield visit.send(walks.FRASA)
            yield visit.send(walks.FRASA, {"passphrase": "x"})
            continue
        yield visit.send(walks.FRASA, {"passphrase": "x"})
        walks.enrol(site, code, username)
    path = walks.person_path(boss, "Contoh Baru")
    yield boss
    yield boss.open(path)
    yield walks.decide(boss, path, "setujui")
    yield walks.approve(boss, path)
    for act in ("bekukan", "pulihkan", "peran"):
        yield boss.follow()
        yield walks.decide(boss, path, act, {"reason": ""})
        yield walks.decide(boss, path, act)
    yield boss.follow()
    yield admin.open(path)
    yield admin.open("/petugas/orang/undangan?mengganti=" + path.rsplit("/", 1)[1])
    yield boss.open("/petugas/orang")


def test_the_page_of_an_authenticator_keeps_the_laws(founded: Bench, tmp_path: Path) -> None:
    """Its drawing is of attributes alone."""
    bench = with_second_factor(copy_of(founded, tmp_path / "strict"))
    with bench.office.write() as uow:
        invitee = invitations.Invitee("baru", "Contoh Baru", "Auditor", ("tim",))
        code = invitations.invite(uow, bench["admin"], invitee).code
    with served(bench) as site:
        visit = walks.choose(site.visit(), code, passphrase_of("baru"))
        assert_lawful(visit.answer, "")
        assert_lawful(visit.send(walks.FINISH, {"new_code": "1"}).answer, "")
        secret = walks.secret_on(visit)
        visit.send(walks.FINISH, {"new_code": code_at(secret, site.clock.now)})
        assert visit.status == 200
        assert_lawful(visit.answer, "")


def _own_pages(site: Site) -> Iterator[Visit]:
    """What officers look after themselves, where there is no second factor."""
    path = "/petugas/keamanan/frasa-sandi"
    for username in ("operator", "inspektur"):
        visit = site.officer(username)
        yield visit.open("/petugas/keamanan")
        yield visit.open(path)
        if visit.has_form(f"{path}/ketik"):
            yield visit.send(f"{path}/ketik")
        yield visit.send(path, {"old": "bukan", "passphrase": "pendek"})
        yield visit.open(f"/petugas/keamanan/{'a' * 32}")


@pytest.fixture
def guarded(founded: Bench, tmp_path: Path) -> Iterator[Site]:
    """The same office with second factors; the operator has one."""
    bench = with_second_factor(copy_of(founded, tmp_path / "guarded"))
    with served(bench) as site:
        yield site
    close(bench)


def test_every_page_about_second_factors_keeps_the_laws(guarded: Site) -> None:
    made = give_factor_and_codes(guarded.bench, "operator")
    sign_in, own = "/petugas/masuk", "/petugas/keamanan"

    def pages() -> Iterator[Visit]:
        visit = guarded.visit()
        yield visit.open(sign_in)
        yield visits.enter_staff(visit, "operator", code="123456")
        early = code_at(made.secret, guarded.clock.now - timedelta(hours=7))
        yield visits.enter_staff(visit, "operator", code=early)
        yield visits.enter_staff(visit, "operator", code=made.codes[0])
        yield visit.follow()
        yield visit.open(f"{own}?berhasil=tebakan")
        yield visit.open(f"{own}/autentikator")
        yield visit.send(f"{own}/autentikator")
        assert "<svg" in visit.text
        yield visit.send(f"{own}/autentikator/pasang", {"new_code": "x"})
        guarded.clock.advance(minutes=6)
        for part in ("autentikator", "kode", "frasa-sandi"):
            yield visit.open(f"{own}/{part}")
            yield visit.send(f"{own}/{part}", {"code": "x"})
        visit.open(f"{own}/autentikator")
        visit.send(f"{own}/autentikator", {"code": code_at(made.secret, guarded.clock.now)})
        secret = re.search(r"(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}", visit.text)
        assert secret is not None
        code = code_at(secret[0].replace(" ", ""), guarded.clock.now)
        yield visit.send(f"{own}/autentikator/pasang", {"new_code": code})
        yield visit.open(f"{own}/kode").send(f"{own}/kode")

    seen = set()
    for visit in pages():
        assert_lawful(visit.answer, "")
        seen.add(visit.status)
    assert seen == {200, 303, 422}


def _leaving_pages(site: Site, visit: Visit) -> Iterator[Visit]:
    """Recusal and leaving: asked, refused for want of everything, done, and the record."""
    join(site.bench, {"operator2": ("operator",)})
    _, receipt = site.reporter()
    path = site.path(receipt)
    yield site.officer("operator2").open(path).send(f"{path}/lepas", {})
    for user in ("operator", "inspektur", "verifikator"):
        away = f"/petugas/orang/{site.bench[user].person_id}/keluar"
        yield visit.open(away)
    away = f"/petugas/orang/{site.bench['operator'].person_id}/keluar"
    yield visit.open(away).send(away, {"reason": "SK"})
    visit.send(away, {"successor": site.bench["operator2"].person_id, "reason": "SK"})
    yield visit.follow()


def _overseers_pages(visit: Visit, receipt: Receipt) -> Iterator[Visit]:
    yield visit.open("/petugas/angka")
    yield visit.open("/petugas/jejak")
    yield visit.send("/petugas/jejak", {"nomor": "x", "dari": "y"})
    yield visit.open("/petugas/jejak").send("/petugas/jejak", {"nomor": receipt.ticket})
    yield visit.follow()
    yield visit.open("/petugas/pemberitahuan")
    yield visit.send("/petugas/pemberitahuan", {"address": "x"})
    yield visit.open("/petugas/pemberitahuan").send("/petugas/pemberitahuan", {"address": "a@b.id"})
    yield visit.follow()
    yield visit.send("/petugas/pemberitahuan/hapus")


def test_every_officers_page_keeps_the_laws(site: Site) -> None:
    seen = set()
    for visit in officer_pages(site):
        assert_lawful(visit.answer, "")
        seen.add(visit.status)
    assert seen == {200, 303, 403, 404, 409, 422}
