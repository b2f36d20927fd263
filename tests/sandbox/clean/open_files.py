"""OpenDocument files full of traces, built from parts in ``parts/`` where each trace is marked."""

from sandbox.archive import pack
from sandbox.contract import FileKind
from sandbox.kinds import MEDIA_TYPES
from tests.sandbox.clean import office_files, pictures
from tests.sandbox.clean.planting import Planting


def manifest(kind: FileKind, inner: str = "") -> bytes:
    return (
        f'<m:manifest xmlns:m="{office_files.OASIS}:manifest:1.0"><m:file-entry m:full-path="/"'
        f' m:media-type="{MEDIA_TYPES[kind]}"/><m:file-entry m:full-path="Object 3/"'
        f' m:media-type="application/vnd.oasis.opendocument.chart"/>{inner}</m:manifest>'
    ).encode()


def document(kind: FileKind, plant: Planting) -> bytes:
    """Return the document of ``parts/<kind>``, with the traces that each kind of document has."""
    members = {
        "mimetype": MEDIA_TYPES[kind].encode(),
        **office_files.parts("odf", plant),
        **office_files.parts(kind.value, plant),
        "META-INF/manifest.xml": manifest(kind),
        "Thumbnails/thumbnail.png": plant.raw("thumbnail"),
        "Pictures/a.jpg": pictures.jpeg(plant, "picture of a style"),
        "Pictures/unused.jpg": plant.raw("picture that nothing shows"),
        "ObjectReplacements/Object 1": plant.raw("picture of an object"),
        "ObjectReplacements/Object 3": plant.raw("picture of a chart"),
        "Object 1": plant.raw("embedded file"),
        "media/film.mp4": plant.raw("film"),
    }
    if kind is FileKind.ODT:
        members[f"Pictures/{plant('media name')}.jpg"] = pictures.jpeg(plant, "picture in odt")
    return pack(members.items())
