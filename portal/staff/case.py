"""The case page: the story on the left, what this officer may do now on the right."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from casework.errors import InvalidInput, NotFound
from casework.handling import acts, casefile, recuse
from casework.keys import roster
from casework.law.engine import DocumentRef, Facts
from crypto.age import HybridRecipient
from portal.context import LIMITS, PURPOSE, nonce_of
from portal.staff import looking, passing, sign_in, views
from portal.staff import officer as officers
from portal.web import csrf
from portal.web.forms import read_form
from portal.web.kept import KEEPER_FIELD, seal_fields
from portal.web.pages import see_other
from portal.web.refusals import BadForm, CsrfRefused, SignInRequired
from portal.web.run import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar.handlers import HTTPRouteHandler

    from casework.handling.casefile import CaseFile
    from casework.keys.actor import Actor
    from casework.law.profile import Profile
    from casework.law.schema import Transition
    from portal.context import Portal
    from portal.staff.officer import Officer
    from portal.web.forms import Form

MESSAGE: Final = "message"
RECUSE: Final = "recuse"
TEXTS: Final = ("reason", "note", "message", "missing_items")
CHOICES: Final = ("outcome", "category")
LISTS: Final = ("checklist", "assignees")
NUMBER, DAY = "_number", "_date"
_FORM, _CASE = "form", "case"
_DONE: Final = "berhasil"
_DONE_ACT, _DONE_RESTORED = "act", "restored"


@dataclass(frozen=True)
class Shown:
    """What a case page shows besides the case: a form that is shown again, or what was done."""

    failed: str = ""
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    errors: Mapping[str, str] = field(default_factory=dict)
    done: str = ""
    status: int = 200


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of the case page."""

    @get("/petugas/berkas/{case_id:str}")
    async def read(request: Request[Any, Any, Any], case_id: FromPath[str]) -> Response[str]:
        """Show a case."""
        officer = await officers.require(portal, request)
        done = request.query_params.get(_DONE, "")
        done = done if done in (_DONE_ACT, MESSAGE) else ""
        await passing.pass_on(portal, officer)
        return await _page(portal, officer, case_id, Shown(done=done))

    @post("/petugas/berkas/{case_id:str}/tindakan/{transition:str}", status_code=200)
    async def act(
        request: Request[Any, Any, Any], case_id: FromPath[str], transition: FromPath[str]
    ) -> Response[str]:
        """Take an act of the profile."""
        form = await read_form(request, LIMITS)
        return await _take(portal, request, form, case_id, transition)

    @post("/petugas/berkas/{case_id:str}/pesan", status_code=200)
    async def message(request: Request[Any, Any, Any], case_id: FromPath[str]) -> Response[str]:
        """Write to the reporter."""
        form = await read_form(request, LIMITS)
        return await _take(portal, request, form, case_id, MESSAGE)

    @post("/petugas/berkas/{case_id:str}/lepas", status_code=200)
    async def let_go(request: Request[Any, Any, Any], case_id: FromPath[str]) -> Response[str]:
        """Give all own keys to the case away, for a conflict of interest."""
        form = await read_form(request, LIMITS)
        return await _take(portal, request, form, case_id, RECUSE)

    return [read, act, message, let_go]


async def restored(
    portal: Portal, response: Response[str], actor: Actor, fields: Mapping[str, str]
) -> Response[str]:
    """Show the case with the text that a session's end had interrupted, not sent yet."""
    cookie = next(one for one in response.cookies if one.key == portal.staff.cookie_name)
    session = await run(
        portal.office.sessions.resume, cookie.value or "", int(portal.office.clock().timestamp())
    )
    if session is None or session.person != actor.person_id:
        return response
    officer = await run(officers.load, portal, session)
    values: dict[str, Any] = {name: fields[name] for name in TEXTS if name in fields}
    shown = Shown(fields.get(_FORM, ""), values, {}, _DONE_RESTORED)
    try:
        page = await _page(portal, officer, fields.get(_CASE, ""), shown)
    except NotFound:
        # The case has left this desk meanwhile: the officer is signed in all the same.
        return response
    page.cookies.extend(response.cookies)
    return page


async def _take(
    portal: Portal, request: Request[Any, Any, Any], form: Form, case_id: str, name: str
) -> Response[str]:
    """Take one form of the case page: check whose it is, act, show the case again."""
    values = _values(form)
    session = await portal.staff.current(request)
    if session is None:
        return await _keep(portal, form, case_id, name)
    officer = await run(officers.load, portal, session)
    try:
        csrf.check(session.csrf_secret, PURPOSE, form.one(csrf.CSRF_FIELD))
    except CsrfRefused:
        # A tab that outlived its session, opened by the same person: the text is theirs.
        if portal.keeper.read(form.one(KEEPER_FIELD)) != session.person:
            raise
        return await _page(portal, officer, case_id, Shown(name, values, {}, _DONE_RESTORED))
    try:
        await run(_perform, portal, officer.actor, form, case_id, name)
    except InvalidInput as refused:
        errors = views.field_errors(portal, refused.errors)
        return await _page(portal, officer, case_id, Shown(name, values, errors, status=422))
    # An act may have taken the case off the officer's desk, so the inbox is the safe way on.
    if name == MESSAGE or await run(_still_there, portal, officer, case_id):
        done = MESSAGE if name == MESSAGE else _DONE_ACT
        return see_other(f"/petugas/berkas/{case_id}?{_DONE}={done}")
    return see_other(f"/petugas?{_DONE}={_DONE_ACT}")


