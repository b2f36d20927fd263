"""The inbox: what is due first comes first; nothing in it is decrypted."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from litestar import Request, get
from litestar.response import Response
from sqlalchemy import select

from casework.calendar.holidays import calendar_for
from casework.case.tables import Case
from casework.errors import NotFound
from casework.handling import desk
from casework.handling.desk import Cursor, Filters
from casework.keys import confirmations
from casework.keys import roster as rosters
from casework.law.workdays import working_days_between
from portal.public.views import Labelled
from portal.staff import bursts, passing
from portal.staff import officer as officers
from portal.web.run import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar.handlers import HTTPRouteHandler

    from casework.handling.desk import Page, Row
    from casework.law.profile import Profile
    from casework.store.unit import UnitOfWork
    from portal.context import Portal
    from portal.staff.officer import Officer

HOME: Final = "/petugas"
ATTENTION: Final = "perhatian"
"""Value of the status filter that shows what a guardian must see: rejected or overdue."""

UNKNOWN: Final = "?"
"""What is shown for a state or category that a case's own profile does not have."""

RESTORE_DAYS: Final = 30
"""How long a confirmed restore is shown to everybody."""

_AFTER, _BEFORE = "sesudah", "sebelum"


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of the inbox."""

    @get(HOME)
    async def inbox(request: Request[Any, Any, Any]) -> Response[str]:
        """Show one page of the officer's cases."""
        officer = await officers.require(portal, request)
        await passing.pass_on(portal, officer)
        query = request.query_params
        status, category = query.get("status", ""), query.get("kategori", "")
        place = {
            "after": _cursor(query.get(_AFTER, "")),
            "before": _cursor(query.get(_BEFORE, "")),
        }
        page, rows, told = await run(
            _read, portal, officer, _filters(portal, status, category), **place
        )
        profile = portal.office.profile
        return portal.pages.render(
            "staff/inbox.html",
            officer=officer,
            guard=portal.guard(officer.session),
            restored=await run(_restored, portal),
            rows=rows,
            bursts=told,
            attention=ATTENTION if officer.guardian else "",
            statuses=[Labelled(one.id, one.label) for one in profile.states],
            categories=[Labelled(one.id, one.label) for one in profile.categories],
            chosen={"status": status, "category": category},
            newer=_path(status, category, _BEFORE, page.newer),
            older=_path(status, category, _AFTER, page.older),
            done=bool(query.get("berhasil")),
        )

    return [inbox]


def _filters(portal: Portal, status: str, category: str) -> Filters:
    attention = None
    if status == ATTENTION:
        attention = tuple(one.id for one in portal.office.profile.states if one.rejected)
    return Filters(
        state=status if status and attention is None else None,
        category=category or None,
        attention=attention,
    )


def _read(
    portal: Portal,
    officer: Officer,
    filters: Filters,
    *,
    after: Cursor | None,
    before: Cursor | None,
) -> tuple[Page, list[dict[str, object]], list[dict[str, Any]]]:
    profile = portal.office.profile
    with portal.office.read() as uow:
        page = desk.page(uow, officer.actor.person_id, filters, after, before)
        calendar = calendar_for(uow.session, profile)
        today = uow.today()
        profiles = _profiles(uow, [row.case_id for row in page.rows])
        rows = []
        for row in page.rows:
            shown = _row(portal, profiles.get(row.case_id), row)
            if row.due:
                shown["days_left"] = working_days_between(calendar, today, row.due)
                shown["overdue"] = row.due < today
            rows.append(shown)
        told = bursts.shown(portal, uow, officer) if officer.guardian else []
    return page, rows, told


def _restored(portal: Portal) -> dict[str, object] | None:
    """Return the last restore that a guardian confirmed, as long as everybody is told of it."""
    with portal.office.read() as uow:
        roster = rosters.load(uow)
        since = uow.today() - timedelta(days=RESTORE_DAYS)
        found = confirmations.latest(uow, roster, since)
    if found is None:
        return None
    return {
        "day": portal.pages.tanggal(found.day),
        "name": roster.person(found.actor).name,
        "reason": found.reason,
        "before": found.seen.roster,
        "now": found.roster_version,
    }


def _profiles(uow: UnitOfWork, case_ids: list[str]) -> dict[str, Profile]:
    """Return the profile that each case keeps, as far as there is such a profile."""
    found = {}
    query = select(Case.id, Case.profile, Case.profile_version).where(Case.id.in_(case_ids))
    for case_id, profile, version in uow.session.execute(query):
        with suppress(NotFound):
            found[case_id] = uow.office.catalogue.get(profile, version)
    return found


def _row(portal: Portal, profile: Profile | None, row: Row) -> dict[str, object]:
    """Return a line of the inbox; one damaged row must not hide the others."""
    states = {one.id: one.label for one in profile.states} if profile else {}
    categories = {one.id: one.label for one in profile.categories} if profile else {}
    return {
        "case_id": row.case_id,
        "ticket": row.ticket,
        "category": categories.get(row.category, UNKNOWN) if row.category else "",
        "status": states.get(row.state, UNKNOWN),
        "due": portal.pages.tanggal(row.due) if row.due else "",
        "days_left": None,
        "legal": profile is not None and all(rule.legal for rule in profile.deadlines),
        "overdue": False,
        "review_requested": "review_requested" in row.flags,
        "new_message": desk.NEW_MESSAGE in row.flags,
    }


def _cursor(text: str) -> Cursor | None:
    """Return the place that a page's link names; anything else is the beginning."""
    day, _, case_id = text.partition("_")
    try:
        return Cursor(date.fromisoformat(day), case_id) if case_id else None
    except ValueError:
        return None


def _path(status: str, category: str, name: str, cursor: Cursor | None) -> str:
    if cursor is None:
        return ""
    query: Mapping[str, str] = {
        "status": status,
        "kategori": category,
        name: f"{cursor.due.isoformat()}_{cursor.case_id}",
    }
    return f"{HOME}?{urlencode({key: value for key, value in query.items() if value})}"
