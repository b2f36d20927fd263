"""Second factors at a terminal: a code is asked for, a new authenticator is set up."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Final

import click
import segno

from casework.errors import Denied
from casework.keys import accounts, factors, memory
from portal.cli.options import FORGET_SCREEN, ask_passphrase
from portal.cli.refusals import sentence
from portal.staff.qr import QUIET_ZONE, grouped

if TYPE_CHECKING:
    from casework.keys.actor import Actor
    from casework.store.office import Office

TRIES: Final = 3
"""How often the first code of a new authenticator may be typed."""

_BLACK_ON_WHITE: Final = "\x1b[97;40m{}\x1b[0m"
"""The drawing's blocks are its light modules: bright white, on black, whatever the theme."""


def signed_in(office: Office, username: str, passphrase: str) -> Actor:
    """Return an officer in office whose passphrase was typed, keys unlocked.

    Raises:
        Denied: name or passphrase are wrong, or the officer is not in office today.
        Untrustworthy: as at every sign-in.
    """
    keys = accounts.officer_keys(office, username, passphrase)
    with office.read() as uow:
        actor = accounts.locate_and_unwrap(uow, keys)
        if actor is None:
            raise Denied("name or passphrase")
        accounts.vouched(memory.check_and_update(uow, actor), actor, uow.today())
    return actor


def ask_code(office: Office, actor: Actor) -> None:
    """Ask for a code where officers have a second factor; say what its owner must know first.

    Raises: WrongCode, FactorMissing.
    """
    if not office.second_factor:
        return
    typed = ask_passphrase("Code of the authenticator", confirm=False)
    proof = factors.prove(office, actor, typed)
    if proof.missed >= factors.FREE_MISSES:
        click.echo("Before this, the right passphrase came with many wrong codes. If that was")
        click.echo("somebody else, they know it: change it now (suaka passphrase), and say so.")
    if proof.codes_left is not None:
        click.echo(f"That was a recovery code; {proof.codes_left} are left. Cross it out.")


def ask_new(office: Office, username: str) -> tuple[factors.NewFactor, int]:
    """Show a new authenticator's secret and ask for its first code.

    Returns the factor, not stored yet, and the time step of that code.

    Raises:
        WrongCode: the code is not one of the secret just shown.
    """
    made = factors.new()
    uri = factors.uri(office.name, username, made.secret)
    click.echo("Scan this with an authenticator on the officer's own phone, or type the key there.")
    _draw(uri)
    click.echo(uri)
    click.echo(f"key: {grouped(made.secret)}")
    try:
        return made, _first_step(office, made.secret)
    finally:
        forget_screen()


def show_codes(codes: tuple[str, ...]) -> None:
    """Show recovery codes, this once, until they are written down."""
    click.echo("Ten recovery codes. Each replaces a code of the authenticator once. Write them on")
    click.echo(
        "paper, lock it away from phone and passphrase, and photograph or send them nowhere:"
    )
    for number, code in enumerate(codes, start=1):
        click.echo(f"    {number:2}. {code}")
    if sys.stdin.isatty():
        click.prompt(
            "Press Enter when they are written down.",
            default="", show_default=False, prompt_suffix=" ",
        )  # fmt: skip
    forget_screen()


def replace(office: Office, actor: Actor, username: str) -> None:
    """Give an officer in office another second factor, with its trace in the log.

    Whoever has one shows a code of it first. An officer without any may make one here, and only
    here: no page lets anybody in without a code. Raises: WrongCode, FactorMissing.
    """
    with office.read() as uow:
        has_one = factors.exists(uow, actor.person_id)
    if has_one:
        ask_code(office, actor)
    made, step = ask_new(office, username)
    with office.write() as uow:
        factors.change(uow, actor, made, step)
    show_codes(made.codes)


def forget_screen() -> None:
    """Clear a terminal of a secret that it has shown."""
    if sys.stdout.isatty():
        click.echo(FORGET_SCREEN, nl=False)


def _draw(text: str) -> None:
    drawing = io.StringIO()
    code = segno.make(text, error="m", micro=False)
    code.terminal(drawing, border=QUIET_ZONE, compact=True)
    for line in drawing.getvalue().splitlines():
        click.echo(_BLACK_ON_WHITE.format(line))


def _first_step(office: Office, secret: str) -> int:
    """Return the time step of the first code. Raises: WrongCode."""
    for left in range(TRIES - 1, -1, -1):
        typed = ask_passphrase("Code that it shows now", confirm=False)
        try:
            return factors.confirm(secret, typed, int(office.clock().timestamp()))
        except factors.WrongCode as wrong:
            if not left:
                raise
            click.echo(f"{sentence(wrong)}; try the next one")
    raise AssertionError
