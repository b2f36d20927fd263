"""What a file is depends on its bytes; its name decides only where the bytes cannot."""

import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.archive import pack
from sandbox.contract import PACKAGES, Failed, Failure, FileKind
from sandbox.kinds import EXTENSIONS, HEAD, MEDIA_TYPES, kind_of, package_kind
from tests.sandbox.clean import documents, office_files, open_files, pictures
from tests.sandbox.clean.planting import Planting

MP3_FRAME = b"\xff\xfb\x90\x00" + bytes(413)


def ftyp(brand: bytes, *compatible: bytes) -> bytes:
    content = brand + bytes(4) + b"".join(compatible)
    return (len(content) + 8).to_bytes(4, "big") + b"ftyp" + content


def ebml(doctype: bytes) -> bytes:
    return b"\x1aE\xdf\xa3\x93\x42\x86\x81\x01\x42\x82" + bytes((0x80 | len(doctype),)) + doctype


HEADS: dict[bytes, FileKind] = {
    b"\xff\xd8\xff\xe1": FileKind.JPEG,
    b"\x89PNG\r\n\x1a\n": FileKind.PNG,
    b"GIF89a": FileKind.GIF,
    b"RIFF\x00\x00\x00\x00WEBPVP8 ": FileKind.WEBP,
    b"II*\x00\x08\x00\x00\x00": FileKind.TIFF,
    b"MM\x00*\x00\x00\x00\x08": FileKind.TIFF,
    b"BM" + bytes(12) + b"\x28\x00\x00\x00": FileKind.BMP,
    ftyp(b"heic", b"mif1"): FileKind.HEIC,
    ftyp(b"mif1", b"heic"): FileKind.HEIC,
    b"%PDF-1.7\n": FileKind.PDF,
    b"\x00\x01rubbish\n%PDF-1.4\n": FileKind.PDF,
    ftyp(b"isom", b"mp41"): FileKind.MP4,
    ftyp(b"3gp5"): FileKind.MP4,
    ftyp(b"qt  "): FileKind.MOV,
    b"\x00\x00\x10\x00moov": FileKind.MOV,
    ftyp(b"M4A "): FileKind.M4A,
    ebml(b"webm"): FileKind.WEBM,
    ebml(b"matroska"): FileKind.MKV,
    b"ID3\x04\x00\x00": FileKind.MP3,
    MP3_FRAME * 2: FileKind.MP3,
    b"OggS\x00\x02": FileKind.OGG,
    b"RIFF\x00\x00\x00\x00WAVEfmt ": FileKind.WAV,
    b"fLaC\x00": FileKind.FLAC,
    b"#!AMR\n\x3c": FileKind.AMR,
    "Laporan é\r\n\tdua".encode(): FileKind.TEXT,
    "Laporan".encode("utf-16"): FileKind.TEXT,
    "Café, harga 5 €".encode("cp1252"): FileKind.TEXT,
    ("a" * (HEAD - 1) + "é").encode(): FileKind.TEXT,
}
OTHERS = (
    b"",
    b"\x00" * 64,
    b"MZ\x90\x00",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"PK\x03\x04\x14\x00",
    b"BM is not a picture\x00",
    b"\xff\xfb\x90\x00 one frame alone",
    ftyp(b"avif", b"mif1"),
    ftyp(b"mif1", b"avif"),
    b"II*\x00\x10\x00\x00\x00CR\x02\x00",
    b"RIFF\x00\x00\x00\x00AVI LIST",
    bytes(range(128, 256)),
    b"{\\rtf1 {\\info{\\author x}}}",
    b"<!DOCTYPE html><p>x",
    b'<?xml version="1.0"?><svg/>',
    b"%!PS-Adobe-3.0",
    b"From: a\nMIME-Version: 1.0\n",
    b"note\nbegin 644 x.jpg\n",
    b"BEGIN:VCARD\n",
)


@pytest.mark.parametrize("head", HEADS, ids=lambda head: HEADS[head].value)
def test_the_first_bytes_tell(head: bytes) -> None:
    assert kind_of(head + bytes(0)) is HEADS[head]
    assert kind_of(head, "salah.docx") is HEADS[head]


