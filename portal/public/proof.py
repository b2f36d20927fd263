"""What a reporter may take along: the receipt (*bukti lapor*), and apart from it text and key.

Whatever leaves here is sent after a form with a token, under a name that says nothing. Nothing
is written, so that nobody can tell who has taken a receipt.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from litestar import Request, get, post
from litestar.response import Response

from casework.intake import proof
from portal.context import LIMITS, PURPOSE, actor_of
from portal.web import csrf
from portal.web.forms import read_form
from portal.web.headers import POLICY_HEADER, Policy
from portal.web.run import run

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from casework.intake.proof import Evidence
    from casework.keys.actor import Actor
    from casework.keys.sessions import Session
    from portal.context import Portal

HOME: Final = "/ruang/bukti"
RECEIPT, TEXT, KEY = "catatan", "isi", "kode"
"""First word of a file's name; the rest is random, and says neither where nor what."""

_GROUP: Final = 8


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of a reporter's receipt."""

    async def found(request: Request[Any, Any, Any]) -> tuple[Session, Evidence]:
        """Return what a form asks for. Raises: SignInRequired, CsrfRefused, and as evidence."""
        session = await portal.reporters.require(request)
        form = await read_form(request, LIMITS)
        csrf.check(session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))
        return session, await run(_evidence, portal, actor_of(session))

    @get(HOME)
    async def page(request: Request[Any, Any, Any]) -> Response[str]:
        """Say what a receipt is good for and what it risks, then offer it."""
        session = await portal.reporters.require(request)
        evidence = await run(_evidence, portal, actor_of(session))
        return portal.pages.render(
            "public/proof.html",
            guard=portal.guard(session),
            published=evidence.published,
            witnesses=evidence.witnesses,
            protection=evidence.profile.reporting.protection,
        )

    @post(f"{HOME}/berkas", status_code=200)
    async def receipt(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Send the receipt as a file."""
        _, evidence = await found(request)
        return _file(RECEIPT, evidence.file.encode())

    @post(f"{HOME}/cetak", status_code=200)
    async def printed(request: Request[Any, Any, Any]) -> Response[str]:
        """Show the receipt for printing, without the name of the office."""
        _, evidence = await found(request)
        return portal.pages.render(
            "public/proof_print.html",
            ticket=evidence.ticket,
            day=portal.pages.tanggal(evidence.day),
            witnesses=evidence.witnesses,
            file=evidence.file,
        )

    @post(f"{HOME}/isi", status_code=200)
    async def contents(request: Request[Any, Any, Any]) -> Response[str]:
        """Show the key of the report's text, and offer both as files."""
        session, evidence = await found(request)
        digits = evidence.key.hex()
        return portal.pages.render(
            "public/proof_contents.html",
            guard=portal.guard(session),
            key=[digits[at : at + _GROUP] for at in range(0, len(digits), _GROUP)],
        )

    @post(f"{HOME}/teks", status_code=200)
    async def text(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Send exactly the bytes that the submission's leaf binds."""
        _, evidence = await found(request)
        return _file(TEXT, evidence.text)

    @post(f"{HOME}/kunci", status_code=200)
    async def key(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Send the key of the text: 64 hex digits and a line end."""
        _, evidence = await found(request)
        return _file(KEY, f"{evidence.key.hex()}\n".encode())

    return [page, receipt, printed, contents, text, key]


def _evidence(portal: Portal, actor: Actor) -> Evidence:
    with portal.office.read() as uow:
        return proof.evidence(uow, actor)


def _file(word: str, body: bytes) -> Response[bytes]:
    """Send a text file; its name is random, so that two of them are not known for a pair."""
    name = f"{word}-{secrets.token_hex(3)}.txt"
    return Response(
        body,
        media_type="text/plain",
        headers={
            POLICY_HEADER: Policy.FILE.value,
            "content-disposition": f'attachment; filename="{name}"',
        },
    )
