"""``suaka enrol`` and ``suaka approve``: officers get keys, and an approver vouches for them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from casework.errors import Denied, NotFound
from casework.keys import accounts, enrol, memory
from portal import wiring
from portal.cli.options import FOLDER, ask_passphrase


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
    folder: Path,
    username: str | None,
    name: str | None,
    position: str | None,
    roles: tuple[str, ...],
    target: Path | None,
) -> None:
    """Make keys for an officer on this machine, or export what the ceremony needs.

    The passphrase is asked for on the terminal and never shown. An enrolled officer can do
    nothing until the ceremony or an approver names them.
    """
    office, _ = wiring.load(folder)
    if target is not None:
        with office.read() as uow:
            target.write_bytes(enrol.public_parts(uow))
            everyone = enrol.enrolled(uow)
        for one in everyone:
            click.echo(f"{one.name} ({', '.join(one.roles)}): {' '.join(one.fingerprint)}")
        click.echo(f"written: {target}")
        return
    if username is None or name is None or position is None or not roles:
        raise click.UsageError("--username, --name, --position and --role are needed")
    passphrase = ask_passphrase("Passphrase", confirm=True)
    part = enrol.enrol(office, enrol.Applicant(username, name, position, roles, passphrase))
    click.echo(f"{part.name}: {' '.join(part.fingerprint)}")
    click.echo("Write these eight words down: they are compared when the keys are approved.")


@click.command("approve")
@FOLDER
@click.option("--by", required=True, help="Username of the approver.")
@click.option("--username", required=True, help="Username of the officer to put on the roster.")
@click.option("--reason", required=True, help="Why, for instance the number of a decree.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Last day (Plh, Plt).")
def approve(folder: Path, by: str, username: str, reason: str, until: datetime | None) -> None:
    """Put an enrolled officer on the roster, signed by an approver on this terminal."""
    office, _ = wiring.load(folder)
    wiring.require_ready(office)
    with office.read() as uow:
        known = {part.handle: part for part in enrol.enrolled(uow)}
    part = known.get(accounts.fold_username(username))
    if part is None:
        raise NotFound("username")
    click.echo(f"{part.name}, {part.position} ({', '.join(part.roles)})")
    click.echo(f"fingerprint: {' '.join(part.fingerprint)}")
    click.confirm("Are these the eight words that the officer was given?", abort=True)
    keys = accounts.officer_keys(office, by, ask_passphrase(f"Passphrase of {by}", confirm=False))
    with office.read() as uow:
        approver = accounts.locate_and_unwrap(uow, keys)
        if approver is None:
            raise Denied("name or passphrase")
        memory.check_and_update(uow, approver)
    with office.write() as uow:
        last = until.date() if until is not None else None
        record = part.record(uow.today(), last)
        roster = enrol.approve(uow, approver, [record], reason)
    click.echo(f"roster version {roster.version}: {roster.head}")
