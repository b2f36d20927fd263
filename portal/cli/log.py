"""``suaka log``: the log's keys, what it has published, and its witnesses."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from casework.log import adoption, checkpoints, keys, witnesses
from crypto import witness_request
from crypto.errors import CryptoError, Tampered
from portal.cli.options import FILE_IN, FOLDER, YES, confirm, opened
from portal.cli.refusals import Refused
from portal.cli.writing import printable, refuse_taken, table, write_new

if TYPE_CHECKING:
    from casework.log.keys import LogKeys
    from casework.log.witnesses import Witness, Witnessed
    from casework.store.office import Office
    from crypto.note import SignedNote

FILE_OUT = click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="New file."
)
"""A file that is made; nothing is written over."""


@click.group("log")
def log() -> None:
    """Look after the log: its keys, its published checkpoints and its witnesses.

    Checkpoints are published by suaka tick (the server does it as well).
    """


@log.command("keys")
@FOLDER
@click.option("--handovers", is_flag=True, help="Print the signed notes by which they followed.")
def keys_command(folder: Path, *, handovers: bool) -> None:
    """Print the log's public keys, the oldest first; the last one is in force."""
    with opened(folder, ready=True) as (office, _), office.read() as uow:
        known = keys.load(uow)
        notes = keys.handovers(uow)
    if handovers:
        # An empty line parts them; a note ends with its signatures.
        click.echo("\n".join(one.to_text() for one in notes), nl=False)
        return
    for key in known.all:
        click.echo(key.to_text())
    click.echo(f"in force: {known.in_force.key_id.hex()}, key {len(known.all)}", err=True)


@log.command("rotate")
@FOLDER
@FILE_OUT
@YES
def rotate_command(folder: Path, out: Path, *, yes: bool) -> None:
    """Replace the key that signs, and write the hand-over note for the witnesses into a new file.

    The old key signs once more: the note. Then it is gone from this machine.
    """
    refuse_taken(out)
    with opened(folder, ready=True) as (office, _):
        confirm("Replace the key of the log? Every witness must be told.", yes=yes)
        known, signed = rotate(office)
    write_new(out, signed.to_text())
    click.echo(known.in_force.to_text())
    click.echo(
        f"This key signs from now on. Give {out} and this line to every witness, by a way that you "
        "trust: it refuses the log until then (suaka witness trust --handover). Publish the line; "
        "keep a copy of keys/log.key where the old one was kept.",
        err=True,
    )


def rotate(office: Office) -> tuple[LogKeys, SignedNote]:
    """Replace the key of an office's log; return its keys and the note of the hand-over.

    Raises:
        LogKeysBroken, LogKeyMissing: the key in force cannot sign.
    """
    with office.write() as uow:
        known = keys.rotate(uow, secrets.token_bytes(keys.SEED_SIZE))
    with office.read() as uow:
        # Puts the new secret into its place at once; otherwise the next checkpoint would.
        keys.signer(uow)
        return known, keys.handovers(uow)[-1]


@log.command("checkpoint")
@FOLDER
def checkpoint_command(folder: Path) -> None:
    """Print the checkpoint published last, with the lines of the witnesses."""
    with opened(folder, ready=True) as (office, _), office.read() as uow:
        found = checkpoints.newest(uow)
        if found is None:
            raise Refused("nothing is published yet: run suaka tick")
        checkpoints.checked(uow, keys.load(uow))
    click.echo(found.to_text(), nl=False)


@log.command("status")
@FOLDER
def status_command(folder: Path) -> None:
    """Show what was published last and what each witness has signed; changes nothing."""
    with opened(folder, ready=True) as (office, _), office.read() as uow:
        standing = witnesses.standing(uow)
        sizes = [row.size for row in checkpoints.rows(uow)[-2:]]
        adopted = adoption.adopted_at(uow)
    clock = office.checkpoints
    if standing.published is None:
        click.echo("nothing is published yet: run suaka tick")
    else:
        click.echo(f"size: {standing.size}")
        click.echo(
            f"period: from {standing.published:%Y-%m-%d %H:%M} UTC, {clock.hours} hours, "
            f"{clock.leaves} leaves each"
        )
        if checkpoints.outgrown(clock, sizes):
            click.echo("outgrown: the last period had more acts than that, and its size tells so")
    if adopted is not None:
        click.echo(f"key: the log has one since leaf {adopted}")
    if not standing.witnesses:
        click.echo("witnesses: none (log.witnesses)")
        return
    rows = [("WITNESS", "BY", "SIZE", "DAY", "STATE")]
    rows += [_row(one) for one in standing.witnesses]
    for line in table(rows):
        click.echo(line)


@log.command("request")
@FOLDER
@click.argument("name")
@FILE_OUT
def request_command(folder: Path, name: str, out: Path) -> None:
    """Write what the witness NAME is to sign into a new file, where it is reached by file.

    The witness answers with suaka witness sign.
    """
    refuse_taken(out)
    with opened(folder, ready=True) as (office, _):
        wanted = _named(office, name)
        with office.read() as uow:
            if checkpoints.newest(uow) is None:
                raise Refused("nothing is published yet: run suaka tick")
            checkpoints.checked(uow, keys.load(uow))
            found = witnesses.request(uow, wanted)
    if found is None:
        raise Refused(f"{printable(name)} has signed the newest checkpoint already")
    write_new(out, found.to_text())
    click.echo(f"from size {found.old}, for {printable(name)}: {out}")


@log.command("accept")
@FOLDER
@click.argument("file", type=FILE_IN)
def accept_command(folder: Path, file: Path) -> None:
    """Keep the answer of a witness that came as FILE under the checkpoint that it signed."""
    with file.open("rb") as source:
        raw = source.read(witness_request.MAX_SIZE + 1)
    with opened(folder, ready=True) as (office, _):
        if not office.witnesses:
            raise Refused("no witness is configured: log.witnesses")
        try:
            with office.write() as uow:
                size = witnesses.accept(uow, raw)
        except Tampered:
            raise Refused(
                f"{file} is signed by no configured witness, or for nothing published here"
            ) from None
        except CryptoError:
            raise Refused(f"{file} is no answer of a witness") from None
    click.echo(f"accepted for size {size}")


def _row(one: Witnessed) -> tuple[str, str, str, str, str]:
    state = "current" if one.current else "behind"
    return (
        one.name,
        "file" if one.by_file else "network",
        str(one.size) if one.moment else "-",
        f"{one.moment:%Y-%m-%d}" if one.moment else "-",
        f"{state}, silent" if one.silent else state,
    )


def _named(office: Office, name: str) -> Witness:
    for one in office.witnesses:
        if one.key.name == name:
            return one
    known = ", ".join(printable(one.key.name) for one in office.witnesses) or "none"
    raise Refused(f"no witness of this name is configured (log.witnesses): {known}")
