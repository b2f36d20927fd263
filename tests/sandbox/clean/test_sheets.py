"""Excel: cells, formulas, notes, charts and links stay; people, paths and former values go."""

import zipfile
from io import BytesIO

import pytest

from sandbox.clean import clean
from sandbox.clean.markup import Element, find, name, parse
from sandbox.contract import FileKind
from tests.sandbox.clean import office_files, pictures
from tests.sandbox.clean.planting import Planting


@pytest.fixture(scope="module")
def plant() -> Planting:
    return Planting()


@pytest.fixture(scope="module")
def original(plant: Planting) -> bytes:
    return office_files.xlsx(plant)


@pytest.fixture(scope="module")
def cleaned(original: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(BytesIO(clean(original, FileKind.XLSX)[1]))


def all_of(root: Element, called: str) -> list[Element]:
    return find(root, frozenset({called}))


def test_no_trace_survives(original: bytes, plant: Planting) -> None:
    plant.assert_all_in(original)
    plant.assert_none_in(clean(original, FileKind.XLSX)[1])


def test_only_known_parts_come_along(cleaned: zipfile.ZipFile) -> None:
    assert {name for name in cleaned.namelist() if not name.endswith(".rels")} == {
        *("[Content_Types].xml", "xl/charts/chart1.xml", "xl/comments1.xml"),
        *("xl/drawings/drawing1.xml", "xl/drawings/vmlDrawing1.vml", "xl/media/image1.jpeg"),
        *("xl/sharedStrings.xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"),
    }


def test_values_stay_and_formulas_that_stay_inside(cleaned: zipfile.ZipFile) -> None:
    sheet = parse(cleaned.read("xl/worksheets/sheet1.xml"))
    strings = all_of(parse(cleaned.read("xl/sharedStrings.xml")), "x:si")
    shown = {}
    for cell in all_of(sheet, "x:c"):
        value = "".join(v.text or "" for v in all_of(cell, "x:v"))
        if cell.get("t") == "s":
            value = "".join(t.text or "" for t in all_of(strings[int(value)], "x:t"))
        formula = "".join(f.text or "shared" for f in all_of(cell, "x:f"))
        shown[cell.get("r")] = (value, formula)
    assert shown == {
        "A1": ("Nama", ""),
        "B1": ("Nilai", ""),
        "A2": ("Jumlah", ""),
        "B2": ("30", "SUM(B3:B4)"),
        "B3": ("10", ""),
        "B4": ("20", ""),
        "C4": ("21", ""),
        "B5": ("jawaban", ""),
    }


def test_sheets_of_macros_go_and_names_still_count_right(cleaned: zipfile.ZipFile) -> None:
    workbook = parse(cleaned.read("xl/workbook.xml"))
    assert [sheet.get("name") for sheet in all_of(workbook, "x:sheet")] == ["Gaji"]
    assert [each.get("name") for each in all_of(workbook, "x:definedName")] == ["Jumlah"]
    assert [dict(view.attrib) for view in all_of(workbook, "x:workbookView")] == [{}]


def test_links_rules_and_sparklines_that_stay_inside_stay(cleaned: zipfile.ZipFile) -> None:
    sheet = parse(cleaned.read("xl/worksheets/sheet1.xml"))
    assert [link.get("ref") for link in all_of(sheet, "x:hyperlink")] == ["A1", "A3"]
    assert len(all_of(sheet, "x:cfRule")) == 1
    assert len(all_of(sheet, "x14:sparklineGroup")) == 1
    assert [setup.get("orientation") for setup in all_of(sheet, "x:pageSetup")] == ["landscape"]
    assert b"contoh.example" in cleaned.read("xl/worksheets/_rels/sheet1.xml.rels")


def test_a_note_keeps_its_text_without_the_name_before_it(cleaned: zipfile.ZipFile) -> None:
    comments = parse(cleaned.read("xl/comments1.xml"))
    assert [author.text for author in all_of(comments, "x:author")] == ["-"]
    (note,) = all_of(comments, "x:comment")
    assert "".join(t.text or "" for t in all_of(note, "x:t")).strip() == "Mohon periksa"
    drawn = parse(cleaned.read("xl/drawings/vmlDrawing1.vml"))
    assert len(all_of(drawn, "v:shape")) == 1


def test_a_chart_of_another_file_keeps_its_last_values(cleaned: zipfile.ZipFile) -> None:
    chart = parse(cleaned.read("xl/charts/chart1.xml"))
    assert [v.text for v in all_of(chart, "c:v")] == ["Deret", "10", "20"]
    assert [name(child) for child in all_of(chart, "c:val")[0]] == ["c:numLit"]


def test_a_linked_picture_is_shown_from_the_package(cleaned: zipfile.ZipFile) -> None:
    drawing = parse(cleaned.read("xl/drawings/drawing1.xml"))
    (blip,) = all_of(drawing, "a:blip")
    assert [value for value in blip.attrib.values()] == ["rId2"]  # noqa: C416
    shown = pictures.reopened(cleaned.read("xl/media/image1.jpeg"))
    assert pictures.difference(shown, pictures.scene()) < 3
