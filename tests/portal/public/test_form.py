"""The report form: only the story is required, and no error costs a word of it."""

import re
from urllib.parse import urlencode

import pytest

from casework.intake.report import FIELDS, LONG
from casework.keys import enrol
from casework.keys.vocabulary import TenureState
from casework.law.vocabulary import Routing
from crypto import kdf
from portal.settings import LimitSection
from tests.casework.cases import join, leave
from tests.portal import visits
from tests.portal.sites import Site, served
from tests.portal.visits import NARRATIVE, Visit

STOPPED = ("inspektur", "pegawai_inspektorat", "sekda", "bupati", "wakil_bupati")
SEND = "/formulir/kirim"
FULL = {
    "narrative": 'Cerita <b>tebal</b> & "kutip"\n\nAlinea kedua.',
    "reported_person": "Kepala unit contoh",
    "what": "Meminta uang",
    "when_state": "sedang",
    "when_text": "sejak awal tahun",
    "where": "kantor contoh",
    "how": "lewat perantara",
    "chronology": "1 Mei: satu\n2 Mei: dua",
    "witnesses": "dua rekan",
    "evidence_known": "kuitansi\nrekaman",
    "loss": "sepuluh juta",
    "how_known": "melihat sendiri",
    "reported_elsewhere": "belum",
    "fears_retaliation": "ya",
    "retaliation_text": "takut mutasi",
}


def assert_kept(visit: Visit, values: dict[str, str]) -> None:
    """Every field of the form still holds what was typed."""
    for name, wanted in values.items():
        found = visit.value(SEND, name).replace("\r\n", "\n")
        assert found == wanted, name


def test_the_position_comes_first_and_by_post(portal: Site) -> None:
    """The first page asks for a position only, and sends it in a body, never in an address."""
    visit = portal.visit().open("/formulir")
    form = visit.form("/formulir/isi")
    assert form.attributes["method"] == "post"
    assert {control.name for control in form.controls if control.name} == {"position"}
    visit.send("/formulir/isi", {"position": "asn"})
    assert visit.value(SEND, "position") == "asn"
    assert portal.visit().open("/formulir/isi").status == 405


@pytest.mark.parametrize("position", ["", "raja", "asn&position=desa"])
def test_without_one_known_position_nothing_can_be_typed(portal: Site, position: str) -> None:
    visit = portal.visit().post_raw("/formulir/isi", f"position={position}".encode())
    assert visit.status in {400, 422}
    assert not visit.has_form(SEND)


def test_the_stopped_positions_are_those_of_the_profile(portal: Site) -> None:
    """The list of these tests is the regulation's."""
    positions = portal.bench.office.profile.positions
    assert {p.id for p in positions if p.routing is Routing.CANNOT_ROUTE} == set(STOPPED)


@pytest.mark.parametrize("position", STOPPED)
def test_who_cannot_be_routed_around_stops_before_anything_is_typed(
    portal: Site, position: str
) -> None:
    """The page says why, names other channels, and has no field to type into."""
    visit = portal.visit().open("/formulir").send("/formulir/isi", {"position": position})
    assert visit.status == 200
    assert visit.heading == "Untuk ini, pakailah saluran lain"
    assert "Komisi Pemberantasan Korupsi" in visit.text
    assert {form.attributes["action"] for form in visit.page.forms} == {"/tutup"}


@pytest.mark.parametrize("position", STOPPED)
def test_a_stopped_position_posted_straight_stores_nothing(portal: Site, position: str) -> None:
    """Past the pages: a form whose position was altered is refused, unstored and unseen."""
    visit = visits.to_form(portal.visit())
    before = portal.state()
    visit.post(SEND, [*_hidden(visit, position), ("narrative", NARRATIVE)])
    assert visit.heading == "Untuk ini, pakailah saluran lain"
    assert NARRATIVE not in visit.text
    assert portal.state() == before
    assert "WBS-" not in portal.officer("inspektur").open("/petugas").text


def _hidden(visit: Visit, position: str) -> list[tuple[str, str]]:
    return [("token", visit.value(SEND, "token")), ("position", position)]


