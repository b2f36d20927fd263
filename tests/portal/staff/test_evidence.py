"""Officers look at files: examined first, drawn or copied without traces, and every look told."""

import io
from pathlib import Path

import pytest
from PIL import Image

from casework.evidence.scan import Scanner
from tests.casework.evidence import clamd
from tests.portal.multipart import File, send_files
from tests.portal.sites import Site
from tests.portal.visits import Receipt, Visit

Reporter = tuple[Visit, Receipt]
ROOM = "/ruang/berkas"
CANARY = "Kanari Pemotret"
HALVES = [b"\x00" * 40_000, b"\xff" * 40_000]


def photo() -> bytes:
    """A photograph that tells who took it."""
    exif = Image.Exif()
    exif[0x013B] = CANARY
    written = io.BytesIO()
    Image.effect_noise((640, 480), 40).convert("RGB").save(written, "JPEG", exif=exif)
    return written.getvalue()


PHOTO = File("IMG_2041.jpg", photo(), "image/jpeg")
NOTE = File("catatan.txt", "Rapat hari Senin\u202e.\n".encode(), "text/plain")
PLAIN = File("rekaman.bin", b"".join(HALVES))


def filed(portal: Site, reporter: Reporter, file: File) -> tuple[Visit, str, str]:
    """An officer's browser, the file's address, and its id."""
    visit, receipt = reporter
    send_files(visit, ROOM, [file])
    assert visit.status == 303, visit.text
    (file_id,) = portal.rows("SELECT id FROM item WHERE kind = 'evidence'")[-1]
    desk = portal.officer("operator")
    return desk, f"{portal.path(receipt)}/bukti/{file_id}", str(file_id)


def looks(portal: Site) -> list[str]:
    """What the log says of looks at files, in order."""
    rows = portal.rows("SELECT body FROM leaf WHERE event = 'file_opened' ORDER BY number")
    return [str(body).split('"form":"')[1].split('"')[0] for (body,) in rows]


def opened(desk: Visit, one: str) -> Visit:
    """Give the reason for which the original is opened."""
    return desk.open(one).send(f"{one}/asli", {"reason": "Diminta penyidik"})


def test_a_photograph_is_seen_and_taken_along_without_its_traces(
    portal: Site, reporter: Reporter
) -> None:
    """Before it is examined nothing of it is shown; afterwards a drawing and a cleaned copy."""
    desk, one, _ = filed(portal, reporter, PHOTO)
    desk.open(one)
    assert "Periksa dulu" in desk.text
    assert desk.open(f"{one}/lihat").status == 404
    assert desk.open(f"{one}/salinan").status == 404
    desk.open(one).send(f"{one}/periksa").follow()
    assert "Salinan bersih sudah dibuat" in desk.text
    assert "Pemindai tidak dipasang" in desk.text
    desk.open(f"{one}/lihat")
    assert f'src="{one}/gambar/1"' in desk.text
    drawn = desk.open(f"{one}/gambar/1").answer
    assert drawn.headers["content-type"] == "image/png"
    assert "sandbox" in drawn.headers["content-security-policy"]
    assert Image.open(io.BytesIO(drawn.content)).size == (640, 480)
    copy = desk.open(f"{one}/salinan").answer
    assert copy.headers["content-disposition"].endswith('-bukti-01.jpg"')
    assert CANARY.encode() in PHOTO.content
    assert CANARY.encode() not in copy.content
    assert Image.open(io.BytesIO(copy.content)).size == (640, 480)
    assert looks(portal) == ["picture", "clean"]


def test_a_picture_looked_at_again_is_one_leaf_a_day_and_a_download_is_one_each(
    portal: Site, reporter: Reporter
) -> None:
    desk, one, _ = filed(portal, reporter, PHOTO)
    desk.open(one).send(f"{one}/periksa")
    for _ in range(2):
        desk.open(f"{one}/gambar/1")
        desk.open(f"{one}/salinan")
    assert sorted(looks(portal)) == ["clean", "clean", "picture"]


def test_a_text_is_shown_as_text(portal: Site, reporter: Reporter) -> None:
    desk, one, _ = filed(portal, reporter, NOTE)
    desk.open(one).send(f"{one}/periksa")
    desk.open(f"{one}/lihat")
    assert "Rapat hari Senin." in desk.text
    assert "\u202e" not in desk.text


def test_what_cannot_be_cleaned_says_so_and_stays_closed(portal: Site, reporter: Reporter) -> None:
    desk, one, _ = filed(portal, reporter, PLAIN)
    desk.open(one).send(f"{one}/periksa").follow()
    assert "Tidak dapat dibersihkan" in desk.text
    for path in ("lihat", "salinan", "gambar/1", "putar", "asli"):
        assert desk.open(f"{one}/{path}").status == 404, path


