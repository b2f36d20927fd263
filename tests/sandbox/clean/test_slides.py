"""PowerPoint: slides, notes and comments stay; people, films, embedded and deleted things go."""

import zipfile
from io import BytesIO

import pytest

from sandbox.clean import clean
from sandbox.clean.markup import Element, find, parse
from sandbox.contract import FileKind
from tests.sandbox.clean import office_files
from tests.sandbox.clean.planting import Planting


@pytest.fixture(scope="module")
def plant() -> Planting:
    return Planting()


@pytest.fixture(scope="module")
def original(plant: Planting) -> bytes:
    return office_files.pptx(plant)


@pytest.fixture(scope="module")
def cleaned(original: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(BytesIO(clean(original, FileKind.PPTX)[1]))


def all_of(root: Element, called: str) -> list[Element]:
    return find(root, frozenset({called}))


def texts(part: bytes) -> list[str]:
    return [t.text or "" for t in find(parse(part), frozenset({"a:t", "p:text"}))]


def test_no_trace_survives(original: bytes, plant: Planting) -> None:
    plant.assert_all_in(original)
    plant.assert_none_in(clean(original, FileKind.PPTX)[1])


def test_slides_notes_and_comments_stay(cleaned: zipfile.ZipFile) -> None:
    assert {
        name: texts(cleaned.read(name))
        for name in cleaned.namelist()
        if name.startswith("ppt/") and name.endswith(".xml") and texts(cleaned.read(name))
    } == {
        "ppt/slides/slide1.xml": ["Anggaran desa"],
        "ppt/notesSlides/notesSlide1.xml": ["Catatan pembicara"],
        "ppt/comments/comment1.xml": ["Komentar lama"],
        "ppt/comments/modernComment1.xml": ["Jawaban", "Komentar baru"],
    }
    assert "ppt/slideMasters/slideMaster1.xml" in cleaned.namelist()
    assert "ppt/slideLayouts/slideLayout1.xml" in cleaned.namelist()


def test_films_and_embedded_files_leave_their_picture(cleaned: zipfile.ZipFile) -> None:
    slide = parse(cleaned.read("ppt/slides/slide1.xml"))
    assert len(all_of(slide, "p:pic")) == 2
    assert all_of(slide, "p:graphicFrame") == []
    assert all_of(slide, "p:timing") == []
    assert {name for name in cleaned.namelist() if "/media/" in name} == {"ppt/media/image1.jpeg"}


def test_links_lead_to_the_web_and_to_slides_only(cleaned: zipfile.ZipFile) -> None:
    slide = parse(cleaned.read("ppt/slides/slide1.xml"))
    assert [link.get("action", "") for link in all_of(slide, "a:hlinkClick")] == [
        "",
        "ppaction://hlinkshowjump?jump=nextslide",
    ]
    relations = cleaned.read("ppt/slides/_rels/slide1.xml.rels")
    assert b"https://contoh.example/aturan" in relations


def test_authors_of_comments_are_nobody(cleaned: zipfile.ZipFile) -> None:
    (old,) = all_of(parse(cleaned.read("ppt/commentAuthors.xml")), "p:cmAuthor")
    assert (old.get("name"), old.get("initials")) == ("-", "-")
    (new,) = all_of(parse(cleaned.read("ppt/authors.xml")), "p188:author")
    assert (new.get("name"), new.get("providerId")) == ("-", "None")
