"""The transparency log as anybody sees it: what it is, who has signed it, and its raw parts.

The raw parts are those of c2sp.org/tlog-tiles, for programs: ``/catatan`` is the address of the
log. There are no entry bundles, because what leaves say is not public. Nothing here tells of a
visit: sizes are filled up, and no tile reaches beyond what is published.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from litestar import HttpMethod, get, route
from litestar.params import FromPath
from litestar.response import Response

from casework.errors import NotFound
from casework.log import checkpoints, keys, tiles, witnesses
from crypto.checkpoint import Checkpoint
from portal import witnessing
from portal.public.information import PUBLIC
from portal.web.headers import CHECK_PAGE, POLICY_HEADER, Policy
from portal.web.pages import html
from portal.web.run import run
from portal.web.statics import page_of_its_own
from witness.tiles import WIDTH, path_of

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from portal.context import Portal

HOME: Final = "/catatan"
SHORT: Final = 8
"""Bytes of a root that the page shows, in groups of two."""

_RAW: Final = (HttpMethod.GET, HttpMethod.HEAD)
_TILE: Final = re.compile(
    r"tile/(?P<level>[0-9]{1,2})/(?P<number>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[0-9]{1,3}))?"
)


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return the handlers of the log's page and of its raw parts."""
    check_page = page_of_its_own(CHECK_PAGE).decode()

    @get(HOME, opt=PUBLIC)
    async def page() -> Response[str]:
        """Show what the log is, its newest checkpoint, and who has signed it."""
        shown = await run(_shown, portal)
        return portal.pages.render("public/log.html", **shown)

    @route(f"{HOME}/checkpoint", http_method=_RAW, opt=PUBLIC)
    async def checkpoint() -> Response[str]:
        """Send the newest checkpoint as it was signed. Raises: NotFound: there is none yet."""
        return _plain(await run(_checkpoint, portal))

    @route(f"{HOME}/kunci", http_method=_RAW, opt=PUBLIC)
    async def public_keys() -> Response[str]:
        """Send every public key of the log, one a line, the oldest first."""
        return _plain(await run(_keys, portal))

    @route(f"{HOME}/kunci/serah-terima", http_method=_RAW, opt=PUBLIC)
    async def handovers() -> Response[str]:
        """Send the notes by which the keys followed each other, the oldest first.

        An empty line follows each note but the last. In a note, too, one stands between the text
        and its signatures; neither of them holds an empty line.
        """
        return _plain(await run(_handovers, portal))

    @route(f"{HOME}/tile/{{place:path}}", http_method=_RAW, opt=PUBLIC)
    async def tile(place: FromPath[Path]) -> Response[bytes]:
        """Send a tile of the published tree. Raises: NotFound: it has none of this path."""
        found = await run(_tile, portal, f"tile/{place.as_posix().removeprefix('/')}")
        headers = {POLICY_HEADER: Policy.FIXED.value}
        return Response(found, media_type="application/octet-stream", headers=headers)

    @get(f"{HOME}/periksa", opt=PUBLIC, sync_to_thread=False)
    def check() -> Response[str]:
        """Send the page that checks receipts in the browser."""
        return html(check_page, headers={POLICY_HEADER: Policy.CHECK.value})

    return [page, checkpoint, public_keys, handovers, tile, check]


def _plain(text: str) -> Response[str]:
    return Response(text, media_type="text/plain", headers={POLICY_HEADER: Policy.FILE.value})


def _checkpoint(portal: Portal) -> str:
    with portal.office.read() as uow:
        note = checkpoints.newest(uow)
    if note is None:
        raise NotFound("checkpoint")
    return note.to_text()


def _keys(portal: Portal) -> str:
    with portal.office.read() as uow:
        return "".join(f"{key.to_text()}\n" for key in keys.load(uow).all)


def _handovers(portal: Portal) -> str:
    with portal.office.read() as uow:
        keys.load(uow)
        return "\n".join(note.to_text() for note in keys.handovers(uow))


def _tile(portal: Portal, path: str) -> bytes:
    asked = _TILE.fullmatch(path)
    if asked is None:
        raise NotFound("tile")
    level, width = int(asked["level"]), int(asked["width"] or WIDTH)
    number = int(asked["number"].replace("/", "").replace("x", ""))
    # One address for each tile: no leading zeros, no partial tile of full width.
    if path_of(level, number, width) != path:
        raise NotFound("tile")
    with portal.office.read() as uow:
        return tiles.tile(uow, level, number, width)


def _shown(portal: Portal) -> dict[str, Any]:
    with portal.office.read() as uow:
        note = checkpoints.newest(uow)
        standing = witnesses.standing(uow)
    root = Checkpoint.from_text(note.text).root[:SHORT] if note is not None else b""
    return {
        "log": witnessing.shown(portal, standing),
        "root": root.hex(" ", 2),
        "hours": portal.office.checkpoints.hours,
    }
