"""The mailbox: the reporter's own room, opened by a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from litestar import Request, get, post
from litestar.response import Response
from sqlalchemy import select

from casework.case.keyring import Keyring
from casework.case.tables import Case
from casework.errors import InvalidInput, InvalidTransition
from casework.intake import mailbox
from casework.keys import roster
from casework.keys.accounts import KeysSwapped
from casework.keys.actor import Actor
from casework.keys.vocabulary import PersonKind
from casework.law.engine import Facts
from casework.law.vocabulary import Need
from crypto.age import HybridRecipient
from crypto.errors import CryptoError
from crypto.persons import Person
from portal.context import LIMITS, PURPOSE, actor_of, nonce_of
from portal.public import sign_in, views
from portal.web import csrf
from portal.web.forms import read_form
from portal.web.kept import KEEPER_FIELD, seal_fields
from portal.web.pages import see_other
from portal.web.refusals import CsrfRefused, SignInRequired
from portal.web.run import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar.handlers import HTTPRouteHandler

    from casework.intake.mailbox import Mailbox
    from casework.keys.sessions import Session
    from portal.context import Portal
    from portal.web.forms import Form

HOME: Final = "/ruang"
TEXTS: Final = ("message", "completion", "review", "rating")
REVIEW: Final = "review_requested"
RESTORED: Final = "restored"
_DONE: Final = "berhasil"
_DIGITS: Final = 3


@dataclass(frozen=True)
class Written:
    """What one of the mailbox's forms brings: which one, and what was typed."""

    name: str
    text: str


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of the mailbox."""

    @get(HOME)
    async def room(request: Request[Any, Any, Any]) -> Response[str]:
        """Show the mailbox."""
        session = await portal.reporters.require(request)
        return await _page(portal, session, done=_just_done(request))

    @post("/ruang/pesan", status_code=200)
    async def message(request: Request[Any, Any, Any]) -> Response[str]:
        """Take a message to the office."""
        return await _take(portal, request, "message")

    @post("/ruang/lengkapi", status_code=200)
    async def complete(request: Request[Any, Any, Any]) -> Response[str]:
        """Take what was missing."""
        return await _take(portal, request, "completion")

    @post("/ruang/tinjau", status_code=200)
    async def review(request: Request[Any, Any, Any]) -> Response[str]:
        """Take a request for review."""
        return await _take(portal, request, "review")

    @post("/ruang/nilai", status_code=200)
    async def rate(request: Request[Any, Any, Any]) -> Response[str]:
        """Take a rating."""
        return await _take(portal, request, "rating")

    @post("/ruang/keluar", status_code=200)
    async def leave(request: Request[Any, Any, Any]) -> Response[str]:
        """End the session."""
        response = see_other("/masuk")
        await portal.reporters.sign_out(request, response)
        return response

    return [room, message, complete, review, rate, leave]


async def restored(
    portal: Portal, response: Response[str], actor: Actor, fields: Mapping[str, str]
) -> Response[str]:
    """Show the mailbox with the text that a session's end had interrupted, not sent yet."""
    cookie = next(one for one in response.cookies if one.key == portal.reporters.cookie_name)
    session = await run(
        portal.office.sessions.resume,
        cookie.value or "",
        int(portal.office.clock().timestamp()),
    )
    if session is None or session.person != actor.person_id:
        return response
    values = {name: fields[name] for name in TEXTS if name in fields}
    shown = await _page(portal, session, values=values, done=RESTORED)
    shown.cookies.extend(response.cookies)
    return shown


async def _take(portal: Portal, request: Request[Any, Any, Any], name: str) -> Response[str]:
    """Take one form of the mailbox: check whose it is, act, and show the mailbox again."""
    form = await read_form(request, LIMITS)
    written = Written(name, form.one(name))
    session = await portal.reporters.current(request)
    if session is None:
        return await _keep(portal, form, written)
    try:
        csrf.check(session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))
    except CsrfRefused:
        # A tab that outlived its session, opened by the same person: the text is theirs.
        if portal.keeper.read(form.one(KEEPER_FIELD)) != session.person:
            raise
        return await _page(portal, session, values={name: written.text}, done=RESTORED)
    try:
        await run(_act, portal, actor_of(session), written, nonce_of(form))
    except InvalidInput as refused:
        errors = dict.fromkeys((name,), next(iter(refused.errors.values())))
        return await _page(portal, session, values={name: written.text}, errors=errors, status=422)
    return see_other(f"{HOME}?{_DONE}={name}")