def test_only_the_story_is_required(portal: Site) -> None:
    """The page marks one field, and that field alone makes a case."""
    visit = visits.to_form(portal.visit())
    form = visit.form(SEND)
    required = {c.name for c in form.controls if c.attributes.get("aria-required") == "true"}
    assert required == {"narrative"}
    visit.send(SEND, {"narrative": "Singkat."})
    assert visit.heading == "Laporan Anda sudah kami terima"
    assert portal.count() == 1


def test_every_field_reaches_the_operator_as_typed(portal: Site) -> None:
    """Nothing that was typed is lost or changed on its way, and nothing is markup."""
    assert set(FULL) == set(FIELDS) - {"position"}
    _, receipt = portal.reporter(FULL)
    page = portal.officer("operator").open(portal.path(receipt))
    shown = [
        visit_text.replace("&lt;", "<").replace("&gt;", ">").replace("&#34;", '"')
        .replace("&amp;", "&")
        for visit_text in re.findall(r'<dd class="verbatim">(.*?)</dd>', page.text, re.DOTALL)
    ]  # fmt: skip
    for name, value in FULL.items():
        assert value in shown, name


@pytest.mark.parametrize(
    ("fault", "value"),
    [
        ("narrative", ""),
        ("narrative", " \n\t "),
        ("narrative", "a" * (LONG + 1)),
        ("where", "b" * 4_001),
        ("when_state", "besok"),
        ("fears_retaliation", "mungkin"),
    ],
)
def test_an_error_keeps_everything_else(portal: Site, fault: str, value: str) -> None:
    """The field is marked, the summary links to it, and each other field stands as typed."""
    visit = visits.to_form(portal.visit())
    token = visit.value(SEND, "token")
    pairs = {**dict(_hidden(visit, "asn")), **FULL, fault: value}
    visit.post(SEND, pairs)
    assert visit.status == 422
    assert f'href="#{fault}"' in visit.text
    assert f'id="{fault}"' in visit.text
    choices = {"when_state", "fears_retaliation"}
    assert_kept(visit, {**FULL, fault: value if fault not in choices else ""})
    assert visit.value(SEND, "token") == token
    assert portal.count() == 0


def test_a_long_story_in_any_script_fits(portal: Site) -> None:
    """60,000 characters are taken, also where each of them is four bytes and sent as twelve."""
    visit = visits.to_form(portal.visit())
    visit.send(SEND, {"narrative": "𐀀" * LONG})
    assert visit.status == 200
    assert portal.count() == 1


@pytest.mark.parametrize(("lines", "count"), [("", 0), ("kuitansi", 1), ("a\n\nb\nc", 3)])
def test_the_count_of_evidence_never_blocks(portal: Site, lines: str, count: int) -> None:
    """It counts what was named, as advice, and any number is sent."""
    visit = visits.to_form(portal.visit())
    visit.send(SEND, {"narrative": "", "evidence_known": lines})
    assert f"Bukti: {count} dari 2" in visit.text.replace("\xa0", " ")
    visit.send(SEND, {"narrative": NARRATIVE})
    assert visit.status == 200


@pytest.mark.parametrize("username", ["operator", "inspektur"])
def test_without_operator_or_guardian_the_form_is_closed(portal: Site, username: str) -> None:
    """A report is not taken where nobody could rightly read it; other channels are named."""
    visit = visits.to_form(portal.visit())
    leave(portal.bench, username) if username == "operator" else _lose_guardian(portal)
    for closed in (
        portal.visit().open("/formulir"),
        portal.visit().post("/formulir/isi", {"position": "asn"}),
    ):
        assert closed.status == 503
        assert closed.heading == "Laporan belum bisa diterima saat ini"
        assert "Komisi Pemberantasan Korupsi" in closed.text
        assert not closed.has_form(SEND)
    before = portal.state()
    visit.send(SEND, FULL)
    assert visit.status == 503
    assert "Laporan belum bisa diterima saat ini" in visit.text
    assert "Komisi Pemberantasan Korupsi" in visit.text
    assert_kept(visit, FULL)
    assert portal.state() == before


def _lose_guardian(portal: Site) -> None:
    bench = portal.bench
    join(bench, {"pengganti": ("inspektur",)})
    with bench.office.write() as uow:
        part = next(one for one in enrol.enrolled(uow) if one.handle == "inspektur")
        record = part.record(uow.today(), state=TenureState.LEFT)
        enrol.approve(uow, bench["pengganti"], [record], "Mutasi")


