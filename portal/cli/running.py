"""``suaka serve`` and ``suaka tick``."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from casework.tick import tick as do_tick
from portal import asgi
from portal.cli.options import FOLDER, opened
from portal.cli.refusals import Refused
from portal.cli.writing import printable
from portal.web.settings import Surface

if TYPE_CHECKING:
    from portal.settings import Settings

UDS_MODE: Final = 0o660
"""The reverse proxy reaches the socket by its group."""

KILL_SECONDS: Final = 5
"""How long open requests may take to end before the server ends without them."""


@click.command()
@FOLDER
@click.option(
    "--surface",
    type=click.Choice([one.value for one in Surface]),
    default=Surface.BOTH.value,
    show_default=True,
    help="Whose pages: reporters', officers', or both.",
)
@click.option(
    "--uds",
    type=click.Path(path_type=Path),
    help="Unix socket (mode 0660) to listen on instead of a port.",
)
@click.option("--port", type=click.IntRange(1, 65535), help="Port instead of web.port.")
def serve(folder: Path, surface: str, uds: Path | None, port: int | None) -> None:
    """Serve the instance in FOLDER until it is stopped. Nothing about a visit is logged."""
    run_server(folder, surface, uds, port)


@click.command()
@FOLDER
def tick(folder: Path) -> None:
    """Do what time alone brings about; run it by a timer (the server does it as well)."""
    with opened(folder, ready=True) as (office, _):
        done = do_tick(office)
    click.echo(
        f"receipts closed: {done.receipts}, sessions ended: {done.sessions}, "
        f"unused shred keys removed: {done.shred_keys}, cases put back on desks: {done.desks}, "
        f"unused devices forgotten: {done.devices}, parts of unfinished files removed: "
        f"{done.parts}, notices sent: {done.notices}, checkpoints published: {done.checkpoints}"
    )
    for line in asgi.told(done):
        click.echo(printable(line), err=True)


def run_server(folder: Path, surface: str, uds: Path | None, port: int | None) -> None:
    """Start the web server and stay until it is stopped.

    Raises:
        NotReady, SettingsError, CostTooLow: the instance cannot be served.
        Refused: the port or socket is in use.
    """
    settings = _checked(folder)
    os.environ[asgi.FOLDER] = str(folder.resolve())
    os.environ[asgi.SURFACE] = surface
    listen(
        "portal.asgi:application",
        settings.instance.name,
        settings.web.host,
        port or settings.web.port,
        uds,
    )


def listen(application: str, title: str, host: str, port: int, uds: Path | None) -> None:
    """Serve what the factory ``application`` (module:function) makes, until it is stopped.

    On ``uds`` if there is one, else on ``host`` and ``port``. Nothing about a visit is logged.

    Raises:
        Refused: the port or socket is in use.
    """
    if uds is None:
        _refuse_taken(host, port)
        where = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    else:
        _clear(uds)
        where = str(uds)
    click.echo(f"{title}: {where} (Ctrl-C stops it)")
    Granian(
        application,
        factory=True,
        interface=Interfaces.ASGI,
        address=host,
        port=port,
        uds=uds,
        uds_permissions=UDS_MODE if uds else None,
        websockets=False,
        log_access=False,
        log_level=LogLevels.warning,
        workers_kill_timeout=KILL_SECONDS,
    ).serve()


def _checked(folder: Path) -> Settings:
    """Return the settings of an instance that may be served; its files are closed again."""
    with opened(folder, ready=True) as (_, settings):
        return settings


def _refuse_taken(host: str, port: int) -> None:
    """Refuse a port where somebody listens already. Raises: Refused."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Refused(f"port {port} on {host} is in use: choose another with --port") from None
        raise Refused(f"cannot listen on {host}, port {port}: {error.strerror}") from None


def _clear(path: Path) -> None:
    """Remove the socket of a server that ended; refuse one that answers. Raises: Refused."""
    if not path.exists():
        if not path.absolute().parent.is_dir():
            raise Refused(f"{path.parent} is not a folder")
        return
    if not path.is_socket():
        raise Refused(f"{path} is something else than a socket: it stays")
    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex(str(path)) == 0:
            raise Refused(f"{path} is in use by a server that runs")
    path.unlink()