@pytest.mark.parametrize("head", OTHERS)
def test_everything_else_is_other(head: bytes) -> None:
    assert kind_of(head, "foto.jpg") is FileKind.OTHER


BUILDERS: dict[FileKind, Callable[[Planting], bytes]] = {
    FileKind.JPEG: pictures.jpeg,
    FileKind.PNG: pictures.png,
    FileKind.GIF: pictures.gif,
    FileKind.WEBP: pictures.webp,
    FileKind.TIFF: pictures.tiff,
    FileKind.BMP: pictures.bmp,
    FileKind.HEIC: pictures.heic,
    FileKind.PDF: documents.pdf_full_of_traces,
}


@pytest.mark.parametrize("kind", BUILDERS)
def test_real_files_are_known(kind: FileKind) -> None:
    assert kind_of(BUILDERS[kind](Planting())[:HEAD]) is kind


TEXTS = {"a.CSV": FileKind.CSV, "a.tsv": FileKind.CSV, "a.txt": FileKind.TEXT, "": FileKind.TEXT}


@pytest.mark.parametrize(("name", "kind"), TEXTS.items())
def test_a_table_is_a_text_that_is_called_one(name: str, kind: FileKind) -> None:
    assert kind_of(b"a;b\n1;2\n", name) is kind
    assert kind_of(b"\x00\x01", name) is FileKind.OTHER


CALLED = {
    "a.docx": FileKind.DOCX,
    "a.XLSM": FileKind.XLSX,
    "a.ppsx": FileKind.PPTX,
    "a.odt": FileKind.ODT,
    "a.zip": FileKind.OTHER,
    "": FileKind.OTHER,
}


@pytest.mark.parametrize(("name", "kind"), CALLED.items())
def test_of_a_package_the_portal_knows_what_its_name_says(name: str, kind: FileKind) -> None:
    assert kind_of(b"PK\x03\x04\x14\x00", name) is kind


def test_inside_a_package_its_main_part_tells() -> None:
    plant = Planting()
    packages = {
        FileKind.DOCX: office_files.docx(plant),
        FileKind.XLSX: office_files.xlsx(plant),
        FileKind.PPTX: office_files.pptx(plant),
        **{
            kind: open_files.document(kind, plant)
            for kind in (FileKind.ODT, FileKind.ODS, FileKind.ODP)
        },
    }
    assert set(packages) == PACKAGES
    assert {kind: package_kind(data) for kind, data in packages.items()} == {
        kind: kind for kind in packages
    }


@pytest.mark.parametrize(
    "members",
    [
        [("a.txt", b"x")],
        [("mimetype", b"application/epub+zip")],
        [("[Content_Types].xml", b"ms-excel.sheet.binary.macroEnabled.main")],
        [
            (
                "[Content_Types].xml",
                b"spreadsheetml.sheet.main+xml presentationml.slideshow.main+xml",
            )
        ],
    ],
)
def test_other_archives_are_other(members: list[tuple[str, bytes]]) -> None:
    assert package_kind(pack(members)) is FileKind.OTHER


def test_what_is_no_archive_fails() -> None:
    with pytest.raises(Failed) as failed:
        package_kind(b"PK\x03\x04")
    assert failed.value.reason is Failure.DAMAGED


def test_every_kind_has_a_media_type_and_an_ending() -> None:
    assert set(MEDIA_TYPES) == set(EXTENSIONS) == set(FileKind)
    assert len(set(EXTENSIONS.values())) == len(FileKind)


def test_kinds_need_no_library_of_others() -> None:
    """The portal looks at first bytes, too, and must not load what parses hostile files."""
    code = (
        "import sys; import sandbox.kinds;"
        "print([m for m in ('PIL', 'lxml', 'pikepdf', 'pillow_heif') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


@given(st.binary(max_size=200), st.sampled_from(["", "a.csv", "a.docx", ".", "é"]))
def test_looking_never_fails(head: bytes, name: str) -> None:
    assert kind_of(head, name) in FileKind
