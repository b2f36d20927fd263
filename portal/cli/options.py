"""What several commands share: arguments, questions, and how an instance is opened."""

from __future__ import annotations

import os
import pwd
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from portal import settings as configuration
from portal import wiring
from portal.cli.refusals import Refused
from portal.wiring import NotReady

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from casework.store.office import Office
    from portal.settings import Settings

FOLDER = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
"""The folder of one instance."""

FILE_IN = click.Path(exists=True, dir_okay=False, path_type=Path)
"""A file that is read."""

FORGET_SCREEN: Final = "\x1b[H\x1b[2J\x1b[3J"
"""Clears the screen and what could be scrolled back to (ECMA-48 ED 2, xterm ED 3)."""

DAY = click.DateTime(["%Y-%m-%d"])
"""A day as an option; :func:`day_of` makes a date of it."""

USERNAME = click.option("--username", required=True, help="Name that the officer signs in with.")
"""Whose own command it is."""

YES = click.option("--yes", is_flag=True, help="Do not ask.")


def ask_passphrase(prompt: str, *, confirm: bool) -> str:
    """Read a passphrase from the terminal without showing it, or one line of a pipe."""
    if sys.stdin.isatty():
        return str(click.prompt(prompt, hide_input=True, confirmation_prompt=confirm))
    return sys.stdin.readline().rstrip("\n")


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is done, unless ``--yes``. Raises: click.Abort: the answer is no."""
    if not yes:
        click.confirm(question, abort=True)


def day_of(moment: datetime | None) -> date | None:
    """Return the day of a :data:`DAY` option."""
    return None if moment is None else moment.date()


@contextmanager
def opened(folder: Path, *, ready: bool = False) -> Iterator[tuple[Office, Settings]]:
    """Open an instance for one command; ``ready`` also wants its ceremony to be done.

    Raises:
        SettingsError, CostTooLow, StorageUnfit: see :func:`portal.wiring.load`.
        NotReady: a file is missing, or the schema is another one.
        Refused: it belongs to another user.
    """
    configuration.load(folder)
    require_files(folder)
    office, settings = wiring.load(folder)
    try:
        if ready:
            wiring.require_ready(office)
        else:
            wiring.require_schema(office)
        yield office, settings
    finally:
        close(office)


def require_files(folder: Path) -> None:
    """Refuse a folder where opening would make an empty file in place of a lost one.

    Raises:
        NotReady: naming what is missing and what it means.
        Refused: the instance is another user's; what this one made there would lock it out.
    """
    paths = wiring.Paths(folder)
    for path, loss in (
        (paths.database, "put back the newest backup of data/"),
        (paths.keystore, "put back the newest backup of keys/; without it no case can be opened"),
        (paths.pepper, "put back its copy; without it no officer can sign in"),
    ):
        if not path.is_file():
            raise NotReady(f"{path.relative_to(folder)} is missing: {loss}")
    if paths.pepper.stat().st_size != wiring.PEPPER_SIZE:
        raise NotReady(f"keys/pepper has not {wiring.PEPPER_SIZE} bytes: put back its copy")
    require_own(folder)


def require_own(folder: Path) -> None:
    """Refuse a folder without a database, or one that another user's instance lies in.

    Raises:
        NotReady: the database is missing.
        Refused: the instance is another user's; what this one made there would lock it out.
    """
    database = wiring.Paths(folder).database
    if not database.is_file():
        raise NotReady(f"{database.relative_to(folder)} is missing: put back the newest backup")
    owner = database.stat().st_uid
    if owner != os.geteuid():
        raise Refused(f"this instance belongs to user {_name_of(owner)}: run suaka as that user")


def close(office: Office) -> None:
    """Give back the files of an office; the last one to leave empties the write-ahead log."""
    office.engine.dispose()
    office.keystore.engine.dispose()
    office.sessions.close()
    office.windows.close()


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
