"""Coming back: ticket and eight words open the mailbox.

An unknown ticket and a wrong key cost the same and get the same answer. Only a word that is not
in the list, or a wrong number of words, is pointed at: that says nothing about any case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litestar import Request, get, post
from litestar.response import Response

from casework.keys import accounts
from casework.keys.actor import Actor
from crypto import ticket as tickets
from crypto import words
from crypto.errors import Malformed
from portal.context import LIMITS
from portal.public import mailbox
from portal.public.information import PUBLIC
from portal.web.forms import read_form
from portal.web.kept import KEPT_FIELD, open_fields
from portal.web.pages import see_other
from portal.web.refusals import Busy
from portal.web.run import run

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from casework.keys.accounts import SignInKeys
    from portal.context import Portal

NO_TICKET: Final = "WBS-00000000"
"""Stands for a ticket that cannot be one, so that a typing error costs what a wrong key costs."""


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of the sign-in page."""

    @get("/masuk", opt=PUBLIC, sync_to_thread=False)
    def ask() -> Response[str]:
        """Show the sign-in form."""
        return page(portal)

    @post("/masuk", opt=PUBLIC, status_code=200)
    async def enter(request: Request[Any, Any, Any]) -> Response[str]:
        """Open the mailbox, or say what can be corrected."""
        form = await read_form(request, LIMITS)
        typed, kept = form.one("ticket").strip()[:40], form.one(KEPT_FIELD)
        try:
            entropy = words.decode(form.one("words"))
        except words.UnknownWords as error:
            return page(
                portal, "unknown_words", typed, kept, unknown_words=error.positions, status=422
            )
        except words.WrongCount as error:
            return page(portal, "wrong_count", typed, kept, word_count=error.count, status=422)
        except Malformed:
            return page(portal, "wrong", typed, kept, status=422)
        response = see_other("/ruang")
        try:
            async with portal.reporter_lane.place():
                actor = await start_session(portal, request, response, typed, entropy)
        except Busy:
            return page(portal, "busy", typed, kept, status=503)
        if actor is None:
            return page(portal, "wrong", typed, kept, status=422)
        if restored := open_fields(kept, actor.person.identity) if kept else {}:
            return await mailbox.restored(portal, response, actor, restored)
        return response

    return [ask, enter]


async def start_session(
    portal: Portal,
    request: Request[Any, Any, Any],
    response: Response[Any],
    ticket: str,
    entropy: bytes,
) -> Actor | None:
    """Stretch the key and open a session on ``response``; ``None`` when nothing matches.

    Call it inside a KDF lane.
    """
    actor = await run(_find, portal, ticket, entropy)
    if actor is not None:
        await portal.reporters.sign_in(request, response, actor.person_id, actor.person.seed)
    return actor


def page(
    portal: Portal,
    problem: str = "",
    ticket: str = "",
    kept: str = "",
    *,
    unknown_words: tuple[int, ...] = (),
    word_count: int = 0,
    status: int = 200,
) -> Response[str]:
    """Return the sign-in page; the words are never sent back."""
    return portal.pages.render(
        "public/sign_in.html",
        status=status,
        problem=problem,
        unknown_words=unknown_words,
        word_count=word_count,
        ticket=ticket,
        kept=kept,
    )


def _find(portal: Portal, ticket: str, entropy: bytes) -> Actor | None:
    office = portal.office
    try:
        parsed = tickets.parse(ticket)
    except Malformed:
        parsed = NO_TICKET
    keys: SignInKeys = accounts.reporter_keys(
        office.instance_id, parsed, entropy, office.secret_key_kdf
    )
    with office.read() as uow:
        return accounts.locate_and_unwrap(uow, keys)
