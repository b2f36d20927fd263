"""OpenDocument: what readers see stays, in all three kinds; people, paths and former states go."""

import zipfile
from io import BytesIO

import pytest

from sandbox.archive import pack
from sandbox.clean import clean
from sandbox.clean.markup import Element, find, parse
from sandbox.contract import Failed, Failure, FileKind
from sandbox.kinds import MEDIA_TYPES
from tests.sandbox.clean import open_files, pictures
from tests.sandbox.clean.planting import Planting

KINDS = (FileKind.ODT, FileKind.ODS, FileKind.ODP)


@pytest.fixture(scope="module")
def plants() -> dict[FileKind, Planting]:
    return {kind: Planting() for kind in KINDS}


@pytest.fixture(scope="module")
def originals(plants: dict[FileKind, Planting]) -> dict[FileKind, bytes]:
    return {kind: open_files.document(kind, plants[kind]) for kind in KINDS}


@pytest.fixture(scope="module")
def cleaned(originals: dict[FileKind, bytes]) -> dict[FileKind, zipfile.ZipFile]:
    return {
        kind: zipfile.ZipFile(BytesIO(clean(original, kind)[1]))
        for kind, original in originals.items()
    }


def all_of(root: Element, *called: str) -> list[Element]:
    return find(root, frozenset(called))


def texts(archive: zipfile.ZipFile, part: str = "content.xml") -> list[str]:
    paragraphs = all_of(parse(archive.read(part)), "text:p")
    return ["".join(map(str, p.itertext())) for p in paragraphs]


@pytest.mark.parametrize("kind", KINDS)
def test_no_trace_survives(
    kind: FileKind, originals: dict[FileKind, bytes], plants: dict[FileKind, Planting]
) -> None:
    plants[kind].assert_all_in(originals[kind])
    plants[kind].assert_none_in(clean(originals[kind], kind)[1])


@pytest.mark.parametrize("kind", KINDS)
def test_the_package_is_one_and_lists_its_members(
    kind: FileKind, cleaned: dict[FileKind, zipfile.ZipFile]
) -> None:
    infos = cleaned[kind].infolist()
    assert (infos[0].filename, infos[0].compress_type) == ("mimetype", zipfile.ZIP_STORED)
    assert cleaned[kind].read("mimetype").decode() == MEDIA_TYPES[kind]
    manifest = parse(cleaned[kind].read("META-INF/manifest.xml"))
    listed = {str(entry.values()[0]) for entry in all_of(manifest, "manifest:file-entry")}
    members = {info.filename for info in infos} - {"mimetype", "META-INF/manifest.xml"}
    assert {name for name in listed if not name.endswith("/")} == members
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}


def test_a_text_keeps_its_paragraphs_comments_and_fields(
    cleaned: dict[FileKind, zipfile.ZipFile],
) -> None:
    assert texts(cleaned[FileKind.ODT])[:5] == [
        "Laporan anggaranMohon diperiksa desa",
        "Mohon diperiksa",
        "Oleh Nama Terlihat, halaman 3",
        "Lihat aturan dan berkas.",
        "Bagian",
    ]
    content = parse(cleaned[FileKind.ODT].read("content.xml"))
    assert len(all_of(content, "text:a")) == 1
    assert len(all_of(content, "text:page-number")) == 1
    assert len(all_of(content, "form:text")) == 1
    assert [each.text for each in all_of(content, "svg:title", "svg:desc")] == ["Bagan anggaran"]
    shown = pictures.reopened(cleaned[FileKind.ODT].read("Pictures/image1.jpeg"))
    assert pictures.difference(shown, pictures.scene()) < 3


def test_a_sheet_keeps_values_inner_formulas_and_charts(
    cleaned: dict[FileKind, zipfile.ZipFile],
) -> None:
    archive = cleaned[FileKind.ODS]
    assert texts(archive) == ["30", "10", "Catatan"]
    content = parse(archive.read("content.xml"))
    formulas = [
        str(value)
        for cell in all_of(content, "table:table-cell")
        for key, value in cell.items()
        if str(key).endswith("}formula")
    ]
    assert formulas == ["of:=SUM([.B3:.B4])"]
    assert len(all_of(content, "table:named-range")) == 1
    assert texts(archive, "Object 1/content.xml") == ["Bagan"]


def test_slides_keep_texts_notes_comments_and_pictures(
    cleaned: dict[FileKind, zipfile.ZipFile],
) -> None:
    assert texts(cleaned[FileKind.ODP]) == ["Anggaran desa", "Catatan pembicara", "Komentar"]
    content = parse(cleaned[FileKind.ODP].read("content.xml"))
    assert len(all_of(content, "draw:image")) == 1
    assert all_of(content, "draw:a") == []


def test_an_encrypted_document_is_unsupported() -> None:
    secret = '<m:file-entry m:full-path="content.xml"><m:encryption-data/></m:file-entry>'
    members = {
        "mimetype": MEDIA_TYPES[FileKind.ODT].encode(),
        "META-INF/manifest.xml": open_files.manifest(FileKind.ODT, secret),
        "content.xml": b"\x01\x02",
    }
    with pytest.raises(Failed) as failed:
        clean(pack(members.items()), FileKind.ODT)
    assert failed.value.reason is Failure.UNSUPPORTED


def test_a_template_becomes_a_document() -> None:
    members = {
        "mimetype": MEDIA_TYPES[FileKind.ODT].encode() + b"-template",
        "content.xml": b"<a/>",
    }
    kind, data = clean(pack(members.items()), FileKind.ODT)
    assert kind is FileKind.ODT
    archive = zipfile.ZipFile(BytesIO(data))
    assert archive.read("mimetype").decode() == MEDIA_TYPES[FileKind.ODT]
