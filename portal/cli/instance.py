"""``suaka init`` and ``suaka migrate``: make an instance, and bring its schema up to date."""

from __future__ import annotations

import os
import re
import secrets
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from casework.calendar import holidays
from casework.keys import enrol, parts, roster
from casework.keys.enrol import GenesisExists
from casework.law.catalogue import ProfileCatalogue
from casework.log import adoption
from casework.log import keys as log_keys
from casework.log.keys import LogKeyFile
from casework.store import schema
from casework.store.engine import open_engine
from portal import settings as configuration
from portal import wiring
from portal.cli.building import built
from portal.cli.options import FILE_IN, FOLDER, close, opened, require_files
from portal.cli.refusals import Refused
from portal.settings import CostSection, InstanceSection, Settings, StaffSection

if TYPE_CHECKING:
    from casework.store.office import Office

_HEADER: Final = re.compile(r"^[ \t]*\[[ \t]*instance[ \t]*\][ \t]*(?:#.*)?$", re.MULTILINE)


@click.command()
@FOLDER
@click.option("--name", help="Name of the office, as reporters read it.")
@click.option("--profile", default="badung", show_default=True, help="Regulation to follow.")
@click.option(
    "--genesis",
    type=FILE_IN,
    help="File that the key ceremony made: installs it and pins its hash.",
)
def init(folder: Path, name: str | None, profile: str, genesis: Path | None) -> None:
    """Make an instance in FOLDER; after the ceremony, install its genesis (--genesis).

    FOLDER must not exist or be empty. All of it is for its own user alone.
    """
    if genesis is not None:
        fingerprint = install(folder, genesis.read_bytes())
        click.echo(f"genesis installed: {fingerprint}")
        click.echo("Compare it with the sheet printed in the ceremony, then: suaka doctor")
        return
    if name is None:
        raise click.UsageError("--name is needed to make an instance")
    section = InstanceSection(
        id=secrets.token_hex(16), name=name, profile=profile, mode="production"
    )
    with built(folder) as building:
        create(building, section)
    click.echo(f"instance made in {folder}")
    click.echo("Next: suaka enrol for each officer, then the key ceremony.")


@click.command()
@FOLDER
def migrate(folder: Path) -> None:
    """Bring the database in FOLDER to the schema of this program, in one transaction.

    A log that had no key before gets its first one. Stop the server first, and keep a backup:
    there is no way back but the backup.
    """
    settings = configuration.load(folder)
    require_files(folder)
    engine = open_engine(wiring.Paths(folder).database)
    try:
        before = schema.current(engine)
        schema.upgrade(engine)
        after = schema.current(engine)
    finally:
        engine.dispose()
    click.echo(f"{settings.instance.name}: schema {before or 'empty'} -> {after}")
    office = wiring.open_office(folder, settings)
    try:
        adopted = adopt_log_key(office)
    finally:
        close(office)
    if adopted:
        click.echo("The log has its first key: keep a copy of keys/log.key (suaka log keys).")


def adopt_log_key(office: Office) -> bool:
    """Give a log from before there were keys its first one; return whether it had none.

    The file is made only where no key was ever stored, so that a lost one stays lost.

    Raises:
        LogKeysBroken: none is stored, though a leaf names one.
    """
    with office.read() as uow:
        if adoption.has_key(uow):
            return False
        adoption.is_due(uow)
    # What an attempt before this one wrote, or another one at this moment, is taken as it is.
    with suppress(FileExistsError):
        office.log_key.make(office.instance_id, secrets.token_bytes(log_keys.SEED_SIZE))
    with office.write() as uow:
        return adoption.adopt(uow)


def create(
    folder: Path,
    section: InstanceSection,
    costs: CostSection | None = None,
    staff: StaffSection | None = None,
) -> None:
    """Make pepper, key of the log, databases, holidays and, last, the settings of an instance.

    Raises:
        NotFound: there is no such profile.
        SettingsError: the settings would be refused.
    """
    ProfileCatalogue.from_package().latest(section.profile)
    paths = wiring.Paths(folder)
    paths.make()
    descriptor = os.open(paths.pepper, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(wiring.PEPPER_SIZE))
        file.flush()
        os.fsync(file.fileno())
    LogKeyFile(paths.log_key).make(section.id, secrets.token_bytes(log_keys.SEED_SIZE))
    engine = open_engine(paths.database)
    schema.upgrade(engine)
    engine.dispose()
    settings = Settings(
        instance=section, costs=costs or CostSection(), staff=staff or StaffSection()
    )
    configuration.write(folder, settings)
    # Read back as the file stands: what this machine's environment says belongs to no instance.
    office = wiring.open_office(folder, configuration.load(folder, {}))
    with office.write() as uow:
        first = uow.today().year
        holidays.seed(uow, range(first, first + holidays.YEARS))
    close(office)


def install(folder: Path, genesis: bytes) -> str:
    """Install a genesis and pin its hash in the settings; return the hash.

    If an earlier call stored the genesis and ended before pinning it, the same file completes it.

    Raises:
        GenesisExists: there is one already.
        UnreadableFile, RosterBroken, KeysDiffer: see
            :func:`casework.keys.enrol.install_genesis`.
        Refused: it is stored, and must be pinned by hand.
    """
    with opened(folder) as (office, _):
        try:
            with office.write() as uow:
                head = enrol.install_genesis(uow, genesis).head
        except GenesisExists:
            if office.genesis is not None or not _is_stored(office, genesis):
                raise
            head = parts.genesis_from_bytes(genesis).hash
    _pin(folder, head)
    return head


def _is_stored(office: Office, genesis: bytes) -> bool:
    """Say whether this very genesis, signature included, is the stored one."""
    with office.read() as uow:
        stored = roster.entries_of(uow)[:1]
    return stored == [parts.genesis_from_bytes(genesis)]


def _pin(folder: Path, head: str) -> None:
    """Write the hash under ``[instance]``, leaving every other line as its admin wrote it."""
    path = folder / configuration.FILE_NAME
    text = path.read_text(encoding="utf-8")
    line = f'genesis = "{head}"'
    pinned = _HEADER.sub(lambda header: f"{header[0]}\n{line}", text, count=1)
    if _genesis_in(pinned) != head:
        raise Refused(f"write this line under [instance] in {configuration.FILE_NAME}: {line}")
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(pinned)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _genesis_in(text: str) -> object:
    try:
        return tomllib.loads(text)["instance"].get("genesis")
    except (tomllib.TOMLDecodeError, KeyError):
        return None
