"""``suaka backup``: two sealed archives of one moment, and the key that opens them."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from casework.store.backup import files
from casework.store.backup.make import Order, make
from casework.store.backup.manifest import KEYS_DAYS
from crypto.age import HybridIdentity, HybridRecipient
from crypto.errors import Malformed
from portal.cli.defaults import WithDefault
from portal.cli.options import FOLDER, opened
from portal.cli.refusals import Refused

if TYPE_CHECKING:
    from casework.store.backup.make import Made
    from portal.settings import Settings

WHERE = click.Path(exists=True, file_okay=False, writable=True, path_type=Path)


class _Backup(WithDefault):
    default = "make"


@click.group(cls=_Backup)
def backup() -> None:
    """Back an instance up while it runs (suaka backup FOLDER …), or make the key for it (key)."""


@backup.command("make")
@FOLDER
@click.option("--to", required=True, type=WHERE, help="Folder for the archive of the database.")
@click.option(
    "--keys-to",
    required=True,
    type=WHERE,
    help="Another folder, for the archive of the keys, which expires.",
)
@click.option(
    "--recipient",
    "recipients",
    required=True,
    multiple=True,
    help="Whoever can open both: age1pq1…, from suaka backup key; may repeat.",
)
@click.option(
    "--days",
    type=click.IntRange(1, KEYS_DAYS),
    default=KEYS_DAYS,
    show_default=True,
    help="Days after which the archive of the keys expires.",
)
def make_command(
    *, folder: Path, to: Path, keys_to: Path, recipients: tuple[str, ...], days: int
) -> None:
    """Make two sealed archives of the instance in FOLDER, which may be running.

    One holds database, files and settings; the other keystore, pepper and the key of the log,
    and fits this one alone. Keep them apart. Archives of keys that have expired are removed from
    --keys-to. The key that opens them: suaka backup key --out FILE.
    """
    known = [_recipient(text) for text in recipients]
    with opened(folder, ready=True) as (office, settings):
        today = office.clock().date()
        for old in files.expired(keys_to, office.instance_id, today):
            old.unlink()
            click.echo(f"expired and removed: {old}")
        order = Order(
            folder=folder.resolve(),
            to=to,
            keys_to=keys_to,
            recipients=known,
            program=version("suaka"),
            secret=_secret(folder, settings),
            days=days,
        )
        made = make(office, order)
    _tell(made)


@backup.command("key")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
def key_command(out: Path) -> None:
    """Make the identity that opens backups, and print the recipient that they are made for.

    Keep the file off the machine that is backed up, and a copy of it on paper: whoever has it and
    both archives has the databases. Any age program that knows post-quantum keys can use it.
    """
    identity = HybridIdentity.generate()
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, files.PRIVATE)
    except FileExistsError:
        raise Refused(f"{out} exists: another key needs another file") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"# public key: {identity.recipient}\n{identity.to_string()}\n")
        file.flush()
        os.fsync(file.fileno())
    click.echo(str(identity.recipient))
    click.echo(
        f"The secret part is in {out}: move it to another machine or a safe, and delete it here. "
        "Nobody can open a backup without it.",
        err=True,
    )


def _recipient(text: str) -> HybridRecipient:
    try:
        return HybridRecipient.from_string(text.strip())
    except Malformed:
        raise Refused(
            "--recipient is no age1pq1… recipient; suaka backup key makes one with its identity"
        ) from None


def _secret(folder: Path, settings: Settings) -> frozenset[Path]:
    named = settings.mail.password_file
    return frozenset({(folder / named).resolve()} if named else ())


def _tell(made: Made) -> None:
    if not made.log_key:
        click.echo("keys/log.key is missing: this backup is without the key of the log", err=True)
    click.echo(f"database: {made.data}")
    click.echo(f"keys:     {made.keys}")
    click.echo(
        f"They hold roster version {made.point.roster_version} and {made.point.log_size} leaves "
        f"of the log, the last of {made.point.log_day}. Keep the two apart; destroy every copy of "
        f"the keys after {made.expires}."
    )
