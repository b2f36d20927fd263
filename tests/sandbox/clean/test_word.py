"""Word: the text as accepted stays, with its notes and comments; everything about people goes."""

import zipfile
from io import BytesIO

import pytest
from lxml import etree

from sandbox.archive import Archive, pack
from sandbox.clean import clean
from sandbox.clean.markup import Element, find, name, parse
from sandbox.clean.word_changes import accept_changes
from sandbox.clean.word_fields import flatten_fields
from sandbox.contract import FileKind
from tests.sandbox.clean import office_files, pictures
from tests.sandbox.clean.planting import Planting


@pytest.fixture(scope="module")
def plant() -> Planting:
    return Planting()


@pytest.fixture(scope="module")
def original(plant: Planting) -> bytes:
    return office_files.docx(plant)


@pytest.fixture(scope="module")
def cleaned(original: bytes) -> zipfile.ZipFile:
    kind, data = clean(original, FileKind.DOCX)
    assert kind is FileKind.DOCX
    return zipfile.ZipFile(BytesIO(data))


def texts(root: Element, around: str = "w:p") -> list[str]:
    found = find(root, frozenset({around}))
    return ["".join(t.text or "" for t in find(p, frozenset({"w:t"}))) for p in found]


def test_no_trace_survives(original: bytes, plant: Planting) -> None:
    plant.assert_all_in(original)
    plant.assert_none_in(clean(original, FileKind.DOCX)[1])


def test_the_strict_edition_of_the_format_is_cleaned_alike(
    original: bytes, plant: Planting
) -> None:
    read = Archive(original)
    strict = pack((name, office_files.strict(read.read(name))) for name in read.names)
    plant.assert_all_in(strict)
    cleaned = clean(strict, FileKind.DOCX)[1]
    plant.assert_none_in(cleaned)
    document = parse(Archive(cleaned).read("word/document.xml"))
    assert texts(document)[:2] == ["Laporan anggaran", "Jalan rusak diperbaiki."]


