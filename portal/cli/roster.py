"""``suaka people`` and what approvers sign on this terminal: each is one entry of the roster."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from casework.keys import accounts, approvals, people, roster
from casework.keys.vocabulary import Standing
from portal.cli import entering
from portal.cli.options import DAY, FOLDER, YES, confirm, day_of, opened
from portal.cli.people import enrolled_as, on_roster
from portal.cli.writing import printable

if TYPE_CHECKING:
    from casework.keys.people import Happening
    from casework.keys.roster import Roster
    from casework.store.office import Office

BY = click.option("--by", required=True, help="Username of the approver.")
USERNAME = click.option("--username", required=True, help="Username of the officer meant.")
REASON = click.option("--reason", required=True, help="Why, for instance the number of a decree.")
UNTIL = click.option("--until", type=DAY, help="Last day (Plh, Plt).")


@click.command("approve")
@FOLDER
@BY
@USERNAME
@REASON
@UNTIL
def approve(*, folder: Path, by: str, username: str, reason: str, until: datetime | None) -> None:
    """Put an enrolled officer on the roster, signed by an approver on this terminal."""
    with opened(folder, ready=True) as (office, _):
        part = enrolled_as(office, username)
        with office.read() as uow:
            replaces = approvals.replaced_by(uow, part.person_id)
            chain = roster.load(uow)
        click.echo(printable(f"{part.name}, {part.position} ({', '.join(part.roles)})"))
        if replaces is not None and replaces in chain.people:
            old = chain.person(replaces)
            click.echo(printable(f"replaces {old.name} ({old.handle}), who is ended by it"))
        click.echo(f"fingerprint: {' '.join(part.fingerprint)}")
        click.confirm("Are these the eight words that the officer was given?", abort=True)
        approver = entering.sign_in(office, by)
        with office.write() as uow:
            changed = approvals.admit(
                uow,
                approver,
                part.person_id,
                part.fingerprint,
                reason,
                until=day_of(until),
                replaces=replaces,
            )
    _tell(changed)


@click.command("suspend")
@FOLDER
@BY
@USERNAME
@REASON
@YES
def suspend(*, folder: Path, by: str, username: str, reason: str, yes: bool) -> None:
    """Take an officer's roles away at once, for the time being, and end their sessions."""
    with opened(folder, ready=True) as (office, _):
        person_id = _person(office, username)
        _warn(office, person_id)
        confirm(f"Suspend {username}?", yes=yes)
        approver = entering.sign_in(office, by)
        with office.write() as uow:
            changed = approvals.suspend(uow, approver, person_id, reason)
    _tell(changed)


@click.command("resume")
@FOLDER
@BY
@USERNAME
@REASON
def resume(*, folder: Path, by: str, username: str, reason: str) -> None:
    """Give a suspended officer the same roles back."""
    with opened(folder, ready=True) as (office, _):
        person_id = _person(office, username)
        approver = entering.sign_in(office, by)
        with office.write() as uow:
            changed = approvals.resume(uow, approver, person_id, reason)
    _tell(changed)


@click.command("roles")
@FOLDER
@BY
@USERNAME
@click.option("--role", "roles", multiple=True, required=True, help="Role to hold; may repeat.")
@REASON
@UNTIL
@YES
def roles_command(
    *,
    folder: Path,
    by: str,
    username: str,
    roles: tuple[str, ...],
    reason: str,
    until: datetime | None,
    yes: bool,
) -> None:
    """Give an officer other roles or another last day, from today on.

    Other roles with a last day are a delegation: on the day after it the former roles come back.
    """
    with opened(folder, ready=True) as (office, _):
        person_id = _person(office, username)
        _warn(office, person_id)
        confirm(f"Change the roles of {username} to {', '.join(roles)}?", yes=yes)
        approver = entering.sign_in(office, by)
        with office.write() as uow:
            changed = approvals.change(uow, approver, person_id, roles, reason, until=day_of(until))
    _tell(changed)


@click.command("guardian")
@FOLDER
@click.option("--by", required=True, help="Username of the guardian in office.")
@USERNAME
@REASON
@YES
def guardian(*, folder: Path, by: str, username: str, reason: str, yes: bool) -> None:
    """Let the guardian name the next one, who then alone can name another."""
    with opened(folder, ready=True) as (office, _):
        person_id = _person(office, username)
        confirm(f"Make {username} the guardian?", yes=yes)
        actor = entering.sign_in(office, by)
        with office.write() as uow:
            changed = approvals.appoint_guardian(uow, actor, person_id, reason)
    _tell(changed)


@click.command("people")
@FOLDER
@click.option("--history", "whose", metavar="USERNAME", help="What was decided of one of them.")
def people_command(folder: Path, whose: str | None) -> None:
    """List everybody who enrolled or is on the roster, and where they stand today.

    With --history: the roster's entries about one person, the newest first, with who signed each
    of them and why.
    """
    with opened(folder, ready=True) as (office, _), office.read() as uow:
        if whose is not None:
            chain = roster.load(uow)
            for one in people.history(uow, chain, on_roster(chain, whose)):
                _tell_decision(one)
            return
        lines = people.overview(uow, None)
    for line in lines:
        period = " ".join(
            part
            for part in (
                f"from {line.since}" if line.since else "",
                f"to {line.until}" if line.until and line.standing is not Standing.LEFT else "",
            )
            if part
        )
        guards = ", guardian" if line.guardian else ""
        roles = ", ".join(line.roles)
        who = f"{line.standing:<10} {line.username:<20} {line.name}"
        click.echo(printable(f"{who} ({roles}{guards}) {period}".rstrip()))


def _tell_decision(one: Happening) -> None:
    """Write one entry of the roster, and what it says of a person."""
    signer = one.signer or "the recovery key"
    click.echo(printable(f"{one.day}  entry {one.version}, signed by {signer}: {one.reason}"))
    for record in one.records:
        until = f" to {record.until}" if record.until else ""
        roles = ", ".join(record.roles)
        click.echo(f"    {record.state} {roles} from {record.from_}{until}")
    if one.guardian:
        click.echo("    named guardian")


def _person(office: Office, username: str) -> str:
    with office.read() as uow:
        return people.find(uow, accounts.fold_username(username))


def _warn(office: Office, person_id: str) -> None:
    """Say what stands still without a person."""
    with office.read() as uow:
        chain = roster.load(uow)
        lonely = people.alone(office.profile, chain, person_id, uow.today())
    for role in lonely:
        click.echo(
            f"nobody else holds {role}: reports or cases may stand still until somebody does"
        )
    if chain.guardian_id == person_id:
        click.echo("this is the guardian: without one in office no report can be received")


def _tell(changed: Roster) -> None:
    click.echo(f"roster version {changed.version}: {changed.head}")
