"""What the case page shows, made from the domain's answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from casework.case.custody import FILE_REASON
from casework.case.past import EVIDENCE
from casework.errors import NotFound
from casework.evidence.examine import FILE
from casework.handling.acts import MESSAGE
from casework.handling.recuse import RECUSAL
from casework.handling.story import MOVES, Trust
from casework.intake.report import FIELDS
from casework.intake.sealing import REPORT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casework.evidence.files import File
    from casework.handling.casefile import Action, CaseFile, Clock
    from casework.handling.story import Piece
    from casework.law.profile import Profile
    from portal.context import Portal


@dataclass(frozen=True)
class StoryItem:
    """One piece of the story. ``proof``: verified, unverifiable or missing.

    ``kind``: "report", "message", "act", "recusal", "evidence", "file_reason", or an event of
    custody. ``file`` and ``number`` are those of the file that a piece is about.
    ``by_reporter``: the page writes "Pelapor" and shows the day only. ``facts`` and ``answers``
    are (key, text) pairs; the page has a label for each key.
    """

    kind: str
    proof: str
    title: str = ""
    by_reporter: bool = False
    author: str = ""
    role: str = ""
    when: str = ""
    compartment: str = ""
    article: str = ""
    file: str = ""
    number: str = ""
    text: str = field(default="", repr=False)
    answers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    facts: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    missing_items: tuple[str, ...] = field(default=(), repr=False)
    checked: tuple[tuple[str, bool], ...] = ()


def case_of(portal: Portal, found: CaseFile) -> dict[str, Any]:
    """Return the head of the page."""
    category = found.profile.category(found.category).label if found.category else ""
    return {
        "id": found.case_id,
        "ticket": found.ticket,
        "status": found.state.label,
        "category": category,
        "received": portal.pages.tanggal(found.received),
        "revision": found.revision,
        "overdue": any(clock.days_left < 0 for clock in found.clocks),
        "review_requested": "review_requested" in found.flags,
    }


def story_of(portal: Portal, found: CaseFile) -> list[StoryItem]:
    """Return the story in order of time."""
    return [_item(portal, found, piece) for piece in found.pieces]


def actions_of(portal: Portal, found: CaseFile) -> list[dict[str, Any]]:
    """Return the acts that are open now, each with what its form asks for."""
    return [_action(portal, found, action) for action in found.actions]


def recusal_of(portal: Portal, found: CaseFile) -> dict[str, Any] | None:
    """Return what the form of a recusal needs to know, or ``None`` if there is none."""
    if found.recusal is None:
        return None
    problem = portal.pages.message(found.recusal.problem) if found.recusal.problem else ""
    return {"problem": problem, "last_share": found.recusal.last_share}


def deadlines_of(portal: Portal, found: CaseFile) -> list[dict[str, Any]]:
    """Return the running deadlines, the earliest first."""
    return [_deadline(portal, found.profile, clock) for clock in found.clocks]


def field_errors(portal: Portal, errors: Mapping[str, str]) -> dict[str, str]:
    """Return what a person reads, by the names of the form's fields."""
    found: dict[str, str] = {}
    for name, key in errors.items():
        group, _, rest = name.partition(".")
        if group == "checklist":
            target = "checklist"
        elif group == "document":
            target = f"document_{rest}_number"
        else:
            target = "message" if name == "text" else name
        found.setdefault(target, portal.pages.message(key))
    return found


def _item(portal: Portal, found: CaseFile, piece: Piece) -> StoryItem:
    day = portal.pages.tanggal(piece.day) if piece.day else ""
    if piece.trust is not Trust.VERIFIED:
        return StoryItem(kind="", proof=piece.trust.value, when=day, compartment=piece.compartment)
    by_reporter = piece.author == found.reporter
    author, role = ("", "") if by_reporter else _author(found, piece)
    body = piece.body
    file = _file_of(found, piece)
    return StoryItem(
        kind=_kind(piece),
        proof=piece.trust.value,
        title=_title(found.profile, body),
        by_reporter=by_reporter,
        author=author,
        role=role,
        when=_when(portal, body, day),
        compartment=piece.compartment,
        article=str(body.get("article", "")),
        file=file.item_id if file else "",
        number=f"{file.number:02}" if file else "",
        text=str(body.get("name" if piece.kind == EVIDENCE else "text", "")),
        answers=_answers(found.profile, body) if piece.kind == REPORT else (),
        facts=_facts(portal, found, body),
        missing_items=tuple(body.get("missing_items", ())),
        checked=_checked(found.profile, body),
    )


