"""Officers at the terminal: signing in for one command, and what a newcomer chooses and notes.

Passphrases, codes and secrets come from the terminal or a pipe and never stand in arguments.
"""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Final

import click
import segno

from casework.keys import factors, passphrases
from crypto import words
from portal.cli import factors as terminal
from portal.cli.options import FORGET_SCREEN, ask_passphrase
from portal.cli.refusals import Refused

if TYPE_CHECKING:
    from casework.keys.actor import Actor
    from casework.keys.factors import NewFactor
    from casework.store.office import Office

GROUP: Final = 4


def ask_line(prompt: str) -> str:
    """Read one line from the terminal, or from a pipe."""
    if sys.stdin.isatty():
        return str(click.prompt(prompt))
    return sys.stdin.readline().rstrip("\n")


def sign_in(office: Office, username: str) -> Actor:
    """Return an officer who types passphrase and, where the office has one, the second factor.

    Raises:
        Denied: name or passphrase is wrong, or the officer is not in office today.
        WrongCode: the code is.
        Untrustworthy: roster or log are not what this officer has seen before.
    """
    passphrase = ask_passphrase(f"Passphrase of {username}", confirm=False)
    actor = terminal.signed_in(office, username, passphrase)
    terminal.ask_code(office, actor)
    return actor


def new_passphrase(office: Office, roles: tuple[str, ...]) -> str:
    """Return the passphrase of a newcomer: chosen, or drawn where the profile says so.

    Raises:
        Refused: it would be drawn, and there is no terminal to show it on.
    """
    if not passphrases.is_drawn(office.profile, roles):
        return ask_passphrase("Passphrase", confirm=True)
    _need_terminal("the passphrase of this role is drawn and shown once")
    drawn = words.generate(passphrases.DRAWN_WORDS)
    click.echo(f"The passphrase, in this order:\n\n    {drawn}\n")
    _wait("Write it down, keep it locked away, then press Enter.")
    click.echo(FORGET_SCREEN, nl=False)
    while " ".join(ask_passphrase("Type it back", confirm=False).casefold().split()) != drawn:
        click.echo("This is not the passphrase that was shown. Start again if the note is wrong.")
    return drawn


def new_factor(office: Office, username: str) -> tuple[NewFactor, int] | None:
    """Return a newcomer's confirmed second factor, or None where the office has none.

    Raises:
        Refused: there is no terminal to show it on.
    """
    if not office.second_factor:
        return None
    _need_terminal("the second factor is shown once")
    made = factors.new()
    secret = made.secret
    drawing = io.StringIO()
    segno.make(factors.uri(office.name, username, secret)).terminal(drawing, compact=True)
    click.echo(drawing.getvalue())
    click.echo("Scan it with an authenticator, or type this key into one:")
    click.echo(f"    {' '.join(secret[at : at + GROUP] for at in range(0, len(secret), GROUP))}")
    while (step := _confirmed(office, secret)) is None:
        click.echo("Wait for the next code.")
    click.echo(FORGET_SCREEN, nl=False)
    click.echo("Ten recovery codes, each good once instead of the authenticator:\n")
    for code in made.codes:
        click.echo(f"    {code}")
    _wait("\nWrite them down, keep them apart from the telephone, then press Enter.")
    click.echo(FORGET_SCREEN, nl=False)
    return made, step


def _confirmed(office: Office, secret: str) -> int | None:
    """Ask for a code; return its time step, or say what is wrong with it and return None."""
    typed = ask_line("Code from the authenticator")
    try:
        return factors.confirm(secret, typed, int(office.clock().timestamp()))
    except factors.ClockOff as off:
        click.echo(f"This code is right for another hour ({off.hours:+g} h): check the clocks.")
    except factors.WrongCode:
        click.echo("This code does not fit.")
    return None


def _need_terminal(why: str) -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refused(f"{why}: this needs a terminal")


def _wait(text: str) -> None:
    """Wait for Enter: a line, because a single key is too easily pressed by accident."""
    click.prompt(text, default="", show_default=False, prompt_suffix=" ")
