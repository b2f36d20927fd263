"""``suaka init`` and ``suaka migrate``: make an instance, and bring its schema up to date."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

import click
import msgspec

from casework.calendar import holidays
from casework.errors import Conflict
from casework.keys import enrol
from casework.law.catalogue import ProfileCatalogue
from casework.store import schema
from casework.store.engine import open_engine
from portal import settings as configuration
from portal import wiring
from portal.cli.options import FOLDER
from portal.settings import CostSection, InstanceSection, Settings

if TYPE_CHECKING:
    from pathlib import Path

HOLIDAY_YEARS = 3
"""Years that the first holiday table covers, the present one included."""


@click.command()
@FOLDER
@click.option("--name", help="Name of the office, as reporters read it.")
@click.option("--profile", default="badung", show_default=True, help="Regulation to follow.")
@click.option(
    "--genesis",
    type=click.Path(exists=True, dir_okay=False),
    help="File that the key ceremony made: installs it and pins its hash.",
)
def init(folder: Path, name: str | None, profile: str, genesis: str | None) -> None:
    """Make an instance in FOLDER; after the ceremony, install its genesis."""
    if genesis is not None:
        with open(genesis, "rb") as file:  # noqa: PTH123 - a path that click has checked
            fingerprint = install(folder, file.read())
        click.echo(f"genesis installed: {fingerprint}")
        click.echo("Compare it with the sheet printed in the ceremony, then: suaka doctor")
        return
    if name is None:
        raise click.UsageError("--name is needed to make an instance")
    create(folder, InstanceSection(
        id=secrets.token_hex(16), name=name, profile=profile, mode="production"
    ))  # fmt: skip
    click.echo(f"instance made in {folder}")
    click.echo("Next: suaka enrol for each officer, then the key ceremony.")


@click.command()
@FOLDER
def migrate(folder: Path) -> None:
    """Bring the database in FOLDER to the schema of this program."""
    settings = configuration.load(folder)
    engine = open_engine(wiring.Paths(folder).database)
    before = schema.current(engine)
    schema.upgrade(engine)
    click.echo(f"{settings.instance.name}: {before or 'empty'} -> {schema.current(engine)}")


def create(folder: Path, section: InstanceSection, costs: CostSection | None = None) -> None:
    """Make folders, pepper, databases and the holiday table of a new instance.

    Raises:
        Conflict: there is an instance already.
        NotFound: there is no such profile.
    """
    if (folder / configuration.FILE_NAME).exists():
        raise Conflict("there is an instance in this folder")
    ProfileCatalogue.from_package().latest(section.profile)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = wiring.Paths(folder)
    paths.make()
    descriptor = os.open(paths.pepper, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(wiring.PEPPER_SIZE))
        os.fsync(file.fileno())
    schema.upgrade(open_engine(paths.database))
    settings = Settings(instance=section, costs=costs or CostSection())
    office = wiring.open_office(folder, settings)
    with office.write() as uow:
        first = uow.today().year
        holidays.seed(uow, range(first, first + HOLIDAY_YEARS))
    configuration.write(folder, settings)


def install(folder: Path, genesis: bytes) -> str:
    """Install a genesis and pin its hash in the settings; return the hash.

    Raises:
        GenesisExists, UnreadableFile, RosterBroken, KeysDiffer: see
            :func:`casework.keys.enrol.install_genesis`.
    """
    office, settings = wiring.load(folder)
    with office.write() as uow:
        chain = enrol.install_genesis(uow, genesis)
    pinned = msgspec.structs.replace(settings.instance, genesis=chain.head)
    configuration.write(folder, msgspec.structs.replace(settings, instance=pinned))
    return chain.head
