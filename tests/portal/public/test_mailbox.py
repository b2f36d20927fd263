"""The mailbox: where the report stands, what was said, and what the reporter may do."""

import pytest

from crypto.persons import Person
from tests.casework.cases import join, leave
from tests.casework.keys.recoveries import bring_in, decide, export, new_shares
from tests.portal import visits
from tests.portal.sites import Site
from tests.portal.visits import NARRATIVE, Receipt, Visit

Reporter = tuple[Visit, Receipt]
ROOM = "/ruang"
LONG_TEXT = "Teks panjang yang tidak boleh hilang. " * 500
ACTS = {"lengkapi": "completion", "tinjau": "review", "nilai": "rating"}


def test_the_first_status_is_that_the_report_came_in(reporter: Reporter) -> None:
    """With its sentence, what comes next, and the target as a target."""
    visit, receipt = reporter
    visit.open(ROOM)
    assert '<p class="label">Laporan masuk</p>' in visit.text
    assert "menunggu diperiksa kelengkapannya" in visit.text
    assert "<dt>Target</dt><dd>26\xa0November\xa02026</dd>" in visit.text
    assert receipt.ticket in visit.text
    assert NARRATIVE in visit.text
    for action in ("lengkapi", "tinjau", "nilai"):
        assert not visit.has_form(f"{ROOM}/{action}")


def test_messages_go_both_ways(portal: Site, reporter: Reporter) -> None:
    """The office is "Petugas" to the reporter, the reporter "Pelapor" to the office."""
    visit, receipt = reporter
    visit.open(ROOM).send(f"{ROOM}/pesan", {"message": "Pertanyaan\n\nsaya <i>"})
    assert visit.location == f"{ROOM}?berhasil=message"
    assert "Pesan Anda sudah terkirim." in visit.follow().text
    desk = portal.officer("operator")
    assert "Pesan baru" in desk.open("/petugas").text
    path = portal.path(receipt)
    assert "Pertanyaan\n\nsaya &lt;i&gt;" in desk.open(path).text
    desk.send(f"{path}/pesan", {"message": "Jawaban kami"}).follow()
    assert "Pesan sudah terkirim." in desk.text
    assert "Pesan baru" not in desk.open("/petugas").text
    visit.open(ROOM)
    assert "Jawaban kami" in visit.text
    assert "<h3>Petugas</h3>" in visit.text
    assert "Contoh Operator" not in visit.text


@pytest.mark.parametrize("text", ["", "  \n ", "a" * 60_001])
def test_a_refused_message_is_kept(portal: Site, reporter: Reporter, text: str) -> None:
    visit, _ = reporter
    before = portal.state()
    visit.open(ROOM).send(f"{ROOM}/pesan", {"message": text})
    assert visit.status == 422
    assert 'href="#message"' in visit.text
    assert visit.value(f"{ROOM}/pesan", "message") == text
    assert portal.state() == before


def test_completion_reopens_the_report(portal: Site, reporter: Reporter) -> None:
    """What is missing is listed; the answer brings the report back to the verifikator."""
    visit, receipt = reporter
    portal.act("operator", receipt, "accept")
    portal.act("verifikator", receipt, "reject_incomplete")
    visit.open(ROOM)
    assert "<li>Kurang satu reject_incomplete</li>" in visit.text
    visit.send(f"{ROOM}/lengkapi", {"completion": " "})
    assert visit.status == 422
    assert visit.value(f"{ROOM}/lengkapi", "completion") == " "
    visit.send(f"{ROOM}/lengkapi", {"completion": "Ini tambahannya."}).follow()
    assert "Tambahan Anda sudah terkirim." in visit.text
    assert '<p class="label">Terkirim</p>' in visit.text
    assert not visit.has_form(f"{ROOM}/lengkapi")
    assert "Ini tambahannya." in portal.officer("verifikator").open(portal.path(receipt)).text


