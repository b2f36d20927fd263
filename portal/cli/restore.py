"""``suaka restore``: from two archives back to an instance, and the guardian's word on it."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase
from typing import TYPE_CHECKING

import click
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from casework.errors import Denied
from casework.evidence import parts
from casework.keys import accounts, memory, point, restoration
from casework.log import keys as log_keys
from casework.log.keys import LogKeyMissing
from casework.store import schema
from casework.store.backup import check
from casework.store.backup.unpack import unpack_data, unpack_keys
from casework.store.blobs import sync_folder
from casework.store.engine import open_engine
from crypto.age import HybridIdentity
from crypto.errors import Malformed
from portal import settings as configuration
from portal import wiring
from portal.cli import factors as terminal
from portal.cli import instance
from portal.cli.building import built
from portal.cli.defaults import WithDefault
from portal.cli.inuse import unused
from portal.cli.options import FILE_IN, FOLDER, ask_passphrase, close, opened
from portal.cli.refusals import Refused, sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from casework.keys.actor import Actor
    from casework.keys.point import Point
    from casework.keys.restoration import Look
    from casework.store.backup.check import Lost
    from casework.store.backup.manifest import DataManifest, KeysManifest
    from casework.store.office import Office

YES = click.option("--yes", is_flag=True, help="Do not ask.")


class _Restore(WithDefault):
    default = "from"


@dataclass(frozen=True)
class _Replaced:
    """The instance in the way: where it stood, and what the backup lacks of it."""

    stands: Point
    lost: Lost
    memories: int


@click.group(cls=_Restore)
def restore() -> None:
    """Restore an instance from its archives (suaka restore ARCHIVE …), or confirm it (confirm)."""


@restore.command("from")
@click.argument("archive", type=FILE_IN)
@click.option("--keys", required=True, type=FILE_IN, help="The archive of the keys that fits.")
@click.option("--identity", required=True, type=FILE_IN, help="File that suaka backup key made.")
@click.option(
    "--to",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the restored instance.",
)
@click.option("--expired", is_flag=True, help="Accept keys that have expired.")
@click.option("--replace", is_flag=True, help="Move an instance in the folder aside.")
@YES
def from_command(
    *,
    archive: Path,
    keys: Path,
    identity: Path,
    folder: Path,
    expired: bool,
    replace: bool,
    yes: bool,
) -> None:
    """Restore the instance in ARCHIVE with its keys, after everything in both was checked.

    FOLDER must not exist or be empty; with --replace an instance in it is moved aside, never
    deleted, and what officers have last seen there is kept: they are stopped at their next sign-in
    until the guardian has confirmed the restore (suaka restore confirm).
    """
    folder = folder.resolve()
    identities = _identities(identity)
    aside = _aside(folder) if replace and (folder / configuration.FILE_NAME).exists() else None
    with built(folder, aside) as building:
        today = wiring.utc_now().date()
        known = unpack_keys(keys, identities, building, today=today, expired=expired)
        data = unpack_data(archive, identities, building)
        stands, replaced = _checked(building, data, known, folder if aside else None)
        _tell(data, stands, replaced)
        if aside is not None and not yes:
            click.confirm(f"Move the instance in {folder} to {aside} and replace it?", abort=True)
        _finish(building, data, stands, replaced)
    if aside is not None:
        click.echo(f"The replaced instance is in {aside}; destroy its keys within 30 days.")
    click.echo(f"restored: {folder}")
    click.echo("Next: suaka doctor; compare the genesis with the paper; suaka restore confirm.")


@restore.command("confirm")
@FOLDER
@click.option("--by", required=True, help="Username of the guardian.")
@click.option("--reason", required=True, help="Why it was restored; readable in the log.")
@YES
def confirm_command(*, folder: Path, by: str, reason: str, yes: bool) -> None:
    """Confirm, as the guardian of the instance in FOLDER, that an old copy was put back on purpose.

    Officers who have seen more than what is there are let in again; each of them is shown the
    reason. Look at who is in office before you answer: somebody who was removed may be back.
    """
    with opened(folder, ready=True) as (office, _):
        passphrase = ask_passphrase(f"Passphrase of {by}", confirm=False)
        keys = accounts.officer_keys(office, by, passphrase)
        with office.read() as uow:
            guardian = accounts.locate_and_unwrap(uow, keys)
            if guardian is None:
                raise Denied("name or passphrase")
            found = restoration.look(uow, guardian)
        _show(found)
        if not yes:
            click.confirm("Was this copy put back on purpose, and do you vouch for it?", abort=True)
        number = _confirmed(office, guardian, reason)
    click.echo(f"confirmed in leaf {number}: every officer is told at the next sign-in")


def _confirmed(office: Office, guardian: Actor, reason: str) -> int:
    terminal.ask_code(office, guardian)
    with office.write() as uow:
        number = restoration.confirm(uow, guardian, reason)
    with office.read() as uow:
        memory.check_and_update(uow, guardian)
    return number


def _show(found: Look) -> None:
    seen, now = found.seen, found.now
    click.echo(f"You had seen: roster version {seen.roster_version}, {seen.log_size} leaves")
    click.echo(
        f"There is now: roster version {now.roster_version} of {now.roster_day} "
        f"({now.roster_reason}), {now.log_size} leaves, the last of {now.log_day}"
    )
    if found.contradiction is None:
        click.echo("Nothing contradicts what you had seen; other officers may have seen more.")
    else:
        click.echo(f"This is not what you had seen: {found.contradiction.value.replace('_', ' ')}.")
    if found.lost_leaves:
        click.echo(f"Lost: at least {found.lost_leaves} acts or reports that you had seen.")
    if found.lost_entries:
        versions = ", ".join(str(version) for version in found.lost_entries)
        click.echo(f"Lost: entries {versions} of the roster; make them again if they still hold.")
    click.echo("In office by this roster:")
    for person in found.in_office:
        click.echo(f"    {person.name}, {person.position} ({', '.join(person.roles)})")


def _identities(path: Path) -> list[HybridIdentity]:
    try:
        lines = [line.strip() for line in path.read_text("ascii").splitlines()]
        found = [HybridIdentity.from_string(one) for one in lines if one and one[0] != "#"]
    except (Malformed, UnicodeDecodeError):
        found = []
    if not found:
        raise Refused(f"{path} holds no identity AGE-SECRET-KEY-PQ-1…")
    return found


def _aside(folder: Path) -> Path:
    """Return where an instance in the way will be moved. Raises: Refused."""
    if os.path.ismount(folder) or os.path.ismount(folder / wiring.RUN):
        raise Refused(f"{folder} or its run/ is a mounted file system: unmount it first")
    with unused(folder):
        stamp = f"{wiring.utc_now():%Y%m%dT%H%M%SZ}"
    names = (f"{folder.name}.before-restore-{stamp}{more}" for more in ("", *ascii_lowercase))
    for aside in map(folder.with_name, names):
        if not aside.exists():
            return aside
    raise Refused("this instance was replaced too often in one second")


def _checked(
    building: Path, data: DataManifest, keys: KeysManifest, old: Path | None
) -> tuple[Point, _Replaced | None]:
    """Look at everything, compare with the instance in the way, and keep what its officers saw.

    Raises:
        ArchiveUnfit, RosterBroken, SettingsError, NotReady: what does not hold.
        Refused: the instance in the way is another one.
    """
    paths = wiring.Paths(building)
    if paths.pepper.stat().st_size != wiring.PEPPER_SIZE:
        raise Refused(f"the pepper in the archive has not {wiring.PEPPER_SIZE} bytes")
    with _engine(paths.database) as database, _engine(paths.keystore) as keystore:
        check.files_whole(database, keystore)
        check.schema_known(data, database)
        schema.upgrade(database)
    office, settings = wiring.load(building)
    try:
        check.belongs(office, data, keys)
        stands = check.inside(office, data, keys)
        check.blobs(office, data)
        replaced = None
        if old is not None:
            theirs = configuration.load(old).instance
            if (theirs.id, theirs.genesis) != (settings.instance.id, settings.instance.genesis):
                raise Refused(f"{old} holds another instance: restore this one somewhere else")
            replaced = _compared(office, old)
        # Only now: the leaf that names a first key is none that the replaced instance had.
        instance.adopt_log_key(office)
        wiring.require_ready(office)
        return stands, replaced
    finally:
        close(office)


def _compared(office: Office, old: Path) -> _Replaced | None:
    """Return what is lost of the instance in the way, or None if it cannot be read.

    Raises:
        Refused: it has another schema; unread, nobody would notice at sign-in what is gone.
    """
    paths = wiring.Paths(old)
    try:
        with _engine(paths.database) as database, _engine(paths.keystore) as keystore:
            current = schema.current(database)
            if current is not None and current != schema.newest():
                raise Refused(f"{old} has another schema: run suaka migrate on it first")
            with Session(database) as theirs, Session(office.engine) as ours:
                stands, lost = point.of(theirs), check.lost(theirs, ours)
            return _Replaced(stands, lost, check.keep_memories(keystore, office.keystore.engine))
    except (SQLAlchemyError, OSError, ValueError) as unreadable:
        click.echo(f"The replaced instance cannot be read ({sentence(unreadable)}):")
        click.echo("what is lost is not known, and officers will not notice it at sign-in.")
        return None


@contextmanager
def _engine(path: Path) -> Iterator[Engine]:
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, "missing", str(path))
    engine = open_engine(path)
    try:
        yield engine
    finally:
        engine.dispose()


def _tell(data: DataManifest, stands: Point, replaced: _Replaced | None) -> None:
    click.echo(f"instance {data.instance}, backup of {data.made} by Suaka {data.program}")
    click.echo(f"genesis {data.genesis}")
    click.echo(
        f"It goes back to roster version {stands.roster_version} of {stands.roster_day} "
        f"({stands.roster_reason}) and to {stands.log_size} leaves of the log, the last of "
        f"{stands.log_day}."
    )
    if data.schema != schema.newest():
        click.echo(f"schema: {data.schema} -> {schema.newest()}")
    if replaced is None:
        return
    lost = replaced.lost
    click.echo(
        f"The instance in the way stands at roster version {replaced.stands.roster_version} and "
        f"{replaced.stands.log_size} leaves, the last of {replaced.stands.log_day}."
    )
    click.echo(f"Lost with it: {lost.cases} reports and {lost.leaves} leaves.")
    if lost.entries:
        versions = ", ".join(str(version) for version in lost.entries)
        click.echo(f"Lost with it: entries {versions} of the roster; make them again.")
    if lost.another_history:
        click.echo("The two have different histories: one did not go on from the other.")


def _tell_log_key(office: Office) -> None:
    with office.read() as uow:
        try:
            log_keys.signer(uow)
        except LogKeyMissing:
            click.echo(
                "The archive of keys lacks the key of the log that is in force: put its copy back "
                "as keys/log.key; until then no checkpoint is published."
            )


def _finish(building: Path, data: DataManifest, stands: Point, replaced: _Replaced | None) -> None:
    """Leave the trace in the log, make ``run`` fresh, and bring everything to the disk."""
    office, _ = wiring.load(building)
    try:
        with office.write() as uow:
            made = data.moment.astimezone(office.tz).date()
            parts.forget_all(uow)
            restoration.record(uow, made, stands, replaced.stands if replaced else None)
        _tell_log_key(office)
    finally:
        close(office)
    shutil.rmtree(building / wiring.RUN)
    (building / wiring.RUN).mkdir(mode=0o700)
    for path in sorted(building.rglob("*")):
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())
    sync_folder(building)
