"""``suaka sessions``: an officer's open sessions, without a browser: see them, end one or all."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from casework.errors import NotFound
from portal.cli import entering
from portal.cli.options import FOLDER, USERNAME, YES, confirm, opened
from portal.cli.writing import table

if TYPE_CHECKING:
    from casework.keys.sessions import OpenSession
    from casework.store.office import Office

NAME_LENGTH: Final = 12
"""Characters of a session's name that are shown and typed: 48 bits tell one's own apart."""


@click.command("sessions")
@FOLDER
@USERNAME
@click.option("--end", "name", metavar="NAME", help="End this one, named as it is listed.")
@click.option("--all", "everything", is_flag=True, help="End all of them.")
@YES
def sessions(*, folder: Path, username: str, name: str | None, everything: bool, yes: bool) -> None:
    """List an officer's open sessions, the one in use last coming first, or end them.

    Asks for the passphrase, and a code where officers have a second factor. Each line is the
    name of a session, the day on which it began, and when it was last used.
    """
    if name is not None and everything:
        raise click.UsageError("either --end or --all")
    with opened(folder, ready=True) as (office, _):
        person = entering.sign_in(office, username).person_id
        now = int(office.clock().timestamp())
        found = office.sessions.of_owner(person, now)
        if everything:
            _list(office, found)
            confirm(f"End all sessions of {username}?", yes=yes)
            click.echo(f"ended: {office.sessions.end_all(person)}")
        elif name is not None:
            chosen = [one for one in found if one.name[:NAME_LENGTH] == name.lower()]
            if not chosen:
                raise NotFound("session")
            _list(office, chosen)
            confirm("End this session?", yes=yes)
            click.echo(f"ended: {sum(office.sessions.end_one(person, one.name) for one in chosen)}")
        else:
            _list(office, found)


def _list(office: Office, found: tuple[OpenSession, ...] | list[OpenSession]) -> None:
    if not found:
        click.echo("no session is open")
    rows = [
        (
            one.name[:NAME_LENGTH],
            f"began {_local(office, one.created):%Y-%m-%d}",
            f"last used {_local(office, one.seen):%Y-%m-%d %H:%M}",
        )
        for one in found
    ]
    for line in table(rows):
        click.echo(line)


def _local(office: Office, seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).astimezone(office.tz)
