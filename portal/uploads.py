"""Files on their way in, for reporters and officers alike: one plain form, or parts by a script.

The form is complete in itself. The script (`static/upload.js`) sends the same files in parts,
each sealed whole within its request, so that a broken connection costs one part.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from litestar.response import Response

from casework.errors import Conflict, NotFound
from casework.evidence import limits, parts, receive
from casework.evidence.incoming import Incoming
from casework.evidence.limits import Bound, Full
from casework.evidence.manifest import Described
from casework.law.vocabulary import Compartment
from portal.context import LIMITS, PURPOSE, actor_of
from portal.web import csrf, multipart
from portal.web.filenames import safe_name
from portal.web.forms import read_form
from portal.web.refusals import BadForm, CutShort, TooLarge
from portal.web.run import run
from portal.web.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Callable

    from litestar import Request

    from casework.evidence.incoming import Slot
    from casework.evidence.limits import Left
    from casework.evidence.parts import Arriving
    from casework.keys.actor import Actor
    from casework.keys.sessions import Session
    from portal.context import Portal
    from portal.web.forms import Form

T = TypeVar("T")

FIELD: Final = "files"
_TRIES: Final = 3
CSRF_HEADER: Final = "suaka-csrf"
_NUMBER: Final = re.compile(r"[0-9]{1,16}")
_PATIENCE: Final = 64 * limits.MIB
"""Bytes of a refused file that are read and dropped, so that the browser reads our answer."""


@dataclass(frozen=True)
class Refused:
    """A file that was not taken, and which limit it ran into."""

    name: str = field(repr=False)
    bound: str
    limit: int


@dataclass
class Outcome:
    """What became of a form's files, by name. ``broken``: one that did not arrive whole."""

    stored: list[str] = field(default_factory=list, repr=False)
    known: list[str] = field(default_factory=list, repr=False)
    refused: list[Refused] = field(default_factory=list)
    broken: str = field(default="", repr=False)

    @property
    def nothing(self) -> bool:
        """Whether no file was chosen at all."""
        return not (self.stored or self.known or self.refused or self.broken)

    @property
    def complete(self) -> bool:
        """Whether every file is stored."""
        return not (self.nothing or self.refused or self.broken)


async def take_form(
    portal: Portal, request: Request[Any, Any, Any], session: Session, case_id: str | None
) -> Outcome:
    """Take the files of one form, each stored with an act of its own as soon as it is whole.

    What was stored stays, whatever becomes of the files behind it.

    Raises:
        CsrfRefused: the form is not of this session; nothing was read of any file.
        BadForm, WrongContentType, TooLarge: as :mod:`portal.web.multipart`.
        NotFound, Denied, CaseDamaged: see :func:`casework.evidence.receive.keyring_of`.
    """
    actor = actor_of(session)
    outcome = Outcome()
    body = await run(_most_of_form, portal, actor, case_id)
    try:
        await _take_all(
            portal, request, session, case_id, multipart.UploadLimits(body=body), outcome
        )
    except TooLarge:
        outcome.refused.append(Refused("", Bound.CASE_BYTES, portal.office.evidence.case))
    return outcome


async def _take_all(  # noqa: PLR0917 - whose form, and what became of it
    portal: Portal,
    request: Request[Any, Any, Any],
    session: Session,
    case_id: str | None,
    allowed: multipart.UploadLimits,
    outcome: Outcome,
) -> None:
    actor = actor_of(session)
    async with multipart.reader(request, allowed) as reader:
        async for part in reader.files(FIELD):
            # The hidden fields stand before the files: no file is read for a stranger's form.
            csrf.check(session.csrf_secret, PURPOSE, reader.form.one(csrf.CSRF_FIELD))
            room = _room(reader.form, case_id)
            described = Described(safe_name(part.filename), part.media_type)
            try:
                await _take_one(portal, actor, case_id, room, part, described, outcome)
            except Full as full:
                outcome.refused.append(Refused(described.name, full.bound, full.limit))
                if not await part.skip(_PATIENCE):
                    break
            except CutShort:
                outcome.broken = described.name
                break
        else:
            csrf.check(session.csrf_secret, PURPOSE, reader.form.one(csrf.CSRF_FIELD))


async def _take_one(  # noqa: PLR0917 - whose file, where it goes, what it is
    portal: Portal,
    actor: Actor,
    case_id: str | None,
    room: str,
    part: multipart.FilePart,
    described: Described,
    outcome: Outcome,
) -> None:
    """Take one file. Raises: Full, CutShort, and what opening the case raises."""
    slot, left = await run(_slot, portal, actor, case_id, room)
    async with Sink(await run(Incoming, portal.office.blobs, slot)) as sink:
        async for piece in part:
            if sink.length + len(piece) > left.size:
                raise Full(left.bound, left.limit)
            await sink.put(piece)
        if not sink.length and not described.name:
            return
        arrived = await sink.finish()

        def store() -> str | None:
            with portal.office.write() as uow:
                keyring = receive.keyring_of(uow, actor, case_id)
                return receive.store(keyring, slot, described, arrived)

        stored = await run(store)
    (outcome.known if stored is None else outcome.stored).append(described.name)


def _room(form: Form, case_id: str | None) -> str:
    """Return where a file goes: an officer must say so, for one of the rooms the reporter reads."""
    return form.one("room") or (Compartment.CONTENT.value if case_id is None else "")