def test_a_rejection_can_be_reviewed_and_reaches_the_guardian(
    portal: Site, reporter: Reporter
) -> None:
    visit, receipt = reporter
    portal.act("operator", receipt, "reject")
    visit.open(ROOM)
    assert "Alasan reject" in visit.text
    visit.send(f"{ROOM}/tinjau", {"review": "Mohon dilihat lagi."}).follow()
    assert "Permintaan peninjauan sudah terkirim." in visit.text
    assert not visit.has_form(f"{ROOM}/tinjau")
    desk = portal.officer("inspektur")
    assert "Peninjauan diminta" in desk.open("/petugas").text
    assert "Mohon dilihat lagi." in desk.open(portal.path(receipt)).text
    portal.act("inspektur", receipt, "reopen")
    assert '<p class="label">Terkirim</p>' in visit.open(ROOM).text


def test_a_review_is_offered_only_once_the_date_has_passed(
    portal: Site, reporter: Reporter
) -> None:
    """On the due day not yet, the day after it is; the guardian answers."""
    visit, receipt = reporter
    portal.clock.advance(days=3)
    visits.enter(visit, receipt)
    assert not visit.open(ROOM).has_form(f"{ROOM}/tinjau")
    portal.clock.advance(days=1)
    visits.enter(visit, receipt)
    visit.open(ROOM).send(f"{ROOM}/tinjau", {"review": "Sudah lewat."})
    assert visit.location == f"{ROOM}?berhasil=review"
    portal.act("inspektur", receipt, "answer_review")
    assert "Pesan answer_review" in visit.open(ROOM).text


def _closed(portal: Site, receipt: Receipt) -> None:
    for who, what in (
        ("operator", "accept"),
        ("verifikator", "verify"),
        ("irban", "analyse"),
        ("irban", "forward"),
        ("inspektur", "order_examination"),
        ("inspektur", "send_result"),
    ):
        portal.act(who, receipt, what)


def test_a_rating_counts_once(portal: Site, reporter: Reporter) -> None:
    """Another tab's form, sent later, changes nothing."""
    visit, receipt = reporter
    _closed(portal, receipt)
    first = visit.open(ROOM).filled(f"{ROOM}/nilai", {"rating": "5"})
    second = visit.open(ROOM).filled(f"{ROOM}/nilai", {"rating": "1"})
    visit.post(f"{ROOM}/nilai", first)
    assert visit.location == f"{ROOM}?berhasil=rating"
    visit.post(f"{ROOM}/nilai", second)
    assert visit.status == 409
    visit.post(f"{ROOM}/nilai", first)
    assert visit.location == f"{ROOM}?berhasil=rating"
    assert "Anda memberi nilai 5 dari 5" in visit.open(ROOM).text
    assert '<dt>Penilaian</dt><dd class="verbatim">5</dd>' in portal.officer("inspektur").open(
        portal.path(receipt)
    ).text  # fmt: skip


@pytest.mark.parametrize("rating", ["", "0", "6", "-1", "1.5", "٣", "²", "9" * 5000, "lima"])
def test_a_rating_is_one_of_the_scale(portal: Site, reporter: Reporter, rating: str) -> None:
    """Anything else is pointed at; nothing breaks."""
    visit, receipt = reporter
    _closed(portal, receipt)
    visit.open(ROOM).send(f"{ROOM}/nilai", {"rating": rating})
    assert visit.status == 422
    assert visit.has_form(f"{ROOM}/nilai")


@pytest.mark.parametrize("action", ACTS)
def test_what_is_not_offered_is_refused(portal: Site, reporter: Reporter, action: str) -> None:
    """A form that the page does not show is refused when it is sent all the same."""
    visit, _ = reporter
    pairs = dict(visit.open(ROOM).filled(f"{ROOM}/pesan", {}))
    before = portal.state()
    visit.post(f"{ROOM}/{action}", {**pairs, ACTS[action]: "3"})
    assert visit.status == 409
    assert visit.heading == "Keadaannya sudah berubah"
    assert portal.state() == before