def test_a_reason_opens_an_original_for_one_day_and_one_officer(
    portal: Site, reporter: Reporter
) -> None:
    desk, one, _ = filed(portal, reporter, PLAIN)
    assert opened(desk, one).status == 303
    assert desk.open(f"{one}/asli").answer.content == PLAIN.content
    other = portal.officer("inspektur")
    assert other.open(f"{one}/asli").status == 404
    portal.clock.advance(days=1)
    again = portal.officer("operator")
    assert again.open(f"{one}/asli").status == 404
    assert looks(portal) == ["original", "original"]


def test_an_original_is_not_opened_without_a_reason(portal: Site, reporter: Reporter) -> None:
    desk, one, _ = filed(portal, reporter, PLAIN)
    for reason in ("", "   ", "x" * 60_001):
        desk.open(one).send(f"{one}/asli", {"reason": reason})
        assert desk.status == 422
        assert desk.open(f"{one}/asli").status == 404
    assert looks(portal) == []


RANGES = [
    ("bytes=0-9", 206, 0, 10),
    ("bytes=39990-40009", 206, 39_990, 40_010),
    ("bytes=79999-", 206, 79_999, 80_000),
    ("bytes=-5", 206, 79_995, 80_000),
    ("bytes=0-999999", 206, 0, 80_000),
    ("bytes=5-2", 200, 0, 80_000),
    ("bytes=a-b", 200, 0, 80_000),
    ("bytes=0-1,5-6", 200, 0, 80_000),
    ("bytes=-", 200, 0, 80_000),
]


def test_a_range_is_that_part_of_the_file(portal: Site, reporter: Reporter) -> None:
    """Players jump; what is no single range is answered whole, and one outside not at all."""
    desk, one, _ = filed(portal, reporter, PLAIN)
    opened(desk, one)
    for asked, status, start, stop in RANGES:
        answer = desk.client.get(f"{one}/asli", headers={"range": asked})
        assert answer.status_code == status, asked
        assert answer.content == PLAIN.content[start:stop], asked
        assert answer.headers["content-length"] == str(stop - start)
        told = f"bytes {start}-{stop - 1}/80000" if status == 206 else None
        assert answer.headers.get("content-range") == told
    beyond = desk.client.get(f"{one}/asli", headers={"range": "bytes=80000-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */80000")


def damage(portal: Site, file_id: str, at: int) -> None:
    (name,) = portal.rows("SELECT blob FROM file_part WHERE item_id = :id", id=file_id)[0]
    path: Path = portal.bench.folder / "blobs" / str(name)
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_a_damaged_file_is_never_shown_as_if_it_were_whole(
    portal: Site, reporter: Reporter
) -> None:
    """Header, middle or end: the page says so, or the download breaks off before its end."""
    desk, one, file_id = filed(portal, reporter, PLAIN)
    opened(desk, one)
    sheet = one.rpartition("/")[0] + "/lembar"
    for at in (100, 3000, -1):
        damage(portal, file_id, at)
        got = b""
        try:
            answer = desk.open(f"{one}/asli").answer
            got = answer.content if answer.status_code == 200 else b""
        except Exception as broken:  # noqa: BLE001 - the test client raises what the server meets
            assert "CaseDamaged" in repr(broken)  # noqa: PT017
        assert len(got) < len(PLAIN.content)
        desk.open(sheet).send(sheet)
        assert "Tidak utuh" in desk.text
        damage(portal, file_id, at)
    assert desk.open(f"{one}/asli").answer.content == PLAIN.content
    desk.open(sheet).send(sheet)
    assert "Utuh: dibaca seluruhnya" in desk.text


def test_the_chain_of_custody_tells_who_dealt_with_what(portal: Site, reporter: Reporter) -> None:
    desk, one, _ = filed(portal, reporter, PHOTO)
    desk.open(one).send(f"{one}/periksa")
    desk.open(f"{one}/gambar/1")
    opened(desk, one)
    sheet = one.rpartition("/")[0] + "/lembar"
    desk.open(sheet).send(sheet)
    assert "Utuh: dibaca seluruhnya" in desk.text
    for text in ("Diperiksa di ruang terkunci", "Dilihat", "Berkas asli dibuka", "Contoh Operator"):
        assert text in desk.text, text
    assert "Pelapor" in desk.text


def test_a_scanner_s_finding_stands_beside_the_file(
    portal: Site, reporter: Reporter, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It warns whoever opens the file, and keeps nothing from the report."""
    with clamd.running(tmp_path_factory.mktemp("c")) as daemon:
        object.__setattr__(portal.bench.office, "scanner", Scanner(daemon.address))
        sick = File("lampiran.txt", b"awal " + clamd.NEEDLE + b" akhir", "text/plain")
        desk, one, _ = filed(portal, reporter, sick)
        desk.open(one).send(f"{one}/periksa").follow()
    assert "Pemindai menemukan isi berbahaya" in desk.text
    assert "Suaka.Uji.Contoh" in desk.text
    desk.open(one).send(f"{one}/periksa").follow()
    assert "Pemindai tidak menjawab" in desk.text
