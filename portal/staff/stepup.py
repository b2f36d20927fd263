"""Step-up: what weighs most asks for the second factor again, within the form of the act itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from casework.keys import factors
from portal.web.run import run

if TYPE_CHECKING:
    from casework.keys.sessions import Session
    from portal.context import Portal
    from portal.staff.officer import Officer
    from portal.web.forms import Form

FRESH_SECONDS: Final = 300
"""How long a shown factor suffices."""

CODE_FIELD: Final = "code"


def is_due(portal: Portal, session: Session) -> bool:
    """Return whether a form must ask for a code; the page then has the field ``code``."""
    if not portal.office.second_factor:
        return False
    return int(portal.office.clock().timestamp()) - session.proved >= FRESH_SECONDS


async def refused(portal: Portal, officer: Officer, form: Form) -> dict[str, str]:
    """Return what is wrong with the code of a form, as field errors; empty if the act may go on.

    Call it before the act, after the form's own token was checked.

    Raises:
        FactorMissing: there is no factor of this officer's own making.
    """
    if not is_due(portal, officer.session):
        return {}
    typed = form.one(CODE_FIELD)
    if not typed.strip():
        # The page was shown while the last code still sufficed: this is no wrong one.
        return {CODE_FIELD: "factor.required"}
    try:
        await run(factors.prove, portal.office, officer.actor, typed)
    except factors.ClockOff:
        return {CODE_FIELD: "factor.clock_off"}
    except factors.TooManyCodes:
        return {CODE_FIELD: "factor.wait"}
    except factors.WrongCode:
        return {CODE_FIELD: "factor.wrong"}
    now = int(portal.office.clock().timestamp())
    await run(portal.office.sessions.prove, officer.session, now)
    return {}
