"""Office documents full of traces, built from parts in ``parts/`` where each trace is marked.

A mark is the name of the trace between two pairs of "@"; a canary takes its place.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.archive import pack
from tests.sandbox.clean import pictures
from tests.sandbox.clean.planting import Planting

PARTS = Path(__file__).parent / "parts"
FORMAT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PROPERTIES = "http://schemas.openxmlformats.org/package/2006/relationships/metadata"
MICROSOFT = "http://schemas.microsoft.com/office"

_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"
SPACES = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in {
        "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "r": FORMAT,
        "a": f"{_DRAWING}/main",
        "c": f"{_DRAWING}/chart",
        "pic": f"{_DRAWING}/picture",
        "wp": f"{_DRAWING}/wordprocessingDrawing",
        "xdr": f"{_DRAWING}/spreadsheetDrawing",
        "p": "http://schemas.openxmlformats.org/presentationml/2006/main",
        "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
        "w14": f"{MICROSOFT}/word/2010/wordml",
        "w15": f"{MICROSOFT}/word/2012/wordml",
        "w16du": f"{MICROSOFT}/word/2023/wordml/word16du",
        "wp14": f"{MICROSOFT}/word/2010/wordprocessingDrawing",
        "xr": f"{MICROSOFT}/spreadsheetml/2014/revision",
        "x14": f"{MICROSOFT}/spreadsheetml/2009/9/main",
        "x15ac": f"{MICROSOFT}/spreadsheetml/2010/11/ac",
        "p14": f"{MICROSOFT}/powerpoint/2010/main",
        "p188": f"{MICROSOFT}/powerpoint/2018/8/main",
        "v": "urn:schemas-microsoft-com:vml",
        "o": "urn:schemas-microsoft-com:office:office",
        "x": "urn:schemas-microsoft-com:office:excel",
    }.items()
)

OASIS = "urn:oasis:names:tc:opendocument:xmlns"
ODF_SPACES = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in {
        **{name: f"{OASIS}:{name}:1.0" for name in (
            "office", "text", "table", "presentation", "style", "form", "script", "meta", "chart",
            "config", "manifest",
        )},
        "draw": f"{OASIS}:drawing:1.0",
        "anim": f"{OASIS}:animation:1.0",
        "svg": f"{OASIS}:svg-compatible:1.0",
        "loext": "urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0",
        "officeooo": "http://openoffice.org/2009/office",
        "dc": "http://purl.org/dc/elements/1.1/",
        "xlink": "http://www.w3.org/1999/xlink",
        "xhtml": "http://www.w3.org/1999/xhtml",
    }.items()
)  # fmt: skip

Links = Sequence[tuple[str, str]]
"""Relationships as (type, target); their ids are r1, r2, ..."""


def filled(text: str, plant: Planting) -> bytes:
    """Return a part with a canary in place of each mark."""
    text = text.replace("@@spaces@@", SPACES).replace("@@odf@@", ODF_SPACES)
    return re.sub("@@(.+?)@@", lambda mark: plant(mark[1]), text).encode()


def parts(folder: str, plant: Planting) -> dict[str, bytes]:
    files = sorted(path for path in (PARTS / folder).rglob("*") if path.is_file())
    return {
        path.relative_to(PARTS / folder).as_posix(): filled(path.read_text("utf-8"), plant)
        for path in files
    }


def relationships(links: Links) -> bytes:
    entries = "".join(
        f'<Relationship Id="r{number}" Target="{target}"'
        f' Type="{kind if "://" in kind else f"{FORMAT}/{kind}"}"'
        + (' TargetMode="External"/>' if ":" in target else "/>")
        for number, (kind, target) in enumerate(links, 1)
    )
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<Relationships xmlns="{space}">{entries}</Relationships>'.encode()


def package(
    folder: str,
    main: tuple[str, str],
    links: Mapping[str, Links],
    extra: Mapping[str, bytes],
    plant: Planting,
) -> bytes:
    """Return the package of ``parts/<folder>``, with the traces that each kind of document has."""
    top = [
        ("officeDocument", main[0]),
        (f"{PROPERTIES}/core-properties", "docProps/core.xml"),
        ("extended-properties", "docProps/app.xml"),
        ("custom-properties", "docProps/custom.xml"),
        (f"{PROPERTIES}/thumbnail", "docProps/thumbnail.jpeg"),
    ]
    members = {**parts("common", plant), **parts(folder, plant), **extra}
    members["docProps/thumbnail.jpeg"] = pictures.jpeg(plant, "thumbnail of a document")
    members["unknown.bin"] = plant.raw("part that nothing leads to")
    for source, targets in {"": top, **links}.items():
        home, _, name = source.rpartition("/")
        members[f"{home}/_rels/{name}.rels" if source else "_rels/.rels"] = relationships(targets)
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/{main[0]}" ContentType="{main[1]}"/></Types>'
    )
    return pack([("[Content_Types].xml", types.encode()), *members.items()])


def strict(part: bytes) -> bytes:
    """Return a part as the strict edition of ISO/IEC 29500 has it, as far as names go."""
    old = rb"http://schemas\.openxmlformats\.org/(?!package)(\w+)/2006/(main|relationships)"
    return re.sub(old, rb"http://purl.oclc.org/ooxml/\1/\2", part)


def docx(plant: Planting) -> bytes:
    links = {
        "word/document.xml": [
            ("image", f"media/{plant('media name')}.jpg"),
            ("hyperlink", "https://contoh.example/aturan"),
            ("hyperlink", f"file:///C:/{plant('link to a file')}.docx"),
            ("image", "media/image2.emf"),
            ("oleObject", "embeddings/oleObject1.bin"),
            ("header", "header1.xml"),
            ("styles", "styles.xml"),
            ("settings", "settings.xml"),
            ("footnotes", "footnotes.xml"),
            ("comments", "comments.xml"),
            ("webSettings", "webSettings.xml"),
            ("glossaryDocument", "glossary.xml"),
            ("image", "media/image9.png"),
            (f"{MICROSOFT}/2011/relationships/people", "people.xml"),
            (f"{MICROSOFT}/2011/relationships/commentsExtended", "commentsExtended.xml"),
            (f"{MICROSOFT}/2006/relationships/vbaProject", "vbaProject.bin"),
            ("aFChunk", "chunk.html"),
            (f"{MICROSOFT}/2007/relationships/stylesWithEffects", "stylesWithEffects.xml"),
            (f"{MICROSOFT}/2016/09/relationships/commentsIds", "commentsIds.xml"),
            ("numbering", "numbering.xml"),
            ("fontTable", "fontTable.xml"),
        ],
        "word/settings.xml": [
            ("attachedTemplate", f"file:///C:\\{plant('template path')}\\a.dotm")
        ],
    }
    extra = {
        f"word/media/{plant('media name')}.jpg": pictures.jpeg(plant, "picture in docx"),
        "word/media/image2.emf": b"\x01\x00\x00\x00" + plant.raw("metafile"),
        "word/media/image9.png": plant.raw("picture that nothing shows"),
        "word/vbaProject.bin": plant.raw("macro"),
        "word/embeddings/oleObject1.bin": plant.raw("embedded file"),
    }
    kind = "application/vnd.ms-word.document.macroEnabled.main+xml"
    return package("docx", ("word/document.xml", kind), links, extra, plant)


def xlsx(plant: Planting) -> bytes:
    links = {
        "xl/workbook.xml": [
            ("worksheet", "worksheets/sheet1.xml"),
            (f"{MICROSOFT}/2006/relationships/xlMacrosheet", "macrosheet.xml"),
            ("externalLink", "externalLink1.xml"),
            ("pivotCacheDefinition", "pivotCacheDefinition1.xml"),
            ("sharedStrings", "sharedStrings.xml"),
            ("connections", "connections.xml"),
            ("calcChain", "calcChain.xml"),
            ("volatileDependencies", "volatileDependencies.xml"),
            ("sheetMetadata", "metadata.xml"),
            ("revisionHeaders", "revisionHeaders.xml"),
            (f"{MICROSOFT}/2017/10/relationships/person", "persons.xml"),
        ],
        "xl/worksheets/sheet1.xml": [
            ("hyperlink", "https://contoh.example/aturan"),
            ("hyperlink", f"file:///C:/{plant('link to a file')}.xlsx"),
            ("hyperlink", f"file:///C:/{plant('link to a place in a file')}.xlsx"),
            ("printerSettings", "../printerSettings1.bin"),
            ("drawing", "../drawings/drawing1.xml"),
            ("vmlDrawing", "../drawings/vmlDrawing1.vml"),
            ("package", "../embedded.xlsx"),
            ("comments", "../comments1.xml"),
            ("queryTable", "../queryTable1.xml"),
            (f"{MICROSOFT}/2017/10/relationships/threadedComment", "../threadedComments.xml"),
        ],
        "xl/drawings/drawing1.xml": [
            ("chart", "../charts/chart1.xml"),
            ("image", "../media/image1.jpeg"),
            ("image", f"file:///C:/{plant('linked picture')}.jpg"),
        ],
        "xl/drawings/vmlDrawing1.vml": [("image", "../media/image1.jpeg")],
        "xl/charts/chart1.xml": [("package", "../embedded.xlsx")],
    }
    extra = {
        "xl/media/image1.jpeg": pictures.jpeg(plant, "picture in xlsx"),
        "xl/printerSettings1.bin": plant.raw("printer"),
        "xl/embedded.xlsx": plant.raw("embedded workbook"),
    }
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    return package("xlsx", ("xl/workbook.xml", kind), links, extra, plant)


def pptx(plant: Planting) -> bytes:
    links = {
        "ppt/presentation.xml": [
            ("slideMaster", "slideMasters/slideMaster1.xml"),
            ("slide", "slides/slide1.xml"),
            ("slide", "slides/slide2.xml"),
            ("presProps", "presProps.xml"),
            ("tags", "tags1.xml"),
            ("viewProps", "viewProps.xml"),
            ("commentAuthors", "commentAuthors.xml"),
            (f"{MICROSOFT}/2018/10/relationships/authors", "authors.xml"),
            ("font", "fonts/font1.fntdata"),
        ],
        "ppt/slides/slide1.xml": [
            ("slideLayout", "../slideLayouts/slideLayout1.xml"),
            ("notesSlide", "../notesSlides/notesSlide1.xml"),
            ("hyperlink", f"file:///C:/{plant('link to a file')}.pptx"),
            ("hyperlink", "https://contoh.example/aturan"),
            ("video", f"file:///C:/{plant('linked film')}.mp4"),
            (f"{MICROSOFT}/2007/relationships/media", "../media/film.mp4"),
            ("image", "../media/image1.jpeg"),
            ("package", "../embedded.xlsx"),
            ("comments", "../comments/comment1.xml"),
            (f"{MICROSOFT}/2018/10/relationships/comments", "../comments/modernComment.xml"),
        ],
        "ppt/slides/slide2.xml": [("slideLayout", "../slideLayouts/slideLayout1.xml")],
        "ppt/slideLayouts/slideLayout1.xml": [
            ("slideMaster", "../slideMasters/slideMaster1.xml"),
        ],
        "ppt/slideMasters/slideMaster1.xml": [("slideLayout", "../slideLayouts/slideLayout1.xml")],
        "ppt/notesSlides/notesSlide1.xml": [("slide", "../slides/slide1.xml")],
    }
    extra = {
        "ppt/media/image1.jpeg": pictures.jpeg(plant, "picture in pptx"),
        "ppt/media/film.mp4": plant.raw("film"),
        "ppt/fonts/font1.fntdata": plant.raw("font"),
        "ppt/embedded.xlsx": plant.raw("embedded workbook"),
    }
    kind = "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
    return package("pptx", ("ppt/presentation.xml", kind), links, extra, plant)
