"""``suaka invite`` and ``suaka invitations``: who is to come, by whoever has this machine."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from casework.keys import accounts, invitations, people
from casework.keys.invitations import Invitee
from portal.cli.options import FOLDER, YES, confirm, opened
from portal.cli.writing import printable


@click.command("invite")
@FOLDER
@click.option("--username", required=True, help="Name to sign in with.")
@click.option("--name", required=True, help="Full name.")
@click.option("--position", required=True, help="Office held.")
@click.option("--unit", default="", help="Unit, written after the office held.")
@click.option("--role", "roles", multiple=True, required=True, help="Role; may repeat.")
@click.option("--replaces", help="Username of the officer whose keys are lost.")
def invite(
    *,
    folder: Path,
    username: str,
    name: str,
    position: str,
    unit: str,
    roles: tuple[str, ...],
    replaces: str | None,
) -> None:
    """Invite an officer, and print a code that works once within 72 hours.

    Being invited gives nothing: the officer enrols with the code, then an approver decides.
    """
    with opened(folder, ready=True) as (office, _), office.write() as uow:
        lost = None if replaces is None else people.find(uow, accounts.fold_username(replaces))
        printed = invitations.invite(
            uow, None, Invitee(username, name, position, roles, unit, lost)
        )
    until = datetime.fromtimestamp(printed.expires, UTC).astimezone(office.tz)
    click.echo(f"Code, shown this once, good until {until:%Y-%m-%d %H:%M}:\n\n    {printed.code}\n")
    click.echo("Hand it over on paper. The officer types it at /petugas/undangan.")


@click.command("invitations")
@FOLDER
@click.option("--withdraw", "withdrawn", metavar="ID", help="Take an unused invitation back.")
@YES
def invitations_command(folder: Path, withdrawn: str | None, *, yes: bool) -> None:
    """List invitations, the newest first, or withdraw one."""
    with opened(folder, ready=True) as (office, _):
        if withdrawn is not None:
            confirm(f"Withdraw {withdrawn}?", yes=yes)
            with office.write() as uow:
                invitations.withdraw(uow, None, withdrawn)
            click.echo("withdrawn")
            return
        with office.read() as uow:
            listed = invitations.listing(uow)
    for one in listed:
        until = datetime.fromtimestamp(one.expires, UTC).astimezone(office.tz)
        told = (
            f"{one.invitation_id} {one.state:<9} until {until:%Y-%m-%d %H:%M}  "
            f"{one.username} {one.name} ({', '.join(one.roles)})"
        )
        click.echo(printable(told))
