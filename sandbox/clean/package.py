"""Office Open XML packages (ISO/IEC 29500-2): the parts that the main one leads to, and no other.

Parts are found by following relationships of known types from the main part. Each is cleaned and
gets a new, plain name; its relationships get new ids; what refers to a part that does not come
along is cut out of the text. Nothing else of the package is looked at.
"""

from __future__ import annotations

import heapq
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from sandbox.archive import Archive, pack
from sandbox.clean import drawing, embedded
from sandbox.clean.markup import ADDRESSES, Element, is_below, parse, serialised
from sandbox.contract import Failed, Failure

_TYPES: Final = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships/",
    "http://purl.oclc.org/ooxml/officeDocument/relationships/",
)
_MICROSOFT: Final = "http://schemas.microsoft.com/office/"
_RELATIONSHIPS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_CONTENT_TYPES: Final = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONSHIPS_TYPE: Final = "application/vnd.openxmlformats-package.relationships+xml"
_MAX_PARTS: Final = 5_000


@dataclass(frozen=True)
class Role:
    """What a part is for: how it is named, which type it has, and from where it is found."""

    stem: str
    content_type: str
    implied_by: frozenset[str] = frozenset()
    """Roles whose parts have this one without naming it in their text."""

    late: int = 0
    """Parts with a higher number are cleaned later: what they keep depends on the others."""

    single: bool = False
    suffix: str = ".xml"


IMAGE: Final = "image"
MAIN: Final = "main"


class Scrubber(Protocol):
    """Cleans the text of one part, given its role; remembers what later parts need."""

    def __call__(self, role: str, root: Element, lost: Mapping[Element, list[str]], /) -> None:
        """Clean ``root`` in place; ``lost`` are elements whose part does not come along."""


@dataclass(frozen=True)
class _Link:
    kind: str
    target: str
    external: bool
    role: str


@dataclass(order=True)
class _Waiting:
    late: int
    number: int
    source: str = field(compare=False)
    role: str = field(compare=False)


