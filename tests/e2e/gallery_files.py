"""The pages of files: what a reporter sends, and what officers see, examine and open of it."""

import struct
import zlib

from playwright.sync_api import Browser as PlaywrightBrowser
from playwright.sync_api import FilePayload

from tests.e2e import walk
from tests.e2e.browsers import Chromium
from tests.e2e.demo import Demo
from tests.e2e.gallery import Gallery

NOTE = FilePayload(name="daftar.txt", mimeType="text/plain", buffer=b"Map biru: kuitansi.\n" * 9)


def drawing() -> FilePayload:
    """A red square as a PNG file."""
    rows = b"".join(b"\0" + b"\xc0\x20\x20" * 40 for _ in range(40))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 40, 40, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return FilePayload(name="foto.png", mimeType="image/png", buffer=b"\x89PNG\r\n\x1a\n" + body)


def send(page: Chromium, *files: FilePayload) -> None:
    page.page.set_input_files('[name="files"]', files)
    page.press("Kirim berkas")


def proof(gallery: Gallery, room: Chromium) -> None:
    """Read what the receipt is good for, print it, and show the key of the text."""
    room.follow("Bukti bahwa Anda melapor")
    gallery.take("proof", room)
    gallery.take("proof-print", room.press_for_tab("Buka lembar cetak (tab baru)"))
    room.press("Tampilkan kunci dan teks")
    gallery.take("proof-contents", room)


def files(gallery: Gallery, process: PlaywrightBrowser, demo: Demo) -> None:
    """Send files, look at them in every way, open an original, and read the sheet of custody."""
    ticket, words = list(demo.reporters.items())[-1]
    with gallery.visitor(process, demo.base) as opener:
        reporter = walk.Reporter(opener(demo.base), ticket=ticket, words=words.split())
        reporter.sign_in()
        room = reporter.page
        assert isinstance(room, Chromium)
        proof(gallery, room)
        office = walk.Office(opener(demo.base), demo.officers, ticket)
        office.enter("inspektur")
        desk = office.page
        assert isinstance(desk, Chromium)
        case = desk.page.url
        desk.open(f"{case}/bukti")
        gallery.take("evidence-empty", desk)
        room.open("/ruang/berkas")
        gallery.take("files-empty", room)
        send(room)
        gallery.take("files-fault", room)
        send(room, NOTE, drawing())
        gallery.take("files", room)
        desk.open(f"{case}/bukti")
        gallery.take("evidence", desk)
        one = ""
        for number, name in (("01", "exhibit-text"), ("02", "exhibit-picture")):
            desk.open(f"{case}/bukti")
            desk.follow(f"Bukti {number}")
            gallery.take("exhibit", desk)
            one = desk.page.url
            desk.press("Periksa berkas ini")
            gallery.take("exhibit-examined", desk)
            desk.open(f"{one}/lihat")
            gallery.take(name, desk)
        desk.open(one)
        desk.press("Buka berkas asli")
        gallery.take("exhibit-fault", desk)
        desk.fill("reason", "Diminta penyidik")
        desk.press("Buka berkas asli")
        gallery.take("exhibit-open", desk)
        desk.open(f"{case}/bukti/lembar")
        desk.press("Periksa keutuhan semua berkas")
        gallery.take("custody-sheet", desk)
