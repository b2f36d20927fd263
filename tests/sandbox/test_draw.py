"""Pictures and texts drawn anew: what a person sees, and nothing that a file hides or does."""

import io
import zlib

import pikepdf
import pytest
from PIL import Image
from pillow_heif import register_heif_opener

from sandbox import draw
from sandbox.contract import LONGEST_SIDE, TEXT_MOST, Failed, Failure, FileKind
from tests.sandbox.pictures import gif, jpeg, png

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
    assert max(opened(draw.draw(jpeg((5000, 100)), FileKind.JPEG, 1).data).size) == LONGEST_SIDE


def test_what_shines_through_lies_on_white() -> None:
    written = io.BytesIO()
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(written, "PNG")
    drawn = opened(draw.draw(written.getvalue(), FileKind.PNG, 1).data)
    assert drawn.getpixel((0, 0)) == (255, 255, 255)


def claiming(data: bytes, start: bytes, sides: bytes) -> bytes:
    """The file with its sides overwritten, which lie after ``start``."""
    at = data.index(start) + len(start)
    return data[:at] + sides + data[at + len(sides) :]


def png_of(side: int) -> bytes:
    head = b"IHDR" + side.to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    return claiming(png((2, 2)), b"\x00\x00\x00\x0d", head + zlib.crc32(head).to_bytes(4, "big"))


def jpeg_of(side: int) -> bytes:
    return claiming(jpeg((16, 16)), b"\xff\xc0\x00\x11\x08", side.to_bytes(2, "big") * 2)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (png_of(60_000), FileKind.PNG),
        (png_of(2**31 - 1), FileKind.PNG),
        (png_of(12_000), FileKind.PNG),
        (jpeg_of(60_000), FileKind.JPEG),
        (claiming(gif(), b"GIF87a", b"\xff" * 4), FileKind.GIF),
    ],
)
def test_a_bomb_of_pixels_is_too_large(data: bytes, kind: FileKind) -> None:
    """Some bytes that say they would fill gigabytes: nothing is unpacked."""
    assert refused(data, kind) == "too_large"


def test_a_large_photo_is_scaled_down_while_it_is_decoded() -> None:
    """Telephones take photos that would be too large to decode whole."""
    assert refused(jpeg_of(12_000), FileKind.JPEG) != "too_large"


def test_of_a_moving_picture_the_first_is_drawn() -> None:
    drawn = opened(draw.draw(gif("red", "blue"), FileKind.GIF, 1).data)
    assert drawn.getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("mode", "sample", "seen"),
    [("I;16", 0x8000, 127), ("I;16", 0xFFFF, 255), ("I", 7, 0), ("F", 0.5, 0)],
)
def test_samples_of_more_bits_are_not_cut_off(mode: str, sample: float, seen: int) -> None:
    """A scan in 16 bits is no white sheet."""
    written = io.BytesIO()
    Image.new(mode, (4, 4), sample).save(written, "TIFF")
    drawn = opened(draw.draw(written.getvalue(), FileKind.TIFF, 1).data)
    assert drawn.getpixel((0, 0)) == (seen, seen, seen)


@pytest.mark.parametrize("mode", ["1", "P"])
def test_thin_lines_of_a_scan_survive_scaling(mode: str) -> None:
    """Every fourth column is black: none may be skipped, and none may take its neighbours."""
    lines = Image.new("L", (4 * LONGEST_SIDE, 4), 255)
    for column in range(0, lines.width, 4):
        lines.paste(0, (column, 0, column + 1, 4))
    written = io.BytesIO()
    lines.convert(mode).save(written, "PNG")
    drawn = opened(draw.draw(written.getvalue(), FileKind.PNG, 1).data).convert("L")
    darkest, lightest = drawn.crop((10, 0, LONGEST_SIDE - 10, 1)).getextrema()
    assert 100 < darkest <= lightest < 240  # type: ignore[operator]


def test_broken_exif_does_not_hide_a_picture() -> None:
    written = io.BytesIO()
    Image.new("RGB", (6, 2)).save(written, "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert opened(draw.draw(written.getvalue(), FileKind.JPEG, 1).data).size == (6, 2)


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
        made.add_blank_page().MediaBox = pikepdf.Array([0, 0, width, height])
    written = io.BytesIO()
    made.save(written, **options)  # type: ignore[arg-type]
    return written.getvalue()


def test_each_page_of_a_pdf_is_drawn_alone() -> None:
    data = pdf((200, 100), (100, 200))
    first, second = (draw.draw(data, FileKind.PDF, page) for page in (1, 2))
    assert (first.pages, second.pages) == (2, 2)
    assert opened(first.data).size == (600, 300)
    assert opened(second.data).size == (300, 600)
    assert refused(data, FileKind.PDF, 3) == refused(data, FileKind.PDF, 0) == "damaged"


def test_a_page_of_any_size_fits() -> None:
    assert max(opened(draw.draw(pdf((14_000, 10)), FileKind.PDF, 1).data).size) == LONGEST_SIDE


def test_a_page_of_no_possible_size_is_damaged() -> None:
    assert refused(pdf((1e9, 1e9)), FileKind.PDF) == "damaged"


def form(*, script: bool = False) -> bytes:
    """A page with a field that is filled in, and a script that would empty it."""
    made = pikepdf.new()
    made.add_blank_page(page_size=(200, 200))
    look = made.make_stream(b"1 0 0 rg 0 0 100 100 re f")
    look.Type, look.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
    look.BBox = pikepdf.Array([0, 0, 100, 100])
    field = made.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Widget,
            FT=pikepdf.Name.Tx,
            T=pikepdf.String("nama"),
            V=pikepdf.String("isi"),
            F=4,
            Rect=[50, 50, 150, 150],
            AP=pikepdf.Dictionary(N=look),
        )
    )
    made.pages[0].Annots = pikepdf.Array([field])
    made.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([field]))
    if script:
        code = pikepdf.String("this.getField('nama').display = display.hidden;")
        made.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=code)
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()


@pytest.mark.parametrize("script", [False, True])
def test_what_was_filled_in_is_seen_and_no_script_runs(script: bool) -> None:  # noqa: FBT001
    drawn = opened(draw.draw(form(script=script), FileKind.PDF, 1).data)
    assert drawn.getpixel((drawn.width // 2, drawn.height // 2)) == (255, 0, 0)


def test_an_encrypted_pdf_cannot_be_drawn() -> None:
    locked = pdf((10, 10), encryption=pikepdf.Encryption(owner="a", user="b"))
    assert refused(locked, FileKind.PDF) == "unsupported"


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("héllo\r\nb\rc".encode(), "héllo\nb\nc"),
        (b"\xef\xbb\xbfabc", "abc"),
        ("abc".encode("utf-16"), "abc"),
        ("abc".encode("utf-32"), "abc"),
        ("abc".encode("utf-16")[:-1], "ab\ufffd"),
        ("caf\u00e9".encode("cp1252"), "café"),
        ("a\u202eb\u200bc\x00\x1b[31md".encode(), "abc[31md"),
        (b"", ""),
    ],
)
def test_a_text_is_shown_without_anything_hidden(data: bytes, shown: str) -> None:
    assert draw.text(data) == shown


def test_only_the_beginning_of_a_long_text_is_shown() -> None:
    assert len(draw.text(b"a" * 1_000_000)) == 200_000


def test_a_long_text_is_read_as_what_it_is_though_it_is_cut_within_a_character() -> None:
    assert draw.text(("a" + "é" * 5 * TEXT_MOST).encode()) == "a" + "é" * (TEXT_MOST - 1)