async def _keep(portal: Portal, form: Form, written: Written) -> Response[str]:
    """Carry a late form's text through the sign-in page, sealed to whoever typed it."""
    person = portal.keeper.read(form.one(KEEPER_FIELD))
    recipient = await run(_recipient, portal, person) if person else None
    if recipient is None:
        raise SignInRequired("reporter")
    kept = seal_fields({written.name: written.text}, recipient)
    return sign_in.page(portal, kept=kept)


def _recipient(portal: Portal, person: str) -> HybridRecipient | None:
    """Return the recipient of a reporter as the case's first leaf vouches for it.

    Raises:
        KeysSwapped: the row says otherwise; sealed to it, the text would be somebody else's.
    """
    with portal.office.read() as uow:
        case = uow.session.scalar(select(Case).where(Case.reporter == person))
        if case is None:
            return None
        # Nobody is signed in: these keys open nothing, and only public ones are asked for.
        nobody = Actor("", Person.generate(), PersonKind.REPORTER)
        try:
            keys = Keyring(uow, case, nobody, roster.load(uow)).reporter_keys()
        except CryptoError as error:
            raise KeysSwapped from error
        return HybridRecipient.from_bytes(keys.recipient)


def _act(portal: Portal, actor: Actor, written: Written, nonce: str) -> None:
    with portal.office.write() as uow:
        if written.name == "message":
            mailbox.write_message(uow, actor, written.text, nonce)
            return
        found = mailbox.look(uow, actor)
        rule, facts = {
            "completion": (
                views.action_with(found, Need.MESSAGE),
                Facts(message=written.text),
            ),
            "review": (
                views.action_with(found, Need.MESSAGE, raises=REVIEW),
                Facts(message=written.text),
            ),
            "rating": (
                views.action_with(found, Need.RATING),
                Facts(rating=_number(written.text)),
            ),
        }[written.name]
        if rule is None:
            if mailbox.has_item(uow, actor, nonce):
                return
            raise InvalidTransition(found.state.id, written.name, "reporter")
        mailbox.act(uow, actor, rule.id, facts, nonce)


def _number(text: str) -> int | None:
    """Return a small number; nothing longer is even read as one."""
    return int(text) if len(text) <= _DIGITS and text.isascii() and text.isdecimal() else None


def _just_done(request: Request[Any, Any, Any]) -> str:
    done = request.query_params.get(_DONE, "")
    return done if done in TEXTS else ""


async def _page(
    portal: Portal,
    session: Session,
    *,
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    done: str = "",
    status: int = 200,
) -> Response[str]:
    found = await run(_read, portal, actor_of(session))
    return portal.pages.render(
        "public/mailbox.html",
        status=status,
        guard=portal.guard(session),
        values=values or {},
        errors=portal.messages(errors or {}),
        done=done,
        **_shown(portal, found),
    )


def _read(portal: Portal, actor: Actor) -> Mailbox:
    with portal.office.read() as uow:
        return mailbox.read(uow, actor)


def _shown(portal: Portal, found: Mailbox) -> dict[str, Any]:
    """Return what the template shows of a mailbox."""
    tanggal = portal.pages.tanggal
    promise, mine = views.next_promise(found), views.own_promise(found)
    result = next((p.body for p in reversed(found.pieces) if "outcome" in p.body), {})
    review = views.action_with(found, Need.MESSAGE, raises=REVIEW)
    given = views.rating_given(found)
    can_rate = views.action_with(found, Need.RATING) is not None
    return {
        "case": {
            "ticket": found.ticket,
            "label": found.state.public_label,
            "sentence": found.state.public_sentence,
            "next": found.state.public_next,
            "next_due": tanggal(promise.due) if promise else "",
            "next_due_legal": promise.legal if promise else False,
        },
        "outcome": {
            "label": found.outcome.public_label,
            "sentence": found.outcome.public_sentence,
            "text": result.get("text", ""),
        }
        if found.outcome
        else None,
        "recovered": [tanggal(day) for day in found.recovered],
        "resealed": [tanggal(day) for day in found.resealed],
        "files": len(found.files),
        "watched": {
            "size": found.watched.size,
            "restored": tanggal(found.watched.restored) if found.watched.restored else "",
        },
        "looks": [{"day": tanggal(one.day), "roles": one.roles} for one in found.looks],
        "messages": views.thread_of(portal, found),
        "completion": {
            "items": found.missing_items,
            "due": tanggal(mine.due) if mine else "",
        }
        if found.missing_items and views.action_with(found, Need.MESSAGE)
        else None,
        "may_write": True,
        "review": {"because": "rejected" if found.state.rejected else "overdue"}
        if review
        else None,
        "review_sent": found.review_requested,
        "rating": {"scale": found.profile.reporting.rating_scale, "given": given}
        if can_rate or given is not None
        else None,
    }
