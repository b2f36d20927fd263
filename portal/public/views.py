"""What the reporters' templates show, made from the domain's answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from casework.handling.acts import MESSAGE
from casework.handling.step import ACT, TOLD
from casework.handling.story import Trust
from casework.intake.sealing import REPORT
from casework.law.vocabulary import REPORTER, Need

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from casework.handling.story import Piece
    from casework.intake.mailbox import Mailbox, Promise
    from casework.law.profile import Profile
    from casework.law.schema import Deadline, Transition
    from portal.context import Portal

VERIFIED, UNVERIFIABLE = "verified", "unverifiable"


@dataclass(frozen=True)
class Labelled:
    """An id with the text that a person reads."""

    id: str
    label: str


@dataclass(frozen=True)
class Channel:
    """Another place to report to; ``last_checked`` is a written date."""

    name: str
    contact: str
    about: str
    last_checked: str


@dataclass(frozen=True)
class Stage:
    """A step that a report usually takes."""

    label: str
    sentence: str


@dataclass(frozen=True)
class Target:
    """A promised span, such as five working days (``amount`` of ``basis``)."""

    label: str
    amount: int
    basis: str
    legal: bool


@dataclass(frozen=True)
class Message:
    """One message of the thread; ``text`` is empty unless its author was verified."""

    author: str
    day: str
    proof: str
    text: str = field(default="", repr=False)
    missing: tuple[str, ...] = field(default=(), repr=False)


def channels_of(portal: Portal, ids: Sequence[str] | None = None) -> list[Channel]:
    """Return the other channels that the profile names: all, or those of ``ids`` in their order."""
    known = {one.id: one for one in portal.office.profile.channels}
    return [
        Channel(one.name, one.contact, one.about, portal.pages.tanggal(one.last_checked))
        for one in (known[key] for key in (known if ids is None else ids) if key in known)
    ]


def stages_of(profile: Profile) -> list[Stage]:
    """Return the usual path of a report, in public words."""
    found = []
    seen: set[str] = set()
    current: str | None = profile.submission.state
    while current is not None and current not in seen:
        seen.add(current)
        state = profile.state(current)
        found.append(Stage(state.public_label, state.public_sentence))
        current = state.usual_next
    return found


def targets_of(rules: Iterable[Deadline]) -> list[Target]:
    """Return the spans that reporters are told."""
    return [
        Target(rule.public_label, rule.amount, rule.basis.value, rule.legal)
        for rule in rules
        if rule.public_label
    ]


def thread_of(portal: Portal, mailbox: Mailbox) -> list[Message]:
    """Return what was written in both directions, in order of time."""
    messages = []
    for piece in mailbox.pieces:
        day = portal.pages.tanggal(piece.day) if piece.day else ""
        if piece.trust is not Trust.VERIFIED:
            messages.append(Message("officer", day, UNVERIFIABLE))
        elif (text := _text(piece)) or piece.body.get("missing_items"):
            author = "reporter" if piece.author == mailbox.reporter else "officer"
            missing = tuple(piece.body.get("missing_items", ()))
            messages.append(Message(author, day, VERIFIED, text, missing))
    return messages


def next_promise(mailbox: Mailbox) -> Promise | None:
    """Return the nearest date that the office has promised."""
    return next((one for one in mailbox.promises if not one.mine), None)


def own_promise(mailbox: Mailbox) -> Promise | None:
    """Return the nearest date by which the reporter is asked for something."""
    return next((one for one in mailbox.promises if one.mine), None)


def action_with(mailbox: Mailbox, need: Need, raises: str | None = None) -> Transition | None:
    """Return the reporter's act that asks for ``need`` (and raises a flag, if one is named)."""
    for rule in mailbox.actions:
        if REPORTER in rule.by and need in rule.requires:
            if raises is not None and raises in rule.raises:
                return rule
            if raises is None and not rule.raises:
                return rule
    return None


def rating_given(mailbox: Mailbox) -> int | None:
    """Return the rating that the reporter gave, if any."""
    for piece in mailbox.pieces:
        if piece.kind == ACT and piece.author == mailbox.reporter and "rating" in piece.body:
            return int(piece.body["rating"])
    return None


def _text(piece: Piece) -> str:
    body: Mapping[str, object] = piece.body
    if piece.kind == REPORT:
        return str(body.get("narrative", ""))
    if piece.kind in (MESSAGE, TOLD, ACT):
        return str(body.get("text", ""))
    return ""
