"""``suaka enrol``: an officer makes keys on this machine, invited or before the ceremony."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from casework.errors import NotFound
from casework.keys import accounts, enrol, factors, invitations
from casework.keys.enrol import Applicant
from portal.cli import entering
from portal.cli.options import FOLDER, opened
from portal.cli.refusals import Refused
from portal.cli.writing import printable

if TYPE_CHECKING:
    from casework.keys.members import Roster
    from casework.keys.parts import PublicPart
    from casework.store.office import Office


@click.command("enrol")
@FOLDER
@click.option("--username", help="Name to sign in with.")
@click.option("--name", help="Full name, as on the roster.")
@click.option("--position", help="Office held, as on the roster.")
@click.option("--role", "roles", multiple=True, help="Role of the profile; may repeat.")
@click.option("--invitation", "invited", is_flag=True, help="Ask for the code of an invitation.")
@click.option(
    "--export",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write everybody's public parts to this file, for the ceremony.",
)
def enrol_command(
    *,
    folder: Path,
    username: str | None,
    name: str | None,
    position: str | None,
    roles: tuple[str, ...],
    invited: bool,
    target: Path | None,
) -> None:
    """Make keys for an officer on this machine, or export what the ceremony needs.

    The passphrase (15 to 256 characters, or seven words that are drawn) and the code of the
    authenticator are asked for on the terminal, never shown again and never an argument. An
    enrolled officer can do nothing until the ceremony or an approver names them.
    """
    if target is not None:
        with opened(folder) as (office, _):
            _export(office, target)
        return
    if invited:
        with opened(folder, ready=True) as (office, _):
            _tell(_redeem(office))
        return
    if username is None or name is None or position is None or not roles:
        raise click.UsageError("--username, --name, --position and --role are needed")
    with opened(folder) as (office, _):
        _tell(_enrol(office, username, name, position, roles))


def _enrol(
    office: Office, username: str, name: str, position: str, roles: tuple[str, ...]
) -> PublicPart:
    passphrase = entering.new_passphrase(office, roles)
    prepared = enrol.prepare(office, Applicant(username, name, position, roles, passphrase))
    factor = entering.new_factor(office, prepared.part.handle)
    with office.write() as uow:
        part = enrol.store(uow, prepared)
        if factor is not None:
            factors.store(uow, prepared.actor, *factor)
    return part


def _redeem(office: Office) -> PublicPart:
    token = invitations.read(entering.ask_line("Code of the invitation"))
    with office.read() as uow:
        found = invitations.find(uow, token)
    if token is None:
        raise invitations.InvitationRefused
    click.echo(printable(f"{found.name}, {found.position} ({', '.join(found.roles)})"))
    click.echo(printable(f"username: {found.username}"))
    click.confirm("Is all of this right?", abort=True)
    passphrase = entering.new_passphrase(office, found.roles)
    prepared = enrol.prepare(
        office, Applicant(found.username, found.name, found.position, found.roles, passphrase)
    )
    factor = entering.new_factor(office, found.username)
    with office.write() as uow:
        return invitations.redeem(uow, token, prepared, factor)


def _tell(part: PublicPart) -> None:
    click.echo(printable(f"{part.name}: {' '.join(part.fingerprint)}"))
    click.echo("Write these eight words down: they are compared when the keys are approved.")


def _export(office: Office, target: Path) -> None:
    with office.read() as uow:
        everyone = enrol.enrolled(uow)
        file = enrol.public_parts(uow)
    if not everyone:
        raise Refused("nobody is enrolled yet")
    target.write_bytes(file)
    for one in everyone:
        click.echo(printable(f"{one.name} ({', '.join(one.roles)}): {' '.join(one.fingerprint)}"))
    click.echo(f"written: {target}")


def enrolled_as(office: Office, username: str) -> PublicPart:
    """Return the officer who enrolled under a username. Raises: Refused."""
    wanted = accounts.fold_username(username)
    with office.read() as uow:
        for part in enrol.enrolled(uow):
            if part.handle == wanted:
                return part
    raise Refused("nobody is enrolled under this username: suaka enrol comes first")


def on_roster(known: Roster, username: str) -> str:
    """Return the id of whoever is or was on the roster under a username. Raises: NotFound."""
    wanted = accounts.fold_username(username)
    for person_id, records in known.people.items():
        if records[-1].handle == wanted:
            return person_id
    raise NotFound(f"officer {username}")
