"""``suaka enrol`` and ``suaka approve``: officers get keys, and an approver vouches for them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from casework.errors import Denied
from casework.keys import accounts, enrol, memory
from portal.cli.options import DAY, FOLDER, ask_passphrase, opened
from portal.cli.refusals import Refused

if TYPE_CHECKING:
    from casework.keys.parts import PublicPart
    from casework.store.office import Office


@click.command("enrol")
@FOLDER
@click.option("--username", help="Name to sign in with.")
@click.option("--name", help="Full name, as on the roster.")
@click.option("--position", help="Office held, as on the roster.")
@click.option("--role", "roles", multiple=True, help="Role of the profile; may repeat.")
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
    target: Path | None,
) -> None:
    """Make keys for an officer on this machine, or export what the ceremony needs.

    The passphrase (15 to 256 characters) is asked for on the terminal, never shown and never an
    argument. An enrolled officer can do nothing until the ceremony or an approver names them.
    """
    if target is not None:
        with opened(folder) as (office, _):
            _export(office, target)
        return
    if username is None or name is None or position is None or not roles:
        raise click.UsageError("--username, --name, --position and --role are needed")
    with opened(folder) as (office, _):
        passphrase = ask_passphrase("Passphrase", confirm=True)
        part = enrol.enrol(office, enrol.Applicant(username, name, position, roles, passphrase))
    click.echo(f"{part.name}: {' '.join(part.fingerprint)}")
    click.echo("Write these eight words down: they are compared when the keys are approved.")


@click.command("approve")
@FOLDER
@click.option("--by", required=True, help="Username of the approver.")
@click.option("--username", required=True, help="Username of the officer to put on the roster.")
@click.option("--reason", required=True, help="Why, for instance the number of a decree.")
@click.option("--until", type=DAY, help="Last day (Plh, Plt).")
def approve(*, folder: Path, by: str, username: str, reason: str, until: datetime | None) -> None:
    """Put an enrolled officer on the roster, signed by an approver on this terminal."""
    with opened(folder, ready=True) as (office, _):
        part = _enrolled(office, username)
        click.echo(f"{part.name}, {part.position} ({', '.join(part.roles)})")
        click.echo(f"fingerprint: {' '.join(part.fingerprint)}")
        click.confirm("Are these the eight words that the officer was given?", abort=True)
        passphrase = ask_passphrase(f"Passphrase of {by}", confirm=False)
        keys = accounts.officer_keys(office, by, passphrase)
        with office.read() as uow:
            approver = accounts.locate_and_unwrap(uow, keys)
            if approver is None:
                raise Denied("name or passphrase")
            memory.check_and_update(uow, approver)
        with office.write() as uow:
            record = part.record(uow.today(), until.date() if until is not None else None)
            roster = enrol.approve(uow, approver, [record], reason)
    click.echo(f"roster version {roster.version}: {roster.head}")


def _export(office: Office, target: Path) -> None:
    with office.read() as uow:
        everyone = enrol.enrolled(uow)
        file = enrol.public_parts(uow)
    if not everyone:
        raise Refused("nobody is enrolled yet")
    target.write_bytes(file)
    for one in everyone:
        click.echo(f"{one.name} ({', '.join(one.roles)}): {' '.join(one.fingerprint)}")
    click.echo(f"written: {target}")


def _enrolled(office: Office, username: str) -> PublicPart:
    wanted = accounts.fold_username(username)
    with office.read() as uow:
        for part in enrol.enrolled(uow):
            if part.handle == wanted:
                return part
    raise Refused("nobody is enrolled under this username: suaka enrol comes first")
