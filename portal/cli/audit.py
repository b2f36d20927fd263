"""``suaka audit``: is the log whole, and is everything that is stored what the log says?"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import click
from pysqlite3 import dbapi2
from sqlalchemy.exc import SQLAlchemyError

from casework.audit import outside
from casework.audit.findings import Kind
from casework.audit.verify import verify as audited
from casework.errors import CaseworkError
from casework.log.keys import origin_of
from portal import settings as configuration
from portal import wiring
from portal.cli.audit_words import line
from portal.cli.options import FOLDER, close, require_own
from portal.cli.refusals import sentence
from portal.cli.writing import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from casework.audit.findings import Report
    from casework.audit.outside import Evidence
    from casework.store.office import Office
    from crypto.note import NoteKey

SHOWN: Final = 100
"""Findings of one kind that are printed."""

KEYS_MAX: Final = 64 * 1024
"""Characters of the longest file of keys that is read."""


@click.group("audit")
def audit() -> None:
    """Verify the transparency log against everything that is stored."""


@audit.command("verify")
@FOLDER
@click.option(
    "--checkpoint", "held", multiple=True, type=click.Path(exists=True, path_type=Path),
    help="What others hold of the log: a file of signed checkpoints, a receipt, or the folder of "
    "a witness; may be repeated. Without any, a log that was rewritten as a whole passes.",
)  # fmt: skip
@click.option(
    "--witness-key", "witnesses", multiple=True, metavar="KEY|FILE",
    help="Public key of a witness (name+id+key), or a file of them, one a line; may be repeated.",
)  # fmt: skip
def verify_command(*, folder: Path, held: tuple[Path, ...], witnesses: tuple[str, ...]) -> None:
    """Check every leaf, signature, case, key, deadline and file of the instance in FOLDER.

    Changes nothing, asks for no secret, and works on a running instance or on a copy of its data
    alone. What is wrong comes first: missing, changed, added, reordered or forged; a notice is
    no damage. Exit status: 0 sound, 1 something is wrong, 2 nothing can be said of it: wrong
    usage, or an instance or a file that cannot be read.
    """
    keys = tuple(key for given in witnesses for key in _witness_keys(given))
    with _unless_unreadable(), _opened(folder) as office:
        evidence = _evidence(held, origin_of(office.instance_id))
        with _progress() as progress, office.read() as uow:
            report = audited(uow, evidence, keys, progress)
    for text in _told(report):
        click.echo(text)
    if not report.sound:
        sys.exit(1)


@contextmanager
def _unless_unreadable() -> Iterator[None]:
    """Let what keeps an instance from being read end in 2: it is no word on the log."""
    try:
        yield
    except (CaseworkError, SQLAlchemyError, dbapi2.Error, OSError) as refused:
        raise click.UsageError(sentence(refused)) from refused


@contextmanager
def _opened(folder: Path) -> Iterator[Office]:
    """Open an instance, or a copy that lacks its keys; makes no file in it."""
    settings = configuration.load(folder)
    require_own(folder)
    with TemporaryDirectory() as scratch:
        office = wiring.open_copy(folder, settings, Path(scratch))
        try:
            wiring.require_schema(office)
            wiring.require_genesis(office)
            yield office
        finally:
            close(office)


def _evidence(held: tuple[Path, ...], origin: str) -> list[Evidence]:
    """Read what others hold. Raises: click.BadParameter: naming the file that cannot be read."""
    try:
        return [one for path in held for one in outside.read(path, origin)]
    except outside.NotEvidence as refused:
        raise click.BadParameter(
            f"{printable(str(refused))} holds no signed checkpoint and no receipt, or is damaged",
            param_hint="--checkpoint",
        ) from None


def _witness_keys(given: str) -> tuple[NoteKey, ...]:
    """Return the keys that an option names. Raises: click.BadParameter."""
    path = Path(given)
    try:
        if "\n" not in given and path.is_file():
            with path.open("rb") as file:
                given = file.read(KEYS_MAX).decode()
        return outside.witness_keys(given)
    except (outside.NotWitnessKeys, OSError, UnicodeDecodeError):
        raise click.BadParameter(
            f"{printable(str(path))} is no public key of a witness, and no file of them",
            param_hint="--witness-key",
        ) from None


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar on standard error while somebody looks on."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1, label="verifying", file=sys.stderr) as bar:

        def show(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(min(done, total) - bar.pos)

        yield show


def _told(report: Report) -> Iterator[str]:
    for kind in Kind:
        shown = report.of(kind)[:SHOWN]
        yield from (line(one) for one in shown)
        if (rest := report.number(kind) - len(shown)) > 0:
            yield f"{kind.value:<9} and {rest} more"
    counts = report.counts
    yield f"log: {counts.places} places, {counts.leaves} leaves, {counts.dummies} dummies"
    if counts.erased:
        yield f"erased by the guardian: {counts.erased} leaves"
    yield (
        f"cases: {counts.cases}, with {counts.items} items, {counts.grants} keys, "
        f"{counts.deadlines} deadlines"
    )
    yield f"files: {counts.blobs} parts, {counts.bytes} bytes"
    yield f"roster: {counts.roster} entries; keys of the log: {counts.keys}"
    yield f"checkpoints: {counts.checkpoints} published, {counts.outside} from outside"
    for name, size in report.vouched.items():
        vouched = f"vouches for {size} places" if size else "vouches for nothing here"
        yield f"witness {printable(name)}: {vouched}"
    if not counts.outside:
        yield "no checkpoint from outside was given: newest leaves may be gone, see --checkpoint"
    wrong = sum(report.number(kind) for kind in Kind if kind is not Kind.NOTICE)
    yield f"NOT SOUND: {wrong} findings" if wrong else "SOUND"
