"""A report comes in: from the form's token and text to a sealed case with its first leaf.

Everything slow or secret (stretching the key, sealing) happens before the transaction, which
only checks that nothing changed meanwhile and stores. The same token always leads to the same
case: its ticket and secret key are derived from it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from casework.calendar import deadlines
from casework.case import grants
from casework.case.past import SUBMIT
from casework.case.tables import Case, Compartment
from casework.errors import CaseworkError, Conflict, Expired
from casework.handling import desk
from casework.intake.receipt import Receipt, receipt_of
from casework.intake.sealing import (
    FIRST_SHRED_VERSION,
    REPORT,
    NotReceiving,
    Prepared,
    prepare,
    receivers,
)
from casework.intake.token import (
    TOKEN_SIZE,
    entropy_of,
    new_token,
    submission_of,
    window_of,
    words_of,
)
from casework.keys import roster
from casework.log.leaf import Draft, append

if TYPE_CHECKING:
    from casework.intake.report import Report
    from casework.store.office import Office
    from casework.store.unit import UnitOfWork

__all__ = [
    "REPORT",
    "TOKEN_SIZE",
    "NotReceiving",
    "again",
    "can_receive",
    "entropy_of",
    "new_token",
    "submission_of",
    "submit",
]

TICKET_TRIES: Final = 8


def can_receive(uow: UnitOfWork) -> bool:
    """Return whether a report could be received now; a broken roster chain receives nothing."""
    try:
        chain = roster.load(uow)
    except CaseworkError:
        return False
    return receivers(uow.office.profile, chain, uow.today()) is not None


def submit(office: Office, token: bytes, report: Report) -> Receipt:
    """Store a report, or return the receipt again if this form already made a case.

    Stretches a key (about 0.1 s): call it inside a KDF lane, in a worker thread.

    Raises:
        NotReceiving: nobody could rightly receive the report.
        Expired: the form's receipt was confirmed, or its window of 30 minutes has run out.
    """
    for attempt in range(TICKET_TRIES):
        if (known := again(office, token)) is not None:
            return known
        prepared = prepare(office, token, report, attempt)
        try:
            with office.write() as uow:
                _store(uow, prepared)
        except Conflict:
            continue
        break
    receipt = again(office, token)
    if receipt is None:
        raise Conflict("ticket")
    return receipt


def again(office: Office, token: bytes) -> Receipt | None:
    """Return the receipt of a form that was sent before, or ``None`` if it never was.

    Raises:
        Expired: the receipt was confirmed, or its window has run out.
    """
    submission = submission_of(token)
    with office.read() as uow:
        case = uow.session.scalar(select(Case).where(Case.submission == submission))
        if case is None:
            return None
        window = window_of(submission, pepper=office.pepper)
        if not case.receipt_open or not office.windows.is_open(window, uow.now()):
            raise Expired("receipt")
        return receipt_of(uow, case, words_of(token, pepper=office.pepper))


def _store(uow: UnitOfWork, prepared: Prepared) -> None:
    """Store a prepared case, its leaf, its deadlines and its place on the desks.

    Raises:
        Conflict: the form or its ticket is already in use, or roster or day have changed:
            prepare again.
    """
    case, session = prepared.case, uow.session
    taken = session.scalar(
        select(Case.id).where((Case.submission == case.submission) | (Case.ticket == case.ticket))
    )
    if taken is not None or case.received != uow.today():
        raise Conflict("submission")
    if roster.load(uow).head != prepared.roster_head:
        raise Conflict("roster")
    session.add(prepared.person)
    session.flush()
    session.add_all([case, prepared.wrap])
    session.flush()
    objects = [sealed.digest for sealed in prepared.sealed]
    objects += [hashlib.sha256(inner).hexdigest() for _, inner in prepared.granted]
    number = append(
        uow,
        Draft(
            event=SUBMIT,
            actor=prepared.reporter.person_id,
            case=case.id,
            objects=objects,
            facts=prepared.facts,
        ),
        prepared.reporter.person.signing,
    )
    shred_key = uow.keystore.open_case(
        case.id, FIRST_SHRED_VERSION, prepared.reporter.person_id, prepared.memory
    )
    for row, inner in prepared.granted:
        grants.wrap(row, inner, shred_key)
    for sealed in prepared.sealed:
        sealed.item.leaf = number
    session.add_all(
        Compartment(case_id=case.id, kind=kind, created=case.received)
        for kind in prepared.compartments
    )
    session.add_all(row for row, _ in prepared.granted)
    session.add_all(sealed.item for sealed in prepared.sealed)
    session.flush()
    session.add_all(sealed.part for sealed in prepared.sealed)
    deadlines.open_all(uow, uow.office.profile, case.id, uow.office.profile.submission.opens)
    desk.refresh(uow, case)
