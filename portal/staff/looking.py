"""What officers do with files, each as one call in a worker thread: examine, draw, open, check.

Every look leaves its leaf before anything is shown.
"""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING

from casework.case.keyring import CaseDamaged
from casework.errors import NotFound
from casework.evidence import examine as examining
from casework.evidence import receive, sheet
from casework.evidence.files import find
from casework.handling import opening
from portal.downloads import neutral_name
from sandbox.contract import Failed, FileKind

if TYPE_CHECKING:
    from casework.case.keyring import Keyring
    from casework.evidence.examine import Examination
    from casework.evidence.files import Content, File
    from casework.keys.actor import Actor
    from casework.store.unit import UnitOfWork
    from portal.context import Portal


def open_file(
    portal: Portal, actor: Actor, case_id: str, file_id: str, form: str, *, once_a_day: bool
) -> tuple[Content, str, FileKind]:
    """Open a file for sending, after its leaf is written.

    With an empty ``form`` it is the cleaned copy if there is one, else the original.

    Raises:
        NotFound: there is no such file or copy, or no reason was given for the original.
    """
    with portal.office.read() as uow:
        keyring = receive.keyring_of(uow, actor, case_id)
        one = find(keyring, file_id)
        found = examining.latest(keyring, one)
        has_copy = found is not None and found.result.copy is not None
        form = form or (examining.CLEAN if has_copy else examining.ORIGINAL)
        _require_open(keyring, one, form, has_copy=has_copy)
        noted = once_a_day and examining.is_open(keyring, file_id, form)
        content, kind = _content(keyring, one, found, form)
        original = form == examining.ORIGINAL
        name = neutral_name(keyring.case.ticket, one.number, kind, original=original)
    if not noted:
        try:
            with portal.office.write() as uow:
                examining.note(receive.keyring_of(uow, actor, case_id), file_id, form)
        except BaseException:
            content.close()
            raise
    return content, name, kind


def _require_open(keyring: Keyring, one: File, form: str, *, has_copy: bool) -> None:
    if one.manifest is None:
        raise CaseDamaged("manifest")
    if form == examining.CLEAN and not has_copy:
        raise NotFound("copy")
    if form == examining.ORIGINAL and not examining.is_open(keyring, one.item_id, form):
        raise NotFound("original")


def _content(
    keyring: Keyring, one: File, found: Examination | None, form: str
) -> tuple[Content, FileKind]:
    """Return what is sent, and its kind. Raises: CaseDamaged."""
    if form == examining.CLEAN and found is not None and found.result.copy is not None:
        return examining.copy_of(keyring, found), FileKind(found.result.copy.kind)
    if one.manifest is None:
        raise CaseDamaged("manifest")
    return examining.original_of(keyring, one), FileKind(one.manifest.kind)


def _shown(uow: UnitOfWork, actor: Actor, case_id: str, file_id: str) -> tuple[Content, FileKind]:
    """Return what is drawn or read: the cleaned copy, or the original inside its confinement."""
    keyring = receive.keyring_of(uow, actor, case_id)
    one = find(keyring, file_id)
    return _content(keyring, one, examining.latest(keyring, one), examining.CLEAN)


def _note_picture(portal: Portal, actor: Actor, case_id: str, file_id: str) -> None:
    with portal.office.read() as uow:
        keyring = receive.keyring_of(uow, actor, case_id)
        noted = examining.is_open(keyring, file_id, examining.PICTURE)
    if not noted:
        with portal.office.write() as uow:
            keyring = receive.keyring_of(uow, actor, case_id)
            examining.note(keyring, file_id, examining.PICTURE)


def draw(portal: Portal, actor: Actor, case_id: str, file_id: str, page: int) -> bytes:
    """Return a page of a file as a plain picture. Raises: NotFound: it cannot be drawn."""
    _note_picture(portal, actor, case_id, file_id)
    with portal.office.read() as uow:
        content, kind = _shown(uow, actor, case_id, file_id)
    try:
        with closing(content):
            return examining.draw(portal.office, content, kind, page).data
    except Failed as failed:
        raise NotFound("picture") from failed


def text(portal: Portal, actor: Actor, case_id: str, file_id: str) -> str:
    """Return a file as text. Raises: NotFound: it cannot be read as such."""
    _note_picture(portal, actor, case_id, file_id)
    with portal.office.read() as uow:
        content, kind = _shown(uow, actor, case_id, file_id)
    try:
        with closing(content):
            return examining.text(portal.office, content, kind)
    except Failed as failed:
        raise NotFound("text") from failed


def examine(portal: Portal, actor: Actor, case_id: str, file_id: str) -> None:
    """Scan a file, make its cleaned copy, and store what was found."""
    with portal.office.read() as uow:
        keyring = receive.keyring_of(uow, actor, case_id)
        one = find(keyring, file_id)
        original, slot = examining.original_of(keyring, one), examining.slot(keyring, one)
    with closing(original):
        prepared = examining.prepare(portal.office, original, one, slot)
    try:
        with portal.office.write() as uow:
            examining.store(receive.keyring_of(uow, actor, case_id), prepared)
    finally:
        if prepared.arrived is not None:
            prepared.arrived.blob.close()


def open_original(  # noqa: PLR0917 - who opens what, and why
    portal: Portal, actor: Actor, case_id: str, file_id: str, reason: str, nonce: str
) -> None:
    """Note why the original is opened. Raises: InvalidInput: no reason, or too long a one."""
    with portal.office.write() as uow:
        keyring = receive.keyring_of(uow, actor, case_id)
        examining.open_original(keyring, file_id, reason, nonce)


def check(portal: Portal, actor: Actor, case_id: str) -> dict[str, bool]:
    """Read every file through; return which are what their authors sealed."""
    with portal.office.read() as uow:
        keyring = receive.keyring_of(uow, actor, case_id)
        opened: dict[str, Content | None] = {}
        for line in sheet.sheet(keyring):
            opened[line.file.item_id] = None
            with suppress(CaseDamaged):
                opened[line.file.item_id] = examining.original_of(keyring, line.file)
    return {name: content is not None and _is_whole(content) for name, content in opened.items()}


def _is_whole(content: Content) -> bool:
    with closing(content):
        try:
            for _ in content.whole():
                pass
        except CaseDamaged:
            return False
    return True


def note_opening(portal: Portal, actor: Actor, case_id: str) -> None:
    """Leave today's leaf of opening the case, whichever of its pages is opened first."""
    with portal.office.read() as uow:
        noted = opening.is_noted(uow, actor, case_id)
    # Nobody waits for the write lock but on the first visit of a day.
    if not noted:
        with portal.office.write() as uow:
            opening.note(uow, actor, case_id)
