"""``suaka numbers``: the sums for who monitors or audits, without a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from casework.handling import numbers
from casework.handling.disclosure import THRESHOLD, Shade
from portal.cli import entering
from portal.cli.options import FOLDER, USERNAME, opened
from portal.cli.writing import table

if TYPE_CHECKING:
    from collections.abc import Callable

    from casework.handling.disclosure import Count
    from casework.handling.numbers import Numbers, Table

HIDDEN: Final = "hidden"
CLOCKS: Final = {"late": "past its date", "in_time": "still in time"}


@click.command("numbers")
@FOLDER
@USERNAME
def numbers_command(*, folder: Path, username: str) -> None:
    """Show sums of reports to an officer who monitors or audits; small ones are kept from view.

    Asks for the passphrase, and a code where officers have a second factor.
    """
    with opened(folder, ready=True) as (office, _):
        actor = entering.sign_in(office, username)
        with office.read() as uow:
            found = numbers.read(uow, actor)
    _print(found)


def _print(found: Numbers) -> None:
    if found.everything:
        click.echo("Of all reports here, also those that the leaders of the inspectorate cannot")
        click.echo("see: pass no number on to them before it is merged with others.")
    else:
        click.echo("Of the reports alone whose contents this officer holds.")
    click.echo(f"{_small()}: too small to be shown; {HIDDEN}: it would give a small one away.")
    _table("Received", found.received, lambda month: f"{month:%Y-%m}")
    _table("By status today", found.states, lambda label: label or "unknown")
    _table("With a date to keep", found.clocks, lambda label: CLOCKS[label])
    click.echo("\nFirst reaction of an officer, median of the last twelve months")
    if found.reaction is None:
        click.echo("  too few reports")
    else:
        click.echo(f"  {f'{found.reaction:.1f}'.removesuffix('.0')} working days")


def _table(title: str, found: Table, written: Callable[[Any], str]) -> None:
    click.echo(f"\n{title}")
    rows = [(written(label), _count(count)) for label, count in found.rows]
    for line in table([*rows, ("all", _count(found.total))]):
        click.echo(f"  {line}")


def _count(count: Count) -> str:
    if count.shade is Shade.SMALL:
        return _small()
    return HIDDEN if count.value is None else str(count.value)


def _small() -> str:
    return f"under {THRESHOLD}"
