"""``suaka witness``: a witness of logs, on another machine than the logs; needs no instance."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from crypto import note
from crypto.checkpoint import Checkpoint
from crypto.errors import CryptoError, Malformed
from crypto.note import SignedNote
from crypto.witness_request import MAX_SIZE, AddCheckpoint
from portal.cli.log_client import LogClient
from portal.cli.options import FILE_IN
from portal.cli.refusals import Refused
from portal.cli.running import listen
from portal.cli.writing import printable, refuse_taken, table, write_new
from portal.wiring import utc_now
from witness import gathering, server, tiles
from witness.keeper import Keeper
from witness.record import Conflict
from witness.refusals import SizeDiffers
from witness.trust import DISTRUSTED, notes

PORT: Final = 8470
DIR = click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
"""The folder of a witness."""

FILE_OUT = click.Path(dir_okay=False, path_type=Path)
"""A file that is made."""


@click.group()
def witness() -> None:
    """Be a witness of logs: cosign each checkpoint that only adds to the ones before.

    On another machine than the log, in other hands. In this order: init; give the key printed to
    the log's administrator; trust the log's key; then serve, or fetch, or sign by file.
    """


@witness.command()
@DIR
@click.option("--name", required=True, help="Name of the witness, such as saksi.example.go.id.")
def init(folder: Path, name: str) -> None:
    """Make a witness with a fresh secret key in a new folder; print its public key."""
    try:
        keeper = Keeper.make(folder, name)
    except Malformed:
        raise click.BadParameter("a name has no space and no plus", param_hint="--name") from None
    click.echo(keeper.key.to_text())


@witness.command()
@DIR
@click.argument("vkey", required=False)
@click.option("--handover", type=FILE_IN, help="Hand-over notes, instead of the key.")
def trust(folder: Path, vkey: str | None, handover: Path | None) -> None:
    """Trust the public key of a log, or trust one again.

    After a rotation, trust its new key by the hand-over note that the old one has signed, too, or
    by all of its notes as the log publishes them. The old key then counts up to the size of the
    tree at that moment. A note that whoever stole the old key made looks the same: ask for a
    letter all the same.
    """
    if (vkey is None) == (handover is None):
        raise click.UsageError("either the key of a log or --handover")
    keeper = Keeper.open(folder)
    key = keeper.follow(*_notes(handover)) if handover is not None else keeper.trust(vkey or "")
    count = sum(end != DISTRUSTED for end in keeper.trusted(key.name).values())
    click.echo(f"{printable(key.name)}: key {key.key_id.hex()} is trusted, {count} in all")


@witness.command()
@DIR
@click.argument("key_id", metavar="KEYID")
def distrust(folder: Path, key_id: str) -> None:
    """Cosign nothing any more that only this key of a log has signed, since it leaked.

    KEYID is the 8 digits in the middle of the key, or the whole key. Trust the log's new key
    first. What was cosigned under the old one stays as it is.
    """
    key = Keeper.open(folder).distrust(key_id)
    click.echo(f"{printable(key.name)}: key {key.key_id.hex()} is not trusted any more")


@witness.command()
@DIR
def trusted(folder: Path) -> None:
    """List the keys of each log, and up to which size of its tree each counts."""
    keeper = Keeper.open(folder)
    rows = [("LOG", "KEYID", "COUNTS")]
    for origin in keeper.logs():
        for key, end in keeper.trusted(origin).items():
            counts = "always" if end is None else f"up to {end - 1}" if end else "no"
            rows.append((origin, key.key_id.hex(), counts))
    for line in table(rows):
        click.echo(line)


@witness.command()
@DIR
def key(folder: Path) -> None:
    """Print the public key of the witness, for the administrators of logs."""
    click.echo(Keeper.open(folder).key.to_text())


@witness.command()
@DIR
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True)
@click.option(
    "--uds",
    type=click.Path(path_type=Path),
    help="Unix socket (mode 0660) to listen on instead of a port.",
)
def serve(folder: Path, host: str, port: int, uds: Path | None) -> None:
    """Serve POST /add-checkpoint until it is stopped; no request is logged."""
    title = printable(Keeper.open(folder).key.name)
    os.environ[server.FOLDER] = str(folder.resolve())
    listen("witness.server:application", title, host, port, uds)


@witness.command()
@DIR
@click.argument("request_file", type=FILE_IN)
@click.option("-o", "--out", type=FILE_OUT, required=True, help="New file for the answer.")
def sign(folder: Path, request_file: Path, out: Path) -> None:
    """Cosign a request that came as a file, where no network is allowed.

    A request that was answered before is answered again.
    """
    refuse_taken(out)
    keeper = Keeper.open(folder)
    with request_file.open("rb") as file:
        raw = file.read(MAX_SIZE + 1)
    try:
        request = AddCheckpoint.from_bytes(raw)
        found = Checkpoint.from_text(request.signed.text)
    except CryptoError:
        raise Refused(f"{request_file} is not a request to a witness") from None
    now = _posix_now()
    try:
        lines = keeper.add(request, now)
    except SizeDiffers as refused:
        if refused.newest != found.size:
            raise
        lines = keeper.add(AddCheckpoint(found.size, (), request.signed), now)
    write_new(out, lines)
    click.echo(f"{printable(found.origin)}: cosigned at size {found.size}")


@witness.command()
@DIR
@click.argument("url")
@click.option("-o", "--out", type=FILE_OUT, help="New file for the cosignature.")
@click.option("--proxy", help="Address of a proxy, http://...")
def fetch(folder: Path, url: str, out: Path | None, proxy: str | None) -> None:
    """Get a log's checkpoint from URL, check it by the tiles there, and cosign it.

    Unproven checkpoints (see status) that the tiles explain are dropped.
    """
    if out is not None:
        refuse_taken(out)
    keeper = Keeper.open(folder)
    with LogClient(url, proxy) as log:
        try:
            signed = SignedNote.from_bytes(log.get("checkpoint", note.MAX_SIZE))
            lines = gathering.cosign(keeper, signed, log.tile, _posix_now())
        except (CryptoError, tiles.TileMissing) as error:
            raise Refused(f"{url} does not serve a log: {error}") from None
        # First of all: it is recorded as given, whatever the log does next.
        if out is None:
            click.echo(lines, nl=False)
        else:
            write_new(out, lines)
        gathering.clear(keeper, Checkpoint.from_text(signed.text).origin, log.tile)


@witness.command()
@DIR
@click.pass_context
def status(context: click.Context, folder: Path) -> None:
    """Show what was cosigned of each log; exit status 1 if a log has told two stories."""
    keeper = Keeper.open(folder)
    rows = [("LOG", "SIZE", "DAY", "COSIGNED", "FORKS", "UNPROVEN")]
    forks: list[Path] = []
    for origin in keeper.logs():
        newest, record = keeper.latest(origin), keeper.record(origin)
        forks += record.conflicts(Conflict.FORK)
        rows.append(
            (
                origin,
                str(newest.checkpoint.size) if newest else "-",
                f"{datetime.fromtimestamp(newest.moment, UTC):%Y-%m-%d}" if newest else "-",
                str(len(keeper.history(origin))),
                str(len(record.conflicts(Conflict.FORK))),
                str(len(record.conflicts(Conflict.UNPROVEN))),
            )
        )
    for line in table(rows):
        click.echo(line)
    for path in forks:
        click.echo(f"two trees of one size, signed by the log: {path}")
    if forks:
        context.exit(1)


def _notes(path: Path) -> tuple[SignedNote, ...]:
    with path.open("rb") as file:
        return notes(file.read(note.MAX_SIZE + 1))


def _posix_now() -> int:
    return int(utc_now().timestamp())
