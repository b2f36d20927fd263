"""``suaka passphrase``, ``factor`` and ``codes``: what the pages do, without a browser.

The officer sits at the terminal: nothing secret is ever an argument.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from casework.keys import factors, renewal
from portal.cli import entering
from portal.cli import factors as terminal
from portal.cli.options import FOLDER, USERNAME, ask_passphrase, opened
from portal.cli.refusals import Refused

if TYPE_CHECKING:
    from casework.store.office import Office

_SECRET_SIZE = 32


@click.command("passphrase")
@FOLDER
@USERNAME
def passphrase(*, folder: Path, username: str) -> None:
    """Change an officer's passphrase; the old one opens nothing afterwards.

    Asks for the old passphrase, a code where officers have a second factor, and the new one
    twice. Who must not choose is shown seven words and types them back. All sessions of the
    officer end, also those of the running server.
    """
    with opened(folder, ready=True) as (office, _):
        old = ask_passphrase("Passphrase", confirm=False)
        actor = terminal.signed_in(office, username, old)
        terminal.ask_code(office, actor)
        if renewal.is_drawn(office, actor):
            source = renewal.Source(secrets.token_bytes(_SECRET_SIZE), b"")
            new = _type_back(office, source)
        else:
            source, new = None, ask_passphrase("New passphrase", confirm=True)
        renewal.renew(office, actor, renewal.Typed(old, new), source, keep=None)
    click.echo("The passphrase is changed, and every session of this officer has ended.")


@click.command("factor")
@FOLDER
@USERNAME
def factor(*, folder: Path, username: str) -> None:
    """Give an officer a new authenticator and ten recovery codes.

    Asks for the passphrase, a code of the authenticator in force or a recovery code, and a code
    of the new one. The secret is shown as a drawing and as text, this once.
    """
    with opened(folder, ready=True) as (office, _):
        _need_factors(office)
        typed = ask_passphrase("Passphrase", confirm=False)
        actor = terminal.signed_in(office, username, typed)
        terminal.replace(office, actor, username)
    click.echo("The new authenticator is in force; codes of the old one open nothing.")


@click.command("codes")
@FOLDER
@USERNAME
@click.option("--new", "renewed", is_flag=True, help="Replace all of them by ten new ones.")
def codes(*, folder: Path, username: str, renewed: bool) -> None:
    """Tell how many recovery codes of an officer are unused, or give ten new ones.

    Asks for the passphrase, and a code of the authenticator or a recovery code. The
    authenticator stays the same. New codes are shown on a terminal, this once.
    """
    with opened(folder, ready=True) as (office, _):
        _need_factors(office)
        if renewed:
            entering.need_terminal("the recovery codes are shown once")
        actor = entering.sign_in(office, username)
        if not renewed:
            with office.read() as uow:
                click.echo(f"unused recovery codes: {factors.codes_left(uow, actor)}")
            return
        made = factors.new_codes()
        with office.write() as uow:
            factors.change_codes(uow, actor, made)
        terminal.show_codes(made)
    click.echo("The new recovery codes are in force; the old ones open nothing.")


def _need_factors(office: Office) -> None:
    """Raises: Refused: officers have none here."""
    if not office.second_factor:
        raise Refused("officers of this instance have no second factor: it is a demo")


def _type_back(office: Office, source: renewal.Source) -> str:
    """Show a drawn passphrase until it is written down; return what is typed from the paper."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refused("a drawn passphrase is shown on a terminal only, never into a file or pipe")
    click.echo("The office held does not allow a chosen passphrase. Write these words down:\n")
    click.echo(f"    {renewal.draw(office, source)}\n")
    click.prompt(
        "Press Enter when they are written down.",
        default="", show_default=False, prompt_suffix=" ",
    )  # fmt: skip
    terminal.forget_screen()
    return ask_passphrase("Type the words from the paper", confirm=False)