def _slot(portal: Portal, actor: Actor, case_id: str | None, room: str) -> tuple[Slot, Left]:
    def find() -> tuple[Slot, Left]:
        with portal.office.read() as uow:
            return receive.slot(receive.keyring_of(uow, actor, case_id), room)

    return again(find)


def again(read: Callable[[], T]) -> T:
    """Read once more if somebody replaced the case's keys just meanwhile: no sender's fault.

    Raises:
        Conflict: it happened several times.
    """
    for _ in range(_TRIES):
        with suppress(Conflict):
            return read()
    return read()


def _most_of_form(portal: Portal, actor: Actor, case_id: str | None) -> int:
    """Return how many bytes a form may declare before any of it is read."""
    with portal.office.read() as uow:
        keyring = receive.keyring_of(uow, actor, case_id)
        bounds = portal.office.evidence
        by_reporter = actor.person_id == keyring.case.reporter
        files = bounds.case_files if by_reporter else bounds.officer_files
    return min(bounds.case, files * bounds.file) + limits.MIB


async def begin(
    portal: Portal, request: Request[Any, Any, Any], session: Session, case_id: str | None
) -> Response[Any]:
    """Begin a file in parts, or tell what of it is here already."""
    form = await read_form(request, LIMITS)
    csrf.check(session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))
    declared = parts.Declared(
        name=safe_name(form.one("name")),
        media_type=form.one("type")[:100],
        size=_integer(form.one("size")),
        modified=_integer(form.one("modified") or "0"),
    )
    room = _room(form, case_id)

    def start() -> Arriving:
        with portal.office.write() as uow:
            return parts.begin(receive.keyring_of(uow, actor_of(session), case_id), room, declared)

    try:
        found = await run(start)
    except Full as full:
        return _refused(portal, full)
    return _json(
        {"id": found.id, "part": limits.PART, "count": found.count, "have": sorted(found.have)}
    )


async def take_part(  # noqa: PLR0917 - which part of which file, and whose
    portal: Portal,
    request: Request[Any, Any, Any],
    session: Session,
    case_id: str | None,
    upload_id: str,
    number: int,
) -> Response[Any]:
    """Take one part, sealed whole within this request; what breaks off leaves nothing."""
    csrf.check(session.csrf_secret, PURPOSE, request.headers.get(CSRF_HEADER, ""))
    actor = actor_of(session)

    def prepare() -> Slot:
        with portal.office.read() as uow:
            return parts.slot(receive.keyring_of(uow, actor, case_id), upload_id, number)

    try:
        slot = await run(again, prepare)
        async with Sink(await run(Incoming, portal.office.blobs, slot)) as sink:
            async for piece in multipart.stream(request, slot.most):
                await sink.put(piece)
            if sink.length != slot.most:
                raise CutShort
            arrived = await sink.finish()

            def keep() -> None:
                with portal.office.write() as uow:
                    parts.take(receive.keyring_of(uow, actor, case_id), upload_id, arrived)

            await run(keep)
    except Full as full:
        return _refused(portal, full)
    return _json({})


async def finish(
    portal: Portal,
    request: Request[Any, Any, Any],
    session: Session,
    case_id: str | None,
    upload_id: str,
) -> Response[Any]:
    """Make a file of parts that are all here: read them through, then add it to the case."""
    form = await read_form(request, LIMITS)
    csrf.check(session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))
    actor = actor_of(session)

    def check() -> list[str]:
        with portal.office.read() as uow:
            keyring = receive.keyring_of(uow, actor, case_id)
            if receive.is_stored(keyring, upload_id):
                return []
            manifest = parts.check(keyring, upload_id)
        with portal.office.write() as uow:
            keyring = receive.keyring_of(uow, actor, case_id)
            # The same request, sent again while this one was reading, may have been quicker.
            if receive.is_stored(keyring, upload_id):
                return []
            return parts.finish(keyring, upload_id, manifest)

    await _remove(portal, await run(check))
    return _json({})


async def cancel(
    portal: Portal,
    request: Request[Any, Any, Any],
    session: Session,
    case_id: str | None,
    upload_id: str,
) -> None:
    """Forget an unfinished file; one that is gone already is no fault."""
    form = await read_form(request, LIMITS)
    csrf.check(session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))

    def forget() -> list[str]:
        with portal.office.write() as uow:
            keyring = receive.keyring_of(uow, actor_of(session), case_id)
            try:
                return parts.cancel(keyring, upload_id)
            except NotFound:
                return []

    await _remove(portal, await run(forget))


def unfinished_of(found: list[Arriving]) -> list[dict[str, Any]]:
    """Return what the pages show of unfinished files."""
    return [
        {"id": one.id, "name": one.declared.name, "have": len(one.have), "count": one.count}
        for one in found
    ]


async def _remove(portal: Portal, blobs: list[str]) -> None:
    """Remove blobs that no row names any more; a sweep finds those that a crash leaves."""
    for blob in blobs:
        await run(portal.office.blobs.remove, blob)


def _refused(portal: Portal, full: Full) -> Response[Any]:
    said = portal.pages.words("macros/files.html", "bound", full.bound.value, full.limit)
    return _json({"message": said}, status=409)


def _json(content: dict[str, Any], status: int = 200) -> Response[Any]:
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json")


def _integer(text: str) -> int:
    """Return a number that a script sends. Raises: BadForm: it is none, or too large."""
    if not _NUMBER.fullmatch(text) or int(text) >= 2**53:
        raise BadForm
    return int(text)
