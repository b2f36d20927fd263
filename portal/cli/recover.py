"""``suaka recover``: keys that nobody holds any more come back by the shares on paper.

Three steps: ``export`` on the server, ``open`` on an offline machine in front of the share
holders, ``import`` on the server again. Each file that travels holds nothing that opens anything.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from casework.case import lost, recovery_import
from casework.errors import Denied
from casework.keys import accounts, memory, recovery, shares
from casework.keys.obstacles import Obstacle, RecoveryRefused
from casework.keys.recovery import Decision
from casework.law.catalogue import ProfileCatalogue
from crypto.persons import Person
from portal.cli import factors as terminal
from portal.cli import sheets
from portal.cli.ceremony import refuse_unfit, write
from portal.cli.options import DAY, FILE_IN, FOLDER, ask_passphrase, opened
from portal.cli.refusals import Refused
from portal.wiring import utc_now

if TYPE_CHECKING:
    from casework.keys.actor import Actor
    from casework.keys.parts import PublicPart
    from casework.keys.recovery import Meeting
    from casework.store.office import Office

_OUT = click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))


@click.group()
def recover() -> None:
    """Bring back keys that nobody in office holds, with the shares of the key ceremony.

    In this order: export (server), open (offline machine, share holders), import (server).
    """


@recover.command("export")
@FOLDER
@_OUT
@click.option("--for", "receivers", multiple=True, help="Username who is to get keys; may repeat.")
@click.option(
    "--lost",
    "gone",
    multiple=True,
    help="Username in office whose keys are gone; the share holders end their office.",
)
@click.option("--all", "everything", is_flag=True, help="All keys, for a new recovery key.")
def export_command(
    *,
    folder: Path,
    out: Path,
    receivers: tuple[str, ...],
    gone: tuple[str, ...],
    everything: bool,
) -> None:
    """Write what the share holders are asked for; decrypts nothing, changes nothing.

    Only keys that nobody in office holds are in the file, unless it is for a new recovery key
    (--all). Without --for and --all, the share holders can only decide about the roster.
    """
    if everything and (receivers or gone):
        raise click.UsageError("--all goes with no --for and no --lost")
    if out.exists():
        raise Refused(f"{out} exists already")
    request = lost.Request(
        receivers=tuple(_folded(name) for name in receivers),
        lost=tuple(_folded(name) for name in gone),
        everything=everything,
    )
    with opened(folder, ready=True) as (office, _), office.read() as uow:
        exported = lost.export(uow, request)
    write(out, exported.file.to_bytes())
    keys = len(exported.file.grants)
    click.echo(f"written: {out}: {keys} keys of {exported.cases} cases")
    if exported.held:
        click.echo(f"not exported: {exported.held} keys that somebody in office holds")
    if exported.unfit:
        click.echo(f"not exported: {exported.unfit} keys that nobody named may hold")
    if exported.damaged:
        click.echo(f"not exported, damaged (see suaka doctor): {', '.join(exported.damaged)}")


@recover.command("open")
@click.argument("file", type=FILE_IN)
@_OUT
@click.option("--reason", required=True, help="On what it rests, for instance the minutes.")
@click.option("--approve", multiple=True, help="Username to put on the roster; may repeat.")
@click.option("--guardian", help="Username of the new guardian.")
@click.option("--new-shares", is_flag=True, help="Replace the recovery key and its shares.")
@click.option("--needed", default=2, show_default=True, help="New shares that recover the key.")
@click.option("--shares", "made", default=3, show_default=True, help="New shares that are made.")
@click.option("--day", type=DAY, help="Day of the meeting, else today.")
@sheets.PRINTER
def open_command(
    *,
    file: Path,
    out: Path,
    reason: str,
    approve: tuple[str, ...],
    guardian: str | None,
    new_shares: bool,
    needed: int,
    made: int,
    day: datetime | None,
    printer: str | None,
) -> None:
    """Open FILE offline with k shares, and write what the share holders decide.

    On a machine without network, in a terminal that nobody records. Everybody sees who receives
    what; shares are typed, never arguments. The result holds nothing that opens anything.
    """
    refuse_unfit(out)
    split = shares.Shares(needed, made)
    meeting = recovery.open_meeting(file.read_bytes(), ProfileCatalogue.from_package())
    today = day.date() if day else utc_now().astimezone(ZoneInfo(meeting.profile.tz)).date()
    replacement = Person.generate() if new_shares else None
    pages = sheets.Sheets(meeting.export.office, split, today, printer)
    decision = Decision(
        day=today,
        reason=reason,
        approve=tuple(meeting.waiting(_folded(name)).person_id for name in approve),
        guardian=None if guardian is None else _known(meeting, guardian).person_id,
        replacement=replacement,
    )
    recovery.check_decision(meeting, decision)
    _show(meeting, decision)
    found = sheets.ask_shares(meeting.roster.recovery)
    person = shares.combine([one.mnemonic for one in found])
    result = recovery.decide(meeting, decision, person)
    if replacement is not None:
        pages.hand_out(shares.split(replacement, split), replacement.public)
    write(out, result.to_bytes())
    click.echo(f"written: {out}: {len(result.grants)} keys")
    click.echo("Now: suaka recover import FOLDER RESULT --by OFFICER, on the server.")
    if replacement is not None:
        click.echo(
            "The old shares still open every backup made before the import: destroy those "
            "backups first, then the old shares."
        )


@recover.command("import")
@FOLDER
@click.argument("result", type=FILE_IN)
@click.option("--by", required=True, help="Username of the officer who imports.")
def import_command(*, folder: Path, result: Path, by: str) -> None:
    """Put in force what the share holders decided; leaves a trace in the log and in each mailbox.

    May be repeated with the same file until it is complete.
    """
    with opened(folder, ready=True) as (office, _):
        actor = _sign_in(office, by)
        imported = recovery_import.import_result(office, actor, result.read_bytes())
    if imported.before:
        click.echo(f"{imported.before} cases were done before")
    click.echo(f"{imported.cases} cases done; roster version {imported.roster_version}")
    if imported.damaged:
        raise Refused(
            f"not done, damaged (see suaka doctor): {', '.join(imported.damaged)}; import again "
            "when they are mended"
        )
    if imported.replaced:
        click.echo("The new recovery key is in force. Old backups open with the old shares still.")


@recover.command("check")
def check_command() -> None:
    """Check one share on paper, on an offline machine: are its words right?

    One share alone opens nothing. Compare the two words shown with those on the page.
    """
    sheets.require_terminal()
    share = sheets.ask_share()
    click.echo(f"This is share {share.number}; {share.needed} are needed.")
    click.echo(f"Words at the foot of its page: {' '.join(shares.check_words(share.mnemonic))}")


def _show(meeting: Meeting, decision: Decision) -> None:
    """Show what will happen, and let the share holders confirm each part of it."""
    export = meeting.export
    click.echo(f"{export.office}: roster version {meeting.roster.version}, genesis")
    click.echo(f"    {meeting.fingerprint}")
    click.confirm("Is this the fingerprint on the paper of the ceremony?", abort=True)
    known = meeting.parts()
    for person_id in export.lost:
        click.echo(f"Ends office, keys are gone: {_named(known[person_id])}")
        click.confirm("    Is that so?", abort=True)
    for person_id in decision.approve:
        _compare("Comes onto the roster", known[person_id])
    if decision.guardian is not None:
        _compare("Becomes guardian", known[decision.guardian])
    for person_id in export.receivers:
        count, cases = _counts(meeting, known[person_id])
        _compare(f"Receives {count} keys of {cases} cases", known[person_id])
    if decision.replacement is not None:
        cases = len({one.carried.row.case_id for one in export.grants})
        click.echo(f"A new recovery key replaces the old one, for {cases} cases.")
        click.confirm("    Is that what you came for?", abort=True)


def _compare(what: str, part: PublicPart) -> None:
    click.echo(f"{what}: {_named(part)}")
    click.echo(f"    {' '.join(part.fingerprint)}")
    click.confirm("    Does the officer confirm these eight words?", abort=True)


def _named(part: PublicPart) -> str:
    return f"{part.name}, {part.position} ({', '.join(part.roles)})"


def _counts(meeting: Meeting, part: PublicPart) -> tuple[int, int]:
    """Return how many keys, and of how many cases, a receiver may come to hold."""
    fit = [
        one
        for one in meeting.export.grants
        if recovery.may_receive(meeting, one, part.person_id, part.roles)
    ]
    return len(fit), len({one.carried.row.case_id for one in fit})


def _known(meeting: Meeting, username: str) -> PublicPart:
    found = [one for one in meeting.parts().values() if one.handle == _folded(username)]
    if not found:
        raise RecoveryRefused(Obstacle.RECEIVER, username)
    return found[0]


def _folded(username: str) -> str:
    return accounts.fold_username(username)


def _sign_in(office: Office, by: str) -> Actor:
    """Let an officer sign in on the terminal: passphrase, and code if the office wants one."""
    passphrase = ask_passphrase(f"Passphrase of {by}", confirm=False)
    keys = accounts.officer_keys(office, by, passphrase)
    with office.read() as uow:
        actor = accounts.locate_and_unwrap(uow, keys)
        if actor is None:
            raise Denied("name or passphrase")
        memory.check_and_update(uow, actor)
    terminal.ask_code(office, actor)
    return actor
