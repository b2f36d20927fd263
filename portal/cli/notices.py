"""``suaka notices``: an officer's own address for notices by mail, without a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from casework.errors import InvalidInput
from casework.notices import addresses
from portal.cli import entering
from portal.cli.options import FOLDER, USERNAME, opened
from portal.cli.writing import printable

if TYPE_CHECKING:
    from casework.store.office import Office


@click.command("notices")
@FOLDER
@USERNAME
@click.option("--set", "address", metavar="ADDRESS", help="Send them here from now on.")
@click.option("--remove", is_flag=True, help="Send no more of them.")
def notices(*, folder: Path, username: str, address: str | None, remove: bool) -> None:
    """Show where an officer is told by mail that there is something to do; set or remove it.

    Asks for the passphrase, and a code where officers have a second factor. The address is kept
    in clear, because mail leaves while nobody is signed in: whoever has this machine can read it.
    """
    if address is not None and remove:
        raise click.UsageError("either --set or --remove")
    if address is not None and not addresses.is_address(address):
        # Before anything is asked for: a slip of the pen must not use up a code.
        raise InvalidInput({"address": "notice.address"})
    with opened(folder, ready=True) as (office, _):
        actor = entering.sign_in(office, username)
        if address is not None or remove:
            with office.write() as uow:
                addresses.change(uow, actor, address or "")
        with office.read() as uow:
            kept = addresses.own(uow, actor)
        click.echo(f"address: {printable(kept) or 'none'}")
        _say_when(office)


def _say_when(office: Office) -> None:
    if office.post is None:
        click.echo("This instance sends no mail until its admin switches it on.")
        return
    click.echo(
        f"Sent on working days at {', '.join(office.post.hours)}, if there is something new."
    )
    click.echo(f"All that it says: {office.post.text.strip()}")
