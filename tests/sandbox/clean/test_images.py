"""Pictures: the pixels stay, upright and in their colours, and nothing else does."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO

import pikepdf
import pytest
from PIL import Image

from sandbox.clean import clean, images
from sandbox.contract import Failed, Failure, FileKind
from tests.sandbox.clean import pictures
from tests.sandbox.clean.planting import Planting

Builder = Callable[[Planting], bytes]

BUILDERS: list[tuple[FileKind, FileKind, Builder, float]] = [
    (FileKind.JPEG, FileKind.JPEG, pictures.jpeg, 2),
    (FileKind.PNG, FileKind.PNG, pictures.png, 1),
    (FileKind.GIF, FileKind.PNG, pictures.gif, 8),
    (FileKind.WEBP, FileKind.WEBP, pictures.webp, 4),
    (FileKind.TIFF, FileKind.PNG, pictures.tiff, 0),
    (FileKind.BMP, FileKind.PNG, pictures.bmp, 0),
    (FileKind.HEIC, FileKind.JPEG, pictures.heic, 4),
]


@pytest.mark.parametrize(("kind", "result", "build", "tolerance"), BUILDERS)
def test_nothing_but_the_pixels_survives(
    kind: FileKind, result: FileKind, build: Builder, tolerance: float
) -> None:
    plant = Planting()
    original = build(plant)
    plant.assert_all_in(original)

    became, cleaned = clean(original, kind)

    plant.assert_none_in(cleaned)
    assert became is result
    size = (128, 96) if kind is FileKind.HEIC else (96, 64)
    picture = pictures.reopened(cleaned)
    assert picture.format == result.value.upper()
    assert pictures.difference(picture, pictures.scene(size=size)) <= tolerance
    assert not picture.getexif()
    assert set(picture.info) <= {
        *("jfif", "jfif_version", "jfif_unit", "jfif_density"),  # the same for every picture
        *("loop", "background", "timestamp", "duration"),  # what Pillow says of any WEBP
    }


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_as_its_camera_said(orientation: int) -> None:
    block = Image.Exif()
    block[0x112] = orientation
    buffer = BytesIO()
    pictures.scene().save(buffer, "PNG", exif=block)
    undone = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    expected = pictures.scene()
    if orientation in undone:
        expected = expected.transpose(undone[orientation])
    for kind, fmt in ((FileKind.PNG, "PNG"), (FileKind.TIFF, "TIFF"), (FileKind.JPEG, "JPEG")):
        buffer = BytesIO()
        pictures.scene().save(buffer, fmt, exif=block)
        picture = pictures.reopened(clean(buffer.getvalue(), kind)[1])
        assert pictures.difference(picture, expected) < 3


def test_a_picture_inside_a_document_is_not_turned() -> None:
    original = pictures.jpeg(Planting(), orientation=6)
    turned = pictures.reopened(images.clean(original, FileKind.JPEG)[1])
    kept = pictures.reopened(images.clean(original, FileKind.JPEG, upright=False)[1])
    assert (turned.size, kept.size) == ((64, 96), (96, 64))


def test_a_wide_profile_is_converted_and_not_just_dropped() -> None:
    """The same numbers mean stronger colours in a wide space: grey-looking faces without this."""
    swapped = bytearray(pictures.profile(Planting(), "swapped"))
    red = swapped.index(b"rXYZ")
    green = swapped.index(b"gXYZ")
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    buffer = BytesIO()
    Image.new("RGB", (8, 8), (250, 0, 0)).save(buffer, "PNG", icc_profile=bytes(swapped))
    picture = pictures.reopened(clean(buffer.getvalue(), FileKind.PNG)[1])
    red_part, green_part, _ = picture.convert("RGB").getpixel((4, 4))  # type: ignore[misc]
    assert red_part < 80
    assert green_part > 200


def test_colours_under_full_transparency_are_gone() -> None:
    secret = pictures.scene("RGBA")
    secret.putalpha(0)
    secret.putpixel((3, 3), (1, 2, 3, 255))
    buffer = BytesIO()
    secret.save(buffer, "PNG")
    picture = pictures.reopened(clean(buffer.getvalue(), FileKind.PNG)[1])
    assert picture.getpixel((50, 50)) == (0, 0, 0, 0)
    assert picture.getpixel((3, 3)) == (1, 2, 3, 255)


@pytest.mark.parametrize("kind", [FileKind.GIF, FileKind.PNG, FileKind.WEBP])
def test_moving_pictures_keep_their_frames_and_times(kind: FileKind) -> None:
    frames = [pictures.scene().rotate(90 * number) for number in range(3)]
    buffer = BytesIO()
    frames[0].save(
        buffer,
        kind.value.upper(),
        save_all=True,
        append_images=frames[1:],
        duration=[50, 60, 70],
        loop=2,
    )
    became, cleaned = clean(buffer.getvalue(), kind)
    picture = Image.open(BytesIO(cleaned))
    assert became is kind
    assert getattr(picture, "n_frames", 1) == 3
    for number, frame in enumerate(frames):
        picture.seek(number)
        picture.load()
        assert picture.info["duration"] == 50 + 10 * number
        assert pictures.difference(picture, frame) < 12
    assert picture.info["loop"] == 2


def test_a_moving_gif_loses_its_comments() -> None:
    plant = Planting()
    original = pictures.gif(plant, frames=3)
    plant.assert_all_in(original)
    kind, cleaned = clean(original, FileKind.GIF)
    plant.assert_none_in(cleaned)
    assert kind is FileKind.GIF


def test_a_tiff_of_several_pages_becomes_a_pdf_of_as_many() -> None:
    plant = Planting()
    original = pictures.tiff(plant, pages=3)
    plant.assert_all_in(original)
    kind, cleaned = clean(original, FileKind.TIFF)
    plant.assert_none_in(cleaned)
    assert kind is FileKind.PDF
    with pikepdf.open(BytesIO(cleaned)) as pdf:
        assert len(pdf.pages) == 3
        for number, page in enumerate(pdf.pages):
            image = page.Resources.XObject.P
            assert isinstance(image, pikepdf.Stream)
            shown = pikepdf.PdfImage(image).as_pil_image()
            assert pictures.difference(shown, pictures.scene().rotate(90 * number)) == 0
        assert "/Info" not in pdf.trailer


def test_the_thumbnail_of_a_tiff_is_no_page() -> None:
    plant = Planting()
    original = pictures.tiff_with_thumbnail(plant)
    plant.assert_all_in(original)
    kind, cleaned = clean(original, FileKind.TIFF)
    plant.assert_none_in(cleaned)
    assert kind is FileKind.PNG
    assert pictures.difference(pictures.reopened(cleaned), pictures.scene()) == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16"])
def test_every_usual_kind_of_sample_is_kept(mode: str) -> None:
    original = Image.new(mode, (8, 8)) if mode == "I;16" else pictures.scene().convert(mode)
    buffer = BytesIO()
    original.save(buffer, "TIFF")
    _, cleaned = clean(buffer.getvalue(), FileKind.TIFF)
    if mode != "I;16":
        assert pictures.difference(pictures.reopened(cleaned), original.convert("RGB")) < 2


def test_equal_pixels_give_equal_bytes() -> None:
    buffers = [BytesIO(), BytesIO()]
    pictures.scene().save(buffers[0], "PNG", compress_level=1)
    pictures.scene().save(buffers[1], "PNG", compress_level=9, dpi=(300, 300))
    one, other = (clean(buffer.getvalue(), FileKind.PNG) for buffer in buffers)
    assert buffers[0].getvalue() != buffers[1].getvalue()
    assert one == other


def png_header(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = pictures.chunk(b"IDAT", zlib.compress(bytes(4096)))
    end = pictures.chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + pictures.chunk(b"IHDR", header) + rows + end


@pytest.mark.parametrize("size", [(12_000, 12_000), (60_000, 60_000), (70_000, 10), (10, 70_000)])
def test_a_pixel_bomb_is_too_large(size: tuple[int, int]) -> None:
    with pytest.raises(Failed) as failed:
        clean(png_header(*size), FileKind.PNG)
    assert failed.value.reason is Failure.TOO_LARGE


def test_many_small_pages_are_one_large_picture() -> None:
    buffer = BytesIO()
    page = Image.new("1", (9_000, 9_000))
    page.save(buffer, "TIFF", save_all=True, append_images=[page], compression="group4")
    with pytest.raises(Failed) as failed:
        clean(buffer.getvalue(), FileKind.TIFF)
    assert failed.value.reason is Failure.TOO_LARGE


@pytest.mark.parametrize(("kind", "build"), [(kind, build) for kind, _, build, _ in BUILDERS])
def test_half_a_picture_is_damaged(kind: FileKind, build: Builder) -> None:
    whole = build(Planting())
    with pytest.raises(Failed) as failed:
        clean(whole[: len(whole) // 8], kind)
    assert failed.value.reason is Failure.DAMAGED


def test_a_picture_of_another_kind_is_damaged() -> None:
    with pytest.raises(Failed) as failed:
        clean(pictures.bmp(Planting()), FileKind.PNG)
    assert failed.value.reason is Failure.DAMAGED


def test_a_cameras_raw_image_is_not_mistaken_for_its_preview() -> None:
    block = Image.Exif()
    block[50706] = b"\x01\x04\x00\x00"
    buffer = BytesIO()
    pictures.scene().save(buffer, "TIFF", exif=block)
    with pytest.raises(Failed) as failed:
        clean(buffer.getvalue(), FileKind.TIFF)
    assert failed.value.reason is Failure.UNSUPPORTED


def test_grey_of_sixteen_bits_keeps_them() -> None:
    for fmt, kind in (("PNG", FileKind.PNG), ("TIFF", FileKind.TIFF)):
        buffer = BytesIO()
        Image.new("I;16", (4, 4), 3_003).save(buffer, fmt)
        picture = pictures.reopened(clean(buffer.getvalue(), kind)[1])
        assert (picture.mode, picture.getpixel((1, 1))) == ("I;16", 3_003)


def test_a_picture_that_a_moving_png_never_shows_is_gone() -> None:
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "green", "blue")]
    buffer = BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:], default_image=True)
    picture = Image.open(BytesIO(clean(buffer.getvalue(), FileKind.PNG)[1]))
    assert picture.convert("RGB").getpixel((0, 0)) == (0, 128, 0)
    assert getattr(picture, "n_frames", 1) == 2
    assert not getattr(picture, "default_image", False)


def test_a_pixel_bomb_on_a_later_page_is_too_large() -> None:
    buffer = BytesIO()
    large = Image.new("1", (11_000, 11_000))
    Image.new("1", (8, 8)).save(
        buffer, "TIFF", save_all=True, append_images=[large], compression="group4"
    )
    with pytest.raises(Failed) as failed:
        clean(buffer.getvalue(), FileKind.TIFF)
    assert failed.value.reason is Failure.TOO_LARGE
