"""The reporter's files: what has been sent, what officers sent back, and the form for more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response, Stream

from casework.case.keyring import CaseDamaged
from casework.errors import NotFound
from casework.evidence import examine, limits, parts, receive
from casework.evidence.files import files, find, may_lack
from portal import downloads, uploads
from portal.context import actor_of
from portal.web.headers import POLICY_HEADER, Policy
from portal.web.pages import see_other
from portal.web.run import run
from sandbox.contract import FileKind

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from casework.evidence.files import Content
    from casework.keys.actor import Actor
    from casework.keys.sessions import Session
    from portal.context import Portal

BASE: Final = "/ruang/berkas"
_DONE: Final = "berhasil"
_SENT: Final = "berkas"


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of a reporter's files."""

    @get(BASE)
    async def page(request: Request[Any, Any, Any]) -> Response[str]:
        """Show the files and the form."""
        session = await portal.reporters.require(request)
        return await _page(portal, session, done=request.query_params.get(_DONE) == _SENT)

    @post(BASE, status_code=200, request_max_body_size=None)
    async def take(request: Request[Any, Any, Any]) -> Response[str]:
        """Take the files of the form."""
        session = await portal.reporters.require(request)
        outcome = await uploads.take_form(portal, request, session, None)
        if outcome.complete:
            return see_other(f"{BASE}?{_DONE}={_SENT}")
        return await _page(portal, session, outcome=outcome)

    @post(BASE + "/mulai", status_code=200)
    async def begin(request: Request[Any, Any, Any]) -> Response[Any]:
        """Begin a file that comes in parts."""
        session = await portal.reporters.require(request)
        return await uploads.begin(portal, request, session, None)

    @post(
        BASE + "/unggahan/{upload_id:str}/bagian/{number:int}",
        status_code=200,
        request_max_body_size=limits.PART,
    )
    async def take_part(
        request: Request[Any, Any, Any], upload_id: FromPath[str], number: FromPath[int]
    ) -> Response[Any]:
        """Take one part."""
        session = await portal.reporters.require(request)
        return await uploads.take_part(portal, request, session, None, upload_id, number)

    @post(BASE + "/unggahan/{upload_id:str}/selesai", status_code=200)
    async def finish(request: Request[Any, Any, Any], upload_id: FromPath[str]) -> Response[Any]:
        """Make a file of its parts."""
        session = await portal.reporters.require(request)
        return await uploads.finish(portal, request, session, None, upload_id)

    @post(BASE + "/unggahan/{upload_id:str}/batal", status_code=200)
    async def cancel(request: Request[Any, Any, Any], upload_id: FromPath[str]) -> Response[str]:
        """Forget an unfinished file."""
        session = await portal.reporters.require(request)
        await uploads.cancel(portal, request, session, None, upload_id)
        return see_other(BASE)

    @get(BASE + "/{file_id:str}")
    async def fetch(
        request: Request[Any, Any, Any], file_id: FromPath[str]
    ) -> Response[Any] | Stream:
        """Send a file that an officer sent to the reporter."""
        session = await portal.reporters.require(request)
        content, name, kind = await run(_open, portal, actor_of(session), file_id)
        return await downloads.answer(request, content, kind, name=name)

    return [page, take, begin, take_part, finish, cancel, fetch]


async def _page(
    portal: Portal,
    session: Session,
    *,
    outcome: uploads.Outcome | None = None,
    done: bool = False,
) -> Response[str]:
    return portal.pages.render(
        "public/files.html",
        status=200 if outcome is None else 422,
        headers={POLICY_HEADER: Policy.UPLOAD.value},
        guard=portal.guard(session),
        outcome=outcome,
        done=done,
        limits=portal.office.evidence,
        **await run(uploads.again, lambda: _read(portal, actor_of(session))),
    )


def _read(portal: Portal, actor: Actor) -> dict[str, Any]:
    with portal.office.read() as uow:
        keyring = receive.keyring_of(uow, actor, None)
        found = files(keyring)
        return {
            "ticket": keyring.case.ticket,
            "may_send": keyring.may_act(),
            "may_lack": may_lack(keyring),
            "unfinished": uploads.unfinished_of(parts.arriving(keyring)),
            "sent": [
                {
                    "number": downloads.numbered(one.number),
                    "name": one.manifest.name if one.manifest else "",
                    "size": one.manifest.size if one.manifest else 0,
                    "kind": one.manifest.kind if one.manifest else "",
                    "day": portal.pages.tanggal(one.day),
                    "whole": one.manifest is not None,
                    "mine": one.author == actor.person_id,
                    "id": one.item_id,
                }
                for one in found
            ],
        }


def _open(portal: Portal, actor: Actor, file_id: str) -> tuple[Content, str, FileKind]:
    """Open a file that an officer put where the reporter reads; no trace is left of this."""
    with portal.office.read() as uow:
        keyring = receive.keyring_of(uow, actor, None)
        one = find(keyring, file_id)
        if one.author == actor.person_id:
            raise NotFound("file")
        if one.manifest is None:
            raise CaseDamaged("manifest")
        kind = FileKind(one.manifest.kind)
        name = downloads.neutral_name(keyring.case.ticket, one.number, kind)
        return examine.original_of(keyring, one), name, kind
