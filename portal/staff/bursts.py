"""What the pages show of officers who opened very many cases on one day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from casework.case import custody
from casework.handling import bursts

if TYPE_CHECKING:
    from casework.store.unit import UnitOfWork
    from portal.context import Portal
    from portal.staff.officer import Officer

TRAIL: Final = "/petugas/jejak"


def shown(portal: Portal, uow: UnitOfWork, officer: Officer) -> list[dict[str, Any]]:
    """Return the notices for an officer who is the guardian or audits; none for others."""
    if not (officer.guardian or officer.audits):
        return []
    return [
        {
            "name": one.name,
            "when": portal.pages.tanggal(one.day),
            "cases": one.cases,
            "own": one.person_id == officer.actor.person_id,
            "path": _path(one) if officer.audits else "",
        }
        for one in bursts.recent(uow, officer.actor)
    ]


def _path(one: bursts.Burst) -> str:
    day = one.day.isoformat()
    query = {
        "orang": one.person_id,
        "peristiwa": custody.OPENED,
        "dari": day,
        "sampai": day,
    }
    return f"{TRAIL}?{urlencode(query)}"