async def _keep(portal: Portal, form: Form, case_id: str, name: str) -> Response[str]:
    """Carry a late form's text through the sign-in page, sealed to whoever typed it."""
    person = portal.keeper.read(form.one(KEEPER_FIELD))
    recipient = await run(_recipient, portal, person) if person else None
    if recipient is None:
        raise SignInRequired("staff")
    texts = {one: form.one(one) for one in TEXTS if one in form}
    return sign_in.page(portal, kept=seal_fields({**texts, _FORM: name, _CASE: case_id}, recipient))


def _recipient(portal: Portal, person: str) -> HybridRecipient | None:
    with portal.office.read() as uow:
        record = roster.load(uow).person_on(person, uow.today())
        return HybridRecipient.from_bytes(record.recipient) if record else None


def _still_there(portal: Portal, officer: Officer, case_id: str) -> bool:
    with portal.office.read() as uow:
        return casefile.on_desk(uow, officer.actor, case_id)


def _perform(portal: Portal, actor: Actor, form: Form, case_id: str, name: str) -> None:
    nonce = nonce_of(form)
    with portal.office.write() as uow:
        if name == MESSAGE:
            acts.write_message(uow, actor, case_id, form.one(MESSAGE), nonce)
            return
        if name == RECUSE:
            known = bool(form.one("give_up_shares"))
            reason = form.one("reason")
            recuse.recuse(uow, actor, case_id, reason, nonce, give_up_shares=known)
            return
        _, profile = acts.open_case(uow, actor, case_id)
        facts = _facts(profile, profile.transition(name), form)
        acts.perform(uow, actor, case_id, _revision(form), name, facts, nonce)


def _revision(form: Form) -> int:
    """Return the revision that the officer looked at. Raises: BadForm."""
    text = form.one("revision")
    if not (text.isascii() and text.isdecimal() and len(text) < len(str(2**53))):
        raise BadForm
    return int(text)


def _values(form: Form) -> dict[str, Any]:
    """Return everything typed, to show the form again."""
    values: dict[str, Any] = {name: form.one(name) for name in (*TEXTS, *CHOICES)}
    values |= {name: form.many(name) for name in LISTS}
    values |= {name: form.one(name) for name in form.names if name.startswith("document_")}
    return values


def _facts(profile: Profile, rule: Transition, form: Form) -> Facts:
    """Return what the form brings to an act; an unticked question of a checklist is a no.

    Raises:
        InvalidInput: the date of a document is no date.
    """
    yes = form.many("checklist")
    questions = profile.checklist(rule.checklist).items if rule.checklist else ()
    documents, errors = {}, {}
    for kind in profile.documents:
        number = form.one(f"document_{kind.id}{NUMBER}").strip()
        day = form.one(f"document_{kind.id}{DAY}").strip()
        if number or day:
            try:
                documents[kind.id] = DocumentRef(number, date.fromisoformat(day))
            except ValueError:
                errors[f"document.{kind.id}"] = "law.document_date"
    if errors:
        raise InvalidInput(errors)
    lines = (line.strip() for line in form.one("missing_items").splitlines())
    return Facts(
        reason=form.one("reason").strip(),
        note=form.one("note").strip(),
        message=form.one("message").strip(),
        missing_items=tuple(line for line in lines if line),
        checklist={question.id: question.id in yes for question in questions},
        documents=documents,
        assignees=form.many("assignees"),
        outcome=form.one("outcome") or None,
        category=form.one("category") or None,
    )


async def _page(portal: Portal, officer: Officer, case_id: str, shown: Shown) -> Response[str]:
    # Noted first: where no leaf can be written, no page is shown.
    await run(looking.note_opening, portal, officer.actor, case_id)
    found = await run(_read, portal, officer.actor, case_id)
    return portal.pages.render(
        "staff/case.html",
        status=shown.status,
        officer=officer,
        guard=portal.guard(officer.session),
        failed=shown.failed,
        values=shown.values,
        errors=shown.errors,
        done=shown.done,
        may_write=found.may_write,
        recusal=views.recusal_of(portal, found),
        case=views.case_of(portal, found),
        story=views.story_of(portal, found),
        actions=views.actions_of(portal, found),
        deadlines=views.deadlines_of(portal, found),
    )


def _read(portal: Portal, actor: Actor, case_id: str) -> CaseFile:
    with portal.office.read() as uow:
        return casefile.read(uow, actor, case_id)
