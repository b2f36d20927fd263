"""Pictures inside documents are stripped without being decoded: not a pixel changes."""

import struct
from io import BytesIO

import pytest

from sandbox.clean import jpeg, jpeg2000
from sandbox.contract import Failed, Failure
from tests.sandbox.clean import pictures
from tests.sandbox.clean.planting import Planting


def test_a_jpeg_loses_its_traces_and_no_pixel() -> None:
    plant = Planting()
    original = pictures.jpeg(plant)
    plant.assert_all_in(original)
    stripped = jpeg.strip(original)
    plant.assert_none_in(stripped)
    assert pictures.reopened(stripped).tobytes() == pictures.reopened(original).tobytes()
    assert jpeg.strip(stripped) == stripped


@pytest.mark.parametrize(("mode", "options"), [
    ("CMYK", {}), ("L", {}), ("RGB", {"progressive": True}), ("RGB", {"restart_marker_rows": 1}),
    ("RGB", {"keep_rgb": True, "subsampling": 0}),
])  # fmt: skip
def test_colours_are_understood_as_before(mode: str, options: dict[str, object]) -> None:
    buffer = BytesIO()
    pictures.scene(mode).save(buffer, "JPEG", **options)
    before = pictures.reopened(buffer.getvalue())
    after = pictures.reopened(jpeg.strip(buffer.getvalue()))
    assert (after.mode, after.tobytes()) == (before.mode, before.tobytes())


def test_pictures_cut_off_in_their_pixels_are_kept_as_far_as_they_go() -> None:
    buffer = BytesIO()
    pictures.scene().save(buffer, "JPEG")
    half = buffer.getvalue()[: -len(buffer.getvalue()) // 4]
    assert jpeg.strip(half).endswith(half[-20:] + b"\xff\xd9")


BROKEN = (
    *(b"", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xe0\x00"),
    *(b"\xff\xd8\xff\xe0\x00\x01", b"\xff\xd8\xff\xff\x00"),
)


@pytest.mark.parametrize("data", BROKEN)
def test_what_is_no_jpeg_is_damaged(data: bytes) -> None:
    with pytest.raises(Failed) as failed:
        jpeg.strip(data)
    assert failed.value.reason is Failure.DAMAGED


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def jp2(plant: Planting) -> bytes:
    buffer = BytesIO()
    pictures.scene().save(buffer, "JPEG2000", comment=plant("jp2 codestream comment"))
    extra = box(b"xml ", plant.raw("jp2 XML")) + box(b"uuid", bytes(16) + plant.raw("jp2 UUID"))
    plain = buffer.getvalue()
    header = plain.index(b"jp2h") - 4
    (size,) = struct.unpack_from(">I", plain, header)
    inside = plain[header + 8 : header + size] + box(b"what", plant.raw("jp2 unknown header"))
    return plain[:header] + box(b"jp2h", inside) + plain[header + size :] + extra


def test_a_jpeg_2000_loses_its_traces_and_no_pixel() -> None:
    plant = Planting()
    original = jp2(plant)
    plant.assert_all_in(original)
    stripped = jpeg2000.strip(original)
    plant.assert_none_in(stripped)
    assert pictures.reopened(stripped).tobytes() == pictures.reopened(original).tobytes()


def test_a_bare_codestream_is_stripped_too() -> None:
    plant = Planting()
    original = jp2(plant)
    bare = original[original.index(b"\xff\x4f\xff\x51") : original.index(b"xml ") - 4]
    stripped = jpeg2000.strip(bare + plant.raw("after the codestream"))
    plant.assert_none_in(stripped)
    assert pictures.reopened(stripped).tobytes() == pictures.reopened(bare).tobytes()


BROKEN_2000 = (
    *(b"", b"\xff\x4f\xff\x51", b"\xff\x4f\xff\x51\x00\x01\xff\x90"),
    b"\x00\x00\x00\x0cjP  \r\n\x87\n\xff\xff\xff\xffjp2h",
)


@pytest.mark.parametrize("data", BROKEN_2000)
def test_what_is_no_jpeg_2000_is_damaged(data: bytes) -> None:
    with pytest.raises(Failed) as failed:
        jpeg2000.strip(data)
    assert failed.value.reason is Failure.DAMAGED