def _kind(piece: Piece) -> str:
    known = {REPORT, MESSAGE, RECUSAL, EVIDENCE, FILE_REASON, *MOVES}
    return piece.kind if piece.kind in known else "act"


def _file_of(found: CaseFile, piece: Piece) -> File | None:
    """Return the file that a piece brought, or whose original it tells the opening of."""
    if piece.kind == EVIDENCE:
        return next((one for one in found.files if one.leaf == piece.leaf), None)
    if piece.kind == FILE_REASON:
        named = piece.body.get(FILE)
        return next((one for one in found.files if one.item_id == named), None)
    return None


def _title(profile: Profile, body: Mapping[str, Any]) -> str:
    transition = body.get("transition")
    return profile.transition(transition).label if transition else ""


def _author(found: CaseFile, piece: Piece) -> tuple[str, str]:
    try:
        person = found.roster.person(piece.author)
    except NotFound:
        return "", ""
    roles = [piece.body["role"]] if "role" in piece.body else person.roles
    return person.name, ", ".join(found.profile.role(role).label for role in roles)


def _when(portal: Portal, body: Mapping[str, Any], day: str) -> str:
    if "at" not in body:
        return day
    moment = datetime.fromisoformat(body["at"]).astimezone(portal.office.tz)
    return f"{portal.pages.tanggal(moment.date())}, {moment:%H.%M}"


def _answers(profile: Profile, body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    labels = {entry.id: entry.label for entry in profile.positions}
    shown = []
    for name in FIELDS:
        if name in body:
            text = labels.get(body[name], body[name]) if name == "position" else body[name]
            shown.append((name, str(text)))
    return tuple(shown)


def _facts(portal: Portal, found: CaseFile, body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return (key, text) for what an act's record states; the page has a label for each key."""
    profile = found.profile
    facts = [(name, str(body[name])) for name in ("reason", "note", "rating") if name in body]
    if body.get("category"):
        facts.append(("category", profile.category(body["category"]).label))
    if body.get("outcome"):
        facts.append(("outcome", profile.outcome(body["outcome"]).label))
    if body.get("to") and body.get("to") != body.get("from"):
        facts.append(("to", profile.state(body["to"]).label))
    facts += [
        ("document", f"{document['number']}, {portal.pages.tanggal(document['day'])}")
        for document in body.get("documents", {}).values()
    ]
    for key in ("assignees", "leaver", "successor", "receivers"):
        ids = body.get(key) or ()
        names = [_name(found, one) for one in ([ids] if isinstance(ids, str) else ids)]
        if any(names):
            facts.append((key, ", ".join(name for name in names if name)))
    return tuple(facts)


def _name(found: CaseFile, person_id: str) -> str:
    """Return an officer's name; nothing for the recovery key, which nobody is."""
    try:
        return found.roster.person(person_id).name
    except NotFound:
        return ""


def _checked(profile: Profile, body: Mapping[str, Any]) -> tuple[tuple[str, bool], ...]:
    answers = body.get("checklist", {})
    labels = {item.id: item.label for checklist in profile.checklists for item in checklist.items}
    return tuple((labels.get(name, name), bool(yes)) for name, yes in answers.items())


def _action(portal: Portal, found: CaseFile, action: Action) -> dict[str, Any]:
    rule, profile = action.rule, found.profile
    clock = next((one for one in found.clocks if one.rule.id in rule.meets), None)
    target = rule.target(found.state.id)
    return {
        "id": rule.id,
        "label": rule.label,
        "article": rule.article,
        "target": profile.state(target).label if target != found.state.id else "",
        "tells_reason": rule.tells_reason,
        "due": portal.pages.tanggal(clock.due) if clock else "",
        "days_left": clock.days_left if clock else None,
        "legal": clock.rule.legal if clock else False,
        "requires": {need.value for need in rule.requires},
        "checklist": {"label": action.checklist.label, "entries": action.checklist.items}
        if action.checklist
        else None,
        "documents": action.documents,
        "outcomes": profile.outcomes,
        "categories": profile.categories,
        "people": [
            {"id": one.person_id, "name": one.name, "position": one.position}
            for one in found.candidates
        ],
    }


def _deadline(portal: Portal, profile: Profile, clock: Clock) -> dict[str, Any]:
    responsible = {role.id: role.label for role in profile.roles}
    return {
        "label": clock.rule.label,
        "due": portal.pages.tanggal(clock.due),
        "days_left": clock.days_left,
        "legal": clock.rule.legal,
        "article": clock.rule.article,
        "responsible": responsible.get(clock.rule.responsible, ""),
        "state": "lapsed" if clock.days_left < 0 else "running",
    }