def test_a_double_press_is_one_message(portal: Site, reporter: Reporter) -> None:
    """The same form twice counts once, and both answers say that it was sent."""
    visit, _ = reporter
    pairs = visit.open(ROOM).filled(f"{ROOM}/pesan", {"message": "Sekali saja"})
    for _ in range(2):
        assert visit.post(f"{ROOM}/pesan", pairs).location == f"{ROOM}?berhasil=message"
    assert visit.open(ROOM).text.count("Sekali saja") == 1
    assert portal.scalar("SELECT count(*) FROM item WHERE kind = 'message'") == 1


def test_two_tabs_send_two_messages(reporter: Reporter) -> None:
    """Both tabs stay good: a second page does not make the first one stale."""
    visit, _ = reporter
    one = visit.open(ROOM).filled(f"{ROOM}/pesan", {"message": "Dari tab satu"})
    two = visit.open(ROOM).filled(f"{ROOM}/pesan", {"message": "Dari tab dua"})
    assert visit.post(f"{ROOM}/pesan", two).status == 303
    assert visit.post(f"{ROOM}/pesan", one).status == 303
    assert "Dari tab satu" in visit.open(ROOM).text
    assert "Dari tab dua" in visit.text


def test_signing_out_ends_the_session(reporter: Reporter) -> None:
    visit, _ = reporter
    cookie = visit.client.cookies["ruang"]
    visit.open(ROOM).send(f"{ROOM}/keluar")
    assert visit.location == "/masuk"
    visit.client.cookies.set("ruang", cookie)
    assert visit.open(ROOM).location == "/masuk"


def test_a_session_idles_out(portal: Site, reporter: Reporter) -> None:
    """Fifteen minutes without a request, and the page leads to the sign-in."""
    visit, _ = reporter
    portal.clock.advance(minutes=14, seconds=59)
    assert visit.open(ROOM).status == 200
    portal.clock.advance(minutes=15)
    assert visit.open(ROOM).location == "/masuk"


@pytest.mark.parametrize("name", ["message", "completion", "review"])
def test_a_text_typed_too_long_comes_back_to_its_writer(
    portal: Site, reporter: Reporter, name: str
) -> None:
    """It waits, sealed, in the sign-in page, and stands in its field after signing in."""
    visit, receipt = reporter
    if name != "message":
        portal.act("operator", receipt, "accept")
        portal.act("verifikator", receipt, "reject_incomplete")
    action = {"message": "pesan", "completion": "lengkapi", "review": "tinjau"}[name]
    pairs = visit.open(ROOM).filled(f"{ROOM}/{action}", {name: LONG_TEXT})
    portal.clock.advance(minutes=20)
    before = portal.state()
    visit.post(f"{ROOM}/{action}", pairs)
    assert visit.status == 200
    assert "Sesi Anda sudah berakhir" in visit.text
    assert LONG_TEXT[:30] not in visit.text
    assert "set-cookie" not in visit.answer.headers
    visit.send("/masuk", {"ticket": receipt.ticket, "words": "salah"})
    assert visit.status == 422
    visit.send("/masuk", {"ticket": receipt.ticket, "words": receipt.key})
    assert visit.status == 200
    assert "belum terkirim" in visit.text
    assert visit.value(f"{ROOM}/{action}", name).strip() == LONG_TEXT.strip()
    assert portal.state() == before
    visit.send(f"{ROOM}/{action}")
    assert visit.location == f"{ROOM}?berhasil={name}"


def test_another_reporter_gets_nothing_of_it(portal: Site, reporter: Reporter) -> None:
    """Whoever signs in next on the same computer with another key sees their own room only."""
    visit, _ = reporter
    _, other = portal.reporter()
    pairs = visit.open(ROOM).filled(f"{ROOM}/pesan", {"message": LONG_TEXT})
    portal.clock.advance(minutes=20)
    visit.post(f"{ROOM}/pesan", pairs)
    visit.send("/masuk", {"ticket": other.ticket, "words": other.key})
    assert (visit.status, visit.location) == (303, ROOM)
    assert LONG_TEXT[:30] not in visit.follow().text


