"""What pages show of the log's witnesses, to the public and to officers alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from casework.log.witnesses import Standing
    from portal.context import Portal


def shown(portal: Portal, standing: Standing) -> dict[str, Any]:
    """Return what ``macros/witnesses.html`` shows: days as the office writes them, "" for none."""
    return {
        "size": standing.size,
        "published": _moment(portal, standing.published) if standing.published else "",
        "cosigned": standing.cosigned,
        "witnessed": standing.witnessed,
        "witnesses": [
            {
                "name": one.name,
                "by_file": one.by_file,
                "current": one.current,
                "silent": one.silent,
                "day": _day(portal, one.moment) if one.moment else "",
            }
            for one in standing.witnesses
        ],
    }


def _day(portal: Portal, moment: datetime) -> str:
    return portal.pages.tanggal(moment.astimezone(portal.office.tz).date())


def _moment(portal: Portal, moment: datetime) -> str:
    """Write a moment as day, hour and zone; only for the public clock, never for what people do."""
    local = moment.astimezone(portal.office.tz)
    return f"{_day(portal, moment)} pukul\u00a0{local:%H.%M}\u00a0{local:%Z}"