def test_only_known_parts_come_along_under_plain_names(cleaned: zipfile.ZipFile) -> None:
    assert sorted(cleaned.namelist()) == [
        *("[Content_Types].xml", "_rels/.rels", "word/_rels/document.xml.rels"),
        *("word/comments.xml", "word/document.xml", "word/fontTable.xml", "word/footnotes.xml"),
        *("word/header1.xml", "word/media/image1.jpeg", "word/media/image2.png"),
        *("word/numbering.xml", "word/settings.xml", "word/styles.xml"),
    ]
    assert {info.date_time for info in cleaned.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert not any(info.extra or info.comment for info in cleaned.infolist())
    types = cleaned.read("[Content_Types].xml")
    assert b"wordprocessingml.document.main+xml" in types
    assert b"macro" not in types


def test_the_text_is_the_one_with_all_changes_accepted(cleaned: zipfile.ZipFile) -> None:
    assert texts(parse(cleaned.read("word/document.xml"))) == [
        "Laporan anggaran",
        "Jalan rusak diperbaiki.",
        "Kalimat yang dipindah.",
        "Awal paragraf lama",
        "Lihat aturan di sini dan di sana.",
        "Halaman 3",
        "Penulis: Nama Terlihat",
        "Sel pertama",
        "Cerdas",
        "",
        "",
        "",
        "Kustom",
        "Isian",
    ]
    assert texts(parse(cleaned.read("word/header1.xml"))) == ["Kepala surat"]


def test_notes_and_comments_stay_without_authors(cleaned: zipfile.ZipFile) -> None:
    notes = parse(cleaned.read("word/footnotes.xml"))
    assert texts(notes, "w:footnote") == ["", "Catatan kaki"]
    comments = parse(cleaned.read("word/comments.xml"))
    assert texts(comments) == ["Mohon diperiksa"]
    (comment,) = find(comments, frozenset({"w:comment"}))
    assert sorted(map(str, comment.attrib.values())) == ["-", "5"]


def test_harmless_links_and_fields_live_on(cleaned: zipfile.ZipFile) -> None:
    relations = cleaned.read("word/_rels/document.xml.rels").decode()
    assert "https://contoh.example/aturan" in relations
    assert "file:" not in relations
    codes = find(parse(cleaned.read("word/document.xml")), frozenset({"w:instrText"}))
    assert [code.text for code in codes] == ["PAGE"]


def test_pictures_are_clean_or_visibly_missing(cleaned: zipfile.ZipFile) -> None:
    shown = pictures.reopened(cleaned.read("word/media/image1.jpeg"))
    assert pictures.difference(shown, pictures.scene()) < 3
    missing = pictures.reopened(cleaned.read("word/media/image2.png"))
    assert len(missing.getcolors() or []) == 2


def test_a_description_for_the_blind_stays(cleaned: zipfile.ZipFile) -> None:
    assert 'descr="Bagan anggaran"' in cleaned.read("word/document.xml").decode()


def test_settings_that_move_text_stay(cleaned: zipfile.ZipFile) -> None:
    settings = parse(cleaned.read("word/settings.xml"))
    assert [name(setting) for setting in settings] == ["w:defaultTabStop"]


def run(text: str) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>"


def mark(kind: str) -> str:
    return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'


def field(code: str, shown: str = run("hasil")) -> str:
    instruction = f"<w:r><w:instrText>{code}</w:instrText></w:r>"
    return f"{mark('begin')}{instruction}{mark('separate')}{shown}{mark('end')}"


FIELDS = {
    field("AUTHOR"): "hasil",
    field(" INCLUDEPICTURE C:\\x "): "hasil",
    field('HYPERLINK "C:\\Users\\x.docx"'): "hasil",
    field('HYPERLINK "https://a.example"'): '[HYPERLINK "https://a.example"]hasil',
    field("HYPERLINK \\l bab2"): "[HYPERLINK \\l bab2]hasil",
    field("TOC") + field("PAGEREF x"): "[TOC]hasil[PAGEREF x]hasil",
    field("TOC", run("a") + field("FILENAME") + run("b")): "[TOC]ahasilb",
    field("AUTHOR", run("a") + field("PAGE") + run("b")): "a[PAGE]hasilb",
    f'<w:fldSimple w:instr="FILENAME">{run("nama")}</w:fldSimple>': "nama",
    mark("begin") + "<w:r><w:instrText>AUTHOR</w:instrText></w:r>": "",
    mark("begin")
    + "<w:r><w:instrText>IF </w:instrText></w:r>"
    + field("MERGEFIELD x", run("rahasia"))
    + mark("separate")
    + run("ya")
    + mark("end"): "ya",
}


@pytest.mark.parametrize("code", FIELDS)
def test_fields_that_tell_of_somebody_become_the_text_that_was_seen(code: str) -> None:
    root = parse(f"<w:p {office_files.SPACES}>{code}</w:p>".encode())
    flatten_fields(root)
    left = find(root, frozenset({"w:t", "w:instrText"}))
    shown = "".join(f"[{e.text}]" if name(e) == "w:instrText" else e.text or "" for e in left)
    assert shown == FIELDS[code]


GONE = "<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr>"
CHANGES = {
    f"<w:p><w:pPr><w:rPr><w:ins/></w:rPr></w:pPr>{run('a')}</w:p>": ["a"],
    f"{GONE}<w:del>{run('a')}</w:del></w:p><w:p><w:pPr/>{run('b')}</w:p>": ["b"],
    f"{GONE}{run('a')}</w:p><w:p><w:pPr/>{run('b')}</w:p>": ["ab"],
    f"{GONE}{run('a')}</w:p><w:sectPr/>": ["a"],
    f"<w:p><w:ins><w:del>{run('a')}</w:del>{run('b')}</w:ins></w:p>": ["b"],
    f"<w:p><m:r><w:rPr><w:del/></w:rPr>{run('a')}</m:r>{run('b')}</w:p>": ["b"],
    "<w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc><w:p/></w:tc></w:tr></w:tbl><w:p/>": [""],
    f"<w:tc><w:tcPr><w:cellDel/></w:tcPr><w:p/></w:tc><w:tc><w:p>{run('b')}</w:p></w:tc>": ["b"],
}


@pytest.mark.parametrize("body", CHANGES)
def test_changes_are_accepted(body: str) -> None:
    math = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    root = parse(f"<w:body {math} {office_files.SPACES}>{body}</w:body>".encode())
    accept_changes(root)
    assert texts(root) == CHANGES[body]
    assert b":del" not in etree.tostring(root)
    assert b":ins" not in etree.tostring(root)
