"""``suaka doctor``: is this instance safe to run? Every check says what it looked at."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from casework.evidence import sweeping
from portal import settings as configuration
from portal.cli import checks_files, checks_office
from portal.cli.findings import BAD, Finding, bad, ok
from portal.cli.options import FOLDER, close, opened, require_files
from portal.cli.refusals import sentence
from portal.wiring import open_office

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.settings import Settings


@click.command()
@FOLDER
@click.option("--sweep", is_flag=True, help="Remove blobs that no row names, after asking.")
@click.option("--yes", is_flag=True, help="With --sweep: do not ask.")
def doctor(folder: Path, *, sweep: bool, yes: bool) -> None:
    """Check the instance in FOLDER; exit 1 if anything is bad.

    Looks at configuration, files and their modes, disk space, key stretching, scanner, SQLite,
    clock, schema, roster, who holds the roles, keystore, desks, files and holidays. Changes
    nothing but what --sweep removes.
    """
    if sweep:
        _sweep(folder, yes=yes)
    failed = False
    for finding in examine(folder):
        failed = failed or finding.level == BAD
        click.echo(f"{finding.level:<4} {finding.text}")
    if failed:
        sys.exit(1)


def _sweep(folder: Path, *, yes: bool) -> None:
    """Remove what interrupted uploads left; asks, since an older database names fewer blobs."""
    with opened(folder) as (office, _):
        orphans = len(sweeping.compare(office).orphans)
        if orphans and not yes:
            text = f"Remove {orphans} blobs that this database does not name?"
            click.confirm(f"{text} Not after an older database was put back.", abort=True)
        click.echo(f"removed {sweeping.sweep(office) if orphans else 0} blobs")


def examine(folder: Path) -> Iterator[Finding]:
    """Yield what was found, in the order in which it should be mended."""
    try:
        settings = configuration.load(folder)
    except Exception as refused:  # noqa: BLE001 - every check tells, and none ends the others
        yield bad(f"configuration: {sentence(refused)}")
        return
    yield ok(f"configuration: {settings.instance.name}, {settings.instance.mode}")
    for check in checks_files.ALL:
        try:
            yield from check(folder, settings)
        except Exception as refused:  # noqa: BLE001 - as above
            yield bad(sentence(refused))
    yield from _inside(folder, settings)


def _inside(folder: Path, settings: Settings) -> Iterator[Finding]:
    """Open the databases and look into them; a schema of another version ends it."""
    try:
        require_files(folder)
        office = open_office(folder, settings)
    except Exception as refused:  # noqa: BLE001 - as above
        yield bad(sentence(refused))
        return
    try:
        for check in checks_office.ALL:
            try:
                found = list(check(office, settings))
            except Exception as refused:  # noqa: BLE001 - as above
                found = [bad(sentence(refused))]
            yield from found
            if check is checks_office.schema_is_ours and any(one.level == BAD for one in found):
                return
    finally:
        close(office)
