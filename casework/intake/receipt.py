"""The receipt: ticket and secret key, shown until the reporter confirms having kept them."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from casework.calendar import deadlines
from casework.case.tables import Case
from casework.errors import InvalidInput
from casework.intake.token import window_of
from casework.intake.windows import WINDOW_SECONDS
from casework.law.vocabulary import REPORTER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from casework.store.unit import UnitOfWork

PREFIX_LENGTH: Final = 4
"""Letters of a word that are enough to name it."""


@dataclass(frozen=True)
class Receipt:
    """What a reporter takes away. ``first_reaction`` is the earliest date promised to reporters.

    ``legal`` says whether that date is a legal deadline or a target of the office.
    """

    ticket: str
    words: tuple[str, ...] = field(repr=False)
    received: date
    first_reaction: date | None
    legal: bool


def receipt_of(uow: UnitOfWork, case: Case, words: tuple[str, ...]) -> Receipt:
    """Return the receipt of a case; it holds nothing of the report's contents."""
    profile = uow.office.catalogue.get(case.profile, case.profile_version)
    for row in deadlines.running(uow.session, case.id):
        rule = profile.deadline(row.rule)
        if rule.public_label and rule.responsible != REPORTER:
            return Receipt(case.ticket, words, case.received, row.due, rule.legal)
    return Receipt(case.ticket, words, case.received, None, legal=False)


def check_words(words: tuple[str, ...], typed: Mapping[int, str]) -> None:
    """Check that the reporter has really kept the words: some of them, typed again.

    ``typed`` maps positions (from 1) to what was typed; four letters of a word suffice.

    Raises:
        InvalidInput: naming each position that does not agree.
    """
    errors = {}
    for position, text in typed.items():
        wanted = words[position - 1][:PREFIX_LENGTH].encode()
        given = text.strip().lower()[:PREFIX_LENGTH].encode()
        if not hmac.compare_digest(wanted, given):
            errors[f"word_{position}"] = "receipt.word_differs"
    if errors:
        raise InvalidInput(errors)


def confirm(uow: UnitOfWork, submission: bytes) -> None:
    """Mark a receipt as kept: the form's token is spent from now on."""
    case = uow.session.scalar(select(Case).where(Case.submission == submission))
    if case is not None:
        case.receipt_open = False
    uow.office.windows.forget(window_of(submission, pepper=uow.office.pepper))


def expire(uow: UnitOfWork) -> int:
    """Close every receipt whose window has run out; return how many (for ``suaka tick``).

    A receipt without any window (the ephemeral file was lost) is closed once its day is over, so
    that no form leads to its words for ever.
    """
    office, now = uow.office, uow.now()
    windows = office.windows.known(now)
    # Half an hour late: just after midnight, yesterday's last report may not have been shown yet.
    latest = (now - timedelta(seconds=WINDOW_SECONDS)).astimezone(office.tz).date()
    closed = 0
    for case in uow.session.scalars(select(Case).where(Case.receipt_open)):
        name = window_of(case.submission, pepper=office.pepper)
        if not windows.pop(name, case.received >= latest):
            case.receipt_open = False
            office.windows.forget(name)
            closed += 1
    for name, still_open in windows.items():
        if not still_open:
            # No open receipt is behind it: a crash came between the two files.
            office.windows.forget(name)
    return closed
