"""Serve the `static` package: read once at start, from memory, by exact name.

No request reaches the disk, so there is no path to climb out of; files of unknown types and
Python sources are not read at all.
"""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Final

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Response

from casework.errors import NotFound

STATIC_PACKAGE: Final = "static"
STATIC_PATH: Final = "/static"
_MEDIA_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "css": "text/css",
        "js": "text/javascript",
        "svg": "image/svg+xml",
        "png": "image/png",
        "ico": "image/vnd.microsoft.icon",
    }
)


def static_files(package: str = STATIC_PACKAGE) -> HTTPRouteHandler:
    """Return the handler of `/static/{name}`, with every file of the package in memory."""
    found = dict(_read(files(package), ""))

    @get(f"{STATIC_PATH}/{{name:path}}", name="static", sync_to_thread=False, opt={"public": True})
    def static(name: FromPath[Path]) -> Response[bytes]:
        """Send one file; NotFound for any other name."""
        try:
            media_type, body = found[name.as_posix().removeprefix("/")]
        except KeyError:
            raise NotFound from None
        return Response(body, media_type=media_type)

    return static


def page_of_its_own(name: str, package: str = STATIC_PACKAGE) -> bytes:
    """Return a page that is complete in itself, to be served from an address of its own."""
    return files(package).joinpath(name).read_bytes()


def _read(folder: Traversable, prefix: str) -> Iterator[tuple[str, tuple[str, bytes]]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _read(entry, f"{prefix}{entry.name}/")
        elif media_type := _MEDIA_TYPES.get(entry.name.rpartition(".")[2]):
            yield f"{prefix}{entry.name}", (media_type, entry.read_bytes())
