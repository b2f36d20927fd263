"""A reporter's files by the plain form: whole or not at all, and the page says which."""

from dataclasses import replace
from pathlib import Path

from casework.evidence.limits import MIB, Limits
from casework.evidence.tables import FilePart
from tests.portal import visits
from tests.portal.multipart import BOUNDARY, File, body_of, send_files, sending
from tests.portal.sites import Site
from tests.portal.visits import Receipt, Visit

Reporter = tuple[Visit, Receipt]
ROOM = "/ruang/berkas"
PHOTO = File("foto saya.jpg", b"\xff\xd8\xff\xe0" + bytes(70_000), "image/jpeg")
NOTE = File("catatan.txt", b"isi catatan", "text/plain")


def stored(portal: Site) -> int:
    return portal.count(FilePart.__tablename__)


def blobs(portal: Site) -> list[Path]:
    folder = portal.bench.folder / "blobs"
    return sorted(folder.iterdir()) if folder.exists() else []


def allow(portal: Site, **limits: int) -> None:
    """Set the office's limits, as its operator does in the configuration."""
    object.__setattr__(portal.bench.office, "evidence", replace(Limits(), **limits))


def guarded(visit: Visit) -> list[tuple[str, str]]:
    return [pair for pair in visit.open(ROOM).filled(ROOM, {}) if pair[0] != "files"]


def test_files_arrive_and_are_listed(portal: Site, reporter: Reporter) -> None:
    """Each file is an act of its own, in the log by the time the page is shown."""
    visit, _ = reporter
    send_files(visit, ROOM, [PHOTO, NOTE])
    assert visit.location == f"{ROOM}?berhasil=berkas"
    visit.follow()
    assert "foto saya.jpg" in visit.text
    assert "catatan.txt" in visit.text
    assert portal.rows("SELECT event FROM leaf ORDER BY number DESC LIMIT 2") == [
        ("evidence",), ("evidence",),
    ]  # fmt: skip
    assert "Ada 2 berkas dalam laporan ini." in visit.open("/ruang").text


def test_an_officer_takes_the_original_along_word_for_word(
    portal: Site, reporter: Reporter
) -> None:
    """Under a neutral name, and only with a reason."""
    visit, receipt = reporter
    send_files(visit, ROOM, [PHOTO])
    desk = portal.officer("operator")
    path = portal.path(receipt) + "/bukti"
    assert "foto saya.jpg" in desk.open(path).text
    (file_id,) = portal.rows("SELECT id FROM item WHERE kind = 'evidence'")[0]
    one = f"{path}/{file_id}"
    assert desk.open(f"{one}/asli").status == 404
    desk.open(one).send(f"{one}/asli", {"reason": "Diminta penyidik"}).follow()
    answer = desk.open(f"{one}/asli").answer
    assert answer.content == PHOTO.content
    assert answer.headers["content-length"] == str(len(PHOTO.content))
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="{receipt.ticket}-bukti-01-asli.jpg"'
    )
    assert "Diminta penyidik" in desk.open(portal.path(receipt)).text
    assert "Diminta penyidik" not in visit.open("/ruang").text


def test_the_same_file_twice_is_stored_once_and_another_of_its_name_beside_it(
    portal: Site, reporter: Reporter
) -> None:
    visit, _ = reporter
    send_files(visit, ROOM, [PHOTO])
    send_files(visit, ROOM, [PHOTO])
    assert stored(portal) == 1
    send_files(visit, ROOM, [File(PHOTO.name, b"isi lain")])
    assert stored(portal) == 2


def test_a_file_over_the_limit_costs_only_itself(portal: Site, reporter: Reporter) -> None:
    """The page names the file and the limit; what came before and behind it is stored."""
    allow(portal, file=MIB)
    visit, _ = reporter
    large = File("video rapat.mp4", bytes(MIB + 1))
    send_files(visit, ROOM, [PHOTO, large, NOTE])
    assert visit.status == 422
    assert "video rapat.mp4</strong>: Satu berkas paling besar 1 MB." in visit.text
    assert "2 berkas sudah diterima dan disegel." in visit.text
    assert stored(portal) == len(blobs(portal)) == 2


def test_a_file_of_exactly_the_limit_is_taken(portal: Site, reporter: Reporter) -> None:
    allow(portal, file=MIB)
    visit, _ = reporter
    send_files(visit, ROOM, [File("pas.bin", bytes(MIB))])
    assert visit.status == 303


def test_more_files_than_allowed_are_refused_one_by_one(portal: Site, reporter: Reporter) -> None:
    allow(portal, case_files=2)
    visit, _ = reporter
    send_files(visit, ROOM, [PHOTO, NOTE, File("ketiga.txt", b"x")])
    assert "ketiga.txt</strong>: Laporan ini sudah memuat 2 berkas" in visit.text
    assert stored(portal) == 2


def test_a_declared_length_over_the_limit_is_refused_before_it_is_read(
    portal: Site, reporter: Reporter
) -> None:
    """Four gigabytes are announced and nothing of them is sent: the answer is there at once."""
    allow(portal, case=10 * MIB)
    visit, _ = reporter
    visit.open(ROOM)
    visit.post_raw(ROOM, b"", {"content-type": sending(), "content-length": str(4 * 1024 * MIB)})
    assert visit.status == 422
    assert "Semua berkas satu laporan bersama-sama paling besar 10 MB." in visit.text


