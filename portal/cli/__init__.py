"""The command ``suaka``: everything that is done on the machine itself, not in a browser."""

from __future__ import annotations

import os
import sys
from typing import Any, Final

import click

from portal.cli import (
    audit,
    backup,
    calendar,
    ceremony,
    checkup,
    credentials,
    demo,
    instance,
    invitations,
    leaving,
    log,
    notices,
    numbers,
    people,
    receipt,
    recover,
    refusals,
    restore,
    roster,
    running,
    sessions,
    trail,
    witness,
)

OWN_FILES_ONLY: Final = 0o077
"""The umask of every command: also what SQLite makes beside a database is nobody else's."""

USAGE: Final = 2


class Suaka(click.Group):
    """The group of all commands: a refusal is one line on standard error, never a trace."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run one command and exit: 0 done, 1 refused, 2 wrong arguments."""
        before = os.umask(OWN_FILES_ONLY)
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except click.Abort:
            _say("stopped; nothing more was done")
            sys.exit(1)
        except click.ClickException as refused:
            _say(" ".join(refused.format_message().split()))
            sys.exit(USAGE if isinstance(refused, click.UsageError) else 1)
        except Exception as refused:  # noqa: BLE001 - whatever it is: no trace, no secret
            _say(refusals.sentence(refused))
            sys.exit(1)
        finally:
            os.umask(before)
        sys.exit(code if isinstance(code, int) else 0)


@click.group(
    cls=Suaka,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="suaka")
@click.pass_context
def cli(context: click.Context) -> None:
    """Suaka, the whistleblowing portal of a regional inspectorate.

    A real instance, in this order: init, enrol (each officer), enrol --export, ceremony (on an
    offline machine), init --genesis, doctor, serve. To look around first: demo. Later officers:
    invite, enrol --invitation (or in a browser), approve.

    Settings are read from suaka.toml in the folder of the instance, then from the environment
    (SUAKA_WEB_PORT replaces port in section web). Exit status: 0 done, 1 refused, 2 wrong usage.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (
    ceremony.ceremony,
    recover.recover,
    instance.init,
    instance.migrate,
    people.enrol_command,
    credentials.passphrase,
    credentials.factor,
    credentials.codes,
    sessions.sessions,
    notices.notices,
    invitations.invite,
    invitations.invitations_command,
    roster.approve,
    roster.suspend,
    roster.resume,
    roster.roles_command,
    roster.guardian,
    roster.people_command,
    leaving.offboard,
    trail.trail_command,
    trail.bursts_command,
    numbers.numbers_command,
    running.serve,
    running.tick,
    checkup.doctor,
    backup.backup,
    restore.restore,
    calendar.holidays,
    demo.demo,
    witness.witness,
    receipt.receipt,
    log.log,
    audit.audit,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line."""
    cli()


def _say(sentence: str) -> None:
    click.echo(f"suaka: {sentence}", err=True)


if __name__ == "__main__":
    main()
