"""Pages and downloads of files keep the laws: in every state, for each who may see them."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from casework.evidence.limits import Limits
from portal.web.headers import Policy
from sandbox.contract import FileKind
from tests.casework import exhibits
from tests.casework.office import Bench, make_office
from tests.laws.pages import TELLING, assert_exact, assert_lawful
from tests.portal.multipart import File, send_files
from tests.portal.sites import Site, site_of
from tests.portal.visits import Receipt, Visit

ROOM = "/ruang/berkas"
NAME = "daftar-kanari.txt"
NOTE = File(NAME, exhibits.PAPER, "text/plain")
ATTACHED = re.compile(r'attachment; filename="WBS-[0-9A-Z]{8}-bukti-\d\d(-asli)?\.[a-z0-9]{2,5}"')


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    bench = make_office(tmp_path_factory.mktemp("founded") / "office")
    limits = Limits(file=1024 * 1024, case_files=4, low_water=0)
    bench.office = replace(bench.office, evidence=limits)
    return bench


@pytest.fixture(scope="module")
def site(founded: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_of(founded, tmp_path_factory.mktemp("files") / "office") as opened:
        yield opened


@pytest.fixture(scope="module")
def reporter(site: Site) -> tuple[Visit, Receipt]:
    return site.reporter()


def reporters_pages(visit: Visit) -> Iterator[Visit]:
    """Empty, with nothing chosen, refused, stored, known, broken off, full."""
    yield visit.open(ROOM)
    yield send_files(visit, ROOM, [File("", b"")])
    yield send_files(visit, ROOM, [File("besar.mp4", bytes(2 * 1024 * 1024))])
    yield send_files(visit, ROOM, [NOTE])
    yield visit.follow()
    yield send_files(visit, ROOM, [NOTE, File("dua.txt", b"dua")])
    guard = visit.open(ROOM).filled(f"{ROOM}", {})
    pairs = [pair for pair in guard if pair[0] != "files"]
    declared = {"name": "tiga.mp4", "type": "video/mp4", "size": "1000000", "modified": "1"}
    visit.post(f"{ROOM}/mulai", [*pairs, *declared.items()])
    assert visit.status == 200
    yield visit.open(ROOM)
    (cancel,) = [
        form.attributes["action"]
        for form in visit.page.forms
        if form.attributes.get("action", "").endswith("/batal")
    ]
    yield visit.send(cancel)
    yield visit.follow()
    yield send_files(visit, ROOM, [File(f"{number}.txt", b"x%d" % number) for number in range(4)])
    yield visit.open(f"{ROOM}/{'a' * 32}")
    yield visit.post(f"{ROOM}", pairs)
    yield visit.post(f"{ROOM}/unggahan/{'a' * 32}/bagian/1", pairs)
    yield visit.open("/ruang")


def test_every_page_of_a_reporters_files_keeps_the_laws(
    site: Site, reporter: tuple[Visit, Receipt]
) -> None:
    seen = set()
    for visit in reporters_pages(reporter[0]):
        page = assert_lawful(visit.answer, site.settings.web.away_url)
        seen.add(visit.status)
        exits = [a for tag, a in page.tags if tag == "form" and a.get("action") == "/tutup"]
        assert visit.status == 303 or len(exits) == 1
    assert {200, 303, 403, 404, 415, 422} >= seen >= {200, 303, 404, 422}


def officers_pages(site: Site, receipt: Receipt) -> Iterator[Visit]:
    """A file before and after it was examined, looked at in every way, opened with a reason."""
    path = f"{site.path(receipt)}/bukti"
    filed = exhibits.at_desk(site.bench, site.case_id(receipt.ticket))
    visit = site.officer("operator")
    yield visit.open(path)
    file_id = exhibits.listed(filed, "operator")[0].item_id
    one = f"{path}/{file_id}"
    yield visit.open(one)
    yield visit.open(f"{one}/lihat")
    yield visit.open(one).send(f"{one}/periksa")
    yield visit.follow()
    yield visit.send(f"{one}/asli", {"reason": " "})
    yield visit.send(f"{one}/asli", {"reason": "Diminta penyidik"})
    yield visit.follow()
    for kind, pages in ((FileKind.MP4, 0), (FileKind.MP3, 0), (FileKind.PDF, 2)):
        exhibits.examine_as(filed, "operator", file_id, b"salinan", kind, pages)
        yield visit.open(one)
        yield visit.open(f"{one}/lihat")
    yield visit.open(f"{one}/lihat?halaman=2")
    yield visit.open(f"{one}/lihat?halaman=3")
    yield visit.open(f"{path}/lembar")
    yield visit.send(f"{path}/lembar")
    yield send_files(visit, path, [File("", b"")])
    yield send_files(visit, path, [File("dari-kantor.txt", b"jawaban")])
    yield visit.open(path)
    yield visit.open(f"{path}/{'a' * 32}")
    site.tamper("DELETE FROM file_part WHERE item_id = :item", item=file_id)
    yield visit.open(f"{path}/lembar").send(f"{path}/lembar")
    site.tamper("UPDATE item SET day = '2026-01-01' WHERE id = :item", item=file_id)
    yield visit.open(path)
    yield visit.open(one)
    yield visit.open(f"{path}/lembar")
    yield visit.open(f"{one}/asli")


def test_every_page_of_an_officers_files_keeps_the_laws(site: Site) -> None:
    visit, receipt = site.reporter()
    send_files(visit, ROOM, [NOTE])
    seen = set()
    for page in officers_pages(site, receipt):
        assert_lawful(page.answer, "")
        seen.add(page.status)
    assert seen >= {200, 303, 404, 422}


def test_what_is_sent_of_a_file_runs_nothing_and_tells_nothing(site: Site) -> None:
    """Copies, originals, recordings and pictures: confined, under a name that is ours."""
    visit, receipt = site.reporter()
    send_files(visit, ROOM, [NOTE])
    filed = exhibits.at_desk(site.bench, site.case_id(receipt.ticket))
    file_id = exhibits.listed(filed, "operator")[0].item_id
    exhibits.examine_as(filed, "operator", file_id, b"salinan bersih", FileKind.MP4)
    path = f"{site.path(receipt)}/bukti"
    one = f"{path}/{file_id}"
    desk = site.officer("operator")
    desk.open(one).send(f"{one}/asli", {"reason": "Diminta penyidik"})
    send_files(desk, path, [File("balasan rahasia.html", b"<script>1</script>")], room="content")
    answered = exhibits.listed(filed, "operator")[1].item_id
    for sender, address, content, attached in (
        (desk, f"{one}/salinan", b"salinan bersih", True),
        (desk, f"{one}/asli", NOTE.content, True),
        (desk, f"{one}/putar", b"salinan bersih", False),
        (visit, f"{ROOM}/{answered}", b"<script>1</script>", True),
    ):
        answer = sender.open(address).answer
        assert answer.status_code == 200, address
        assert answer.content == content
        assert_exact(answer, Policy.FILE)
        disposition = answer.headers["content-disposition"]
        assert ATTACHED.fullmatch(disposition) if attached else disposition == "inline"
        for telling in (NAME, "balasan", "rahasia"):
            assert telling not in repr(answer.headers)
        assert not answer.headers["content-type"].startswith(("text/html", "image/svg"))
        part = sender.client.get(address, headers={"range": "bytes=1-3"})
        assert (part.status_code, part.content) == (206, content[1:4])
        assert_exact(part, Policy.FILE)
        beyond = sender.client.get(address, headers={"range": "bytes=99999-"})
        assert (beyond.status_code, beyond.content) == (416, b"")
        assert not TELLING.search(address)


def test_answers_to_the_script_are_json_with_the_headers_of_every_page(site: Site) -> None:
    visit, _ = site.reporter()
    pairs = [p for p in visit.open(ROOM).filled(ROOM, {}) if p[0] != "files"]
    for size, status in (("10", 200), (str(2 * 1024 * 1024), 409)):
        fields = {"name": "a.txt", "type": "text/plain", "size": size, "modified": "1"}
        answer = visit.post(f"{ROOM}/mulai", [*pairs, *fields.items()]).answer
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
        assert_exact(answer, None)
