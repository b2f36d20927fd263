"""Word, Excel and PowerPoint documents in their XML formats; macros do not come along.

Gone: properties, custom data, thumbnails, printers, macros, embedded files, films and sounds,
fonts, pivot tables and queries (their last values stay), links to files; and what the cleaners of
each kind name. Not removed: what pages, cells and slides say (also hidden ones, hidden text and
notes), the parts of pictures that are cropped away, names that people gave to styles, ranges,
bookmarks and form fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sandbox.archive import Archive
from sandbox.clean import sheets, slides, word
from sandbox.clean.package import IMAGE, MAIN, Package, Role, Scrubber
from sandbox.contract import Failed, Failure, FileKind
from sandbox.kinds import package_kind

_FORMAT: Final = "application/vnd.openxmlformats-officedocument."

_HOMES: Final = {FileKind.DOCX: "word", FileKind.XLSX: "xl", FileKind.PPTX: "ppt"}
_MAINS: Final = {
    FileKind.DOCX: Role(
        "word/document", f"{_FORMAT}wordprocessingml.document.main+xml", single=True
    ),
    FileKind.XLSX: Role("xl/workbook", f"{_FORMAT}spreadsheetml.sheet.main+xml", single=True),
    FileKind.PPTX: Role(
        "ppt/presentation", f"{_FORMAT}presentationml.presentation.main+xml", single=True
    ),
}
_ROLES: Final[Mapping[FileKind, Mapping[str, Role]]] = {
    FileKind.DOCX: word.ROLES,
    FileKind.XLSX: sheets.ROLES,
    FileKind.PPTX: slides.ROLES,
}
_SCRUBBERS: Final[Mapping[FileKind, Callable[[], Scrubber]]] = {
    FileKind.DOCX: word.Word,
    FileKind.XLSX: sheets.Sheets,
    FileKind.PPTX: slides.Slides,
}


def _common(home: str) -> dict[str, Role]:
    themed = frozenset({MAIN, "slideMaster", "notesMaster", "handoutMaster"})
    overriding = frozenset({"chart", "slide", "slideLayout", "notesSlide"})
    drawing = f"{_FORMAT}drawingml"
    return {
        IMAGE: Role(f"{home}/media/image", ""),
        "theme": Role(f"{home}/theme/theme", f"{_FORMAT}theme+xml", themed),
        "themeOverride": Role(
            f"{home}/theme/themeOverride", f"{_FORMAT}themeOverride+xml", overriding
        ),
        "chart": Role(f"{home}/charts/chart", f"{drawing}.chart+xml"),
        "chartUserShapes": Role(f"{home}/drawings/shapes", f"{drawing}.chartshapes+xml"),
        "diagramData": Role(f"{home}/diagrams/data", f"{drawing}.diagramData+xml"),
        "diagramLayout": Role(f"{home}/diagrams/layout", f"{drawing}.diagramLayout+xml"),
        "diagramQuickStyle": Role(f"{home}/diagrams/quickStyle", f"{drawing}.diagramStyle+xml"),
        "diagramColors": Role(f"{home}/diagrams/colors", f"{drawing}.diagramColors+xml"),
        "drawing": Role(f"{home}/drawings/drawing", f"{_FORMAT}drawing+xml"),
        "vmlDrawing": Role(f"{home}/drawings/vmlDrawing", f"{_FORMAT}vmlDrawing", suffix=".vml"),
    }


def clean(data: bytes, kind: FileKind) -> tuple[FileKind, bytes]:
    """Return the document in a new package of the kind without macros.

    Raises:
        Failed: DAMAGED, TOO_LARGE, or UNSUPPORTED if it is encrypted.
    """
    if package_kind(data) is not kind:
        raise Failed(Failure.DAMAGED)
    roles = {MAIN: _MAINS[kind], **_common(_HOMES[kind]), **_ROLES[kind]}
    return kind, Package(Archive(data), roles, _SCRUBBERS[kind]()).rewritten()
