"""The numbers page, for who monitors or audits: sums alone, small ones kept from view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Request, get
from litestar.response import Response

from casework.handling import numbers
from casework.handling.disclosure import THRESHOLD
from portal.staff import officer as officers
from portal.web.run import run

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from casework.handling.disclosure import Count
    from casework.handling.numbers import Numbers, Table
    from portal.context import Portal
    from portal.staff.officer import Officer


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handler of the numbers page."""

    @get("/petugas/angka")
    async def read(request: Request[Any, Any, Any]) -> Response[str]:
        """Show the numbers."""
        officer = await officers.require(portal, request)
        found = await run(_read, portal, officer)
        return portal.pages.render(
            "staff/numbers.html",
            officer=officer,
            guard=portal.guard(officer.session),
            everything=found.everything,
            threshold=THRESHOLD,
            received={
                "rows": [
                    (portal.pages.tanggal(month).partition("\u00a0")[2], _count(count))
                    for month, count in found.received.rows
                ],
                "total": _count(found.received.total),
            },
            states=_table(found.states),
            clocks=_table(found.clocks),
            reaction=None if found.reaction is None else _written(found.reaction),
        )

    return [read]


def _read(portal: Portal, officer: Officer) -> Numbers:
    with portal.office.read() as uow:
        return numbers.read(uow, officer.actor)


def _table(table: Table) -> dict[str, Any]:
    return {
        "rows": [(label, _count(count)) for label, count in table.rows],
        "total": _count(table.total),
    }


def _count(count: Count) -> dict[str, Any]:
    return {"value": count.value, "shade": count.shade.value}


def _written(days: float) -> str:
    """Write a median: whole or with the half that lies between two."""
    return f"{days:.1f}".removesuffix(".0").replace(".", ",")