def test_above_the_budget_the_text_is_kept_and_taken_later(portal: Site) -> None:
    """The burst limit says when to come back, holds the text, and loses no report."""
    limits = LimitSection(report_burst=1, reports_per_minute=1)
    with served(portal.bench, limits) as narrow:
        visits.report(narrow.visit())
        visit = visits.to_form(narrow.visit()).send(SEND, FULL)
        assert visit.status == 503
        assert int(visit.answer.headers["retry-after"]) in range(1, 121)
        assert_kept(visit, FULL)
        assert portal.count() == 1
    with served(portal.bench) as wide:
        again = wide.visit()
        again.last = visit.answer
        again.send(SEND)
        assert again.status == 200
    assert portal.count() == 2


def test_whoever_the_lane_turns_away_costs_nothing_of_the_budget(
    portal: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rush that is not served does not use up what the next reporter needs."""
    limits = LimitSection(kdf_at_once=1, kdf_waiting=0, report_burst=2, reports_per_minute=1)
    with served(portal.bench, limits) as narrow:
        stretch = kdf.stretch
        turned_away: list[int] = []

        def rush(password: bytes, salt: bytes, cost: kdf.Kdf) -> bytes:
            if not turned_away:
                turned_away.append(0)
                for _ in range(5):
                    late = visits.to_form(narrow.visit()).send(SEND, {"narrative": NARRATIVE})
                    turned_away.append(late.status)
            return stretch(password, salt, cost)

        monkeypatch.setattr(kdf, "stretch", rush)
        visits.report(narrow.visit())
        assert turned_away == [0, *[503] * 5]
        visits.report(narrow.visit())


def test_a_receipt_costs_nothing_of_the_budget(portal: Site) -> None:
    """Whoever lost the connection sees the receipt again, whatever others report meanwhile."""
    with served(portal.bench, LimitSection(report_burst=1, reports_per_minute=1)) as narrow:
        visit = visits.to_form(narrow.visit())
        pairs = visit.filled(SEND, FULL)
        first = visits.receipt_on(visit.post(SEND, pairs))
        assert visits.receipt_on(narrow.visit().post(SEND, pairs)) == first


@pytest.mark.parametrize("token", ["", "A", "A" * 42, "A" * 44, "=" * 43, "é" * 43, "A" * 42 + "B"])
def test_a_token_that_is_none_of_ours_is_refused(portal: Site, token: str) -> None:
    """Also another spelling of the same bytes: one form has one token."""
    for path in (SEND, "/formulir/cetak", "/formulir/simpan"):
        visit = portal.visit().post(path, {"token": token, "position": "asn", "narrative": "x"})
        assert visit.status == 400, path
    assert portal.count() == 0


def test_fields_that_the_form_does_not_have_are_ignored(portal: Site) -> None:
    """Nobody can put a state, a role or an identity into a report."""
    visit = visits.to_form(portal.visit())
    pairs = visit.filled(SEND, {"narrative": NARRATIVE})
    extra = {"state": "selesai", "name": "Kanari", "ticket": "WBS-00000000", "category": "a"}
    visit.post_raw(SEND, urlencode([*pairs, *extra.items()]).encode())
    assert visit.status == 200
    assert portal.rows('SELECT state, category FROM "case"') == [("submitted", None)]


def test_no_page_before_sign_in_sets_a_cookie(portal: Site) -> None:
    """From the landing page to the receipt and the sign-in form, the browser is given nothing."""
    visit = portal.visit()
    for path in ("/", "/penjelasan", "/persiapan", "/saluran", "/formulir", "/masuk", "/tutup"):
        assert "set-cookie" not in visit.open(path).answer.headers, path
    receipt = visits.report(visit)
    assert "set-cookie" not in visit.answer.headers
    visit.post("/formulir/cetak", {"token": receipt.token})
    assert "set-cookie" not in visit.answer.headers
    visit.post("/formulir/simpan", {"token": receipt.token, "word_first": "salah"})
    assert "set-cookie" not in visit.answer.headers
    visit.post("/masuk", {"ticket": receipt.ticket, "words": "satu dua"})
    assert "set-cookie" not in visit.answer.headers
    visit.post("/tutup")
    assert "set-cookie" not in visit.answer.headers
