"""``suaka offboard``: hand a leaver's cases over, end their office, print the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from sqlalchemy import select

from casework.case.tables import Case
from casework.errors import NotFound
from casework.handling import departure, leaving
from casework.handling.leaving import Plan
from casework.keys import roster
from portal.cli import entering
from portal.cli.options import FOLDER, YES, confirm, opened
from portal.cli.people import on_roster
from portal.cli.refusals import PROBLEMS, Refused

if TYPE_CHECKING:
    from pathlib import Path

    from casework.handling.departure import Departure, Record
    from casework.keys.actor import Actor
    from casework.keys.members import Roster
    from casework.store.office import Office

DUTY = "offboarding_duty"
"""Passage of the profile: what still binds whoever leaves."""


@click.command("offboard")
@FOLDER
@click.option("--by", required=True, help="Username of the approver.")
@click.option("--username", required=True, help="Username of the officer who leaves.")
@click.option("--successor", default="", help="Username of who follows in every open case.")
@click.option(
    "--case", "cases", multiple=True, metavar="TICKET=USERNAME", help="Who follows in one case."
)
@click.option("--reason", required=True, help="Why, for instance the number of a decree.")
@click.option(
    "--give-up-shares",
    is_flag=True,
    help="Accept that some identities can be opened by the recovery alone from then on.",
)
@YES
def offboard(
    *,
    folder: Path,
    by: str,
    username: str,
    successor: str,
    cases: tuple[str, ...],
    reason: str,
    give_up_shares: bool,
    yes: bool,
) -> None:
    """Hand an officer's cases over to successors, end their office, and print the record.

    The approver's passphrase and code are asked for on the terminal. What was interrupted is
    completed by the same command. It cannot be undone: who comes back enrols anew.
    """
    with opened(folder, ready=True) as (office, _):
        with office.read() as uow:
            known = roster.load(uow)
        leaver = on_roster(known, username)
        approver = entering.sign_in(office, by)
        with office.read() as uow:
            found = departure.preview(uow, approver, leaver)
        _say_what_comes(found)
        if found.obstacle:
            raise Refused(PROBLEMS[found.obstacle])
        confirm("Hand over and end this office?", yes=yes)
        default = on_roster(known, successor) if successor else ""
        plan = Plan(default, _named(office, known, cases), give_up_shares)
        _do(office, approver, leaver, plan, reason)
        with office.read() as uow:
            _print(office, departure.record(uow, approver, leaver))


def _do(office: Office, approver: Actor, leaver: str, plan: Plan, reason: str) -> None:
    """Hand over until nothing is left. Raises: Refused: naming the cases that stay, and why."""
    while True:
        progress = leaving.off_board(office, approver, leaver, plan, reason)
        if not progress.left:
            return
        if progress.refused or not progress.done:
            why = "; ".join(f"{one.ticket}: {PROBLEMS[one.problem]}" for one in progress.refused)
            raise Refused(f"{progress.left} cases are not handed over yet: {why}")


def _say_what_comes(found: Departure) -> None:
    person = found.person
    click.echo(f"{person.name}, {person.position} ({', '.join(person.roles)})")
    click.echo(f"cases: {found.total}")
    for one in found.cases:
        state = one.state.label if one.state else "damaged"
        due = f", due {one.due}" if one.due else ""
        kinds = sorted({held.compartment for held in one.held})
        click.echo(f"  {one.ticket}  {state}{due}  holds {', '.join(kinds)}")
    if found.total > len(found.cases):
        click.echo(f"  and {found.total - len(found.cases)} more")


def _named(office: Office, known: Roster, cases: tuple[str, ...]) -> dict[str, str]:
    named = {}
    with office.read() as uow:
        for text in cases:
            ticket, separator, username = text.partition("=")
            if not separator:
                raise click.UsageError("--case wants TICKET=USERNAME")
            case_id = uow.session.scalar(select(Case.id).where(Case.ticket == ticket.upper()))
            if case_id is None:
                raise NotFound(f"case {ticket}")
            named[case_id] = on_roster(known, username)
    return named


def _print(office: Office, record: Record) -> None:
    """Write the record of the hand-over, to be printed and signed."""

    def name(person_id: str) -> str:
        return record.roster.person(person_id).name if person_id else "nobody (it was over)"

    person = record.person
    click.echo()
    click.echo(f"RECORD OF HAND-OVER, {office.name}")
    click.echo(f"Leaves: {person.name}, {person.position} ({', '.join(person.roles)})")
    click.echo(f"Out of office from: {record.left}")
    click.echo(f"Approved by: {name(record.by) if record.by else 'the share holders'}")
    click.echo(f"Reason: {record.reason}")
    for line in record.lines:
        click.echo(
            f"  {line.ticket}  {line.day}  to {name(line.successor)}"
            f"  documents: {line.documents}  by {name(line.by)}"
        )
    click.echo(f"Cases: {len(record.lines)}")
    click.echo(office.profile.text(DUTY))
