"""What every handler works with: the office, its pages, its sessions and its lanes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from casework.keys.actor import Actor
from casework.keys.vocabulary import PersonKind
from casework.store.base import new_id
from crypto.persons import Person
from portal.web import csrf
from portal.web.forms import FormLimits
from portal.web.refusals import BadForm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from casework.keys.sessions import Session
    from casework.store.office import Office
    from portal.settings import Settings
    from portal.web.budget import Budget, KdfLane
    from portal.web.forms import Form
    from portal.web.kept import Keeper
    from portal.web.pages import Pages
    from portal.web.sessions import Sessions

LIMITS: Final = FormLimits(body=768 * 1024, fields=120)
"""Every form of ours: one long text of 60,000 characters fits even when each takes nine bytes."""

PURPOSE: Final = "page"
_ITEM_ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Guard:
    """The hidden fields of every form of a session."""

    csrf: str
    keeper: str
    nonce: str


@dataclass(frozen=True)
class Portal:
    """One running portal; each lane bounds key stretching, and each budget what may begin.

    Reports with their confirmations, reporters who sign in, officers whom the instance knows by
    session or device, and everybody else who tries an officer's name have lanes of their own: no
    rush on one of them keeps anybody out of another. ``examine_lane`` bounds what looks at files.
    ``burst`` bounds new reports, ``unknown_tries`` wrong sign-ins from devices that are not known.
    """

    office: Office
    pages: Pages
    settings: Settings
    reporters: Sessions
    staff: Sessions
    keeper: Keeper
    report_lane: KdfLane
    reporter_lane: KdfLane
    staff_lane: KdfLane
    unknown_lane: KdfLane
    examine_lane: KdfLane
    burst: Budget
    unknown_tries: Budget
    device_tries: Callable[[str], Budget]

    def guard(self, session: Session) -> Guard:
        """Return fresh hidden fields for the forms of a page."""
        return Guard(
            csrf=csrf.issue(session.csrf_secret, PURPOSE),
            keeper=self.keeper.mark(session.person),
            nonce=new_id(),
        )

    def messages(self, errors: Mapping[str, str]) -> dict[str, str]:
        """Return what a person reads for each message key."""
        return {name: self.pages.message(key) for name, key in errors.items()}


def actor_of(session: Session) -> Actor:
    """Return the person whose session it is, keys unlocked for the length of one request."""
    kind = PersonKind.REPORTER if session.kind.value == "reporter" else PersonKind.OFFICER
    return Actor(session.person, Person.from_seed(session.seed), kind)


def nonce_of(form: Form) -> str:
    """Return the id under which a form's text is stored, so that it is stored once.

    Raises:
        BadForm: it is none that our pages make.
    """
    nonce = form.one("nonce")
    if not _ITEM_ID.fullmatch(nonce):
        raise BadForm
    return nonce