def test_a_tab_from_before_the_last_sign_in_keeps_its_text(
    portal: Site, reporter: Reporter
) -> None:
    """Its token is stale, but the writer is signed in again: nothing sent, nothing lost."""
    visit, receipt = reporter
    pairs = visit.open(ROOM).filled(f"{ROOM}/pesan", {"message": LONG_TEXT})
    visits.enter(visit, receipt)
    before = portal.state()
    visit.post(f"{ROOM}/pesan", pairs)
    assert visit.status == 200
    assert "belum terkirim" in visit.text
    assert visit.value(f"{ROOM}/pesan", "message").strip() == LONG_TEXT.strip()
    assert portal.state() == before


def test_a_tab_of_another_reporter_is_refused(portal: Site, reporter: Reporter) -> None:
    """A form of one mailbox cannot be sent into another, and its text is not shown there."""
    visit, _ = reporter
    other, _ = portal.reporter()
    pairs = visit.open(ROOM).filled(f"{ROOM}/pesan", {"message": LONG_TEXT})
    before = portal.state()
    other.post(f"{ROOM}/pesan", pairs)
    assert other.status == 403
    assert LONG_TEXT[:30] not in other.text
    assert portal.state() == before


def test_without_any_marker_a_late_text_leads_to_the_sign_in(portal: Site) -> None:
    """A form that none of our pages made is not sealed to anybody."""
    visit = portal.visit().post(f"{ROOM}/pesan", {"message": LONG_TEXT, "keeper": "x.y"})
    assert (visit.status, visit.location) == (303, "/masuk")


def test_a_late_text_is_not_sealed_to_exchanged_keys(portal: Site, reporter: Reporter) -> None:
    """Whoever writes their own recipient into the reporter's row gets nothing to open."""
    visit, receipt = reporter
    pairs = visit.open(ROOM).filled(f"{ROOM}/pesan", {"message": LONG_TEXT})
    portal.clock.advance(minutes=20)
    portal.tamper(
        'UPDATE person SET recipient = :key WHERE id = (SELECT reporter FROM "case" '
        "WHERE ticket = :ticket)",
        key=Person.generate().public.recipient,
        ticket=receipt.ticket,
    )
    visit.post(f"{ROOM}/pesan", pairs)
    assert visit.status == 503
    assert 'name="kept"' not in visit.text


def test_a_recovery_is_told_calmly_and_without_names(portal: Site, reporter: Reporter) -> None:
    """On which day, why, what it means; nobody's name, and not a word before it happened."""
    visit, receipt = reporter
    portal.act("operator", receipt, "accept")
    assert "dipulihkan" not in visit.open(ROOM).text
    bench = portal.bench
    leave(bench, "operator")
    leave(bench, "verifikator")
    join(bench, {"pengganti": ("verifikator",)})
    exported = export(bench, "pengganti").file.to_bytes()
    bring_in(bench, "pengganti", decide(bench, exported).to_bytes())
    text = visit.open(ROOM).text
    assert "Kunci laporan ini pernah dipulihkan" in text
    assert "Pada 23\xa0November\xa02026 kunci laporan ini dibuka kembali" in text
    assert "tidak ada lagi petugas yang memegangnya" in text
    assert "Contoh pengganti" not in text
    assert bench["pengganti"].person_id not in text
    assert "Kunci pemulihan pernah diganti" not in text


def test_a_new_recovery_key_is_told_as_what_it_is(portal: Site, reporter: Reporter) -> None:
    visit, _ = reporter
    bench = portal.bench
    exported = export(bench, everything=True).file.to_bytes()
    result = decide(bench, exported, replacement=new_shares().person)
    bring_in(bench, "inspektur", result.to_bytes())
    text = visit.open(ROOM).text
    assert "Kunci pemulihan pernah diganti" in text
    assert "Tidak ada petugas yang mendapat kunci karenanya." in text
    assert "Kunci laporan ini pernah dipulihkan" not in text
