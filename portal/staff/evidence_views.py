"""What the officers' pages of files show, made from the domain's answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from casework.errors import NotFound
from casework.evidence import examine
from casework.evidence.files import may_lack
from casework.evidence.receive import rooms
from portal.downloads import numbered
from sandbox.contract import FileKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from casework.case.keyring import Keyring
    from casework.evidence.examine import Examination
    from casework.evidence.files import File
    from casework.evidence.sheet import Line
    from casework.keys.members import Roster
    from portal.context import Portal

PICTURES, TEXT, VIDEO, AUDIO = "pictures", "text", "video", "audio"
_VIDEO: Final = frozenset({FileKind.MP4, FileKind.MOV, FileKind.WEBM, FileKind.MKV})


@dataclass(frozen=True)
class FilePage:
    """One file as its page shows it.

    ``look``: how it can be looked at ("" if not at all); ``scan``, ``failure`` as in
    :class:`casework.evidence.examine.Examined`; ``copy_kind`` is empty where there is no copy.
    """

    case_id: str
    ticket: str
    id: str
    number: str
    room: str
    by: str
    day: str
    whole: bool
    name: str = field(repr=False)
    kind: str
    size: int
    sha256: str
    examined: bool
    scan: str
    found: str
    failure: str
    copy_kind: str
    copy_size: int
    look: str
    pages: int
    original_open: bool


def file_page(
    portal: Portal,
    keyring: Keyring,
    file: File,
    found: Examination | None,
    *,
    original_open: bool,
) -> FilePage:
    """Return what the page of one file shows."""
    manifest = file.manifest
    result = found.result if found is not None else None
    copy = result.copy if result is not None else None
    return FilePage(
        case_id=keyring.case.id,
        ticket=keyring.case.ticket,
        id=file.item_id,
        number=numbered(file.number),
        room=file.compartment,
        by=by_whom(keyring.roster, keyring.case.reporter, file.author),
        day=portal.pages.tanggal(file.day),
        whole=manifest is not None,
        name=manifest.name if manifest else "",
        kind=manifest.kind if manifest else "",
        size=manifest.size if manifest else 0,
        sha256=manifest.sha256 if manifest else "",
        examined=result is not None,
        scan=result.scan if result else "",
        found=result.found if result else "",
        failure=result.failure if result else "",
        copy_kind=copy.kind if copy else "",
        copy_size=copy.size if copy else 0,
        look=_look(file, found, original_open=original_open),
        pages=result.pages if result else 0,
        original_open=original_open,
    )


def _look(file: File, found: Examination | None, *, original_open: bool) -> str:
    """Return how a file can be looked at without taking it along."""
    if file.manifest is None or found is None:
        return ""
    copy = found.result.copy
    kind = FileKind(copy.kind if copy else file.manifest.kind)
    if kind in examine.DRAWN:
        return PICTURES if found.result.pages else ""
    if kind in examine.READ:
        return TEXT
    if kind in examine.PLAYED and (copy or original_open):
        return VIDEO if kind in _VIDEO else AUDIO
    return ""


def list_of(portal: Portal, keyring: Keyring, files: Sequence[File]) -> list[dict[str, Any]]:
    """Return a line for each file."""
    return [
        {
            "id": one.item_id,
            "number": numbered(one.number),
            "name": one.manifest.name if one.manifest else "",
            "kind": one.manifest.kind if one.manifest else "",
            "size": one.manifest.size if one.manifest else 0,
            "room": one.compartment,
            "by": by_whom(keyring.roster, keyring.case.reporter, one.author),
            "day": portal.pages.tanggal(one.day),
            "whole": one.manifest is not None,
        }
        for one in files
    ]


def rooms_of(keyring: Keyring) -> tuple[str, ...]:
    """Return the compartments that the officer may add files to; none while the case is damaged."""
    return rooms(keyring) if keyring.may_act() else ()


def sheet_of(
    portal: Portal, keyring: Keyring, lines: Sequence[Line], checked: Mapping[str, bool] | None
) -> dict[str, Any]:
    """Return the chain of custody; ``checked``: which files were read through, and are whole."""
    listed = list_of(portal, keyring, [line.file for line in lines])
    for shown, line in zip(listed, lines, strict=True):
        manifest = line.file.manifest
        shown["sha256"] = manifest.sha256 if manifest else ""
        shown["sealed"] = line.sealed
        shown["leaf"] = line.file.leaf
        shown["checked"] = None if checked is None else checked.get(line.file.item_id, False)
        shown["looks"] = [
            {
                "day": portal.pages.tanggal(look.day),
                "by": by_whom(keyring.roster, keyring.case.reporter, look.person),
                "form": look.form,
            }
            for look in line.looks
        ]
    return {
        "case_id": keyring.case.id,
        "ticket": keyring.case.ticket,
        "office": portal.office.name,
        "printed": portal.pages.tanggal(keyring.uow.today()),
        "lines": listed,
        "may_lack": may_lack(keyring),
    }


def by_whom(roster: Roster, reporter: str, person_id: str) -> str:
    """Return an officer's name, or nothing for the reporter (the page writes "Pelapor")."""
    if person_id == reporter:
        return ""
    try:
        return roster.person(person_id).name
    except NotFound:
        return "–"
