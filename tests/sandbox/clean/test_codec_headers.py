"""Notes of encoders in codec headers are blank afterwards, and nothing around them moves."""

import struct

import pytest

from sandbox.clean.codec_headers import blanked
from sandbox.contract import FileKind
from tests.sandbox.clean.planting import Planting

CLUSTER = b"\x1f\x43\xb6\x75"


def comments(plant: Planting, magic: bytes) -> bytes:
    texts = [plant.raw(f"{name} of {magic!r}") for name in ("vendor", "artist", "place")]
    packed = [struct.pack("<I", len(text)) + text for text in texts]
    return magic + packed[0] + struct.pack("<I", 2) + packed[1] + packed[2] + b"\x01"


@pytest.mark.parametrize("magic", [b"\x03vorbis", b"\x81theora"])
def test_comments_in_the_headers_of_matroska_become_spaces(magic: bytes) -> None:
    plant = Planting()
    before, after = b"\x1aE\xdf\xa3 header", b" more" + CLUSTER + magic + b"\x05\x00\x00\x00coded"
    data = before + comments(plant, magic) + after
    plant.assert_all_in(data)
    cleaned = blanked(data, FileKind.WEBM)
    plant.assert_none_in(cleaned)
    assert len(cleaned) == len(data)
    assert cleaned.startswith(before + magic)
    assert cleaned.endswith(b"\x01" + after)


def test_lengths_that_lie_do_no_harm() -> None:
    for tail in (b"", b"\xff", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00\xff\xff\xff\xff\x01"):
        data = b"\x03vorbis" + tail
        assert len(blanked(data, FileKind.MKV)) == len(data)
        header = b"\x63\xa2\x88\x01" + tail
        assert blanked(header, FileKind.MKV) == header


def hevc_header(plant: Planting) -> bytes:
    def unit(kind: int, payload: bytes) -> bytes:
        return bytes((kind, 0, 1)) + struct.pack(">H", len(payload)) + payload

    note = plant.raw("supplemental information")
    parameters = unit(33, b"\x42\x01parameters")
    information = unit(39, b"\x4e\x01\x05" + bytes((len(note),)) + note + b"\x80")
    return b"\x01" + bytes(21) + b"\x02" + parameters + information


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def in_boxes(header: bytes) -> bytes:
    content = box(b"hvc1", bytes(78) + box(b"hvcC", header))
    content = box(b"stsd", bytes(8) + content)
    for kind in (b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        content = box(kind, content)
    return box(b"mdat", b"hvcC") + content


def test_supplemental_information_in_headers_of_hevc_becomes_blank() -> None:
    plant = Planting()
    header = hevc_header(plant)
    files = {
        FileKind.MP4: in_boxes(header),
        FileKind.MKV: b"\x63\xa2" + struct.pack(">H", 0x4000 | len(header)) + header + CLUSTER,
    }
    for kind, data in files.items():
        plant.assert_all_in(data)
        cleaned = blanked(data, kind)
        plant.assert_none_in(cleaned)
        assert len(cleaned) == len(data)
        assert b"\x42\x01parameters" in cleaned
        changed = [at for at in range(len(data)) if data[at] != cleaned[at]]
        assert len(changed) == len(plant("supplemental information"))


def test_other_kinds_stay_as_they_are() -> None:
    data = b"\x03vorbis\x01\x00\x00\x00x"
    assert blanked(data, FileKind.OGG) == data