def test_an_almost_full_disk_refuses_files_and_takes_text(portal: Site, reporter: Reporter) -> None:
    """The low-water mark: a report's text always has room."""
    allow(portal, low_water=2**62)
    visit, _ = reporter
    send_files(visit, ROOM, [PHOTO])
    assert "Tempat penyimpanan sedang hampir penuh" in visit.text
    assert blobs(portal) == []
    visit.open("/ruang").send("/ruang/pesan", {"message": "Pesan tetap sampai"})
    assert visit.status == 303
    visits.report(portal.visit())


def test_a_folder_that_cannot_be_written_costs_no_text(portal: Site, reporter: Reporter) -> None:
    visit, _ = reporter
    (portal.bench.folder / "blobs").write_bytes(b"not a folder")
    before = portal.state()
    send_files(visit, ROOM, [PHOTO])
    assert visit.status == 503
    assert portal.state() == before
    visit.open("/ruang").send("/ruang/pesan", {"message": "Pesan tetap sampai"})
    assert visit.status == 303


def test_an_empty_form_says_what_to_do(portal: Site, reporter: Reporter) -> None:
    """Browsers send a nameless part of zero bytes where nothing was chosen."""
    visit, _ = reporter
    send_files(visit, ROOM, [File("", b"")])
    assert (visit.status, stored(portal)) == (422, 0)
    assert "Belum ada berkas yang dipilih" in visit.text


def test_an_empty_file_is_a_file(portal: Site, reporter: Reporter) -> None:
    visit, _ = reporter
    send_files(visit, ROOM, [File("kosong.txt", b"")])
    assert (visit.status, stored(portal)) == (303, 1)


NAMES = {
    "../../etc/passwd": "passwd",
    "C:\\Users\\nama\\laporan.docx": "laporan.docx",
    "foto\u202egpj.exe": "fotogpj.exe",
    "a" * 10_000 + ".jpg": "a" * 116 + ".jpg",
    "\u0000\u0007.txt": "txt",
}


def test_names_are_made_safe_and_never_cost_a_file(reporter: Reporter) -> None:
    visit, _ = reporter
    send_files(visit, ROOM, [File(name, b"isi") for name in NAMES])
    assert visit.status == 303, visit.text
    visit.follow()
    for kept in NAMES.values():
        assert f'<span class="verbatim">{kept}</span>' in visit.text


def test_a_stranger_s_form_is_refused_before_a_file_is_read(
    portal: Site, reporter: Reporter
) -> None:
    visit, _ = reporter
    visit.open(ROOM)
    for pairs in ([], [("csrf", "palsu")]):
        visit.post_raw(ROOM, body_of(pairs, [PHOTO]), {"content-type": sending()})
        assert visit.status == 403
    assert blobs(portal) == []
    stranger = portal.visit()
    stranger.post_raw(ROOM, body_of([], [PHOTO]), {"content-type": sending()})
    assert (stranger.status, stranger.location) == (303, "/masuk")


NO_FORMS = [
    ("multipart/form-data", b"", 400),
    ("multipart/form-data; boundary=" + "x" * 71, b"", 400),
    ("multipart/mixed; boundary=x", b"", 415),
    ("application/json", b"{}", 415),
    (f"multipart/form-data; boundary={BOUNDARY}", b"", 400),
    (f"multipart/form-data; boundary={BOUNDARY}", b"no boundary at all", 400),
    (f"multipart/form-data; boundary={BOUNDARY}", f"--{BOUNDARY}\n\n".encode(), 400),
]


def test_what_is_no_form_with_files_is_refused(portal: Site, reporter: Reporter) -> None:
    """So are a thousand parts, and a part without a name."""
    visit, _ = reporter
    for content_type, body, status in NO_FORMS:
        visit.post_raw(ROOM, body, {"content-type": content_type})
        assert visit.status == status, (content_type, body)
    many = [("x", str(number)) for number in range(1000)]
    nameless = body_of(guarded(visit), [PHOTO]).replace(b'name="files"; ', b"")
    for body in (body_of([*guarded(visit), *many], []), nameless):
        visit.post_raw(ROOM, body, {"content-type": sending()})
        assert visit.status == 400
    assert blobs(portal) == []


def test_a_file_that_breaks_off_leaves_nothing_and_what_was_whole_stays(
    portal: Site, reporter: Reporter
) -> None:
    visit, _ = reporter
    body = body_of(guarded(visit), [NOTE, PHOTO])
    visit.post_raw(ROOM, body[:-30_000], {"content-type": sending()})
    assert visit.status == 422
    assert "foto saya.jpg</strong>: terputus sebelum lengkap" in visit.text
    assert stored(portal) == len(blobs(portal)) == 1


def test_an_officer_s_file_in_the_report_s_room_reaches_the_reporter(
    portal: Site, reporter: Reporter
) -> None:
    """And one in the officers' rooms does not."""
    visit, receipt = reporter
    portal.act("operator", receipt, "accept")
    desk = portal.officer("verifikator")
    path = portal.path(receipt) + "/bukti"
    send_files(desk, path, [File("surat balasan.txt", b"untuk pelapor")], room="content")
    assert desk.status == 303, desk.text
    send_files(desk, path, [File("catatan internal.txt", b"bukan untuk pelapor")], room="handling")
    assert desk.status == 303, desk.text
    visit.open(ROOM)
    assert "surat balasan.txt" in visit.text
    assert "catatan internal.txt" not in visit.text
    inside, outside = (
        str(row[0]) for row in portal.rows(
            "SELECT id FROM item WHERE kind = 'evidence' ORDER BY compartment"
        )
    )  # fmt: skip
    assert visit.open(f"{ROOM}/{inside}").answer.content == b"untuk pelapor"
    assert visit.open(f"{ROOM}/{outside}").status == 404
