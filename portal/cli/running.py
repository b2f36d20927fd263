"""``suaka serve`` and ``suaka tick``."""

from __future__ import annotations

import os
from pathlib import Path

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from casework.tick import tick as do_tick
from portal import asgi, wiring
from portal.cli.options import FOLDER
from portal.web.settings import Surface


UDS_MODE = 0o660


@click.command()
@FOLDER
@click.option("--surface", type=click.Choice([one.value for one in Surface]), default="both")
@click.option("--uds", type=click.Path(), help="Unix socket to listen on instead of a port.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port instead of web.port.")
def serve(folder: Path, surface: str, uds: str | None, port: int | None) -> None:
    """Serve the instance in FOLDER. Nothing about a visit is logged."""
    run_server(folder, surface, uds, port)


@click.command()
@FOLDER
def tick(folder: Path) -> None:
    """Do what time alone brings about; run it by a timer (the server does it as well)."""
    office, _ = wiring.load(folder)
    wiring.require_ready(office)
    done = do_tick(office)
    click.echo(
        f"receipts closed: {done.receipts}, sessions ended: {done.sessions}, "
        f"unused shred keys removed: {done.shred_keys}"
    )


def run_server(folder: Path, surface: str, uds: str | None, port: int | None) -> None:
    """Start the web server and stay until it is stopped.

    Raises:
        NotReady, SettingsError, CostTooLow: the instance cannot be served.
    """
    office, settings = wiring.load(folder)
    wiring.require_ready(office)
    os.environ[asgi.FOLDER] = str(folder.resolve())
    os.environ[asgi.SURFACE] = surface
    listening = settings.web
    where = uds or f"http://{listening.host}:{port or listening.port}"
    click.echo(f"{settings.instance.name}: {where}")
    Granian(
        "portal.asgi:application",
        factory=True,
        interface=Interfaces.ASGI,
        address=listening.host,
        port=port or listening.port,
        uds=Path(uds) if uds else None,
        uds_permissions=UDS_MODE if uds else None,
        websockets=False,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve()
