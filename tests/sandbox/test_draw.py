"""Pictures and texts drawn anew: what a person sees, and nothing that a file hides or does."""

import io
import zlib

import pikepdf
import pytest
from PIL import Image
from pillow_heif import register_heif_opener

from sandbox import draw
from sandbox.contract import Failed, Failure, FileKind
from tests.sandbox.pictures import jpeg, png

CANARY = b"kanari-di-dalam-gambar"


def refused(data: bytes, kind: FileKind, page: int = 1) -> str:
    """How the confined process would end with this file."""
    try:
        draw.draw(data, kind, page)
    except Failed as failed:
        return failed.reason.value
    except (OSError, SyntaxError, ValueError):
        return Failure.DAMAGED.value
    return "drawn"


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        (FileKind.JPEG, "JPEG"), (FileKind.PNG, "PNG"), (FileKind.GIF, "GIF"),
        (FileKind.WEBP, "WEBP"), (FileKind.TIFF, "TIFF"), (FileKind.BMP, "BMP"),
        (FileKind.HEIC, "HEIF"),
    ],
)  # fmt: skip
def test_every_kind_of_image_is_drawn_as_it_looks(kind: FileKind, form: str) -> None:
    register_heif_opener()
    written = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(written, form)
    found = opened(draw.draw(written.getvalue(), kind, 1).data)
    assert found.size == (64, 48)
    red, green, blue = found.convert("RGB").getpixel((30, 20))  # type: ignore[misc]
    assert red > 170
    assert max(green, blue) < 60


def test_a_picture_lies_as_its_camera_was_held_and_carries_nothing_else() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = CANARY.decode()
    written = io.BytesIO()
    Image.new("RGB", (60, 20)).save(written, "JPEG", exif=exif, comment=CANARY)
    drawn = draw.draw(written.getvalue() + CANARY, FileKind.JPEG, 1).data
    assert opened(drawn).size == (20, 60)
    assert CANARY not in drawn
    assert opened(drawn).info == {}


def test_a_large_picture_is_made_to_fit() -> None:
    assert max(opened(draw.draw(jpeg((5000, 100)), FileKind.JPEG, 1).data).size) == draw.SIDE


def test_what_shines_through_lies_on_white() -> None:
    written = io.BytesIO()
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(written, "PNG")
    drawn = opened(draw.draw(written.getvalue(), FileKind.PNG, 1).data)
    assert drawn.getpixel((0, 0)) == (255, 255, 255)


def test_a_bomb_of_pixels_is_too_large() -> None:
    """Some bytes that say they would fill gigabytes: nothing is unpacked."""
    sides = (60_000).to_bytes(4, "big") * 2
    head = b"IHDR" + sides + b"\x08\x02\x00\x00\x00"
    bomb = bytearray(png((2, 2)))
    bomb[12:29] = head
    bomb[29:33] = zlib.crc32(head).to_bytes(4, "big")
    assert refused(bytes(bomb), FileKind.PNG) == "too_large"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", FileKind.JPEG),
        (jpeg((100, 100))[:200], FileKind.JPEG),
        (png((10, 10)), FileKind.JPEG),
        (b"%PDF-1.7\n", FileKind.PDF),
        (b"GIF89a", FileKind.GIF),
    ],
)
def test_a_broken_file_or_one_of_another_kind_is_damaged(data: bytes, kind: FileKind) -> None:
    assert refused(data, kind) == "damaged"


def test_a_kind_that_is_no_picture_cannot_be_drawn() -> None:
    assert refused(b"x", FileKind.DOCX) == "unsupported"


def pdf(*boxes: tuple[float, float], **options: object) -> bytes:
    made = pikepdf.new()
    for width, height in boxes:
        made.add_blank_page(page_size=(width, height))
    written = io.BytesIO()
    made.save(written, **options)  # type: ignore[arg-type]
    return written.getvalue()


def test_each_page_of_a_pdf_is_drawn_alone() -> None:
    data = pdf((200, 100), (100, 200))
    first, second = (draw.draw(data, FileKind.PDF, page) for page in (1, 2))
    assert (first.pages, second.pages) == (2, 2)
    assert opened(first.data).size == (400, 200)
    assert opened(second.data).size == (200, 400)
    assert refused(data, FileKind.PDF, 3) == refused(data, FileKind.PDF, 0) == "damaged"


def test_a_page_of_any_size_fits() -> None:
    assert max(opened(draw.draw(pdf((14_000, 10)), FileKind.PDF, 1).data).size) == draw.SIDE


def test_an_encrypted_pdf_cannot_be_drawn() -> None:
    locked = pdf((10, 10), encryption=pikepdf.Encryption(owner="a", user="b"))
    assert refused(locked, FileKind.PDF) == "unsupported"


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("héllo\r\nb\rc".encode(), "héllo\nb\nc"),
        (b"\xef\xbb\xbfabc", "abc"),
        ("abc".encode("utf-16"), "abc"),
        ("caf\u00e9".encode("cp1252"), "café"),
        ("a\u202eb\u200bc\x00\x1b[31md".encode(), "abc[31md"),
        (b"", ""),
    ],
)
def test_a_text_is_shown_without_anything_hidden(data: bytes, shown: str) -> None:
    assert draw.text(data) == shown


def test_only_the_beginning_of_a_long_text_is_shown() -> None:
    assert len(draw.text(b"a" * 1_000_000)) == 200_000
