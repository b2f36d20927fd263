"""Pages for share holders: on the screen alone or on a printer; never in a file or an argument."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from gettext import NullTranslations
from typing import TYPE_CHECKING, Any, Final

import click
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from casework.keys import shares
from casework.keys.misspelling import LENGTH
from portal.cli.options import FORGET_SCREEN
from portal.cli.refusals import Refused
from portal.web.pages import TEMPLATE_PACKAGE, Pages

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from casework.keys.shares import Share, Shares
    from crypto.persons import PublicKeys

_TEMPLATE: Final = "print/share.txt"
_PRINTER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@/-]{0,126}")
_PRINTING_SECONDS: Final = 60

PRINTER = click.option(
    "--printer", help="Print each page with lp on this printer, instead of showing it."
)


class Sheets:
    """One set of pages: who it is for, and where the pages come out."""

    def __init__(self, office: str, split: Shares, day: date, printer: str | None) -> None:
        """Prepare; ``printer`` is None for the screen.

        Raises:
            Refused: there is no such way to print.
        """
        self._office, self._split, self._day = office, split, day
        self._printer = printer
        self._lp = _spooler(printer) if printer is not None else None

    def hand_out(self, mnemonics: Sequence[str], recovery: PublicKeys) -> None:
        """Give each share to its holder alone, then ask for every share back.

        Raises:
            SharesWrong: together they do not give the recovery key.
            Refused: the printer did not take a page.
            click.Abort: somebody stopped it.
        """
        try:
            for number, mnemonic in enumerate(mnemonics, start=1):
                self._give(number, mnemonic)
            typed = [
                self._ask_back(number, mnemonic)
                for number, mnemonic in enumerate(mnemonics, start=1)
            ]
        finally:
            click.echo(FORGET_SCREEN, nl=False)
        shares.check(typed, recovery)
        click.echo("All shares are right.")

    def page(self, number: int, mnemonic: str) -> str:
        """Return the page of one share."""
        return str(
            _environment()
            .get_template(_TEMPLATE)
            .render(
                office=self._office,
                number=number,
                made=self._split.made,
                needed=self._split.needed,
                day=self._day,
                printed=self._lp is not None,
                words=mnemonic.split(),
                check=shares.check_words(mnemonic),
            )
        )

    def _give(self, number: int, mnemonic: str) -> None:
        click.echo(FORGET_SCREEN, nl=False)
        holder = f"Share {number} of {self._split.made}: only its holder"
        if self._lp is None:
            _wait(f"{holder} looks at the screen; press Enter.")
            click.echo(self.page(number, mnemonic))
            _wait("Press Enter when it is written down.")
            return
        _wait(f"{holder} stands at the printer; press Enter.")
        self._print(self.page(number, mnemonic))
        _wait("Press Enter when the page is out and its holder has it.")

    def _print(self, page: str) -> None:
        """Send one page to the printer by a pipe. Raises: Refused."""
        try:
            done = subprocess.run(  # noqa: S603 - the name was checked; nothing secret is in it
                [str(self._lp), "-d", str(self._printer)],
                input=page.encode(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_PRINTING_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            done = None
        if done is None or done.returncode != 0:
            raise Refused(f"printer {self._printer} did not take the page; nothing was kept")

    def _ask_back(self, number: int, mnemonic: str) -> str:
        """Return a share as typed from the paper, asking until it is the one that was given."""
        click.echo(FORGET_SCREEN, nl=False)
        while True:
            typed = shares.spaced(click.prompt(f"Type share {number} from the paper"))
            click.echo(FORGET_SCREEN, nl=False)
            if typed == mnemonic:
                return typed
            places = ", ".join(str(place) for place in shares.differing(typed, mnemonic))
            click.echo(
                f"This is not the share that was shown: look at word {places} on the paper. "
                "Correct the paper only if it is wrong."
            )
            if click.confirm(f"Show share {number} once more to its holder?"):
                self._give(number, mnemonic)
                click.echo(FORGET_SCREEN, nl=False)


def require_terminal() -> None:
    """Refuse to work with shares in a pipe. Raises: Refused."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refused("this needs a terminal: shares must never run into a file or pipe")


def ask_share() -> Share:
    """Ask for one share until it is right. Raises: click.Abort."""
    try:
        click.echo(FORGET_SCREEN, nl=False)
        while True:
            share = _read([])
            if share is not None:
                return share
    finally:
        click.echo(FORGET_SCREEN, nl=False)


def ask_shares(whose: PublicKeys) -> list[Share]:
    """Ask for as many shares as the first one says are needed, each from its holder.

    What is wrong with a share is told by the number of the word, and the share asked for again.
    If together they do not give the key of ``whose``, all are asked for again.

    Raises:
        click.Abort: somebody stopped it.
    """
    found: list[Share] = []
    try:
        click.echo(FORGET_SCREEN, nl=False)
        while True:
            count = f" of {found[0].needed}" if found else ""
            number = len(found) + 1
            _wait(f"Share {number}{count}: only its holder looks at the screen; press Enter.")
            share = _read(found)
            if share is None:
                continue
            found.append(share)
            if len(found) < found[0].needed:
                click.echo("This share is right.")
            elif shares.combine([one.mnemonic for one in found]).public == whose:
                return found
            else:
                click.echo("These shares belong together, but not to the roster's recovery key.")
                found = []
    finally:
        click.echo(FORGET_SCREEN, nl=False)


def _read(before: Sequence[Share]) -> Share | None:
    """Read one more share, or say what is wrong with it; the screen is cleared of it at once."""
    typed = str(click.prompt("Type the share from the paper"))
    click.echo(FORGET_SCREEN, nl=False)
    try:
        return shares.add(before, typed)
    except shares.SharesWrong as wrong:
        click.echo(f"{told(wrong)} Again, please.")
    return None


def told(wrong: shares.SharesWrong) -> str:
    """Return what is wrong with a share, by numbers of words; never a word."""
    if isinstance(wrong, shares.UnknownWords):
        places = ", ".join(str(place) for place in wrong.places)
        return f"No such word: look at word {places}."
    if isinstance(wrong, shares.WrongLength):
        return f"A share has {LENGTH} words, not {wrong.count}."
    if isinstance(wrong, shares.WordMistyped):
        if wrong.place is None:
            return "The checksum of this share is wrong: several words are, or their order."
        return f"The checksum of this share is wrong: look at word {wrong.place}."
    if isinstance(wrong, shares.ForeignShare):
        return "This share is right, but from another set than the one before."
    if isinstance(wrong, shares.RepeatedShare):
        return "This share was typed before: another holder's is needed."
    return "These shares do not give the recovery key."


def _wait(text: str) -> None:
    """Wait for Enter: a line, because a single key is too easily pressed by accident."""
    click.prompt(text, default="", show_default=False, prompt_suffix=" ")


def _spooler(printer: str) -> str:
    """Return the path of lp. Raises: Refused."""
    if not _PRINTER.fullmatch(printer):
        raise Refused("--printer takes the name of a printer, as lpstat -p shows it")
    found = shutil.which("lp")
    if found is None:
        raise Refused("there is no lp on this machine: leave --printer out and copy by hand")
    return found


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(TEMPLATE_PACKAGE, ""),
        autoescape=select_autoescape(disabled_extensions=("txt",)),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    install: Any = getattr(environment, "install_gettext_translations")  # noqa: B009 - set by i18n
    install(NullTranslations(), newstyle=True)
    # No-break spaces are for browsers: a printer's filter may know ASCII alone.
    environment.filters["tanggal"] = lambda day: Pages().tanggal(day).replace("\u00a0", " ")
    return environment