class Package:
    """One document on its way from the old package into a new one."""

    def __init__(self, archive: Archive, roles: Mapping[str, Role], scrub: Scrubber) -> None:
        self._archive = archive
        self._roles = roles
        self._scrub = scrub
        self._names = {name.casefold(): name for name in archive.names}
        self._placed: dict[str, tuple[str, str]] = {}
        self._counts: dict[str, int] = {}
        self._waiting: list[_Waiting] = []
        self._members: dict[str, bytes] = {}
        self._types: dict[str, str] = {}

    def rewritten(self) -> bytes:
        """Return the new package.

        Raises:
            Failed: DAMAGED if there is no main part or a part is broken, TOO_LARGE if there are too
                many.
        """
        links = self._links("")
        mains = [link for link in links.values() if link.kind.endswith("/officeDocument")]
        place = self._place(mains[0].target, MAIN) if len(mains) == 1 else None
        if place is None:
            raise Failed(Failure.DAMAGED)
        while self._waiting:
            waiting = heapq.heappop(self._waiting)
            self._clean(waiting.source, waiting.role)
        root = _relationships("", [("rId1", mains[0].kind, place, False)])
        first = [("[Content_Types].xml", self._content_types()), ("_rels/.rels", root)]
        return pack([*first, *self._members.items()])

    def _clean(self, source: str, role: str) -> None:
        root = parse(self._archive.read(source), recover=self._roles[role].suffix == ".vml")
        links = self._links(source)
        referring = drawing.referring(root)
        lost = drawing.lost(referring, {key for key, link in links.items() if self._follows(link)})
        self._scrub(role, root, lost)
        drawing.scrub(root)
        drawing.sever(root, lost)
        referring = [element for element in referring if is_below(element, root)]
        place = self._placed[source][0]
        made: list[tuple[str, str, str, bool]] = []
        renamed: dict[str, str] = {}
        for old in drawing.referred(referring):
            link = links.get(old)
            target = self._target(link) if link else None
            if link and target and old not in renamed:
                renamed[old] = f"rId{len(made) + 1}"
                made.append((renamed[old], link.kind, target, link.external))
        drawing.rename(referring, renamed)
        for old, link in links.items():
            if old not in renamed and role in self._implied_by(link):
                target = self._target(link)
                if target:
                    made.append((f"rId{len(made) + 1}", link.kind, target, False))
        self._members[place] = serialised(root)
        if made:
            self._members[_beside(place)] = _relationships(place, made)

    def _implied_by(self, link: _Link) -> frozenset[str]:
        role = self._roles.get(link.role)
        return role.implied_by if role and not link.external else frozenset()

    def _links(self, source: str) -> dict[str, _Link]:
        """Return the relationships of a part by their ids; those of the package for ""."""
        name = self._names.get(_beside(source).casefold())
        if name is None:
            return {}
        links: dict[str, _Link] = {}
        for each in parse(self._archive.read(name)):
            kind, target = each.get("Type", ""), each.get("Target", "")
            external = each.get("TargetMode") == "External"
            if not external:
                target = _absolute(source, target)
            links[each.get("Id", "")] = _Link(kind, target, external, _role(kind))
        return links

    def _follows(self, link: _Link) -> bool:
        if link.external:
            return link.role == "hyperlink" and link.target.lower().startswith(ADDRESSES)
        placed = self._placed.get(self._names.get(link.target.casefold(), ""))
        known = link.role in self._roles and link.target.casefold() in self._names
        return known and (placed is None or placed[1] == link.role)

    def _target(self, link: _Link) -> str | None:
        if not self._follows(link):
            return None
        return link.target if link.external else self._place(link.target, link.role)

    def _place(self, target: str, role: str) -> str | None:
        """Return the new name of a part; the first time, see to it that it comes along."""
        source = self._names.get(target.casefold())
        if source is None:
            return None
        if source in self._placed:
            return self._placed[source][0]
        if len(self._placed) >= _MAX_PARTS:
            raise Failed(Failure.TOO_LARGE)
        known = self._roles[role]
        if role == IMAGE:
            kind, content = embedded.picture(self._archive.read(source))
            name = self._numbered(known, embedded.EXTENSIONS[kind])
            self._members[name] = content
        else:
            name = f"{known.stem}.xml" if known.single else self._numbered(known, known.suffix)
            if name in self._types:
                return None  # a second one of what there can be only once
            self._types[name] = known.content_type
            number = len(self._placed)
            heapq.heappush(self._waiting, _Waiting(known.late, number, source, role))
        self._placed[source] = (name, role)
        return name

    def _numbered(self, role: Role, suffix: str) -> str:
        self._counts[role.stem] = self._counts.get(role.stem, 0) + 1
        return f"{role.stem}{self._counts[role.stem]}{suffix}"

    def _content_types(self) -> bytes:
        root = parse(f'<Types xmlns="{_CONTENT_TYPES}"/>'.encode())
        space = f"{{{_CONTENT_TYPES}}}"
        extensions = {posixpath.splitext(name)[1][1:] for name in self._members}
        for extension in sorted(extensions & set(embedded.MEDIA_TYPES) | {"rels"}):
            media_type = embedded.MEDIA_TYPES.get(extension, _RELATIONSHIPS_TYPE)
            entry = root.makeelement(space + "Default")
            entry.attrib.update({"Extension": extension, "ContentType": media_type})
            root.append(entry)
        for name, content_type in self._types.items():
            entry = root.makeelement(space + "Override")
            entry.attrib.update({"PartName": f"/{name}", "ContentType": content_type})
            root.append(entry)
        return serialised(root)


def _role(kind: str) -> str:
    """Return the name of a type of relationship; those of Microsoft's own begin with "ms:"."""
    for prefix in _TYPES:
        if kind.startswith(prefix):
            return kind.removeprefix(prefix)
    return f"ms:{kind.rpartition('/')[2]}" if kind.startswith(_MICROSOFT) else ""


def _beside(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _absolute(source: str, target: str) -> str:
    path = posixpath.join("/", posixpath.dirname(source), target.partition("#")[0])
    return posixpath.normpath(path).lstrip("/")


def _relationships(source: str, made: list[tuple[str, str, str, bool]]) -> bytes:
    root = parse(f'<Relationships xmlns="{_RELATIONSHIPS}"/>'.encode())
    for key, kind, target, external in made:
        entry = root.makeelement(f"{{{_RELATIONSHIPS}}}Relationship")
        path = target if external else posixpath.relpath(target, posixpath.dirname(source) or ".")
        entry.attrib.update({"Id": key, "Type": kind, "Target": path})
        if external:
            entry.set("TargetMode", "External")
        root.append(entry)
    return serialised(root)
