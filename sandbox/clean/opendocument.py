"""OpenDocument texts, sheets and presentations (ODF 1.3): content and styles, and no other part.

Gone: properties, settings (with printers and their drivers), thumbnails, macros, old versions,
embedded files, fonts, films and sounds, signatures; and what :mod:`odf_content` names. Not
removed: what pages, cells and slides say (also hidden ones and notes), the parts of pictures that
are cropped away, names that people gave to styles, ranges and form fields.
"""

from __future__ import annotations

import base64
import binascii
import posixpath
from typing import Final

from sandbox.archive import Archive, pack
from sandbox.clean import embedded, odf_content
from sandbox.clean.markup import (
    ADDRESSES,
    Element,
    attribute,
    drop,
    find,
    find_having,
    name,
    parse,
    serialised,
    unwrap,
)
from sandbox.clean.namespaces import short
from sandbox.contract import Failed, Failure, FileKind
from sandbox.kinds import MEDIA_TYPES, package_kind

_MANIFEST: Final = "META-INF/manifest.xml"
_SPACE: Final = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
_META: Final = (
    b'<office:document-meta xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    b' office:version="1.3"><office:meta/></office:document-meta>'
)
_PARTS: Final = ("content.xml", "styles.xml")
_OBJECTS: Final = frozenset(
    f"application/vnd.oasis.opendocument.{kind}"
    for kind in ("chart", "formula", "graphics", "presentation", "spreadsheet", "text")
)
_MAX_OBJECTS: Final = 500
_HERE: Final = frozenset({".", ".."})
"""How a chart names the document that it is part of."""


def clean(data: bytes, kind: FileKind) -> tuple[FileKind, bytes]:
    """Return the document in a new package; one made as a template is a document afterwards.

    Raises:
        Failed: DAMAGED, TOO_LARGE, or UNSUPPORTED if it is encrypted.
    """
    if package_kind(data) is not kind:
        raise Failed(Failure.DAMAGED)
    return kind, _Package(Archive(data), MEDIA_TYPES[kind]).rewritten()


class _Package:
    """One document, and the objects inside it, on the way into a new package."""

    def __init__(self, archive: Archive, media_type: str) -> None:
        self._archive = archive
        self._media_type = media_type
        self._known = self._read_manifest()
        self._members: dict[str, bytes] = {}
        self._types: dict[str, str] = {"/": media_type}
        self._pictures: dict[str, str] = {}
        self._objects: dict[str, str] = {}
        self._waiting: list[tuple[str, str]] = [("", "")]

    def _read_manifest(self) -> dict[str, str]:
        if _MANIFEST not in self._archive:
            return {}
        root = parse(self._archive.read(_MANIFEST))
        if find(root, frozenset({"manifest:encryption-data"})):
            raise Failed(Failure.UNSUPPORTED)
        entries = find(root, frozenset({"manifest:file-entry"}))
        return {
            attribute(entry, "manifest:full-path"): attribute(entry, "manifest:media-type")
            for entry in entries
        }

    def rewritten(self) -> bytes:
        """Return the new package.

        Raises:
            Failed: DAMAGED if there is no content or a part is broken.
        """
        while self._waiting:
            old, new = self._waiting.pop()
            for part in _PARTS:
                source = posixpath.join(old, part)
                if source not in self._archive:
                    if part == _PARTS[0]:
                        raise Failed(Failure.DAMAGED)
                    continue
                root = parse(self._archive.read(source))
                odf_content.scrub(root)
                self._relink(root, old)
                self._add(posixpath.join(new, part), serialised(root), "text/xml")
        self._add("meta.xml", serialised(parse(_META)), "text/xml")
        first = [("mimetype", self._media_type.encode())]
        last = [(_MANIFEST, self._manifest())]
        return pack([*first, *self._members.items(), *last], plain=frozenset({"mimetype"}))

    def _add(self, path: str, content: bytes, media_type: str) -> None:
        self._members[path] = content
        self._types[path] = media_type

    def _relink(self, root: Element, folder: str) -> None:
        """Bring along what elements refer to; take those out that refer to something else."""
        for element in find(root, frozenset({"office:binary-data"})):
            _clean_inline(element)
        for element in find_having(root, frozenset({"xlink:href"})):
            keys = [key for key in element.attrib if short(str(key)) == "xlink:href"]
            for key in keys:
                new = self._target(element, str(element.get(key)), folder)
                if new is not None:
                    element.set(key, new)
                elif name(element).startswith("form:"):
                    del element.attrib[key]
                elif name(element) in odf_content.LINKS:
                    unwrap(element)
                else:
                    drop(element)

    def _target(self, element: Element, href: str, folder: str) -> str | None:
        """Return what a reference becomes; None if it must go."""
        if href in _HERE:
            return href
        if name(element) in odf_content.LINKS:
            return href if href.lower().startswith(ADDRESSES) else None
        path = posixpath.normpath(posixpath.join(folder, href))
        if name(element) == "draw:object":
            return self._object(path, folder)
        if path not in self._archive or self._has_object(element):
            return None
        if path not in self._pictures:
            kind, content = embedded.picture(self._archive.read(path))
            extension = embedded.EXTENSIONS[kind]
            self._pictures[path] = f"Pictures/image{len(self._pictures) + 1}{extension}"
            self._add(self._pictures[path], content, embedded.MEDIA_TYPES[extension[1:]])
        return self._pictures[path] if not folder else f"../{self._pictures[path]}"

    def _object(self, path: str, folder: str) -> str | None:
        media_type = self._known.get(f"{path}/", "")
        if media_type not in _OBJECTS or f"{path}/content.xml" not in self._archive:
            return None
        if path not in self._objects:
            if len(self._objects) >= _MAX_OBJECTS:
                raise Failed(Failure.TOO_LARGE)
            self._objects[path] = f"Object {len(self._objects) + 1}"
            self._types[f"{self._objects[path]}/"] = media_type
            self._waiting.append((path, self._objects[path]))
        return f"./{self._objects[path]}" if not folder else f"../{self._objects[path]}"

    def _has_object(self, image: Element) -> bool:
        """Whether a picture only repeats the object beside it, which is drawn anew."""
        frame = image.getparent()
        return frame is not None and any(name(child) == "draw:object" for child in frame)

    def _manifest(self) -> bytes:
        root = parse(f'<m:manifest xmlns:m="{_SPACE}" m:version="1.3"/>'.encode())
        for path, media_type in self._types.items():
            entry = root.makeelement(f"{{{_SPACE}}}file-entry")
            entry.set(f"{{{_SPACE}}}full-path", path)
            entry.set(f"{{{_SPACE}}}media-type", media_type)
            root.append(entry)
        return serialised(root)


def _clean_inline(element: Element) -> None:
    """Clean a picture that stands in the text itself, as base64."""
    try:
        content = base64.b64decode(element.text or "")
    except (binascii.Error, ValueError):
        content = b""
    element.text = base64.b64encode(embedded.picture(content)[1]).decode()
